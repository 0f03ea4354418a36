"""Requests at random: whatever comes, it is never taken for a fault of ours."""

import json
from typing import Any, Final
from urllib.parse import quote_from_bytes

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journeys import raw
from tests.journeys.raw import request
from tests.journeys.server import TOKEN, Node

PATHS: Final = (
    "/api/v3/core/users/",
    "/api/v3/core/users/{}/",
    "/api/v3/core/groups/",
    "/api/v3/core/applications/",
    "/api/v3/core/applications/{}/",
    "/api/v3/core/tokens/{}/view_key/",
    "/api/v3/events/events/",
    "/api/v3/flows/instances/{}/",
    "/api/v3/policies/expression/",
    "/api/v3/policies/bindings/",
    "/api/v3/providers/oauth2/",
    "/api/v3/stages/prompt/prompts/",
    "/api/v3/stages/all/{}/",
    "/api/v3/flows/executor/default-authentication-flow/",
    "/api/v3/flows/executor/{}/",
    "/application/o/authorize/",
    "/application/o/token/",
    "/application/o/introspect/",
    "/application/o/userinfo/",
    "/application/o/{}/end-session/",
    "/if/flow/default-authentication-flow/",
    "/if/flow/{}/",
    "/{}",
)
MEMBERS: Final = (
    "name", "slug", "username", "email", "attributes", "groups", "path", "provider", "redirect_uris", "url",
    "matching_mode", "policy", "target", "order", "expression", "user", "authorization_flow", "invalidation_flow",
    "uid_field", "password", "component", "token", "grant_type", "client_id", "client_secret", "code", "redirect_uri",
    "scope", "response_type", "state", "nonce", "code_challenge", "prompt", "max_age", "id_token_hint", "next",
    "query", "search", "ordering", "page", "page_size", "pk", "field_key", "label", "type", "identifier", "intent",
    "expires", "_csrf",
)  # fmt: skip  # a list of words reads best as lines of text
TEXTS: Final = st.one_of(
    st.text(max_size=30),
    st.sampled_from(("default-authentication-flow", "authorization_code", "code", "openid", "none", "1", "-1", "true")),
)
VALUES: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)
OBJECTS: Final = st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=6)
BYTES: Final = st.one_of(st.binary(max_size=20), TEXTS.map(lambda text: text.encode("utf-8", "ignore")))


def _form(pairs: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)


FORMS: Final = st.lists(st.tuples(st.sampled_from(MEMBERS), BYTES), max_size=6).map(_form)
BODIES: Final = st.one_of(
    OBJECTS.map(lambda body: ("application/json", json.dumps(body).encode())),
    FORMS.map(lambda body: ("application/x-www-form-urlencoded", body.encode())),
    st.tuples(
        st.sampled_from(("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data")),
        st.binary(max_size=200),
    ),
)


@settings(max_examples=250)
@given(
    method=st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
    path=st.sampled_from(PATHS),
    key=BYTES,
    query=FORMS,
    body=BODIES,
    admin=st.booleans(),
)
async def test_nothing_is_a_fault(
    pair: tuple[Node, Node], *, method: str, path: str, key: bytes, query: str, body: tuple[str, bytes], admin: bool
) -> None:
    kind, content = body
    headers: list[tuple[str, Any]] = [("Content-Type", kind)]
    if admin:
        headers.append(("Authorization", f"Bearer {TOKEN}"))
    target = path.format(quote_from_bytes(key, safe="")) + (f"?{query}" if query else "")
    told = await raw.send(pair[0], request(method, target, *headers, body=b"" if method == "GET" else content))
    assert 200 <= told.status < 500, told
    assert '"level": "error"' not in pair[0].program.output
