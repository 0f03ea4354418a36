"""Addresses that administrators write into stages."""

from typing import Final
from urllib.parse import urlsplit

from keystead.kinds.marks import Format


def is_web_url(text: str) -> bool:
    """Whether ``text`` is an absolute http or https address."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and (parts.port or 1) > 0 and _clean(text)
    except ValueError:
        return False


def _clean(text: str) -> bool:
    return not any(char.isspace() or ord(char) < ord("!") for char in text)


def _check(text: str) -> str:
    if not is_web_url(text):
        raise ValueError(f"“{text}” is no address: write it like https://example.org/path.")
    return text


WEB_URL: Final = Format("", _check)
"""An http or https address."""
