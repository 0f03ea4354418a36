"""Speaking to Duo: the Auth API v2, in which people prove themselves, and of the Admin API v1 the list of users.

Source: https://duo.com/docs/authapi and https://duo.com/docs/adminapi, "Request Format", "Authentication", "Response
Format". Each request is signed with a key of the application it is made for; the date is part of what is signed.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from keystead.base.outbound import LIMIT, WITHIN, Outbound, Unreached
from keystead.base.secret import Secret

_ENROL: Final = "/auth/v2/enroll"
_STATUS: Final = "/auth/v2/enroll_status"
_AUTH: Final = "/auth/v2/auth"
_USERS: Final = "/admin/v1/users"
_PAGE: Final = 100
"""Users asked for at once; 300 is Duo's limit, but each may come with many devices."""
_PAGES: Final = 100
_PAGE_LIMIT: Final = 4 * 1024 * 1024
_VALID: Final = 3600
"""Seconds for which an enrolment can be taken up."""
_PATIENCE: Final = 65.0
"""Seconds that people are given to look at their telephone; Duo gives up after a minute."""
_OK: Final = "OK"
_BAD_PARAMETERS: Final = 40002
T = TypeVar("T")


class DuoError(Exception):
    """Duo did not do it. The text is for anybody.

    :param reason: what happened, for those who look after the service.
    :param code: Duo's number for it; 0 where Duo did not answer.
    """

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__("Duo does not answer as expected. Try again later.")
        self.reason = reason
        self.code = code


class Application(msgspec.Struct, frozen=True):
    """An application at Duo, on whose behalf we ask.

    :param host: Duo's API host of this customer.
    :param key: the application's integration key, its name.
    """

    host: str
    key: str
    secret: Secret


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """An account at Duo in the making (Auth API, ``/enroll``).

    :param expiration: seconds since 1970.
    """

    activation_barcode: str
    activation_code: str
    expiration: int
    user_id: str
    username: str = ""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account at Duo (Admin API, "Retrieve Users").

    :param is_enrolled: has some device to prove themselves with.
    """

    user_id: str
    username: str
    status: str = "active"
    is_enrolled: bool = True


class Keyed(Protocol):
    """A stage that holds the keys of an application at Duo."""

    @property
    def api_hostname(self) -> str:
        """Duo's host."""
        ...

    @property
    def client_id(self) -> str:
        """The application's key."""
        ...

    @property
    def client_secret(self) -> Secret:
        """Its secret."""
        ...


def application(stage: Keyed) -> Application:
    """The application at Duo that people prove themselves to."""
    return Application(stage.api_hostname, stage.client_id, stage.client_secret)


class _Verdict(msgspec.Struct):
    result: str


class _Metadata(msgspec.Struct):
    next_offset: int | None = None


class _Reply(msgspec.Struct):
    stat: str
    response: msgspec.Raw = msgspec.Raw(b"null")
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0
    message: str = ""
    message_detail: str | None = None


def canonical(date: str, method: str, host: str, path: str, params: str) -> str:
    """What is signed of a request.

    :param params: the parameters as they are sent: sorted, percent-encoded.
    """
    return f"{date}\n{method.upper()}\n{host.lower()}\n{path}\n{params}"


def signature(asking: Application, signed: str) -> str:
    """The ``Authorization`` header: HTTP Basic with the key and an HMAC-SHA512 of what is asked."""
    mac = hmac.new(asking.secret.reveal().encode(), signed.encode(), "sha512").hexdigest()
    return f"Basic {b64encode(f'{asking.key}:{mac}'.encode()).decode()}"


def encoded(params: Mapping[str, str]) -> str:
    """Parameters as they are signed and sent."""
    return urlencode(sorted(params.items()), quote_via=quote)


