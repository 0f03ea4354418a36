"""What listeners do to slow, greedy, odd and ordinary peers."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from keystead.base.addresses import EVERYWHERE, ListenAddress
from keystead.doors.http import protocol
from keystead.doors.http.runtime import CannotListen, bind, multiplied, port_of
from keystead.doors.http.server import Receive, Scope, Send
from tests.doors.cli.program import free_port
from tests.doors.http.serving import Peer, application, echo, peer, serving
from tests.patience import PATIENCE, until

_HEAD_SECONDS, _BODY_SECONDS = 3600.5, 3600.25
"""Unlike any other delay."""


class Deadlines:
    """The deadlines of requests that were set; none comes while a test runs."""

    def __init__(self) -> None:
        self._set: list[tuple[float, asyncio.TimerHandle]] = []

    def note(self, delay: float, handle: asyncio.TimerHandle) -> None:
        if delay in {_HEAD_SECONDS, _BODY_SECONDS}:
            self._set.append((delay, handle))

    @property
    def heads(self) -> list[asyncio.TimerHandle]:
        return [handle for delay, handle in self._set if delay == _HEAD_SECONDS]

    @property
    def running(self) -> list[float]:
        return [delay for delay, handle in self._set if not handle.cancelled()]


@pytest.fixture
async def deadlines(monkeypatch: pytest.MonkeyPatch) -> Deadlines:
    found = Deadlines()
    loop = asyncio.get_running_loop()
    real = loop.call_later

    def later(delay: float, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.TimerHandle:  # noqa: ANN401 - asyncio's own
        handle = real(delay, callback, *args, context=context)
        found.note(delay, handle)
        return handle

    monkeypatch.setattr(loop, "call_later", later)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", _HEAD_SECONDS)
    monkeypatch.setattr(protocol, "BODY_SECONDS", _BODY_SECONDS)
    return found


@pytest.fixture(autouse=True)
def _lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused has time to read it."""
    monkeypatch.setattr(protocol, "LINGER_SECONDS", PATIENCE)


async def test_answers_several_requests_on_one_connection() -> None:
    async with serving(application(echo)) as (_, port), peer(port) as one:
        for number in range(3):
            await one.say(b"POST /a%%20b?x=%d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok" % number)
            status, fields, body = await one.answer()
            assert (status, body) == (200, b"POST /a b ok")
            assert fields["date"].endswith("GMT")
            assert "server" not in fields


