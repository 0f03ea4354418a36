"""``Idempotency-Key``: a POST that is sent again is not carried out again (draft-ietf-httpapi-idempotency-key-header).

The key is claimed before the request acts and the answer is kept beside it, so a client that lost the answer gets the
same one for a day. A request that was refused gives its key back; one that was broken off in between keeps it: that it
was carried out at most once is worth more than another try.
"""

import re
from datetime import timedelta
from typing import Final

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import Kind, Problem, invalid
from keystead.base.secret import fingerprint
from keystead.doors.http.message import Header, Request, Response
from keystead.doors.http.routes import Handler
from keystead.doors.http.site import Site
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.store import GuardFailed, Statement, Write

HEADER: Final = b"idempotency-key"
KEPT: Final = timedelta(days=1)
"""How long a key stands for the request it came with."""
_LONGEST: Final = 255
_TEXT: Final = re.compile(r'"[\x20-\x21\x23-\x5b\x5d-\x7e]+"|[\x21\x23-\x7e]+')
_CLAIM: Final = Statement(
    "idempotency.claim",
    "INSERT INTO idempotency (digest, request, expires) VALUES ($1, $2, $3) ON CONFLICT (digest) DO UPDATE"
    " SET request = $2, expires = $3, status = NULL, answer = NULL WHERE idempotency.expires <= $4",
)
_FIND: Final = Statement(
    "idempotency.find", "SELECT request, status, answer FROM idempotency WHERE digest = $1 AND expires > $2"
)
_KEEP: Final = Statement("idempotency.keep", "UPDATE idempotency SET status = $2, answer = $3 WHERE digest = $1")
_RELEASE: Final = Statement("idempotency.release", "DELETE FROM idempotency WHERE digest = $1")
_CONTEXT: Final = "idempotency"
_CLAIMED: Final = "claimed"


class _Kept(msgspec.Struct):
    """An answer as it is kept, sealed: it may hold what is shown only once."""

    body: str
    headers: list[tuple[str, str]]


class _Key(msgspec.Struct, frozen=True):
    digest: str
    request: str


def _key(request: Request, call: Call) -> _Key | None:
    """The key that the request came with; keys of different callers never meet.

    :raises Problem: ``INVALID`` for a key that is none.
    """
    given = request.every(HEADER)
    if not given or not call.actor.known:
        return None
    if len(given) > 1 or len(given[0]) > _LONGEST or not _TEXT.fullmatch(given[0]):
        raise invalid(detail=f"An Idempotency-Key is one text of 1 to {_LONGEST} visible ASCII characters.")
    text = given[0].strip('"')
    query = request.scope["query_string"].decode("latin-1")
    body = request.body.decode("latin-1")
    return _Key(
        fingerprint(f"{call.actor.pk}\n{text}"),
        fingerprint(f"{request.method} {request.path}?{query}\n{request.content_type}\n{body}"),
    )


async def once(request: Request, call: Call, site: Site, run: Handler, params: dict[str, str]) -> Response:
    """Answer a POST; one whose key was seen already gets the answer of the first time.

    :raises Problem: ``CONFLICT`` when the key came with another request, or the first one has no answer (yet).
    """
    key = _key(request, call)
    if key is None:
        return await run(request, call, site, params)
    state = site.state
    try:
        expires = micros(call.at + KEPT)
        await _write(state, call, Write(_CLAIM, (key.digest, key.request, expires, micros(call.at)), 1, _CLAIMED))
    except GuardFailed:
        return await _again(state, call, key)
    try:
        response = await run(request, call, site, params)
    except Problem as exc:
        if exc.kind is not Kind.INTERNAL:
            await _write(state, call, Write(_RELEASE, (key.digest,)))
        raise
    headers = [(name.decode(), value.decode("latin-1")) for name, value in response.headers]
    answer = msgspec.json.encode(_Kept(response.body.decode(), headers)).decode()
    sealed = state.vault.seal(answer, f"{_CONTEXT}/{key.digest}")
    await _write(state, call, Write(_KEEP, (key.digest, response.status, sealed)))
    return response


async def _again(state: State, call: Call, key: _Key) -> Response:
    row = await state.store.fetch_one(_FIND, key.digest, micros(call.at))
    asked, status, answer = row or ("", None, None)
    if row and asked != key.request:
        raise Problem(Kind.CONFLICT, "This Idempotency-Key came with another request already; draw a new one for each.")
    if status is None:
        raise Problem(
            Kind.CONFLICT,
            "The first request with this Idempotency-Key is under way, or was broken off; see what it did before you"
            " repeat it with a new key.",
        )
    kept = msgspec.json.decode(state.vault.open(str(answer), f"{_CONTEXT}/{key.digest}"), type=_Kept)
    headers: list[Header] = [(name.encode(), value.encode("latin-1")) for name, value in kept.headers]
    response = Response(int(str(status)), kept.body.encode())
    response.headers = [*headers, (b"idempotency-replayed", b"true")]
    return response


async def _write(state: State, call: Call, write: Write) -> None:
    changes = Changes()
    changes.write(write)
    await state.commit(changes, call.at)
