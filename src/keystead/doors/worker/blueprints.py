"""The folder of blueprints, looked through by the worker: new files get an instance, changed ones are applied again.

Who puts files there has the machine, so they are applied on Keystead's own authority, as they are. What people write
into instances (``content``, ``context``) is applied when somebody asks for it, with their power.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from keystead.base import log, rand
from keystead.base.errors import Problem
from keystead.doors.worker.timetable import Job
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people.installation.blueprint import BLUEPRINT, BlueprintInstance, BlueprintInstanceStatusEnum

if TYPE_CHECKING:
    from keystead.doors.rest.blueprints.folder import Folder
    from keystead.people.installation.blueprint import BlueprintFile

_LOG = log.get("worker.blueprints")
EVERY: Final = 60.0
"""Seconds between looks."""
_AUTOMATIC: Final = "blueprints.goauthentik.io/instantiate"
"""The label that tells whether a file gets an instance of itself; it does unless this says ``false``."""


def job(root: Path) -> Job:
    """The job that looks through the folder ``root``."""
    return Job("blueprints", EVERY, Watch(root).look)


class Watch:
    """What is known of the folder since the last look, so that nothing is read twice.

    :ivar _failed: instance -> the content that could not be applied.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: object = None
        self._failed: dict[str, str] = {}

    async def look(self, state: State) -> int:
        """Look, and apply what is new or has changed; how many blueprints were applied."""
        seen = await asyncio.to_thread(_listing, self._root), state.settings.memo("worker.blueprints", object)
        if seen == self._seen or not (seen[0] or self._seen):
            return 0
        from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - YAML loads slowly, and most have none

        folder = Folder(self._root)
        files = {file.path: file for file in await asyncio.to_thread(folder.available)}
        await _instances(state, files)
        done = 0
        for one in state.settings.all(BLUEPRINT):
            if one.enabled and not one.context and (file := files.get(one.path)) is not None:
                done += await self._apply(state, folder, one, file.hash)
        self._seen = await asyncio.to_thread(_listing, self._root), state.settings.memo("worker.blueprints", object)
        return done

    async def _apply(self, state: State, folder: "Folder", instance: BlueprintInstance, digest: str) -> bool:
        """Apply a file that has changed since it was applied; whether it was."""
        from keystead.doors.rest.blueprints.applying import failed, one_instance  # noqa: PLC0415 - as above
        from keystead.doors.rest.blueprints.told import Failed  # noqa: PLC0415 - as above

        if digest in {instance.last_applied_hash, self._failed.get(instance.pk)}:
            return False
        # On the authority of whoever may write to the folder of blueprints on this machine.
        call = _call(state)
        try:
            await one_instance(call, state, folder, instance.pk)
        except Failed as exc:
            self._failed[instance.pk] = digest
            _LOG.warning("a blueprint could not be applied", path=instance.path, reason=str(exc))
            await failed(call, state, instance.pk, exc)
            return False
        return True


def _listing(root: Path) -> tuple[tuple[str, int, int], ...]:
    """The files below ``root``, with what tells that they changed."""
    found = []
    for pattern in ("*.yaml", "*.yml"):
        for path in root.rglob(pattern):
            if path.is_file():
                about = path.stat()
                found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(sorted(found))


def _call(state: State) -> Call:
    return Call(SYSTEM, state.clock.now(), state.settings, "", rand.hex128())


async def _instances(state: State, files: "dict[str, BlueprintFile]") -> None:
    """An instance for each file that has none; and a word where the file of one is gone."""

    async def decide(call: Call) -> tuple[Changes, None]:
        changes = Changes()
        known = call.settings.all(BLUEPRINT)
        paths, names = {one.path for one in known}, {one.name for one in known}
        for path, file in files.items():
            if path not in paths and str(file.meta.labels.get(_AUTOMATIC, "true")).lower() != "false":
                name = file.meta.name if file.meta.name and file.meta.name not in names else path
                names.add(name)
                new = BlueprintInstance(pk=rand.uuid4(), name=name, path=path)
                changes.create(system(call, BLUEPRINT, "add"), new)
        for one in known:
            gone = bool(one.path and one.last_applied_hash) and one.path not in files
            if gone and one.status is not BlueprintInstanceStatusEnum.ORPHANED:
                orphan = msgspec.structs.replace(one, status=BlueprintInstanceStatusEnum.ORPHANED)
                changes.update(system(call, BLUEPRINT, "change"), one, orphan)
        return changes, None

    try:
        await state.change(_call(state), decide)
    except Problem as exc:
        _LOG.warning("files in the folder of blueprints got no instances", reason=exc.detail)
