"""The command line beside a running server: what a command made is served, and a wrong setting is named."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.async_api import Browser

from tests.doors.cli.program import KEY, Ended, command, on
from tests.engines import Place
from tests.journeys import browser, server
from tests.journeys.furnish import Client
from tests.journeys.person import Person, redemption
from tests.journeys.server import PASSWORD, Node
from tests.patience import PATIENCE, until

REDIRECT: Final = "http://localhost:3000/auth/callback"


@pytest.fixture
async def here(place: Place) -> AsyncIterator[Node]:
    """A server on each engine in turn."""
    with server.serving(place) as one:
        yield one


def keystead(node: Node, *arguments: str, text: str = "") -> Ended:
    """A command on the installation that ``node`` serves, with its address for links."""
    ended = command(*arguments, *on(node.place), "--json", text=text, env={"AUTHENTIK_SECRET_KEY": KEY})
    assert ended.code == 0, ended.err
    return ended


async def known(url: str) -> None:
    """Wait until an address is there."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:

        async def status() -> int:
            return (await http.get(url)).status_code

        await until(status, 200)


async def test_an_application_made_by_a_command_is_served(here: Node) -> None:
    made: dict[str, Any] = keystead(
        here, "app", "create", "Wiki", "--slug", "wiki", "--redirect-uri", REDIRECT, "--base-url", here.url
    ).json
    await known(made["discovery"])
    client = Client("wiki", made["client_id"], made["client_secret"], REDIRECT, 0, made["issuer"])
    async with Person(here.url) as person:
        await person.sign_in()
        tokens = await person.http.post(
            made["token_endpoint"],
            data=redemption(client, await person.code(client, scope="openid profile")),
            auth=(client.client_id, client.client_secret),
        )
        assert tokens.status_code == 200, tokens.text
        info = await person.http.get(
            made["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens.json()['access_token']}"}
        )
        assert info.json()["preferred_username"] == "akadmin"


async def test_a_user_made_by_a_command_signs_in(chrome: Browser, here: Node) -> None:
    made = keystead(here, "user", "create", "clara", "--name", "Clara Wolf", "--password-stdin", text=PASSWORD).json
    assert made["username"] == "clara"
    async with browser.visit(chrome) as one:
        await one.page.goto(f"{here.url}/")
        await browser.sign_in(one, "clara", PASSWORD)
        assert one.address == "/if/user/"
        assert await one.page.locator("summary", has_text="Clara Wolf").is_visible()


async def test_a_recovery_link_asks_signs_in_and_works_once(chrome: Browser, here: Node) -> None:
    link = keystead(here, "recovery", "link", "akadmin", "--base-url", here.url).json["link"]
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as scanner:
        # Mail programs open links to look at them; that uses nothing up.
        assert (await scanner.get(link)).status_code == 200
    async with browser.visit(chrome) as one:
        await one.page.goto(link)
        assert await one.heading() == "Sign in with this link?"
        await one.press("Sign in")
        assert one.address == "/if/user/"
        assert await one.page.locator("summary", has_text="Default administrator").is_visible()
        assert not one.complaints
    async with browser.visit(chrome, java_script_enabled=False) as other:
        again = await other.page.goto(link)
        assert again is not None
        assert again.status == 404
        assert "used already" in await other.page.locator("main").inner_text()


async def test_a_machine_made_by_a_command_speaks_to_the_api(here: Node) -> None:
    made = keystead(here, "user", "create", "robot", "--service-account").json
    assert made["password"]
    async with here.client() as api:
        found = await api.one("core/users/?username=robot")
        assert (found["pk"], found["type"]) == (made["pk"], "service_account")


@pytest.mark.parametrize(
    ("env", "flags", "named"),
    [
        ({"AUTHENTIK_LISTEN__HTPP": "0.0.0.0:9000"}, (), ("AUTHENTIK_LISTEN__HTPP", "AUTHENTIK_LISTEN__HTTP")),
        ({"KEYSTEAD_LOG_LEVEL": "shouting"}, (), ("KEYSTEAD_LOG_LEVEL", "shouting")),
        ({"AUTHENTIK_POSTGRESQL__PORT": "many"}, (), ("AUTHENTIK_POSTGRESQL__PORT", "many")),
        ({}, ("--set", "no.such.setting=1"), ("no.such.setting",)),
        ({}, ("--http", "everywhere"), ("listen.http", "everywhere")),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    tmp_path: Path, env: dict[str, str], flags: tuple[str, ...], named: tuple[str, ...]
) -> None:
    ended = command("up", "--data", str(tmp_path / "data"), *flags, env=env)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    for name in named:
        assert name in ended.err
    assert not (tmp_path / "data").exists()
