"""What a User-Agent header claims, in the shape the contract gives it. A claim: nothing is decided on it."""

import re
from typing import Annotated, Final

import msgspec

_BROWSERS: Final = tuple(
    (family, re.compile(pattern))
    for family, pattern in (
        ("Edge", r"Edg(?:e|A|iOS)?/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Opera", r"OPR/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Samsung Internet", r"SamsungBrowser/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Firefox", r"(?:Firefox|FxiOS)/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Chrome", r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Safari", r"Version/(\d+)(?:\.(\d+))?(?:\.(\d+))? .*Safari/"),
        ("curl", r"^curl/(\d+)(?:\.(\d+))?(?:\.(\d+))?"),
    )
)
_SYSTEMS: Final = tuple(
    (family, re.compile(pattern))
    for family, pattern in (
        ("Windows", r"Windows NT (\d+)(?:\.(\d+))?"),
        ("Android", r"Android (\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("iOS", r"(?:iPhone|CPU) OS (\d+)(?:_(\d+))?(?:_(\d+))?"),
        ("Mac OS X", r"Mac OS X (\d+)(?:[._](\d+))?(?:[._](\d+))?"),
        ("Chrome OS", r"CrOS \S+ (\d+)(?:\.(\d+))?(?:\.(\d+))?"),
        ("Linux", r"Linux"),
    )
)
_LONGEST: Final = 1000


class Device(msgspec.Struct, frozen=True):
    """The device. What is not known is blank, not null: older clients of the contract take no null here."""

    brand: str | None
    family: str
    model: str | None


class System(msgspec.Struct, frozen=True):
    """The operating system; blank as a device's members are."""

    family: str
    major: str | None
    minor: str | None
    patch: str | None
    patch_minor: str | None


class Browser(msgspec.Struct, frozen=True):
    """The browser or client."""

    family: str
    major: str
    minor: str
    patch: str


class Parsed(msgspec.Struct, frozen=True):
    """A User-Agent taken apart."""

    device: Annotated[Device, msgspec.Meta(title="AuthenticatedSessionUserAgentDevice")]
    os: Annotated[System, msgspec.Meta(title="AuthenticatedSessionUserAgentOs")]
    user_agent: Annotated[Browser, msgspec.Meta(title="AuthenticatedSessionUserAgentUserAgent")]
    string: str


def parse(text: str) -> Parsed:
    """``text`` taken apart; what is not recognised is called ``Other``."""
    text = text[:_LONGEST]
    browser = Browser("Other", "", "", "")
    for family, pattern in _BROWSERS:
        if found := pattern.search(text):
            browser = Browser(family, *(part or "" for part in found.groups()))
            break
    system = System("Other", "", "", "", "")
    for family, pattern in _SYSTEMS:
        if found := pattern.search(text):
            parts = [part or "" for part in (*found.groups(), "", "", "")]
            system = System(family, parts[0], parts[1], parts[2], "")
            break
    device = Device("Apple", "iPhone", "iPhone") if "iPhone" in text else Device("", "Other", "")
    if "Macintosh" in text:
        device = Device("Apple", "Mac", "Mac")
    return Parsed(device, system, browser, text)
