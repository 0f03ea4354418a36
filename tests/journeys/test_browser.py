"""A person at a browser: setting up, signing out and in, with and without scripts, with and without a mouse."""

import pytest
from playwright.async_api import Browser

from tests.engines import Engine
from tests.journeys import browser, server
from tests.journeys.browser import Visit
from tests.journeys.server import PASSWORD, Node

PORTAL = "/if/user/"
SET_UP = "/if/flow/initial-setup/"
LOGIN = "/if/flow/default-authentication-flow/"


async def sign_out(one: Visit) -> None:
    """Sign out from the portal."""
    await one.page.locator("summary").click()
    await one.press("Sign out")


@pytest.mark.parametrize(("scripts", "engine"), [(True, "sqlite"), (False, "postgres")])
async def test_the_first_run_then_out_and_in_again(chrome: Browser, *, scripts: bool, engine: Engine) -> None:
    async with (
        server.fresh_node(engine, server.FRESH) as node,
        browser.visit(chrome, java_script_enabled=scripts) as one,
    ):
        await one.page.goto(f"{node.url}/")
        assert one.address == SET_UP
        assert await one.page.title() == "Welcome to Keystead · Keystead"
        assert await one.page.locator(".brand .mark").is_visible()

        await one.fill(email="boss@example.org", password=PASSWORD, password_repeat="something else")
        await one.press("Continue")
        assert one.address == SET_UP
        assert await one.page.get_by_role("alert").is_visible()
        await one.fill(email="boss@example.org", password=PASSWORD, password_repeat=PASSWORD)
        await one.press("Continue")
        assert one.address == PORTAL
        assert await one.heading() == "Applications"

        await sign_out(one)
        await one.page.goto(f"{node.url}/")
        assert one.address == LOGIN
        assert not one.complaints
        again = await one.page.goto(f"{node.url}{SET_UP}")
        assert again is not None
        assert again.status == 404, "the first run is open a second time"
        one.complaints.clear()  # Chromium tells of the 404

        await one.page.goto(f"{node.url}/")
        await browser.sign_in(one, "boss@example.org", "not the password")
        assert one.address == LOGIN
        assert "wrong" in await one.page.get_by_role("alert").inner_text()
        await one.fill(password=PASSWORD)
        await one.press("Continue")
        assert one.address == PORTAL
        assert await one.page.locator("summary", has_text="Default administrator").is_visible()
        assert not one.complaints


async def test_by_keyboard_alone(chrome: Browser, node: Node) -> None:
    async with browser.visit(chrome) as one:
        keys = one.page.keyboard
        await one.page.goto(f"{node.url}/")
        assert await one.page.title() == "Sign in · Keystead"
        for text in ("akadmin", PASSWORD):
            await one.page.locator("input:focus").wait_for()
            await keys.type(text)
            async with one.page.expect_navigation():
                await keys.press("Enter")
        assert one.address == PORTAL

        await keys.press("Tab")
        focused = one.page.locator(":focus")
        assert await focused.inner_text() == "Skip to the applications"
        for _ in range(6):
            await keys.press("Tab")
            if await focused.evaluate("node => node.localName") == "summary":
                break
        await keys.press("Enter")
        await keys.press("Tab")
        assert (await focused.inner_text()).strip() == "Sign out"
        async with one.page.expect_navigation():
            await keys.press("Enter")
        await one.page.goto(f"{node.url}{PORTAL}")
        assert one.address == LOGIN
        assert not one.complaints


async def test_a_form_from_elsewhere_does_nothing(chrome: Browser, node: Node) -> None:
    async with browser.visit(chrome) as one:
        await one.page.goto(f"{node.url}/")
        await browser.sign_in(one, "akadmin", PASSWORD)
        assert one.address == PORTAL
        await one.page.goto("about:blank")
        await one.page.set_content(
            f"<form method=post action='{node.url}/flows/-/default/invalidation/'><button>Win a prize</button></form>"
        )
        await one.press("Win a prize")
        assert await one.page.locator(".status").inner_text() == "403"
        await one.page.goto(f"{node.url}{PORTAL}")
        assert one.address == PORTAL
