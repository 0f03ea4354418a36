"""What is said over the wire, for the OIDC suites: credentials, answers, tokens, read without our own code's help."""

import base64
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from keystead.providers.oidc.wire import Json, Reply
from keystead.providers.pages import FormPost, Redirect


def basic(user: str, secret: str) -> str:
    """Basic credentials, form-encoded first (RFC 6749 §2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote(user, safe='')}:{quote(secret, safe='')}".encode()).decode()


def parameters(reply: Reply) -> dict[str, str]:
    """What an answer sends to the client."""
    if isinstance(reply, FormPost):
        return reply.fields
    assert isinstance(reply, Redirect), reply
    parts = urlsplit(reply.url)
    return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))


def json_reply(reply: Reply) -> Json:
    """``reply``, which is JSON."""
    assert isinstance(reply, Json), reply
    return reply


def ok(reply: Json) -> dict[str, Any]:
    """The members of a success."""
    assert reply.status == 200, reply
    found: dict[str, Any] = msgspec.json.decode(reply.body)
    return found


def error(reply: Json) -> str:
    """The error code of a failure, which names nothing but our own members and is kept nowhere."""
    assert reply.status >= 400, reply
    body = msgspec.json.decode(reply.body)
    assert set(body) == {"error", "error_description", "request_id"}
    assert ("Cache-Control", "no-store") in reply.headers
    return str(body["error"])


def claims(value: str) -> dict[str, Any]:
    """What a token says, unverified."""
    return _part(value, 1)


def header(value: str) -> dict[str, Any]:
    """A token's header, unverified."""
    return _part(value, 0)


def _part(value: str, number: int) -> dict[str, Any]:
    text = value.split(".")[number]
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found
