"""Chromium as people use it, with an eye on what it complains about and on what it fetches."""

import contextlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.patience import PATIENCE

FINDER: Final = Path(__file__).resolve().parents[2] / "tools" / "ensure_chromium.sh"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_PATIENCE: Final = PATIENCE * 1000
"""Milliseconds, as Playwright counts."""


def path() -> str:
    """The Chromium of this machine: the one that ``KEYSTEAD_CHROMIUM`` names, else what is installed."""
    found = subprocess.run([str(FINDER)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a screen."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path(), args=list(FLAGS), timeout=_PATIENCE)
        yield browser
        await browser.close()


@dataclass(slots=True)
class Visit:
    """One person's browser: cookies of their own, one page.

    :param complaints: errors of the console, a violated Content-Security-Policy among them, and exceptions.
    """

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the page is, without scheme, host and query."""
        return "/" + self.page.url.partition("://")[2].partition("/")[2].partition("?")[0]

    async def fill(self, **answers: str) -> None:
        """Write into the fields of these names."""
        for name, value in answers.items():
            await self.page.locator(f"[name={name}]").fill(value)

    async def press(self, name: str, *, to: str = "**") -> None:
        """Press the button, or follow the link, with these words, and wait for the page it leads to.

        :param to: a pattern of that page's address, where others may come before it.
        """
        named = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        async with self.page.expect_navigation(url=to):
            await named.first.click()

    async def heading(self) -> str:
        """The page's heading."""
        return (await self.page.locator("h1").inner_text()).strip()


@contextlib.asynccontextmanager
async def visit(browser: Browser, **options: Any) -> AsyncIterator[Visit]:  # noqa: ANN401 - options of Playwright
    """A new person's browser; ``options`` as for ``Browser.new_context``."""
    context = await browser.new_context(**options)
    context.set_default_timeout(_PATIENCE)
    page = await context.new_page()
    one = Visit(context, page)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            one.complaints.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: one.complaints.append(str(error)))
    yield one
    await context.close()


async def sign_in(one: Visit, username: str, password: str) -> None:
    """Answer the default login: a name, then a password."""
    await one.fill(uid_field=username)
    await one.press("Log in")
    await one.fill(password=password)
    await one.press("Continue")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a page load brought over the wire.

    :param size: bytes, headers included.
    """

    url: str
    size: int


async def weigh(one: Visit, url: str) -> Sequence[Fetched]:
    """What loading ``url`` brings, as the network sees it."""
    session = await one.context.new_cdp_session(one.page)
    urls: dict[str, str] = {}
    done: list[Fetched] = []
    session.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda event: done.append(Fetched(urls[event["requestId"]], int(event["encodedDataLength"]))),
    )
    await session.send("Network.enable")
    await one.page.goto(url, wait_until="networkidle")
    await session.detach()
    return done
