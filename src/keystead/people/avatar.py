"""Pictures of people: from the sources that the installation's settings name, drawn here unless they say otherwise."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from keystead.kinds.snapshot import Snapshot
from keystead.people.installation.settings import current
from keystead.people.shown import avatar

_SHAPE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#7d8794"/>'
    '<circle cx="32" cy="25" r="11" fill="#fff"/><path d="M10 60a22 20 0 0 1 44 0z" fill="#fff"/></svg>'
)
_ADDRESS: Final = ("https://", "http://", "/", "data:image/")


def picture(settings: Snapshot, username: str, name: str, email: str, attributes: Mapping[str, object]) -> str:
    """The address of somebody's picture: that of the first source that has one, else their initials."""
    for source in current(settings).avatars.split(","):
        if found := _from(source.strip(), username, name, email, attributes):
            return found
    return avatar(username, name)


def _from(source: str, username: str, name: str, email: str, attributes: Mapping[str, object]) -> str:
    if source == "none":
        return _inline(_SHAPE)
    if source == "initials":
        return avatar(username, name)
    # A digest of the address is what those services name people by; whoever names them as source wants that.
    digest = hashlib.sha256(email.strip().lower().encode()).hexdigest() if email else ""
    if source == "gravatar":
        # It is the viewer's browser that asks, and it is told there what to show for people without a picture.
        fallback = f"initials&name={quote(name or username, safe='')}"
        return f"https://www.gravatar.com/avatar/{digest}?size=158&rating=g&default={fallback}" if digest else ""
    if source.startswith("attributes."):
        value = _below(attributes, source.removeprefix("attributes."))
        return value if value.startswith(_ADDRESS) else ""
    filled = {"username": username, "mail_hash": digest, "upn": _below(attributes, "upn")}
    for member, value in filled.items():
        if f"%({member})s" in source and not value:
            return ""
        source = source.replace(f"%({member})s", quote(value, safe=""))
    return source


def _below(attributes: Mapping[str, object], path: str) -> str:
    found: object = attributes
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _inline(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
