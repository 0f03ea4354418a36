"""Pictures of applications and sources: an address, a path, an icon's class or an uploaded file's name."""

from typing import Final

_SCHEMES: Final = ("https://", "http://", "/", "fa://")
_REFUSED: Final = frozenset({"javascript", "data", "vbscript", "file"})


def address(picture: str) -> str | None:
    """Where the picture is to be had; None where there is none. What is no address is an uploaded file's name."""
    if not picture or picture.startswith(_SCHEMES):
        return picture or None
    return f"/files/media/public/{picture}"


def fault(url: str) -> str | None:
    """What keeps ``url`` from standing on our pages as a link or picture; None if nothing does."""
    scheme = "".join(url.split()).partition(":")[0].lower()
    if any(ord(letter) < ord(" ") for letter in url) or scheme in _REFUSED:
        return "Write an http or https address, or a path that begins with a slash."
    return None
