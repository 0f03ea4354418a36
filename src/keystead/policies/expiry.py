"""PasswordExpiryPolicy: a password serves a number of days, then its owner must set another one."""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, Text, Uuid
from keystead.policies.judge import Asked, PolicyKind, PolicyResult, Request
from keystead.policies.shown import PolicyShown, common, view

_MODEL: Final = "authentik_policies_expiry.passwordexpirypolicy"
_EXPIRED: Final = "Your password has expired."
_CHANGE: Final = "Your password has expired. Set another one before you go on."


class PasswordExpiryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Lets through who has changed the password within a number of days.

    :param execution_logging: write an event at every run, not only when it fails.
    :param days: how long a password serves; 0 or less: none does.
    :param deny_only: only say that it has expired; else also ask for another one. Either way the password stays as it
        is: a policy judges and writes nothing.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    days: Int32
    deny_only: bool = False


def evaluate(policy: PasswordExpiryPolicy, request: Request) -> PolicyResult:
    """Whether the password is young enough. Of nobody that cannot be said, so it is a no."""
    if request.person is None:
        return PolicyResult(passing=False, log=("There is nobody whose password could have an age.",))
    age = request.call.at - request.person.user.password_change_date
    # Compared as whole days: a timedelta cannot hold every number of days that may be asked for.
    if age // timedelta(days=1) < policy.days:
        return PolicyResult(passing=True)
    return PolicyResult(passing=False, messages=(_EXPIRED if policy.deny_only else _CHANGE,))


PASSWORD_EXPIRY_POLICY = Kind(
    model=_MODEL,
    struct=PasswordExpiryPolicy,
    path="policies/password_expiry",
    title=("Password Expiry Policy", "Password Expiry Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-password-expiry-form",
    shown=PolicyShown,
    view=view,
    filters=("days", "deny_only", *common(_MODEL)),
)
POLICY: PolicyKind = Asked(PASSWORD_EXPIRY_POLICY, evaluate)
