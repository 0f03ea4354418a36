"""Static files, read once from the package: hashed names may be kept for ever, stable names are asked for again.

Look-up is one dictionary access with the exact path, so no path can climb out of the folder (SECURITY.md WB-14).
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

import msgspec

PREFIX: Final = "/static/dist/"
LOGO: Final = PREFIX + "assets/icons/icon_left_brand.svg"
"""Default of ``Brand.branding_logo``."""
FAVICON: Final = PREFIX + "assets/icons/icon.png"
"""Default of ``Brand.branding_favicon``."""
BACKGROUND: Final = PREFIX + "assets/images/flow_background.jpg"
"""Default of ``Brand.branding_default_flow_background``. Our own pages draw their ground and never load it."""

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
_LITERAL: Final = " =:/(){}@.,;-"
"""What may stand in a data URI as it is, as far as our drawings need it."""
_PACKED: Final = frozenset({".png", ".jpg"})
_FOREVER: Final = "public, max-age=31536000, immutable, no-transform"
_ASK_AGAIN: Final = "public, no-cache, no-transform"


class Asset(msgspec.Struct, frozen=True):
    """One static file, ready to be sent."""

    body: bytes
    gzipped: bytes
    """The body compressed with gzip; empty when the format is compressed already and gzip would only add to it."""
    content_type: str
    etag: str
    """Strong entity tag with its quotes (RFC 9110 §8.8.3)."""
    cache_control: str
    """For a hashed path: keep for a year. For a stable path: keep, but ask each time."""


class _Shelf(msgspec.Struct, frozen=True):
    by_path: Mapping[str, Asset]
    hashed: Mapping[str, str]


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for entry in folder.iterdir():
        place = at / entry.name
        if entry.is_dir():
            yield from _walk(entry, place)
        elif place.suffix in _TYPES:
            yield place, entry.read_bytes()


@cache
def _shelf() -> _Shelf:
    by_path: dict[str, Asset] = {}
    hashed: dict[str, str] = {}
    for place, body in _walk(files(__package__) / "static", PurePosixPath()):
        digest = hashlib.sha256(body).hexdigest()
        asset = Asset(
            body=body,
            gzipped=b"" if place.suffix in _PACKED else gzip.compress(body, 9, mtime=0),
            content_type=_TYPES[place.suffix],
            etag=f'"{digest[:32]}"',
            cache_control=_ASK_AGAIN,
        )
        name = PREFIX + place.with_name(f"{place.stem}.{digest[:8]}{place.suffix}").as_posix()
        by_path[PREFIX + place.as_posix()] = asset
        by_path[name] = msgspec.structs.replace(asset, cache_control=_FOREVER)
        hashed[place.as_posix()] = name
    return _Shelf(by_path, hashed)


def lookup(path: str) -> Asset | None:
    """The asset at ``path`` (below any sub-path of the server, starting ``/static/dist/``), or None."""
    return _shelf().by_path.get(path)


def inlined(name: str) -> str:
    """A small text file as a data URI (RFC 2397), which costs the page some bytes and no request.

    :param name: as for :func:`url`.
    """
    asset = _shelf().by_path[PREFIX + name]
    return f"data:{asset.content_type},{quote(asset.body, safe=_LITERAL)}"


def url(name: str, root: str = "") -> str:
    """The hashed address of a static file.

    :param name: path inside the static folder, such as ``keystead.css``.
    :param root: sub-path the server lives under: empty, or ``/auth``.
    :raises KeyError: there is no such file.
    """
    return root + _shelf().hashed[name]
