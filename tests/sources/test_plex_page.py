"""Plex's own page: who is sent there comes back into a flow, in the same browser, once."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client import Answered, Client
from tests.doors.http.signed_in import sign_in
from tests.house import House
from tests.sources.plex_tv import OWNER, Plex, me

START = "/source/plex/plex/"


async def sent(browser: Client, start: str = START) -> tuple[dict[str, str], str]:
    """What the browser takes to Plex, and its way back."""
    led = await browser.get(start)
    assert led.status == 302, led.text
    to = urlsplit(led.header("location"))
    assert (to.scheme, to.netloc, to.path) == ("https", "app.plex.tv", "/auth")
    told = {name: value for name, (value,) in parse_qs(to.fragment.removeprefix("?"), strict_parsing=True).items()}
    return told, told["forwardUrl"]


def refused(answered: Answered, word: str) -> None:
    assert (answered.status, word in answered.text) == (403, True), answered.text


async def test_there_and_back(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    told, back = await sent(browser, f"{START}?next=/if/user/%23x")
    assert {name: told[name] for name in told if name != "forwardUrl"} == {
        "clientID": "the-client",
        "code": "c1000",
        "context[device][product]": "Keystead",
    }
    assert back.startswith("http://localhost:9000/source/plex/plex/callback/?state=")
    plex.pins[0]["authToken"] = plex.friend()
    led = await browser.get(back)
    assert (led.status, led.header("location")) == (302, "/if/user/#x"), led.text
    assert await me(browser) == "anna"
    assert len(await plex.connections()) == 1
    asked = {one.path.partition("?")[0]: one for one in plex.asked}
    assert "x-plex-token" not in asked["/api/v2/pins"].headers


async def test_into_a_flow_that_asks(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    _, back = await sent(browser, f"{START}?next=/a/")
    plex.pins[0]["authToken"] = plex.friend(username="two words")
    led = await browser.get(back)
    assert led.header("location") == "/if/flow/default-source-enrollment/?next=%2Fa%2F"
    page = await browser.get(led.header("location"))
    assert (page.status, 'name="username"' in page.text) == (200, True)


async def test_who_did_not_sign_in_there(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    _, back = await sent(browser)
    refused(await browser.get(back), "not signed in at Plex")
    plex.pins[0]["authToken"] = plex.friend()
    assert (await browser.get(back)).status == 302


async def test_the_way_back_is_this_browsers_and_counts_once(house: House, plex: Plex) -> None:
    await plex.source()
    browser, other = Client(house.app), Client(house.app)
    _, back = await sent(browser)
    await sent(other)
    plex.pins[0]["authToken"] = plex.friend()
    for stranger in (other, Client(house.app)):
        refused(await stranger.get(back), "another browser")
    url, _, sealed = back.partition("?state=")
    for altered in (back[:-6], f"{url}?state=x{sealed}", f"{url}?state=", url):
        refused(await browser.get(altered), "too old")
    kept = dict(browser.cookies)
    assert (await browser.get(back)).status == 302
    for again in (back, f"{back}x"):
        browser.cookies = dict(kept)
        refused(await browser.get(again), "used already")


async def test_the_way_back_is_this_sources(house: House, plex: Plex) -> None:
    await plex.source()
    body = {"name": "B", "slug": "b", "plex_token": OWNER}
    assert (await house.admin.post("/api/v3/sources/plex/", body)).status == 201
    browser = Client(house.app)
    _, back = await sent(browser)
    refused(await browser.get(back.replace("/plex/plex/", "/plex/b/")), "too old")


async def test_too_late(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    _, back = await sent(browser)
    plex.pins[0]["authToken"] = plex.friend()
    house.clock.move(minutes=10)
    refused(await browser.get(back), "too old")


async def test_a_source_that_is_closed_meanwhile(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    _, back = await sent(browser)
    plex.pins[0]["authToken"] = plex.friend()
    await plex.change(enabled=False)
    refused(await browser.get(START), "at present")
    refused(await browser.get(back), "at present")
    assert await me(browser) == ""


async def test_who_is_signed_in_is_not_sent(house: House, plex: Plex) -> None:
    await plex.source()
    browser, _ = await sign_in(house, house.plain)
    refused(await browser.get(START), "signed in already")
    assert plex.asked == []
    nobody = Client(house.app)
    _, back = await sent(nobody)
    plex.pins[0]["authToken"] = plex.friend()
    nobody.cookies |= browser.cookies
    refused(await nobody.get(back), "signed in already")
    assert await plex.connections() == []


async def test_no_such_source(house: House, plex: Plex) -> None:
    for path in ("/source/plex/none/", "/source/plex/none/callback/?state=x"):
        assert (await house.nobody.get(path)).status == 404
    assert plex.asked == []


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_nobody_is_led_away(house: House, plex: Plex, there: str) -> None:
    await plex.source()
    browser = Client(house.app)
    _, back = await sent(browser, f"{START}?next={there}")
    plex.pins[0]["authToken"] = plex.friend()
    assert (await browser.get(back)).header("location") == "/"


async def test_plex_is_out_of_order(house: House, plex: Plex) -> None:
    await plex.source()
    plex.status = 403
    assert (await house.nobody.get(START)).status == 503