async def test_answers_requests_that_came_together_in_order() -> None:
    async with serving(application(echo)) as (_, port), peer(port) as one:
        await one.say(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert [(await one.answer())[2] for _ in range(2)] == [b"GET /1 ", b"GET /2 "]


async def test_ends_a_connection_whose_head_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    async with serving(application(echo)) as (_, port):
        async with peer(port) as silent:
            assert b" 408 " in await silent.rest()
        async with peer(port) as dripping:
            await dripping.say(b"GET / HTTP/1.1\r\n")
            dripper = asyncio.create_task(_drip(dripping, b"X-A: b\r\n"))
            assert b" 408 " in await dripping.rest()
            dripper.cancel()


async def _drip(one: Peer, line: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(0.05)
            await one.say(line)


async def test_a_deadline_counts_from_a_requests_first_byte_and_not_from_the_connection(deadlines: Deadlines) -> None:
    async with serving(application(echo)) as (_, port), peer(port) as one:
        for number in range(3):
            await one.say(b"GET / HTTP/1.1\r\n")
            await until(lambda: deadlines.running, [_HEAD_SECONDS])
            assert len(deadlines.heads) == number + 1, "each request has one of its own"
            await one.say(b"Host: h\r\n\r\n")
            assert (await one.answer())[0] == 200
            assert deadlines.running == [], "between requests the deadline does not run"


async def test_ends_a_connection_whose_body_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.2)
    async with serving(application(echo)) as (_, port), peer(port) as one:
        await one.say(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        assert b" 408 " in await one.rest()


async def test_a_slow_answer_is_no_slow_request(deadlines: Deadlines) -> None:
    async def slow(_scope: object, _body: bytes) -> tuple[int, bytes]:
        await asyncio.sleep(0.05)
        return 200, b"late" if deadlines.running == [] else b"hurried"

    async with serving(application(slow)) as (_, port), peer(port) as one:
        await one.say(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
        await until(lambda: deadlines.running, [_BODY_SECONDS])
        await one.say(b"abc")
        assert (await one.answer())[2] == b"late"


@pytest.mark.parametrize("dripped", [False, True])
async def test_refuses_a_head_that_is_too_large(*, dripped: bool) -> None:
    head = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X-Long: %s\r\n" % (b"a" * 1000) * 100
    async with serving(application(echo)) as (_, port), peer(port) as one:
        if dripped:
            for start in range(0, len(head), 8192):
                await one.say(head[start : start + 8192])
                await asyncio.sleep(0.001)
        else:
            await one.say(head + b"\r\n")
        assert b" 431 " in await one.rest()


async def test_a_large_body_is_no_large_head() -> None:
    body = b"x" * 300_000
    async with serving(application(echo)) as (_, port), peer(port) as one:
        for _ in range(2):
            await one.say(b"POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert (await one.answer())[2] == b"POST /big " + body


async def test_refuses_what_is_no_http() -> None:
    async with serving(application(echo)) as (_, port), peer(port) as one:
        await one.say(b"\x16\x03\x01\x02\x00\x01\x00")
        assert (await one.rest()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: h\r\n" + b"no field" * 200, id="no head, and more of it than one may hold"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
            id="a body that is none, behind a head that is answered without it",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
            id="a body that is none, behind a head that asks whether it may come",
        ),
    ],
)
@pytest.mark.parametrize("reads", [False, True])
async def test_who_was_refused_is_told_once(said: bytes, *, reads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD", 1000)

    async def run(_scope: Scope, receive: Receive, send: Send) -> None:
        if reads:
            await receive()
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    with structlog.testing.capture_logs() as logs:
        async with serving(run) as (_, port), peer(port) as one:
            await one.say(said[:16])
            await asyncio.sleep(0.02)
            await one.say(said[16:])
            told = await one.rest()
            await asyncio.sleep(0)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.count(b"HTTP/1.1") == 1
    assert [log for log in logs if log["log_level"] != "debug"] == []


async def test_answers_an_upgrade_plainly_and_closes() -> None:
    ask = (
        b"GET /ws/client/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with serving(application(echo)) as (_, port), peer(port) as one:
        await one.say(ask + b"\x81\x85frame that nobody asked for")
        told = await one.rest()
        assert told.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in told
        assert told.endswith(b"GET /ws/client/ ")


async def test_turns_away_one_connection_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 2)
    async with serving(application(echo)) as (_, port), peer(port) as first, peer(port) as second:
        for one in (first, second):
            await one.say(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await one.answer())[0] == 200
        async with peer(port) as third:
            told = await third.rest()
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in told
        await first.say(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await first.answer())[0] == 200


async def test_an_application_that_breaks_is_answered_and_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken on purpose")

    async with serving(broken) as (_, port), peer(port) as one:
        await one.say(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await one.answer())[0] == 500
    assert "broken on purpose" in "".join(capfd.readouterr())


async def test_stopping_finishes_what_is_under_way_and_takes_no_more() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_scope: object, _body: bytes) -> tuple[int, bytes]:
        begun.set()
        await go_on.wait()
        return 200, b"finished"

    async with serving(application(slow)) as (service, port), peer(port) as busy, peer(port) as idle:
        await busy.say(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await begun.wait()
        stopping = asyncio.create_task(service.stop(PATIENCE))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await Peer.to(port)
        assert await idle.rest() == b""
        go_on.set()
        status, fields, body = await busy.answer()
        assert (status, fields["connection"], body) == (200, "close", b"finished")
        await stopping


async def test_stopping_does_not_wait_for_ever() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(_scope: object, _body: bytes) -> tuple[int, bytes]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 200, b""

    async with serving(application(endless)) as (service, port), peer(port) as one:
        await one.say(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await begun.wait()
        async with asyncio.timeout(PATIENCE):
            await service.stop(0.2)
        assert ended.is_set()


def test_says_which_address_is_taken_and_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = port_of(other)
        with pytest.raises(CannotListen) as told:
            bind([ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.1", port)], "listen.http")
    assert f"127.0.0.1:{port}: another process listens there" in str(told.value)
    assert "AUTHENTIK_LISTEN__HTTP" in str(told.value)


def test_says_that_an_address_is_not_this_machines() -> None:
    with pytest.raises(CannotListen, match="this machine has no such address"):
        bind([ListenAddress("192.0.2.1", 9000)], "listen.http")


def test_everywhere_is_both_families() -> None:
    bound = bind([ListenAddress(EVERYWHERE, 0)], "listen.http")
    try:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port_of(bound[0])), timeout=PATIENCE).close()
    finally:
        for one in bound:
            one.close()


def test_a_name_is_bound_on_all_its_addresses_with_one_port() -> None:
    bound: list[socket.socket] = []
    for _ in range(20):
        with contextlib.suppress(CannotListen):  # what was drawn for one address may be taken on the other
            bound = bind([ListenAddress("localhost", 0)], "listen.http")
            break
    try:
        assert len({port_of(one) for one in bound}) == 1
        socket.create_connection(("127.0.0.1", port_of(bound[0])), timeout=PATIENCE).close()
    finally:
        for one in bound:
            one.close()


def test_processes_share_an_address_and_others_do_not_get_in_between() -> None:
    port = free_port()
    first = bind([ListenAddress("127.0.0.1", port)], "listen.http")
    shares = multiplied(first, 3)
    try:
        assert [port_of(one) for share in shares for one in share] == [port] * 3
        with pytest.raises(CannotListen):
            bind([ListenAddress("127.0.0.1", port)], "listen.http")
    finally:
        for share in shares:
            for one in share:
                one.close()
