"""One user or group of ours, and one system: what has to be done there, in which order, and what is kept of it.

One process at a time does this for a provider: the lock is the store's, so it holds between processes, too. What is
known here is read behind it, then the system is spoken to, then one commit keeps the link. Whoever is not in time for
that commit leaves an object there that the next synchronisation finds by its name.
"""

import asyncio
from typing import Any, Final

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.kinds.state import State
from keystead.people.group import GROUP, Group
from keystead.people.person import Person, person_by_pk
from keystead.policies.engine import Engine
from keystead.providers.outgoing import scope
from keystead.providers.outgoing.api import attributes
from keystead.providers.outgoing.links import OutgoingSyncDeleteAction
from keystead.providers.outgoing.room import Outgoing, Room
from keystead.providers.outgoing.run import Run
from keystead.providers.outgoing.system import Members, Missing, Refused, System, Taken, What, Written
from keystead.providers.outgoing.telling import SkipObject, told

_TRIES: Final = 20
_PAUSE: Final = 0.25
"""Seconds between two looks whether the provider is free."""


async def synchronise(
    call: Call, state: State, engine: Engine, room: Room, provider: Outgoing, what: What, pk: object, *, dry: bool
) -> list[LogEvent]:
    """Bring one system up to date with one user or group; what was done, or why not.

    :param pk: of a user or group that the caller may see.
    :param dry: only say what would be written.
    :raises Problem: ``BUSY``: the provider's system is written to at this moment.
    """
    run = Run(call, state, room, provider, what, dry=dry)

    async def work() -> None:
        try:
            await _synchronise(run, engine, pk)
        except Refused as exc:
            run.fail(str(exc))

    for _ in range(_TRIES):
        if await state.store.exclusively(f"sync-{provider.pk}", work):
            return run.lines
        await asyncio.sleep(_PAUSE)
    raise Problem(Fault.BUSY, f"{provider.name} is at work at this moment; try again shortly.", retry_after=5)


async def _synchronise(run: Run, engine: Engine, pk: Any) -> None:  # noqa: ANN401 - keys of users and groups
    one = await _read(run.state, run.what, pk)
    link = await run.link(pk)
    if isinstance(one, Group):
        outside = scope.of_group(run.call, run.room, run.provider, one)
    else:
        outside = await scope.of_user(run.call, run.state, engine, run.room, run.provider, one)
    if outside is not None:
        run.say(outside.why)
        await _leave(run, link)
        return
    try:
        await _write(run, one, pk, link)
    except SkipObject:
        run.say(f"A mapping of {run.provider.name} skips this {run.what}; nothing is done.")


async def _read(state: State, what: What, pk: Any) -> Person | Group:  # noqa: ANN401 - as above
    if what is What.USER:
        found: Person | Group | None = await person_by_pk(state, pk)
    else:
        found = next(iter(await records.load(state.store, GROUP, "id", [pk])), None)
    if found is None:
        raise Refused(f"The {what} is not there any more.")
    return found


async def _write(run: Run, one: Person | Group, pk: object, link: Any) -> None:  # noqa: ANN401 - links of every kind
    room = run.room
    system = room.opened(run.call, run.state, run.provider)
    members = await run.members(one) if isinstance(one, Group) else Members()
    body = await told(run.call, run.state, room, run.provider, one, link)
    name = system.name_of(run.what, body)
    if run.dry:
        await _rehearse(run, system, body, members, pk, link)
        return
    written: Written | None = None
    done = "updated"
    if link is not None:
        try:
            written = await system.update(run.what, run.remote_of(link), body, members)
        except Missing:
            run.say(f"{name} is not there any more, so it is made anew.", level=LogLevelEnum.WARNING)
            body = await told(run.call, run.state, room, run.provider, one, None)
    if written is None:
        written, done = await _made(run, system, body, members, pk)
    await run.keep(link, pk, written.remote)
    run.say(f"{name} is {done} in {room.where}.", {"id": written.remote.id})
    for note in written.notes:
        run.say(note)
    for fault in written.faults:
        run.fail(fault)


async def _made(run: Run, system: System, body: dict[str, object], members: Members, pk: object) -> tuple[Written, str]:
    """The counterpart that an object has from now on: one that is there already, or a new one."""
    found = await system.find(run.what, body) if run.provider.discovery_enabled else None
    if found is None:
        try:
            made = await system.create(run.what, body, members)
        except Taken:
            found = await system.find(run.what, body)
            if found is None:
                raise
        else:
            await run.check_free(made.remote, pk)
            return made, "created"
    await run.check_free(found, pk)
    return await system.update(run.what, found, body, members), "taken over"


async def _rehearse(
    run: Run,
    system: System,
    body: dict[str, object],
    members: Members,
    pk: object,
    link: Any,  # noqa: ANN401 - links of every kind
) -> None:
    """Say what would be written; nothing but reading is done there, and nothing here."""
    told_of: dict[str, object] = {"body": attributes(body)}
    if run.what is What.GROUP:
        told_of["members"] = [one.id for one in members.wanted]
    name = system.name_of(run.what, body)
    found = run.remote_of(link) if link is not None else None
    verb = "update"
    if found is None and run.provider.discovery_enabled:
        found, verb = await system.find(run.what, body), "take over"
        if found is not None:
            await run.check_free(found, pk)
    if found is None:
        run.say(f"Dry run: would create {name} in {run.room.where}.", told_of)
    else:
        run.say(f"Dry run: would {verb} {name} in {run.room.where}.", {"id": found.id, **told_of})


async def _leave(run: Run, link: Any) -> None:  # noqa: ANN401 - links of every kind
    """Do with a counterpart what the provider says of those that are not in scope any more."""
    action = run.room.leaving(run.provider, run.what)
    if link is None:
        run.say(f"Nothing is known of a counterpart in {run.room.where}, so nothing is done.")
        return
    remote = run.remote_of(link)
    if action is OutgoingSyncDeleteAction.DO_NOTHING:
        run.say("The counterpart stays as it is, as the provider says.", {"id": remote.id})
        return
    if run.dry:
        run.say(f"Dry run: would {action} the counterpart in {run.room.where}.", {"id": remote.id})
        return
    system = run.room.opened(run.call, run.state, run.provider)
    try:
        if action is OutgoingSyncDeleteAction.SUSPEND:
            known = await system.suspend(run.what, remote.id)
            if known is None:
                run.say(f"{run.room.where} knows no way to suspend a {run.what}; it stays as it is.", {"id": remote.id})
                return
            await run.suspended(link, known)
            run.say(f"The counterpart is suspended in {run.room.where}.", {"id": remote.id})
            return
        await system.remove(run.what, remote.id)
    except Missing:
        done = f"The counterpart was not in {run.room.where} any more."
    else:
        done = f"The counterpart is removed from {run.room.where}."
    await run.forget(link)
    run.say(done, {"id": remote.id})
