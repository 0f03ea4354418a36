"""A blueprint as one change of the installation: decided whole, again if somebody comes between, committed once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, not_found
from keystead.doors.rest.blueprints.entries import Application, apply_instance
from keystead.doors.rest.blueprints.folder import Folder
from keystead.doors.rest.blueprints.told import Failed, Log
from keystead.doors.rest.blueprints.work import Work
from keystead.kinds import grants
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Verb
from keystead.kinds.state import State
from keystead.people.installation.blueprint import BLUEPRINT, BlueprintInstance, BlueprintInstanceStatusEnum
from keystead.people.installation.blueprint_text import parse
from keystead.store import Overtaken

R = TypeVar("R")
_AGAIN: Final = 5
_MOST: Final = 20
"""Lines that an event keeps."""


async def one_text(
    call: Call, state: State, folder: Folder, text: str, context: Mapping[str, object], *, rehearse: bool = False
) -> Log:
    """Apply a blueprint that is at hand.

    :param folder: where it may read files.
    :param rehearse: only tell what would be done.
    :raises Failed: it cannot be applied; nothing was changed.
    """
    try:
        blueprint = await asyncio.to_thread(parse, text)
    except ValueError as exc:
        raise Log(call.at).failed(str(exc)) from None

    async def run(work: Work) -> None:
        await Application(work, folder, blueprint, context).run()

    if rehearse:
        return (await _worked(call, state, run))[0].report
    return (await _changed(call, state, run))[0]


async def one_instance(call: Call, state: State, folder: Folder, key: str) -> BlueprintInstance:
    """Apply what an instance names.

    :raises Failed: it cannot be applied; nothing was changed.
    """

    async def run(work: Work) -> BlueprintInstance:
        instance = work.call.settings.get(BLUEPRINT, key)
        if instance is None:
            raise not_found()
        return await apply_instance(work, folder, instance)

    return (await _changed(call, state, run))[1]


async def failed(call: Call, state: State, key: str, failure: Failed) -> BlueprintInstance:
    """Have an instance tell that it could not be applied, and the log why.

    :raises Problem: it is gone, or the caller may not change it.
    """

    async def decide(call: Call) -> tuple[Changes, BlueprintInstance]:
        old = call.settings.get(BLUEPRINT, key)
        if old is None:
            raise not_found()
        call = await grants.on(call, state.store, BLUEPRINT, [old])
        new = msgspec.structs.replace(old, status=BlueprintInstanceStatusEnum.ERROR)
        changes = Changes()
        changes.update(require(call, BLUEPRINT, Verb.UPDATE, old), old, new)
        said = [{"message": line.event, **line.attributes} for line in failure.logs.lines]
        told = {"message": f"The blueprint “{old.name}” could not be applied.", "log": said[-_MOST:]}
        changes.event(call, "configuration_error", BLUEPRINT.app, told, about=(BLUEPRINT, old))
        return changes, new

    return await state.change(call, decide)


async def _worked(call: Call, state: State, run: Callable[[Work], Awaitable[R]]) -> tuple[Work, R]:
    """What ``run`` does, as far as it is decided; from the beginning when somebody comes between two steps.

    :raises Problem: ``BUSY``: somebody always does.
    """
    for _ in range(_AGAIN):
        try:
            async with Work(call, state) as work:
                return work, await run(work)
        except Overtaken:
            call = msgspec.structs.replace(call, settings=await state.refresh())
    raise Problem(Fault.BUSY, "Others change the same objects at the same time; try again shortly.", retry_after=1)


async def _changed(call: Call, state: State, run: Callable[[Work], Awaitable[R]]) -> tuple[Log, R]:
    log = Log(call.at)

    async def decide(call: Call) -> tuple[Changes, tuple[Log, R]]:
        nonlocal log
        work, result = await _worked(call, state, run)
        log = work.report
        return work.changes, (log, result)

    try:
        return await state.change(call, decide)
    except Problem as exc:
        if exc.kind in {Fault.INVALID, Fault.CONFLICT}:  # it was right by itself, and somebody came between
            raise log.refused(exc) from None
        raise
