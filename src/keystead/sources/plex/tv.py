"""What plex.tv tells: whose a token is, which servers they see, whom the owner of a server shares with.

Sources: forums.plex.tv/t/609370 "Authenticating with Plex" (``/api/v2/user``, pins, statuses, headers), and the
documentation of python-plexapi (``MyPlexAccount``, ``MyPlexResource``, ``MyPlexUser``: members and ``/api/users``).
"""

import re
import threading
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from keystead.base.errors import Kind, Problem, invalid
from keystead.base.outbound import Answer, Outbound, Unreached
from keystead.wire import jsonstrict, xmlstrict

AT: Final = "https://plex.tv"
PRODUCT: Final = "Keystead"
"""As what people find us among the devices that may use their account."""
MOST: Final = 16
"""Questions under way at once: whoever asks us is nobody yet."""
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_LONGEST: Final = 2 * 1024 * 1024
"""Bytes of an answer; those with many servers or friends are long."""
_UNHEARD: Final = "Plex does not answer at present; try again."
_UNKNOWN: Final = "Plex does not know this token, or it is not valid any more. Sign in with Plex again."
_PRIVATE: Final = frozenset({"authToken", "pin"})
_places: Final = threading.BoundedSemaphore(MOST)
T = TypeVar("T")


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """An account at Plex.

    :param id: never changes, and is nobody else's.
    :param confirmed: Plex has checked that the e-mail address is theirs.
    :param guest: the guest of somebody's home, who is nobody in particular.
    """

    id: int
    username: str | None = None
    title: str | None = None
    friendly_name: str | None = None
    email: str | None = None
    confirmed: bool | None = False
    guest: bool | None = False
    anonymous: bool | None = False


class Resource(msgspec.Struct, frozen=True, rename="camel"):
    """A server, player or other device that an account sees.

    :param provides: what it is, parted by commas; ``server`` among it.
    :param owner_id: whose it is that somebody shares; None for one's own.
    """

    client_identifier: str = ""
    provides: str | None = ""
    owned: bool | None = False
    owner_id: int | None = None


class PlexTv(msgspec.Struct, frozen=True):
    """Asks plex.tv with one token.

    :param client_id: by which Plex knows this installation.
    """

    outbound: Outbound
    client_id: str
    token: str

    async def account(self) -> tuple[Account, dict[str, object]]:
        """Whose the token is; and everything Plex tells of them, but what opens their account.

        :raises Problem: ``INVALID``: nobody's; ``BUSY``: Plex does not answer.
        """
        told = _json(await self._ask("/api/v2/user"))
        if not isinstance(told, dict):
            raise _unheard()
        return _as(told, Account), {key: value for key, value in told.items() if key not in _PRIVATE}

    async def servers(self, own: int) -> set[tuple[str, int]]:
        """The servers that the account sees: what each calls itself, and whose Plex says it is.

        :param own: the account's own id.
        """
        found = _as(_json(await self._ask("/api/v2/resources")), list[Resource])
        servers = (one for one in found if "server" in (one.provides or "").split(","))
        whose = ((one.client_identifier, own if one.owned else one.owner_id) for one in servers)
        return {(name, owner) for name, owner in whose if owner}

    async def shares_with(self) -> set[int]:
        """The accounts that are friends of this one, or of its home."""
        answer = await self._ask("/api/users", accept="application/xml")
        try:
            root = xmlstrict.parse(answer.body)
        except xmlstrict.XmlError:
            raise _unheard() from None
        names = (one.attributes.get("id", "") for one in root.every("User"))
        return {int(name) for name in names if name.isascii() and name.isdigit()}

    async def _ask(self, path: str, *, accept: str = "application/json") -> Answer:
        if not _TOKEN.fullmatch(self.token):
            raise _unknown()
        more = {"accept": accept, "x-plex-token": self.token}
        answer = await _asked(self.outbound, "GET", path, self.client_id, more)
        if answer.status in {401, 403, 422}:
            raise _unknown()
        return _good(answer)


class Pin(msgspec.Struct, frozen=True, rename="camel"):
    """What a browser takes to Plex's own page, and what came of it.

    :param auth_token: of the person who has signed in there with it; until then None.
    """

    id: int
    code: str
    auth_token: str | None = None


async def new_pin(outbound: Outbound, client_id: str) -> Pin:
    """A pin that nobody has signed in with.

    :raises Problem: ``BUSY``: Plex does not answer.
    """
    return _as(_json(_good(await _asked(outbound, "POST", "/api/v2/pins?strong=true", client_id))), Pin)


async def pin(outbound: Outbound, client_id: str, number: int, code: str) -> Pin:
    """The pin ``number`` as it stands.

    :raises Problem: as :func:`new_pin`.
    """
    path = f"/api/v2/pins/{number}?{urlencode({'code': code})}"
    found = _as(_json(_good(await _asked(outbound, "GET", path, client_id))), Pin)
    if (found.id, found.code) != (number, code):
        raise _unheard()
    return found


async def _asked(
    outbound: Outbound, method: str, path: str, client_id: str, headers: Mapping[str, str] | None = None
) -> Answer:
    if not _places.acquire(blocking=False):
        raise _unheard()
    own = {"accept": "application/json", "x-plex-client-identifier": client_id, "x-plex-product": PRODUCT}
    try:
        return await outbound.send(method, AT + path, headers={**own, **(headers or {})}, limit=_LONGEST)
    except Unreached:
        raise _unheard() from None
    finally:
        _places.release()


def _good(answer: Answer) -> Answer:
    if answer.status not in {200, 201}:
        raise _unheard()
    return answer


def _json(answer: Answer) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return jsonstrict.decode(answer.body)
    except ValueError:
        raise _unheard() from None


def _as(told: object, type_: type[T]) -> T:
    try:
        return msgspec.convert(told, type_)
    except msgspec.ValidationError:
        raise _unheard() from None


def _unheard() -> Problem:
    return Problem(Kind.BUSY, _UNHEARD, retry_after=5)


def _unknown() -> Problem:
    return invalid({"plex_token": [_UNKNOWN]})
