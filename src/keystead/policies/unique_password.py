"""UniquePasswordPolicy: a new password is none of those the person had before.

The database remembers replaced hashes itself (migration 0005); the worker forgets what no policy asks for.
"""

from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import password
from keystead.policies.judge import Asked, Looks, PolicyKind, PolicyResult, Request
from keystead.policies.prompted import answered
from keystead.policies.shown import PolicyShown, common, view
from keystead.store import Statement, Write

_MODEL: Final = "authentik_policies_unique_password.uniquepasswordpolicy"
MOST: Final = 50
"""Earlier passwords that a policy may ask for: to compare each takes some 30 ms of a processor."""
_UNASKED: Final = "No password was given."
_USED: Final = "You have used this password before. Choose another one."
_LATEST: Final = Statement(
    "password_history.latest",
    "SELECT password FROM password_history WHERE user_id = $1 ORDER BY replaced DESC, id DESC LIMIT $2",
)
_FORGET: Final = Statement(
    "password_history.forget",
    "DELETE FROM password_history WHERE id IN (SELECT id FROM (SELECT id,"
    " row_number() OVER (PARTITION BY user_id ORDER BY replaced DESC, id DESC) AS place FROM password_history) p"
    " WHERE place > $1)",
)

Count = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]


class UniquePasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Lets a password through that is neither the person's present one nor one of the last before it.

    :param execution_logging: write an event at every run, not only when it fails.
    :param password_field: the field of the prompt that holds the password.
    :param num_historical_passwords: how many earlier passwords count, 50 at most; they are remembered from the day on
        that a policy asks for them.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    password_field: Text = "password"  # noqa: S105 - the name of a field
    num_historical_passwords: Count = 1


async def rules(
    _call: Call, _state: State, _old: UniquePasswordPolicy | None, new: UniquePasswordPolicy
) -> UniquePasswordPolicy:
    """No more are compared than a person can wait for."""
    if new.num_historical_passwords > MOST:
        raise invalid({"num_historical_passwords": [f"At most {MOST} earlier passwords are compared."]})
    return new


async def evaluate(state: State, policy: UniquePasswordPolicy, request: Request) -> PolicyResult:
    """Whether the password that was answered is a new one. Somebody new has had none."""
    given = answered(request, policy.password_field)
    if given is None:
        return PolicyResult(passing=False, messages=(_UNASKED,))
    if request.person is None:
        return PolicyResult(passing=True)
    user = request.person.user
    rows = await state.store.fetch(_LATEST, user.pk, policy.num_historical_passwords)
    for stored in (user.password, *(str(row[0]) for row in rows)):
        if stored and await password.verify(stored, given):
            return PolicyResult(passing=False, messages=(_USED,))
    return PolicyResult(passing=True)


def forget(settings: Snapshot) -> Write:
    """The write that forgets the hashes no policy asks for."""
    wanted = max((one.num_historical_passwords for one in settings.all(UNIQUE_PASSWORD_POLICY)), default=0)
    return Write(_FORGET, (wanted,))


UNIQUE_PASSWORD_POLICY: Kind[UniquePasswordPolicy] = Kind(
    model=_MODEL,
    struct=UniquePasswordPolicy,
    path="policies/unique_password",
    title=("Password Uniqueness Policy", "Password Uniqueness Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-password-uniqueness-form",
    shown=PolicyShown,
    view=view,
    rules=rules,
    filters=("password_field", "num_historical_passwords", *common(_MODEL)),
)
POLICY: PolicyKind = Asked(UNIQUE_PASSWORD_POLICY, Looks(evaluate))
