"""PasswordPolicy: what a new password must be like."""

import string
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.people.password import normal
from keystead.policies.judge import Asked, PolicyKind, PolicyResult, Request
from keystead.policies.prompted import answered
from keystead.policies.shown import PolicyShown, common, view

_MODEL: Final = "authentik_policies_password.passwordpolicy"
_UNASKED: Final = "No password was given."
_UNCHECKED: Final = "This password could not be compared with those that are known to have leaked."

Count = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a new password must be like; bind it where one is set, or let a prompt stage check its answers with it.

    :param execution_logging: write an event at every run, not only when it fails.
    :param password_field: the field of the prompt that holds the password.
    :param amount_digits: digits it needs at least.
    :param amount_uppercase: capital letters it needs at least.
    :param amount_lowercase: small letters it needs at least.
    :param amount_symbols: characters of ``symbol_charset`` it needs at least.
    :param length_min: characters it needs at least.
    :param error_message: what the person is told; blank: what exactly is missing.
    :param check_static_rules: whether length and characters count.
    :param check_have_i_been_pwned: refuse passwords that are known to have leaked. This version asks nobody outside, so
        a policy with it refuses every password.
    :param check_zxcvbn: estimate how hard it is to guess; not built yet, and refused when it is asked for.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    password_field: Text = "password"  # noqa: S105 - the name of a field
    amount_digits: Count = 0
    amount_uppercase: Count = 0
    amount_lowercase: Count = 0
    amount_symbols: Count = 0
    length_min: Count = 0
    symbol_charset: Text = string.punctuation
    error_message: str = ""
    check_static_rules: bool = True
    check_have_i_been_pwned: bool = False
    check_zxcvbn: bool = False
    hibp_allowed_count: Count = 0
    zxcvbn_score_threshold: Count = 2


async def rules(_call: Call, _state: State, _old: PasswordPolicy | None, new: PasswordPolicy) -> PasswordPolicy:
    """Nothing is promised that would not be checked."""
    if new.check_zxcvbn:
        raise invalid(
            {"check_zxcvbn": ["Guessing is not estimated in this version yet; ask for length and characters instead."]}
        )
    return new


def _lacking(policy: PasswordPolicy, given: str) -> Iterator[str]:
    """What ``given`` lacks."""
    if len(given) < policy.length_min:
        yield f"at least {policy.length_min} characters"
    for wanted, what, have in (
        (policy.amount_digits, "digits", sum(char.isdecimal() for char in given)),
        (policy.amount_uppercase, "capital letters", sum(char.isupper() for char in given)),
        (policy.amount_lowercase, "small letters", sum(char.islower() for char in given)),
        (policy.amount_symbols, f"of {policy.symbol_charset}", sum(char in policy.symbol_charset for char in given)),
    ):
        if have < wanted:
            yield f"at least {wanted} {what}"


def evaluate(policy: PasswordPolicy, request: Request) -> PolicyResult:
    """Whether the password that was answered is good enough. What cannot be checked counts as bad."""
    given = answered(request, policy.password_field)
    if given is None:
        return PolicyResult(passing=False, messages=(_UNASKED,))
    # Counted as it will be hashed, so that no way of typing makes it longer than it is.
    given = normal(given)
    if policy.check_static_rules and (lacking := list(_lacking(policy, given))):
        return PolicyResult(
            passing=False, messages=(policy.error_message or f"The password needs {', '.join(lacking)}.",)
        )
    if policy.check_have_i_been_pwned or policy.check_zxcvbn:
        return PolicyResult(passing=False, messages=(_UNCHECKED,))
    return PolicyResult(passing=True)


PASSWORD_POLICY = Kind(
    model=_MODEL,
    struct=PasswordPolicy,
    path="policies/password",
    title=("Password Policy", "Password Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-password-form",
    shown=PolicyShown,
    view=view,
    rules=rules,
    filters=(
        "password_field",
        "amount_digits",
        "amount_uppercase",
        "amount_lowercase",
        "amount_symbols",
        "length_min",
        "symbol_charset",
        "error_message",
        "check_static_rules",
        "check_have_i_been_pwned",
        "check_zxcvbn",
        "hibp_allowed_count",
        "zxcvbn_score_threshold",
        *common(_MODEL),
    ),
)
POLICY: PolicyKind = Asked(PASSWORD_POLICY, evaluate)
