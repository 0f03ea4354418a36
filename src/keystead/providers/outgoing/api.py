"""Asking the JSON interface of another system, and believing only what such an interface says.

Nothing of an answer is followed: no redirect, no address in a body. What the system says of a failure is shortened, and
rid of every secret that was sent, before anybody reads it (SECURITY SC-05).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from keystead.base.kept import Kept
from keystead.base.outbound import Outbound, Unreached, unverified
from keystead.base.secret import Secret, digest
from keystead.kinds.ledger import MASK, cleaned
from keystead.kinds.marks import MAX_LINE
from keystead.policies.plain import plain
from keystead.providers.outgoing.system import Missing, Refused, Taken
from keystead.wire import jsonstrict

WITHIN: Final = 10.0
"""Seconds for one request."""
ALTOGETHER: Final = 60.0
"""Seconds for everything that is asked for one object."""
LIMIT: Final = 4 * 1024 * 1024
"""Bytes of an answer: groups may have many members."""
_WORDS: Final = 300
"""Characters of a system's own words that are handed on."""
_HELD: Final = re.compile(r"[\x21-\x7e]{1,8192}")
_UNPRINTED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]+")
_SHORTEST: Final = 4
"""Characters of a secret that is looked for in texts; shorter ones would be found in any."""
_CONFIDENTIAL: Final = frozenset({"assertion", "client_secret", "password", "refresh_token"})
"""What of a form is nobody's business."""
_EARLIER: Final = timedelta(seconds=30)
"""A token is not used in the last moments of its life."""
_LONGEST: Final = timedelta(hours=1)
_tokens: Final[Kept[bytes, tuple[Secret, datetime]]] = Kept(256)


