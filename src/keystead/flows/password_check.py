"""Checking a password against the backends of a password stage; shared by the stages that ask for one.

Whether there is such a person, whether they have a password and whether they are active makes no difference to what is
done: one hash, then one look for a token (SECURITY FL-11).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from keystead.flows.stage import Run
from keystead.kinds import ledger
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import password, token
from keystead.people.user import User
from keystead.policies import reputation
from keystead.store import Statement, Write

PASSWORD_STAGE: Final = "authentik_stages_password.passwordstage"  # noqa: S105 - the name of a kind
WRONG: Final = "Name or password is wrong. Check both and try again."
SPENT: Final = "Too many wrong passwords. Start again."
PROOFS: Final = ("auth_method", "auth_method_args", "user_backend")
"""What a context says about how somebody proved who they are; forgotten when somebody else is named."""
_REHASH: Final = Statement("user.rehash", "UPDATE users SET password = $2 WHERE id = $1 AND password = $3")


class BackendsEnum(StrEnum):
    """Where passwords are looked up. The LDAP and Kerberos ones authenticate nobody until there are such sources."""

    INBUILT = "authentik.core.auth.InbuiltBackend"
    TOKEN = "authentik.core.auth.TokenBackend"  # noqa: S105 - a word of the contract
    LDAP = "authentik.sources.ldap.auth.LDAPBackend"
    KERBEROS = "authentik.sources.kerberos.auth.KerberosBackend"


class Checks(Protocol):
    """The settings of a password stage, for a stage that embeds one."""

    @property
    def backends(self) -> Sequence[BackendsEnum]:
        """Where to look, in this order."""

    @property
    def failed_attempts_before_cancel(self) -> int:
        """How many wrong answers end the run."""

    @property
    def allow_show_password(self) -> bool:
        """Whether the page offers to show what is typed."""


class Proof(msgspec.Struct, frozen=True):
    """A password was right.

    :param context: what the run remembers of it.
    :param changes: a renewed hash, where the stored one was made with older parameters.
    """

    context: Mapping[str, object]
    changes: Changes = msgspec.field(default_factory=Changes)


def embedded(settings: Snapshot, pk: str) -> Checks | None:
    """The settings of the password stage with this key."""
    found = settings.find("stages", pk)
    checks: Checks | None = found[1] if found and found[0].model == PASSWORD_STAGE else None
    return checks


def tries(checks: Checks) -> int:
    """How many answers a run takes."""
    return max(1, checks.failed_attempts_before_cancel)


async def check(
    call: Call, state: State, user: User | None, given: str, backends: Sequence[BackendsEnum]
) -> Proof | None:
    """Whether ``given`` is a password of ``user``; None is no, for whatever reason.

    :raises Problem: ``BUSY`` when too many passwords are being checked.
    """
    active = user if user is not None and user.is_active else None
    for backend in backends:
        if backend is BackendsEnum.INBUILT:
            stored = active.password if active else ""
            if await password.verify(stored, given) and active:
                return Proof(_context(backend, "password", {}), await _renewed(active, given))
        elif backend is BackendsEnum.TOKEN:
            found = await token.by_key(state, given, call.at)
            if found and active and found.user == active.pk and found.intent is token.IntentEnum.APP_PASSWORD:
                return Proof(_context(backend, "token", {"identifier": found.identifier}))
    return None


def _context(backend: BackendsEnum, method: str, args: Mapping[str, object]) -> dict[str, object]:
    return {"auth_method": method, "auth_method_args": dict(args), "user_backend": backend.value}


async def _renewed(user: User, given: str) -> Changes:
    changes = Changes()
    if password.needs_rehash(user.password):
        # Written only over the hash that was checked: a password set meanwhile stays.
        changes.write(Write(_REHASH, (user.pk, await password.hash_password(given), user.password)))
    return changes


def failure(run: Run[Any], kind: Kind[Any], username: str, *, tried: bool = True, user: User | None = None) -> Changes:
    """The trace of a failed login: the name as it was typed, the stage, and that a password was given.

    :param user: whom the name names, if anybody: it is their username that gets a worse score.
    """
    changes = Changes()
    changes.write(reputation.scored(run.call, user.username if user else username, -1))
    context: dict[str, object] = {"stage": ledger.reference(kind, run.stage), "username": username[:255]}
    if tried:
        context["password"] = ledger.MASK
    changes.event(run.call, "login_failed", kind.app, context)
    return changes
