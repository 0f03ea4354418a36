import asyncio
import gzip
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from subprocess import run

import pytest

from keystead.base.addresses import parse_networks
from keystead.base.outbound import HEAD, HEADERS, LIMIT, UNREACHED, Outbound, Unreached, unverified
from tests.strangers import LOCAL, Answers, Asked, Authority, Spoken, answering, listening

NAME = "friend.example"


def at(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """Every name is there."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


LOCALLY = Outbound((LOCAL,), resolve=at("127.0.0.1"))


def saying(data: bytes) -> Spoken:
    """These bytes, whatever is asked."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()

    return speak


async def refused(outbound: Outbound, url: str, *, plain: bool = True, within: float = 5.0) -> str:
    """Why there is no answer."""
    with pytest.raises(Unreached) as caught:
        await outbound.send("GET", url, plain=plain, within=within)
    assert str(caught.value) == UNREACHED
    return caught.value.reason


def echo(asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
    return 200, {"X-Asked": f"{asked.method} {asked.path}", "X-Host": asked.headers["host"]}, asked.body


async def test_http_is_spoken_only_where_the_caller_says_so() -> None:
    async with listening(answering(echo)) as port:
        assert "https://" in await refused(LOCALLY, f"http://{NAME}:{port}/", plain=False)
        assert (await LOCALLY.send("GET", f"http://{NAME}:{port}/", plain=True)).status == 200


async def test_a_request_and_its_answer_go_through_verified_tls(authority: Authority) -> None:
    outbound = Outbound((LOCAL,), tls=authority.trusting(), resolve=at("127.0.0.1"))
    async with listening(answering(echo), authority.serving(NAME)) as port:
        url = f"https://{NAME}:{port}/a/b?c=%20d"
        answer = await outbound.send("POST", url, headers={"Content-Type": "text/plain"}, body=b"hello")
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["x-asked"] == "POST /a/b?c=%20d"
    assert answer.headers["x-host"] == f"{NAME}:{port}"


async def test_a_certificate_of_another_name_or_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    outbound = Outbound((LOCAL,), tls=authority.trusting(), resolve=at("127.0.0.1"))
    async with listening(answering(echo), authority.serving("foe.example", "*.foe.example")) as port:
        assert "mismatch" in (await refused(outbound, f"https://{NAME}:{port}/")).lower()
        assert (await outbound.send("GET", f"https://foe.example:{port}/")).status == 200
        assert "certificate" in await refused(LOCALLY, f"https://foe.example:{port}/")
    async with listening(answering(echo), Authority(tmp_path).serving(NAME)) as port:
        assert "certificate" in await refused(outbound, f"https://{NAME}:{port}/")
    async with listening(answering(echo), authority.serving("127.0.0.1")) as port:
        assert (await outbound.send("GET", f"https://127.0.0.1:{port}/")).status == 200


async def test_who_a_server_is_does_not_matter_where_the_caller_says_so(tmp_path: Path) -> None:
    async with listening(answering(echo), Authority(tmp_path).serving("foe.example")) as port:
        url = f"https://{NAME}:{port}/"
        assert (await LOCALLY.send("GET", url, tls=unverified())).status == 200
        assert "certificate" in await refused(LOCALLY, url), "for that one request only"
        with pytest.raises(Unreached):
            await Outbound(resolve=at("127.0.0.1")).send("GET", url, tls=unverified())


def test_servers_are_verified_unless_told_otherwise() -> None:
    context = Outbound()._verifying()  # noqa: SLF001 - there is no server of the Internet to try it on
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_the_address_that_was_judged_is_the_one_connected_to() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with listening(answering(echo)) as port:
        outbound = Outbound((LOCAL,), resolve=rebinding)
        url = f"http://{NAME}:{port}/"
        assert (await outbound.send("GET", url, plain=True)).headers["x-host"] == f"{NAME}:{port}"
        assert asked == [NAME]
        assert "10.0.0.1" in await refused(outbound, url)


async def test_only_good_ones_among_several_addresses_are_tried() -> None:
    seen: list[str] = []

    async def spoken(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("sockname")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with listening(spoken) as port:
        outbound = Outbound(parse_networks("127.0.0.1, 127.9.9.9"), resolve=at("127.0.0.2", "127.9.9.9", "127.0.0.1"))
        assert (await outbound.send("GET", f"http://{NAME}:{port}/", plain=True)).status == 204
        assert "no address" in await refused(Outbound(resolve=at()), f"http://{NAME}:{port}/")
    assert seen == ["127.0.0.1"]


@pytest.mark.parametrize("to", ["http://169.254.169.254/", "https://elsewhere.example/", "file:///etc/passwd", "/on"])
async def test_redirects_are_not_followed(to: str) -> None:
    asked: list[Asked] = []

    def answers(one: Asked) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(one)
        return 302, {"Location": to}, b""

    async with listening(answering(answers)) as port:
        answer = await LOCALLY.send("GET", f"http://{NAME}:{port}/", plain=True, headers={"authorization": "x"})
    assert (answer.status, answer.headers["location"], len(asked)) == (302, to, 1)


def _of(size: int) -> Answers:
    return lambda _asked: (200, {}, b"x" * size)


async def test_an_answer_has_a_size() -> None:
    async with listening(answering(_of(LIMIT))) as port:
        assert len((await LOCALLY.send("GET", f"http://{NAME}:{port}/", plain=True)).body) == LIMIT
    async with listening(answering(_of(LIMIT + 1))) as port:
        assert "longer" in await refused(LOCALLY, f"http://{NAME}:{port}/")
        answer = await LOCALLY.send("GET", f"http://{NAME}:{port}/", plain=True, limit=LIMIT + 1)
        assert len(answer.body) == LIMIT + 1


async def test_bodies_without_an_end_are_broken_off() -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def chunked(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write((b"1;" + b"e" * 900 + b"\r\nx\r\n") * 64)
            await writer.drain()

    for spoken in (endless, chunked):
        async with listening(spoken) as port:
            assert "longer" in await refused(LOCALLY, f"http://{NAME}:{port}/")


async def test_an_answer_that_drips_is_broken_off() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    for spoken in (drip, mute):
        async with listening(spoken) as port:
            assert "0.3 seconds" in await refused(LOCALLY, f"http://{NAME}:{port}/", within=0.3)


async def test_a_name_server_that_does_not_answer_counts_into_the_time() -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    assert "0.1 seconds" in await refused(Outbound(resolve=resolve), "https://friend.example/", within=0.1)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "GZIP"])
async def test_packed_answers_are_not_unpacked(coding: str) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    assert len(bomb) < LIMIT
    asked: list[Asked] = []

    def answers(one: Asked) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(one)
        return 200, {"Content-Encoding": coding}, bomb

    async with listening(answering(answers)) as port:
        assert "packed" in await refused(LOCALLY, f"http://{NAME}:{port}/")
    assert asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(HEADERS + 1)),
        b"".join(b"X-%d: y\r\n" % number for number in range(10_000)),
        b"X: " + b"y" * HEAD + b"\r\n",
        b"X: " + b"y" * 10_000_000 + b"\r\n",
    ],
)
async def test_header_fields_are_few(head: bytes) -> None:
    for status in (b"200 OK", b"103 Early Hints"):
        async with listening(saying(b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n")) as port:
            assert await refused(LOCALLY, f"http://{NAME}:{port}/")


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"),
        *(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"HTTP/1.1 200",
            b"HTTP/1.1 99 X\r\n\r\n",
        ),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    async with listening(saying(said)) as port:
        assert await refused(LOCALLY, f"http://{NAME}:{port}/")


async def test_whatever_fails_reads_the_same() -> None:
    """Refused, closed, silent, not HTTP or nothing at all: :func:`refused` compares the text."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        closed = bound.getsockname()[1]
        assert "127.0.0.1" in await refused(LOCALLY, f"http://{NAME}:{closed}/")
    assert "10.0.0.1" in await refused(Outbound(resolve=at("10.0.0.1")), "https://friend.example/")
    assert await refused(Outbound(), "https://no-such-name.invalid/")


async def test_a_caller_cannot_spoil_the_request() -> None:
    for headers in ({"X": "a\r\nY: b"}, {"X\r\nY": "b"}, {"Host": "foe.example"}, {"Content-Length": "1"}, {"X": "é"}):
        with pytest.raises(ValueError, match=r"."):
            await LOCALLY.send("GET", f"http://{NAME}:8080/", plain=True, headers=headers)
    for method in ("GET / HTTP/1.1\r\n", "get", ""):
        with pytest.raises(ValueError, match="method"):
            await LOCALLY.send(method, f"http://{NAME}:8080/", plain=True)


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    async with listening(answering(echo)) as port:
        assert (await LOCALLY.send("GET", f"http://{NAME}:{port}/", plain=True)).status == 200


def test_nothing_is_loaded_before_somebody_is_asked() -> None:
    code = "import sys, keystead.base.outbound; sys.exit('h11' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
