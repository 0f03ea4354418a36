"""Speaking to Duo."""

import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from keystead.base.outbound import Outbound
from keystead.base.secret import Secret
from keystead.flows import duo
from keystead.flows.duo import Application, DuoError
from tests.duo import ADMIN, AUTH, Duo, serving
from tests.strangers import Authority

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Duo, Outbound]]:
    async with serving(Authority(tmp_path_factory.mktemp("authority"))) as found:
        yield found


def asking(duo: Duo, keys: tuple[str, str] = AUTH) -> Application:
    return Application(duo.host, keys[0], Secret(keys[1]))


def test_what_is_signed_is_what_the_documentation_shows() -> None:
    """The example of Duo's documentation, which signs with SHA-1."""
    params = duo.encoded({"username": "root", "realname": "First Last"})
    host = "API-xxxxxxxx.duosecurity.com"
    signed = duo.canonical("Tue, 21 Aug 2012 17:29:18 -0000", "post", host, "/accounts/v1/account/list", params)
    key = b"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"
    assert hmac.new(key, signed.encode(), "sha1").hexdigest() == "2d97d6166319781b5a3a07af39d366f491234edc"
    assert duo.encoded({"b": "~/ +&=é", "a": ""}) == "a=&b=~%2F%20%2B%26%3D%C3%A9"


async def test_an_enrolment_begins_and_ends(there: tuple[Duo, Outbound]) -> None:
    server, outbound = there
    made = await duo.enrol(outbound, asking(server), AT, "ännä +&=~/", "other")
    assert made.activation_code == "duo://ännä +&=~/"
    for how_far in ("waiting", "success", "invalid"):
        server.how_far = how_far
        assert await duo.enrolment(outbound, asking(server), AT, made) == how_far


async def test_a_name_that_is_taken_at_duo_is_nobodys_proof(there: tuple[Duo, Outbound]) -> None:
    server, outbound = there
    server.accounts["anna"] = "DU1"
    made = await duo.enrol(outbound, asking(server), AT, "anna", "anna-1")
    assert (made.username, server.accounts["anna"]) == ("anna-1", "DU1")
    with pytest.raises(DuoError, match="Try again") as caught:
        await duo.enrol(outbound, asking(server), AT, "anna", "anna-1")
    assert "username already exists" in caught.value.reason


async def test_users_come_in_pages(there: tuple[Duo, Outbound]) -> None:
    server, outbound = there
    server.page = 40
    server.users = [{"user_id": f"DU{number}", "username": f"u{number}", "phones": []} for number in range(101)]
    found = await duo.users(outbound, asking(server, ADMIN), AT)
    assert [one.user_id for one in found] == [f"DU{number}" for number in range(101)]
    assert [params["offset"] for _, params in server.asked] == ["0", "40", "80"]


async def test_a_wrong_key_is_told(there: tuple[Duo, Outbound]) -> None:
    server, outbound = there
    for keys in ((AUTH[0], "wrong"), ("wrong", AUTH[1]), (AUTH[0], "")):
        with pytest.raises(DuoError) as caught:
            await duo.enrol(outbound, asking(server, keys), AT, "anna", "other")
        assert caught.value.code in {40102, 40103}
        assert keys[1] not in caught.value.reason or not keys[1]


def leading(barcode: str, code: str) -> bytes:
    """An enrolment that leads there."""
    made = {"activation_barcode": barcode, "activation_code": code, "expiration": 1, "user_id": "x"}
    return msgspec.json.encode({"stat": "OK", "response": made})


@pytest.mark.parametrize(
    "said",
    [
        *(b"<html>", b"{}", b"[]", b'{"stat": "OK"}', b'{"stat": "OK", "response": 1}', b'{"stat": "FAIL"}', b"\xff"),
        leading("javascript:x", "duo://x"),
        leading("https://x", "javascript:x"),
        b'{"stat": "OK", "response": [], "metadata": {"next_offset": 0}}',
    ],
)
async def test_what_duo_would_not_say_is_not_believed(there: tuple[Duo, Outbound], said: bytes) -> None:
    server, outbound = there
    server.silent = said
    with pytest.raises(DuoError):
        await duo.enrol(outbound, asking(server), AT, "anna", "other")
    if b"[]" not in said or b"next_offset" in said:
        with pytest.raises(DuoError):
            await duo.users(outbound, asking(server, ADMIN), AT)


async def test_duo_is_asked_where_it_may_be_reached_only(there: tuple[Duo, Outbound]) -> None:
    server, _ = there
    with pytest.raises(DuoError, match="Try again"):
        await duo.enrol(Outbound(), asking(server), AT, "anna", "other")
    assert server.asked == []
