"""Uploaded pictures: kept in the database, so that every node has them and a backup too; and where they are served.

A file's type is told by its name. Whatever is no picture is handed out as something to save, never to open in place.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, cast
from urllib.parse import quote

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid, not_found
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.store import Statement, Taken, Write

MEDIA: Final = "media"
USAGES: Final = (MEDIA,)
APP: Final = "authentik_admin_files"
PREFIX: Final = "/files/media/public/"
MAX_BYTES: Final = 10 * 1024 * 1024
TYPES: Final = {
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
"""Extension -> type of the pictures that browsers may show."""
OTHER: Final = "application/octet-stream"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._()-]*(/[A-Za-z0-9_][A-Za-z0-9._()-]*){0,7}")
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._()-]+")
_LONGEST: Final = 255
_NAMING: Final = (
    "Write a name like logo.svg or icons/app.png: letters, digits and . _ - ( ), no part that begins with a dot,"
    f" at most {_LONGEST} characters."
)
_LIST: Final = Statement("files.list", "SELECT name, mime_type FROM files WHERE usage = $1 ORDER BY name")
_READ: Final = Statement("files.read", "SELECT mime_type, sum, content FROM files WHERE usage = $1 AND name = $2")
_TAG: Final = Statement("files.tag", "SELECT sum FROM files WHERE usage = $1 AND name = $2")
_ADD: Final = Statement(
    "files.add",
    "INSERT INTO files (usage, name, mime_type, sum, content, created) VALUES ($1, $2, $3, $4, $5, $6)",
)
_REMOVE: Final = Statement("files.remove", "DELETE FROM files WHERE usage = $1 AND name = $2")


class Stored(msgspec.Struct, frozen=True):
    """A file as it is served.

    :param sum: names the content.
    """

    mime_type: str
    sum: str
    content: bytes


def check_name(name: str) -> str:
    """``name``, which can be that of a file.

    :raises Problem: ``INVALID`` on ``name``.
    """
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise invalid({"name": [_NAMING]})
    return name


def check_usage(usage: str) -> str:
    """``usage``, which is one of those there are; blank means media.

    :raises Problem: ``INVALID`` on ``usage``.
    """
    if (usage or MEDIA) not in USAGES:
        raise invalid({"usage": [f"“{usage}” is not accepted: {', '.join(USAGES)}."]})
    return usage or MEDIA


def named(name: str, filename: str) -> str:
    """The name a file gets: ``name``, else the client's own one; without an extension, the client's one.

    :raises Problem: ``INVALID`` on ``name``.
    """
    theirs = _UNUSUAL.sub("-", filename.replace("\\", "/").rpartition("/")[2]).lstrip(".-()")
    wanted = name or theirs
    extension = theirs.rpartition(".")[2].lower()
    if "." not in wanted.rpartition("/")[2] and extension in TYPES:
        wanted = f"{wanted}.{extension}"
    return check_name(wanted)


def type_of(name: str) -> str:
    """The media type that a name tells of."""
    return TYPES.get(name.rpartition(".")[2].lower(), OTHER)


async def names(state: State, usage: str = MEDIA) -> list[tuple[str, str]]:
    """Name and type of every file."""
    return [(str(name), str(kind)) for name, kind in await state.store.fetch(_LIST, usage)]


async def read(state: State, name: str, usage: str = MEDIA) -> Stored:
    """A file.

    :raises Problem: ``NOT_FOUND``.
    """
    row = await state.store.fetch_one(_READ, usage, name)
    if row is None:
        raise not_found()
    return Stored(str(row[0]), str(row[1]), bytes(cast("bytes", row[2])))


async def tag(state: State, name: str, usage: str = MEDIA) -> str:
    """What names a file's content.

    :raises Problem: ``NOT_FOUND``.
    """
    row = await state.store.fetch_one(_TAG, usage, name)
    if row is None:
        raise not_found()
    return str(row[0])


async def add(call: Call, state: State, name: str, content: bytes, usage: str = MEDIA) -> None:
    """Keep a new file, and write down who brought it.

    :raises Problem: ``INVALID``: the name is taken, or there is nothing in the file.
    """
    if not content:
        raise invalid({"file": ["The file is empty."]})
    changes = Changes()
    keep(call, changes, name, content, usage)
    try:
        await state.commit(changes, call.at)
    except Exception as exc:
        if isinstance(exc.__cause__, Taken):
            raise invalid({"name": ["A file with this name already exists; remove it first."]}) from exc
        raise


def keep(call: Call, changes: Changes, name: str, content: bytes, usage: str = MEDIA) -> None:
    """The changes that keep a new file."""
    digest = hashlib.sha256(content).hexdigest()
    changes.write(Write(_ADD, (usage, name, type_of(name), digest, content, micros(call.at))))
    told = {"name": name, "usage": usage, "size": len(content), "sha256": digest}
    changes.event(call, "model_created", APP, {"file": told})


async def remove(call: Call, state: State, name: str, usage: str = MEDIA) -> None:
    """Remove a file, and write down who did.

    :raises Problem: ``INVALID`` on ``name``: there is none.
    """
    if await state.store.fetch_one(_TAG, usage, name) is None:
        raise invalid({"name": [f"There is no file called “{name}”."]})
    changes = Changes()
    changes.write(Write(_REMOVE, (usage, name)))
    changes.event(call, "model_deleted", APP, {"file": {"name": name, "usage": usage}})
    await state.commit(changes, call.at)


def url(prefix: str, name: str) -> str:
    """Where the file is served.

    :param prefix: the sub-path we are reached under, without a slash at the end.
    """
    return f"{prefix}{PREFIX}{quote(name, safe='/%()')}"


def both_themes(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """For every pair of files that differ in ``light`` and ``dark`` only, the name that stands for both, and its type.

    Members take that name with ``%(theme)s`` in it.
    """
    there = {name for name, _ in found}
    return [
        (name.replace("light", "%(theme)s", 1), kind)
        for name, kind in found
        if "light" in name and name.replace("light", "dark", 1) in there
    ]