class Api:
    """One system's interface, for the time of one synchronisation.

    :param where: what the system is called in messages.
    :param token: gives the bearer token of requests, empty for none.
    :param renews: whether ``token``, called with True, gives another one where the one before was not accepted.
    :param secrets: what must not appear in messages.
    :param plain: ``http`` will do, too.
    :param verify: whether the server proves who it is.
    """

    def __init__(
        self,
        outbound: Outbound,
        where: str,
        token: Callable[["Api", bool], Awaitable[Secret]],
        *,
        secrets: Iterable[Secret] = (),
        renews: bool = True,
        plain: bool = False,
        verify: bool = True,
    ) -> None:
        self.where = where
        self._outbound = outbound
        self._token = token
        self._renews = renews
        self._secrets = {one.reveal() for one in secrets if len(one.reveal()) >= _SHORTEST}
        self._plain = plain
        self._verify = verify
        self._until = asyncio.get_running_loop().time() + ALTOGETHER

    async def ask(
        self, method: str, url: str, body: Mapping[str, object] | None = None, *, media: str = "application/json"
    ) -> dict[str, Any]:
        """The answer to one request; empty where the system did it and says no more.

        :raises Missing: 404.
        :raises Taken: 409.
        :raises Refused: any other failure.
        """
        sent = b"" if body is None else msgspec.json.encode(body)
        status, data = await self._authorised(method, url, sent, media, again=False)
        if status == HTTPStatus.UNAUTHORIZED and self._renews:
            status, data = await self._authorised(method, url, sent, media, again=True)
        found: dict[str, Any] = self._without(self._good(status, data))
        return found

    async def form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer of a token endpoint (RFC 6749 §3.2).

        :raises Refused: it gives none.
        """
        self._secrets |= {form[name] for name in _CONFIDENTIAL & form.keys() if len(form[name]) >= _SHORTEST}
        head = {**(headers or {}), "content-type": "application/x-www-form-urlencoded"}
        status, data = await self._send("POST", url, urlencode(form).encode(), head)
        if status != HTTPStatus.OK:
            raise Refused(f"{self.where} gives us no token{self.told(data)}.")
        return self._good(status, data)

    async def _authorised(
        self, method: str, url: str, body: bytes, media: str, *, again: bool
    ) -> tuple[int, dict[str, Any] | None]:
        token = await self._token(self, again)
        headers = {"authorization": f"Bearer {self._held(token)}"} if token else {}
        if body:
            headers["content-type"] = media
        return await self._send(method, url, body, {**headers, "accept": f"{media}, application/json;q=0.9"})

    def _held(self, token: Secret) -> str:
        text = token.reveal()
        if not _HELD.fullmatch(text):
            raise Refused("The token has characters that stand in no token.")
        self._secrets |= {text} if len(text) >= _SHORTEST else set()
        return text

    async def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any] | None]:
        """Status and JSON object of an answer; None where it says something else."""
        left = self._until - asyncio.get_running_loop().time()
        if left <= 0:
            raise Refused(f"{self.where} takes longer than {ALTOGETHER:g} seconds; synchronise again to go on.")
        try:
            answer = await self._outbound.send(
                method,
                url,
                headers=headers,
                body=body,
                plain=self._plain,
                limit=LIMIT,
                within=min(WITHIN, left),
                tls=None if self._verify else unverified(),
            )
        except Unreached as exc:
            raise Refused(f"{self.where} does not answer. {exc}") from None
        if 300 <= answer.status < 400:  # noqa: PLR2004 - redirects, RFC 9110 §15.4
            raise Refused(f"{self.where} answers with a redirect, which is not followed. Correct the address.")
        if not answer.body:
            return answer.status, {}
        try:
            found = jsonstrict.decode(answer.body)
        except jsonstrict.JsonError:
            return answer.status, None
        return answer.status, found if isinstance(found, dict) else None

    def _good(self, status: int, data: dict[str, Any] | None) -> dict[str, Any]:
        if 200 <= status < 300:  # noqa: PLR2004 - done, RFC 9110 §15.3
            if data is None:
                raise Refused(f"{self.where} answers with something that is no JSON object. Correct the address.")
            return data
        told = self.told(data)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise Refused(f"{self.where} does not let us do this ({status}){told}.", status)
        raise _FAILURES.get(status, Refused)(f"{self.where} refuses with status {status}{told}.", status)

    def _without(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """What a system told, should it say back what we sent in confidence: answers are kept."""
        if isinstance(value, dict):
            return {self._without(key): self._without(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._without(inner) for inner in value]
        return self._masked(value) if isinstance(value, str) else value

    def _masked(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def told(self, data: Mapping[str, Any] | None) -> str:
        """What a system says of a failure: one line, short, without what we sent in confidence."""
        line = _UNPRINTED.sub(" ", self._masked(_words(data or {}))).strip().rstrip(".")
        words = line if len(line) <= _WORDS else f"{line[:_WORDS]}…"
        return f": “{words}”" if words else ""


_FAILURES: Final = {int(HTTPStatus.NOT_FOUND): Missing, int(HTTPStatus.CONFLICT): Taken}


def _words(data: Mapping[str, Any]) -> str:
    """In the forms of RFC 7644 §3.12, RFC 6749 §5.2, Google's and Microsoft's interfaces."""
    error = data.get("error")
    inner = error.get("message") if isinstance(error, dict) else data.get("error_description") or error
    words = data.get("detail") or inner
    return words if isinstance(words, str) else ""


async def bearer(
    key: str, at: datetime, fetch: Callable[[], Awaitable[Mapping[str, Any]]], where: str, *, again: bool
) -> Secret:
    """An access token, kept in this process's memory until it expires (RFC 6749 §5.1).

    :param key: what it is for; another one, or another secret to get it with, is another key.
    :param fetch: asks the token endpoint.
    :param again: the one we had was not accepted.
    :raises Refused: there is none.
    """
    place = digest(key)
    kept = _tokens.get(place)
    if kept is not None and not again and at < kept[1]:
        return kept[0]
    answer = await fetch()
    token, kind, seconds = answer.get("access_token"), answer.get("token_type", "Bearer"), answer.get("expires_in", 0)
    if not isinstance(token, str) or not _HELD.fullmatch(token) or str(kind).lower() != "bearer":
        raise Refused(f"{where} answers with something that is no bearer token.")
    lasting = int(seconds) if isinstance(seconds, int | str) and str(seconds)[:9].isdecimal() else 0
    made = Secret(token)
    _tokens[place] = (made, at + min(timedelta(seconds=min(lasting, 86_400)), _LONGEST) - _EARLIER)
    return made


def segment(remote_id: str) -> str:
    """An id from elsewhere as one part of a path.

    :raises Refused: it is none that could be.
    """
    return quote(checked_id(remote_id), safe="")


def checked_id(remote_id: object) -> str:
    """An id that a system told.

    :raises Refused: it is none.
    """
    if (
        not isinstance(remote_id, str)
        or not 0 < len(remote_id) <= MAX_LINE
        or remote_id in {".", ".."}
        or not remote_id.isprintable()
        or remote_id != remote_id.strip()
    ):
        raise Refused("The system names the object by an id that cannot be one.")
    return remote_id


def attributes(told: Mapping[str, object]) -> dict[str, object]:
    """What a system told of an object, as it is kept here: nothing secret, nothing that no database holds."""
    found = plain(cleaned(told))
    return found if isinstance(found, dict) else {}
