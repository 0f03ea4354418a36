"""Redirect URIs: what may be registered, and whether a given one is registered (RFC 6749 §3.1.2, RFC 9700 §2.1)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode, urlsplit

from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI, RedirectURITypeEnum

MAX_LENGTH: Final = 2048
"""Characters of a redirect URI that anybody sends."""
REFUSED: Final = frozenset({"javascript", "data", "vbscript", "file", "about", "blob", "view-source"})
"""Schemes that run something in the browser, or read from the machine it runs on."""
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*")
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f\\]")
_LITERAL_SCHEME: Final = re.compile(r"\^?((?:[a-zA-Z0-9+.-]|\\[.+-])+?)\\?:")


def fault(registered: RedirectURI) -> str | None:
    """What is wrong with a URI about to be registered; None if nothing is."""
    if registered.matching_mode is MatchingModeEnum.STRICT:
        return uri_fault(registered.url)
    if len(registered.url) > MAX_LENGTH:
        return f"A pattern of redirect URIs has at most {MAX_LENGTH} characters."
    try:
        re.compile(registered.url)
    except (re.error, OverflowError, RecursionError) as exc:
        return f"{registered.url!r} is not a regular expression: {exc}."
    literal = _LITERAL_SCHEME.match(registered.url.replace(" ", ""))
    if literal and literal[1].replace("\\", "").lower() in REFUSED:
        return f"The scheme {literal[1]!r} is refused: it runs script or reads files in the browser."
    return None


def uri_fault(uri: str) -> str | None:
    """What keeps ``uri`` from being a redirect URI at all; None if nothing does."""
    if len(uri) > MAX_LENGTH or _UNFIT.search(uri):
        return f"A redirect URI has at most {MAX_LENGTH} characters, no space, control character or backslash."
    scheme, colon, rest = uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        return f"{uri!r} is not an absolute URI: write it with its scheme, like https://app.example.org/callback."
    if scheme.lower() in REFUSED:
        return f"The scheme {scheme!r} is refused: it runs script or reads files in the browser."
    if "#" in rest:
        return f"{uri!r} has a fragment, which a redirect URI may not have (RFC 6749 §3.1.2)."
    if scheme.lower() in {"http", "https"}:
        return _web_fault(uri)
    return None if rest else f"{uri!r} has nothing after its scheme."


def _web_fault(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{uri!r} has a malformed host or port."
    if not host:
        return f"{uri!r} names no host."
    if "@" in parts.netloc:
        return f"{uri!r} has a user name before its host."
    return None


def registered(known: Iterable[RedirectURI], given: str, use: RedirectURITypeEnum) -> bool:
    """Whether ``given`` is among ``known`` for this use.

    Strict means equal, character by character: no normal form is sought, so none can be confused (RFC 9700 §4.1.3).
    """
    if uri_fault(given) is not None:
        return False
    return any(_matches(one, given) for one in known if one.redirect_uri_type is use)


def _matches(one: RedirectURI, given: str) -> bool:
    if one.matching_mode is MatchingModeEnum.STRICT:
        return one.url == given
    return _compiled(one.url).fullmatch(given) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def origin(uri: str) -> str:
    """Scheme, host and port of ``uri``, or empty if it has no host."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and parts.netloc else ""


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]], *, fragment: bool = False) -> str:
    """``uri`` with ``parameters`` added to its query (whatever is there stays), or as its fragment."""
    query = urlencode(list(parameters))
    if fragment:
        return f"{uri}#{query}"
    if "?" not in uri:
        return f"{uri}?{query}"
    return f"{uri}{query}" if uri.endswith(("?", "&")) else f"{uri}&{query}"
