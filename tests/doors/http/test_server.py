"""The lane as a whole: limits, methods, faults that tell nothing, and no request that breaks it."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead import app
from keystead.base.errors import Kind, Problem
from keystead.doors.http.cookies import Jar
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import MAX_BODY, Endpoint, ErrorPage, Routes
from keystead.doors.http.server import Application
from keystead.doors.http.site import Site
from keystead.doors.rest import errors
from keystead.kinds.call import Call
from keystead.store import GuardFailed, StoreDown
from tests.client import Client, call
from tests.engines import ENGINES
from tests.house import VAULT, House, fresh_house

USERS = "/api/v3/core/users/"
SECRET = "postgresql://root:hunter2@db"


def small(house: House, run: Any, error_page: ErrorPage = errors.answer, **more: Any) -> Client:  # noqa: ANN401 - an endpoint's parameters
    """A client of an application with one endpoint."""
    routes = Routes()
    routes.add("POST", "/here/", Endpoint(run, error_page, identify=False, **more))
    return Client(Application(house.site, routes, Jar.of(VAULT), error_page))


async def echo(request: Request, _call: Call, _site: Site, _params: dict[str, str]) -> Response:
    return Response(200, request.body, b"text/plain")


async def test_every_answer_has_an_id_of_its_own_and_is_not_guessed_at(house: House) -> None:
    seen = set()
    for url in (USERS, "/api/v3/nothing/", "/", "/nothing", "/api/v3/root/config/", "/static/nothing"):
        answered = await house.nobody.get(url)
        (request_id,) = answered.all("x-authentik-id")
        assert len(request_id) == 32
        assert int(request_id, 16) >= 0
        assert answered.all("x-content-type-options") == ["nosniff"]
        assert answered.all("referrer-policy") == ["no-referrer"]
        assert len(answered.all("content-length")) == 1
        seen.add(request_id)
    assert len(seen) == 6


async def test_what_is_not_there_is_not_found_in_the_words_of_its_door(house: House) -> None:
    answered = await house.admin.get("/api/v3/no/such/thing/")
    assert answered.status == 404
    assert answered.json["detail"]
    assert (await house.nobody.get("/no-such-page/")).status == 404


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "", "DELETE", "PUT"])
async def test_a_method_nobody_answers_is_told_which_ones_are(house: House, method: str) -> None:
    answered = await house.admin.request(method, USERS, headers={"x-http-method-override": "POST"})
    assert answered.status == 405
    assert answered.header("allow") == "GET, POST"
    assert answered.json["detail"]


async def test_head_is_get_without_the_body(house: House) -> None:
    get, head = await house.admin.get(USERS), await house.admin.request("HEAD", USERS)
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == get.header("content-length")
    assert (await house.admin.request("HEAD", "/api/v3/core/users/service_account/")).status in {404, 405}


async def test_a_get_without_its_last_slash_is_answered_all_the_same(house: House) -> None:
    answered = await house.admin.get("/api/v3/core/users?page_size=1&&")
    assert answered.status == 200
    assert len(answered.json["results"]) == 1
    assert (await house.admin.post("/api/v3/core/users", {})).status == 404


@pytest.mark.parametrize(
    ("length", "chunks", "status"),
    [
        (None, [b"x" * MAX_BODY], 200),
        (None, [b"x" * (MAX_BODY + 1)], 413),
        ("2000000", [b"x"], 413),
        ("9" * 30, [b"x"], 413),
        ("9" * 5000, [b"x"], 413),
        ("1", [b"x" * MAX_BODY, b"y"], 413),
        ("", [b"x" * 500_000] * 3, 413),
        ("", [b"x" * 500_000] * 2, 200),
        ("-5", [b"x"], 200),
        ("five", [b"x"], 200),
        ("", [b""], 200),
    ],
)
async def test_a_body_has_its_limit_whatever_it_says_of_itself(
    house: House, length: str | None, chunks: list[bytes], status: int
) -> None:
    headers = {} if length is None else {"content-length": length}
    answered = await small(house, echo).post("/here/", body=chunks, headers=headers)
    assert answered.status == status
    if status == 200:
        assert answered.body == b"".join(chunks)
    else:
        assert answered.json["code"] == "too_large"


async def test_a_limit_of_the_route_counts(house: House) -> None:
    client = small(house, echo, max_body=10)
    assert (await client.post("/here/", body=b"x" * 10)).status == 200
    assert (await client.post("/here/", body=b"x" * 11)).status == 413


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (RuntimeError(SECRET), 500, "internal"),
        (AssertionError(SECRET), 500, "internal"),
        (GuardFailed(SECRET), 500, "internal"),
        (RecursionError(SECRET), 500, "internal"),
        (TimeoutError(SECRET), 500, "internal"),
        (StoreDown(SECRET), 503, "busy"),
        (Problem(Kind.BUSY, "later", retry_after=7), 503, "busy"),
        (Problem(Kind.CONFLICT, "changed"), 409, "conflict"),
        (Problem(Kind.NOT_BUILT, "not yet"), 501, "not_built"),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "kind", "")) if isinstance(value, Exception) else None,
)
async def test_a_fault_is_told_without_its_inside(house: House, raised: Exception, status: int, code: str) -> None:
    async def run(*_args: object) -> Response:
        raise raised

    answered = await small(house, run).post("/here/")
    assert (answered.status, answered.json["code"]) == (status, code)
    assert "hunter2" not in answered.text
    assert "Traceback" not in answered.text
    assert bool(answered.header("retry-after")) == (status == 503)


async def test_a_request_that_is_cancelled_is_not_answered(house: House) -> None:
    async def run(*_args: object) -> Response:
        await asyncio.sleep(60)
        return Response()

    asking = asyncio.ensure_future(small(house, run).post("/here/"))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize(("raised", "status"), [(Problem(Kind.INVALID, "bad"), 400), (RuntimeError(SECRET), 500)])
async def test_an_error_that_cannot_be_drawn_is_told_in_plain_words(
    house: House, raised: Exception, status: int
) -> None:
    def page(_request: Request, _site: Site, _exc: BaseException) -> Response:
        raise RuntimeError(SECRET)

    async def run(*_args: object) -> Response:
        raise raised

    answered = await small(house, run, page).post("/here/")
    assert answered.status == status
    assert answered.header("content-type") == "text/plain; charset=utf-8"
    assert "hunter2" not in answered.text


HOSTS = ["", "evil/../x", "a b", "a@b", "[::1", "x" * 400, "a.example:99999", "ä"]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_host_that_is_none_is_a_bad_request_at_every_door(house: House, host: str) -> None:
    for url in (USERS, "/", "/if/flow/default-authentication-flow/", "/if/user/", "/no-such-page/"):
        answered = await house.admin.get(url, headers={"host": host})
        assert answered.status in {400, 404}, (url, answered.status)
    assert (await house.admin.get(USERS, headers={"host": host})).status == 400
    doubled = await house.admin.get(USERS, raw_headers=[(b"host", b"other.example")])
    assert doubled.status == 400


async def test_websockets_are_closed_and_other_scopes_ignored(house: House) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own shape
        sent.append(dict(message))

    await house.app({"type": "websocket", "path": "/ws/client/", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
    await house.app({"type": "lifespan"}, receive, send)
    assert len(sent) == 1


@pytest.fixture(scope="module", params=ENGINES)
async def shared(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - an async generator of a house
    """One house for all examples of the fuzzing below."""
    async with fresh_house(request.param) as made:
        yield made


TEMPLATES = sorted({f"/api/v3/{kind.path}/" for kind in app.KINDS} | {"/api/v3/stages/all/", "/api/v3/core/users/me/"})
NAMES = st.sampled_from(
    ["host", "cookie", "authorization", "content-type", "origin", "x-authentik-csrf", "accept", "x"]
)
BYTES = st.binary(max_size=50)
MEDIA = st.sampled_from([b"application/json", b"text/plain", b"application/json; charset=latin-1", b""])


@given(
    template=st.sampled_from(TEMPLATES),
    tail=st.binary(max_size=12),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    headers=st.lists(st.tuples(NAMES, BYTES), max_size=4),
    query=BYTES,
    body=st.binary(max_size=80) | st.sampled_from([b"{}", b"[]", b'{"name": 1}', b'{"name": "\\u0000"}', b"null"]),
    media=MEDIA,
)
@settings(max_examples=250)
async def test_no_bytes_make_a_fault(
    shared: House,
    template: str,
    tail: bytes,
    method: str,
    headers: list[tuple[str, bytes]],
    query: bytes,
    body: bytes,
    media: bytes,
) -> None:
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": template + tail.decode("utf-8", "replace"),
        "query_string": query,
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"localhost"),
            (b"authorization", b"Bearer " + shared.admin.token.encode()),
            (b"content-type", media),
            *((name.encode(), value) for name, value in headers if name not in {"host", "authorization"}),
        ],
    }
    if method == "DELETE" and not tail.strip(b"/"):
        return
    answered = await call(shared.app, scope, [body])
    assert answered.status < 500, answered.text


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
        b'{"name": "a", "name": "b"}',
        b'{"attributes": {"a": NaN}}',
        b'{"attributes": {"a": 1e999}}',
        b'{"attributes": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
        b'{"attributes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"groups": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 100_000,
        b'"text"',
        b"5",
        b"null",
        b"true",
        b"[]",
        b"{",
        b'{"name": "a"} x',
        b"\xef\xbb\xbf{}",
        b'{"attributes": {"n": ' + b"9" * 5000 + b"}}",
        b"{" + b",".join(b'"m%d": 1' % number for number in range(60_000)) + b"}",
    ],
    ids=range(21),
)
async def test_a_broken_body_is_a_bad_request_and_changes_nothing(house: House, body: bytes) -> None:
    before = (await house.admin.get(USERS)).body
    headers = {"content-type": "application/json"}
    for method, url in (("POST", USERS), ("PATCH", f"{USERS}{house.plain.pk}/"), ("PUT", f"{USERS}{house.plain.pk}/")):
        answered = await house.admin.request(method, url, body=body, headers=headers)
        assert answered.status == 400 or (method == "PATCH" and b'"m1"' in body), (method, answered.text)
    if b'"m1"' not in body:
        assert (await house.admin.get(USERS)).body == before


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
async def test_json_comes_as_json_only(house: House, media: str) -> None:
    body = b'{"name": "x", "username": "x"}'
    answered = await house.admin.post(USERS, body=body, headers={"content-type": media})
    assert answered.status == 415
    assert answered.json["detail"]
    taken = await house.admin.post(USERS, body=body, headers={"content-type": "Application/JSON; charset=utf-8"})
    assert taken.status == 201


async def test_two_megabytes_are_refused_before_they_are_read(house: House) -> None:
    answered = await house.admin.post(USERS, body=b"x" * 2_000_000, headers={"content-type": "application/json"})
    assert answered.status == 413
