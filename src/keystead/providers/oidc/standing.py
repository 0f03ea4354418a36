"""What is known of a code, a grant and a refresh token when somebody brings one."""

from typing import Final, NamedTuple

import msgspec

from keystead.people.person import Person
from keystead.people.user import User

FOREVER: Final = 253_402_300_799_000_000
"""The end of the year 9999: how long the standing grant of a machine lasts."""


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and how the person proved who they are.

    :param auth_time: seconds since 1970; 0 if nobody signed in.
    :param amr: methods, in the words of RFC 8176.
    :param sid: what the client may know of the session (its digest), or empty.
    """

    auth_time: int = 0
    amr: tuple[str, ...] = ()
    sid: str = ""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an authorization request fixed for its code.

    :param scope: what was granted, which may be less than what was asked for.
    :param challenge: the PKCE challenge, or empty.
    """

    redirect_uri: str
    scope: tuple[str, ...]
    proof: Proof
    nonce: str = ""
    challenge: str = ""
    method: str = ""


class Code(NamedTuple):
    """A code as it stands."""

    grant_id: str
    provider: int
    session: str | None
    asked: Terms
    expires: int
    redeemed: int | None
    ended: bool
    person: Person

    @property
    def user(self) -> User:
        """Whose it is."""
        return self.person.user


class Standing(NamedTuple):
    """A grant as it stands.

    :param scope: what was granted; empty for a machine's, whose tokens each say their own.
    :param ended: it was revoked, has run out, or the session it was given in was ended.
    """

    grant_id: str
    provider: int
    session: str | None
    scope: tuple[str, ...]
    proof: Proof
    created: int
    expires: int
    ended: bool
    person: Person

    @property
    def user(self) -> User:
        """Whose it is."""
        return self.person.user

    @property
    def machine(self) -> bool:
        """Whether it stands for a machine: such a grant never ends by itself."""
        return self.expires == FOREVER


class Refresh(NamedTuple):
    """A refresh token as it stands.

    :param used: when its successor was made, or None.
    :param spent: whether that successor has a successor too.
    """

    expires: int
    used: int | None
    spent: bool
    standing: Standing
