"""A sign-in to an application: the example of this repository, a browser with and without scripts, and the server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.async_api import Browser

from tests.doors.cli.program import free_port
from tests.journeys import browser, furnish, relying
from tests.journeys.browser import Visit
from tests.journeys.server import PASSWORD, Node

CONSENT: Final = "**/if/flow/default-provider-authorization-explicit-consent/*"
LOGIN: Final = "**/if/flow/default-authentication-flow/*"


@dataclass(frozen=True, slots=True)
class Party:
    """The application, where it is, and whose password opens it."""

    url: str
    slug: str
    username: str


@pytest.fixture
async def party(node: Node) -> AsyncIterator[Party]:
    """An application that asks for consent, and somebody new who wants to use it."""
    port = free_port()
    async with node.client() as api:
        slug = f"party-{port}"
        client = await furnish.application(
            api, slug, f"http://localhost:{port}/auth/callback", consent=True, name="The club's wiki"
        )
        group = (await api.get(f"core/groups/?name=climbers-{port}"))["results"] or [
            await api.make("core/groups/", name=f"climbers-{port}")
        ]
        user = await api.make(
            "core/users/", username=f"anna{port}", name="Anna Berg", email="anna@example.org", groups=[group[0]["pk"]]
        )
        await api.ask("POST", f"core/users/{user['pk']}/set_password/", {"password": PASSWORD}, status=204)
    with relying.application(client, port) as url:
        yield Party(url, slug, user["username"])


async def claims(one: Visit) -> dict[str, str]:
    """What the application shows of the ID token."""
    rows = await one.page.locator("tr").all()
    return {await row.locator("th").inner_text(): await row.locator("td").inner_text() for row in rows}


@pytest.mark.parametrize("scripts", [True, False])
async def test_signs_in_with_consent_and_out_again(chrome: Browser, node: Node, party: Party, *, scripts: bool) -> None:
    async with browser.visit(chrome, java_script_enabled=scripts) as one:
        await one.page.goto(party.url)
        await one.press("Sign in", to=LOGIN)
        assert "The club's wiki" in await one.page.locator(".onward").inner_text()
        await one.fill(uid_field=party.username)
        await one.press("Log in")
        await one.fill(password=PASSWORD)
        await one.press("Continue", to=CONSENT)
        assert "The club's wiki" in await one.heading()
        assert await one.page.locator(".permissions li").count() == 2
        await one.press("Allow", to=party.url)

        assert await one.heading() == "Hello Anna Berg"
        told = await claims(one)
        assert told["preferred_username"] == f'"{party.username}"'
        assert told["email"] == '"anna@example.org"'
        assert told["groups"].startswith('["climbers-')
        assert told["iss"] == f'"{node.url}/application/o/{party.slug}/"'

        await one.press("Sign out", to="**/end-session/*")
        assert await one.heading() == "You are signed out of The club's wiki"
        await one.page.goto(party.url)
        assert await one.heading() == "A small application"
        # The session with Keystead goes on, and what was agreed to counts: no page asks anything.
        await one.press("Sign in", to=party.url)
        assert await one.heading() == "Hello Anna Berg"

        await one.press("Sign out", to="**/end-session/*")
        await one.press("Sign out of Keystead")
        await one.page.goto(party.url)
        await one.press("Sign in", to=LOGIN)
        assert not one.complaints


async def test_a_person_who_does_not_agree_stays_outside(chrome: Browser, party: Party) -> None:
    async with browser.visit(chrome) as one:
        await one.page.goto(party.url)
        await one.press("Sign in", to=LOGIN)
        await one.fill(uid_field=party.username)
        await one.press("Log in")
        await one.fill(password=PASSWORD)
        await one.press("Continue", to=CONSENT)
        await one.press("Cancel")
        await one.page.goto(party.url)
        assert await one.heading() == "A small application"
        await one.press("Sign in", to=CONSENT)


async def test_the_portal_opens_the_application(chrome: Browser, node: Node, party: Party) -> None:
    async with browser.visit(chrome) as one:
        await one.page.goto(f"{node.url}/")
        await browser.sign_in(one, party.username, PASSWORD)
        tile = one.page.get_by_role("link", name="The club's wiki").first
        assert await tile.is_visible()
        await one.page.goto(f"{node.url}/application/launch/{party.slug}/")
        assert one.page.url == party.url
