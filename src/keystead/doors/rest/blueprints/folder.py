"""The folder of blueprints: files by their path below it, and nothing else of the machine."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from keystead.base import log
from keystead.base.config import Config
from keystead.doors.http.site import Site
from keystead.people.installation.blueprint import REGISTRY, BlueprintFile, Metadata
from keystead.wire.tagged_yaml import MOST_BYTES

_LOG = log.get("rest.blueprints")
ENV: Final = "BLUEPRINT_"
"""What the names of variables begin with that blueprints may read."""
MOST: Final = 1_000
"""Files that are listed."""
_BELOW: Final = re.compile(r"(?!/)[A-Za-z0-9._ /-]{1,255}")


class Folder:
    """A folder of blueprints.

    :param root: where it is; None where there is none.
    :param fetched: texts that were fetched from elsewhere, by path.
    """

    def __init__(self, root: Path | None, fetched: Mapping[str, str] | None = None) -> None:
        self._root = root.resolve() if root is not None and root.is_dir() else None
        self._fetched = dict(fetched or {})

    @classmethod
    def of(cls, site: Site, fetched: Mapping[str, str] | None = None) -> "Folder":
        """The folder that the process's settings name."""
        config = site.extras.get("config")
        return cls(config.blueprints_path if isinstance(config, Config) else None, fetched)

    def text(self, path: str) -> str | None:
        """The text of the file at ``path`` below the folder, or that was fetched from there; None if there is none.

        :raises ValueError: the path leads elsewhere, or the file is too long or no text.
        """
        if path.startswith(REGISTRY):
            if path not in self._fetched:
                raise ValueError("A blueprint in a registry is fetched when it is applied by itself.")
            return self._fetched[path]
        file = self._file(path)
        if file is None:
            return None
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"“{path}” has more than {MOST_BYTES // 1024} KiB.")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise ValueError(f"“{path}” is not written in UTF-8.") from None

    def _file(self, path: str) -> Path | None:
        parts = path.split("/")
        if not _BELOW.fullmatch(path) or any(part.startswith(".") or not part for part in parts):
            raise ValueError(f"“{path[:100]}” is no path below the folder of blueprints.")
        if self._root is None:
            return None
        found = (self._root / path).resolve()
        if not found.is_relative_to(self._root):  # a link that leads out
            raise ValueError(f"“{path}” leads out of the folder of blueprints.")
        return found if found.is_file() else None

    def available(self) -> list[BlueprintFile]:
        """The blueprints in the folder, by path; hidden files and what is no blueprint are left out."""
        from keystead.people.installation.blueprint_text import described  # noqa: PLC0415 - YAML loads slowly

        found = []
        for path in self._paths():
            try:
                text = self.text(path)
                if text is None or self._root is None:
                    continue
                meta = msgspec.convert(described(text), Metadata)
                changed = (self._root / path).stat().st_mtime
            except (ValueError, OSError) as exc:
                _LOG.warning("a file in the folder of blueprints is left out", path=path, reason=str(exc))
                continue
            found.append(BlueprintFile(path, datetime.fromtimestamp(changed, UTC), digest(text), meta))
        return found

    def _paths(self) -> Iterator[str]:
        if self._root is None:
            return
        count = 0
        for folder, folders, names in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if name.endswith((".yaml", ".yml")) and not name.startswith(".") and count < MOST:
                    count += 1
                    yield str((Path(folder) / name).relative_to(self._root))


def digest(text: str) -> str:
    """What tells whether a blueprint has changed."""
    return hashlib.sha512(text.encode()).hexdigest()


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """A variable of the environment that blueprints may read.

    :raises ValueError: it is none of those.
    """
    if not name.startswith(ENV):
        raise ValueError(f"blueprints read only variables whose names begin with {ENV}, and {name[:100]!r} does not")
    return environment.get(name)