async def _ask(
    outbound: Outbound,
    asking: Application,
    at: datetime,
    method: str,
    path: str,
    params: Mapping[str, str],
    *,
    limit: int = LIMIT,
    within: float = WITHIN,
) -> _Reply:
    """One request.

    :raises DuoError: no answer, or a no.
    """
    text = encoded(params)
    date = format_datetime(at)
    signed = canonical(date, method, asking.host, path, text)
    headers = {"date": date, "authorization": signature(asking, signed)}
    url, body = f"https://{asking.host.lower()}{path}", b""
    if method == "GET":
        url += f"?{text}" if text else ""
    else:
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = text.encode()
    try:
        answer = await outbound.send(method, url, headers=headers, body=body, limit=limit, within=within)
    except Unreached as exc:
        raise DuoError(exc.reason) from exc
    try:
        reply = msgspec.json.decode(answer.body, type=_Reply)
    except msgspec.MsgspecError as exc:
        raise DuoError(f"the answer ({answer.status}) is none of Duo's") from exc
    if reply.stat != _OK:
        told = ": ".join(part for part in (reply.message, reply.message_detail) if part)
        raise DuoError(f"Duo says: {told or 'no'} ({reply.code})", reply.code or answer.status)
    return reply


def _read(reply: _Reply, form: type[T]) -> T:
    try:
        return msgspec.json.decode(reply.response, type=form)
    except msgspec.MsgspecError as exc:
        raise DuoError(f"Duo's answer has another form than its documentation: {exc}") from exc


async def enrol(outbound: Outbound, asking: Application, at: datetime, username: str, other: str) -> Enrolment:
    """A new account at Duo, to be taken up with Duo's application within an hour.

    :param username: what it is to be called, so that administrators know it again; or
    :param other: where Duo has an account of that name: nobody proved that it is the same person's.
    :raises DuoError: Duo does not make it.
    """
    for name in (username, other):
        params = {"username": name, "valid_secs": str(_VALID)}
        try:
            made = _read(await _ask(outbound, asking, at, "POST", _ENROL, params), Enrolment)
        except DuoError as exc:
            if name == other or exc.code != _BAD_PARAMETERS:
                raise
            continue
        # Browsers are offered both, so they are what they should be or nothing.
        if not made.activation_barcode.startswith("https://") or not made.activation_code.startswith("duo://"):
            break
        return made
    raise DuoError("Duo's answer to an enrolment leads elsewhere than to Duo")


async def enrolment(outbound: Outbound, asking: Application, at: datetime, made: Enrolment) -> str:
    """How far it is: ``success``, ``waiting`` or ``invalid``.

    :raises DuoError: Duo does not tell.
    """
    params = {"user_id": made.user_id, "activation_code": made.activation_code}
    return _read(await _ask(outbound, asking, at, "POST", _STATUS, params), str)


async def allowed(
    outbound: Outbound, asking: Application, at: datetime, *, user_id: str, username: str, peer: str
) -> bool:
    """Whether somebody allows a sign-in on a device of theirs: Duo asks there, and this waits for a minute.

    :param username: as the device shows it.
    :param peer: where the sign-in comes from.
    :raises DuoError: Duo does not ask.
    """
    params = {"user_id": user_id, "factor": "push", "device": "auto", "display_username": username}
    if peer and ":" not in peer:  # IPv4 only
        params["ipaddr"] = peer
    return _read(await _ask(outbound, asking, at, "POST", _AUTH, params, within=_PATIENCE), _Verdict).result == "allow"


async def users(outbound: Outbound, asking: Application, at: datetime) -> list[User]:
    """Every account at Duo.

    :param asking: an application that may read users.
    :raises DuoError: Duo does not tell, or they are too many to be asked for while somebody waits.
    """
    found: list[User] = []
    offset = 0
    for _ in range(_PAGES):
        params = {"limit": str(_PAGE), "offset": str(offset)}
        reply = await _ask(outbound, asking, at, "GET", _USERS, params, limit=_PAGE_LIMIT)
        found += _read(reply, list[User])
        onward = reply.metadata.next_offset
        if onward is None:
            return found
        if onward <= offset:
            break
        offset = onward
    raise DuoError(f"the list of users does not end after {len(found)}")
