"""What pages weigh and how they look: small, one column that fits every screen, light or dark as people like it."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from tests.doors.cli.program import free_port
from tests.journeys import browser, furnish, relying
from tests.journeys.browser import Visit
from tests.journeys.server import PASSWORD, Node

LOGIN: Final = "/if/flow/default-authentication-flow/"
HEAVIEST: Final = 20_000
SCREENS: Final = {"laptop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
_BRIGHTNESS: Final = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const brightness = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
  };
  const style = getComputedStyle(document.querySelector("main"));
  return [brightness(getComputedStyle(document.body).backgroundColor), brightness(style.color)];
}"""
"""How bright ground and text are, from 0 to 1."""


async def test_the_login_page_is_light(chrome: Browser, node: Node) -> None:
    async with browser.visit(chrome) as one:
        fetched = [part for part in await browser.weigh(one, f"{node.url}{LOGIN}") if part.url.startswith("http")]
        assert len(fetched) <= 3, fetched
        assert {urlsplit(part.url).netloc for part in fetched} == {urlsplit(node.url).netloc}
        assert sum(part.size for part in fetched) <= HEAVIEST, fetched
        assert not one.complaints


async def _look(one: Visit, name: str, folder: Path, *, dark: bool) -> None:
    """Keep a picture of the page, which must fit the screen and have the colours that were asked for."""
    await one.page.screenshot(path=folder / f"{name}.png")
    wide, room = await one.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room, f"{name} is {wide} wide on a screen of {room}"
    ground, text = await one.page.evaluate(_BRIGHTNESS)
    assert (ground < 0.2 and text > 0.7) if dark else (ground > 0.8 and text < 0.3), (name, ground, text)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits(chrome: Browser, node: Node, tmp_path: Path, scheme: str, screen: str) -> None:
    port, slug = free_port(), f"looks-{scheme}-{screen}"
    async with node.client() as api:
        client = await furnish.application(
            api, slug, f"http://localhost:{port}/auth/callback", consent=True, name=f"Wiki {scheme} {screen}"
        )
    dark = scheme == "dark"
    with relying.application(client, port) as party:
        async with browser.visit(chrome, color_scheme=scheme, viewport=SCREENS[screen]) as one:
            await one.page.goto(party)
            await one.press("Sign in", to=f"**{LOGIN}*")
            await _look(one, "login-name", tmp_path, dark=dark)
            await one.fill(uid_field="akadmin")
            await one.press("Log in")
            await _look(one, "login-password", tmp_path, dark=dark)
            await one.fill(password="wrong")
            await one.press("Continue")
            await _look(one, "login-wrong", tmp_path, dark=dark)
            await one.fill(password=PASSWORD)
            await one.press("Continue", to="**/if/flow/default-provider-authorization-explicit-consent/*")
            await _look(one, "consent", tmp_path, dark=dark)
            await one.press("Allow", to=party)
            await one.page.screenshot(path=tmp_path / "application.png")
            await one.page.goto(f"{node.url}/if/user/")
            await _look(one, "portal", tmp_path, dark=dark)
            await one.page.locator("summary").click()
            await _look(one, "portal-menu", tmp_path, dark=dark)
            await one.page.goto(party)
            await one.press("Sign out", to="**/end-session/*")
            await _look(one, "signed-out", tmp_path, dark=dark)
            assert not one.complaints
            await one.page.goto(f"{node.url}/nowhere/")
            await _look(one, "error", tmp_path, dark=dark)
