"""A blueprint as one change of the installation: decided whole, again if somebody comes between, committed once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, not_found
from keystead.doors.http.site import Site
from keystead.doors.rest.blueprints.entries import Application, apply_instance
from keystead.doors.rest.blueprints.folder import Folder
from keystead.doors.rest.blueprints.told import Log
from keystead.doors.rest.blueprints.work import Work
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.people.installation.blueprint import BLUEPRINT, BlueprintInstance
from keystead.people.installation.blueprint_text import parse

R = TypeVar("R")


async def one_text(call: Call, site: Site, text: str, context: Mapping[str, object]) -> Log:
    """Apply a blueprint that is at hand.

    :raises Failed: it cannot be applied; nothing was changed.
    """
    try:
        blueprint = await asyncio.to_thread(parse, text)
    except ValueError as exc:
        raise Log(call.at).failed(str(exc)) from None
    folder = Folder.of(site)

    async def run(work: Work) -> None:
        await Application(work, folder, blueprint, context).run()

    return (await _changed(call, site, run))[0]


async def one_instance(call: Call, site: Site, key: str) -> BlueprintInstance:
    """Apply what an instance names.

    :raises Failed: it cannot be applied; nothing was changed.
    """
    folder = Folder.of(site)

    async def run(work: Work) -> BlueprintInstance:
        instance = work.call.settings.get(BLUEPRINT, key)
        if instance is None:
            raise not_found()
        return await apply_instance(work, folder, instance)

    return (await _changed(call, site, run))[1]


async def _changed(call: Call, site: Site, run: Callable[[Work], Awaitable[R]]) -> tuple[Log, R]:
    log = Log(call.at)

    async def decide(call: Call) -> tuple[Changes, tuple[Log, R]]:
        nonlocal log
        async with Work(call, site.state) as work:
            log = work.report
            result = await run(work)
            return work.changes, (work.report, result)

    try:
        return await site.state.change(call, decide)
    except Problem as exc:
        if exc.kind in {Fault.INVALID, Fault.CONFLICT}:  # it was right by itself, and somebody came between
            raise log.refused(exc) from None
        raise
