"""``State``: the running installation - store, kinds, settings in memory - and the one way to change anything."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.base import log, metrics
from keystead.base.clock import Clock, SystemClock
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, invalid
from keystead.base.outbound import Outbound
from keystead.base.secret import Secret, Vault
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes, stale
from keystead.kinds.kind import Kind
from keystead.kinds.large import Large
from keystead.kinds.permissions import Permissions
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.wanted import Wanted
from keystead.store import Change, GuardFailed, Store, Taken

_LOG = log.get("kinds.state")
_ATTEMPTS: Final = 50
_TOGETHER: Final = 8
"""Settings changes that share a commit."""
_POLL: Final = 1.0
"""Seconds between looks for changes that no announcement told of."""
EVENTS: Final = metrics.counter("keystead_events_total", "Events written, by action.", "action")
COMMITS: Final = metrics.counter("keystead_commits_total", "Units of change that landed in the store.")
R = TypeVar("R")


class State:
    """One process's view of the installation.

    :param kinds: every kind, from ``app.py``.
    :param outbound: the way to others over HTTP; by default to the Internet only.
    """

    def __init__(
        self,
        store: Store,
        kinds: tuple[Kind[Any], ...],
        vault: Vault,
        clock: Clock | None = None,
        outbound: Outbound | None = None,
    ) -> None:
        self.store = store
        self.vault = vault
        self.clock = clock or SystemClock()
        self.outbound = outbound or Outbound()
        self.kinds = {kind.model: kind for kind in kinds}
        self.permissions = Permissions(kinds)
        self.settings = Snapshot({model: kind for model, kind in self.kinds.items() if kind.table is None})
        self.install_id = ""
        self.large = Large(store)
        self._changing: asyncio.Task[None] | None = None
        self._wanted: list[Wanted] = []
        self._refreshing = asyncio.Lock()
        self._decoders: dict[str, Callable[[str], Any]] = {}
        self._encoders: Mapping[str, Callable[[Any], str]] = {
            model: self._encoder(kind) for model, kind in self.kinds.items()
        }

    def _encoder(self, kind: Kind[Any]) -> Callable[[Any], str]:
        def seal(value: object) -> object:
            if isinstance(value, Secret):
                return self.vault.seal(value.reveal(), kind.model)
            raise NotImplementedError(f"{kind.model} holds a {type(value).__name__}, which has no stored form")

        encoder = msgspec.json.Encoder(enc_hook=seal)
        return lambda obj: encoder.encode(obj).decode()

    def _decoder(self, kind: Kind[Any]) -> Callable[[str], Any]:
        def unseal(type_: type, value: object) -> object:
            if type_ is Secret and isinstance(value, str):
                return Secret(self.vault.open(value, kind.model))
            if type_ is object:
                return value
            raise NotImplementedError(type_.__name__)

        return msgspec.json.Decoder(kind.struct, dec_hook=unseal).decode

    async def load(self) -> None:
        """Read every settings document into memory; once, at start."""
        seq, documents = await self.store.documents()
        self.settings = self._applied(self.settings, documents, seq)

    def _applied(self, base: Snapshot, changes: list[Change], seq: int) -> Snapshot:
        done: list[tuple[Kind[Any], object, Any | None]] = []
        for item in changes:
            kind = self.kinds.get(item.kind)
            if kind is None:
                _LOG.warning("a settings document of an unknown kind is left alone", kind=item.kind, id=item.id)
                continue
            if item.doc is None:
                number = item.id.rpartition("/")[2]
                done.append((kind, int(number) if "/" in item.id else item.id, None))
                continue
            decode = self._decoders.get(item.kind)
            if decode is None:
                decode = self._decoders[item.kind] = self._decoder(kind)
            obj = decode(item.doc)
            done.append((kind, getattr(obj, kind.pk), obj))
        return base.changed(seq, done)

    async def refresh(self) -> Snapshot:
        """The settings with every change that was committed before this call, on whatever node."""
        await self.reach(await self.store.head())
        return self.settings

    async def reach(self, seq: int) -> None:
        """Bring the settings to the change ``seq``, which is committed, or further."""
        if seq > self.settings.seq:
            async with self._refreshing:
                changes = await self.store.changes(self.settings.seq)
                # Another task may have brought us further while we waited for the rows.
                if fresh := [change for change in changes if change.seq > self.settings.seq]:
                    self.settings = self._applied(self.settings, fresh, fresh[-1].seq)

    async def follow(self) -> None:
        """Keep up with other processes until cancelled: their announcements, and a poll each second as the net."""
        news = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(news))
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL):
                        await news.wait()
                news.clear()
                try:
                    await self.refresh()
                except Exception as exc:  # noqa: BLE001 - whatever it is, keeping up must go on
                    _LOG.warning("could not look for settings changes", reason=str(exc))

    async def _listen(self, news: asyncio.Event) -> None:
        """Raise ``news`` at each announcement, and listen again after a pause when they end."""
        while True:
            try:
                announcements = cast("AsyncGenerator[int, None]", self.store.announcements())
                async with contextlib.aclosing(announcements):
                    async for _ in announcements:
                        news.set()
            except Exception as exc:  # noqa: BLE001 - as above
                _LOG.warning("announcements of settings changes broke off", reason=str(exc))
            await asyncio.sleep(_POLL)

    async def change(self, call: Call, decide: Callable[[Call], Awaitable[tuple[Changes, R]]]) -> R:
        """Run ``decide`` on the newest settings and commit what it wants, atomically.

        ``decide`` may run again when somebody else's settings change came between, so it must not act outside what it
        returns.

        :raises Problem: ``INVALID`` naming the member whose value is taken, ``CONFLICT`` when a row changed meanwhile.
        :raises GuardFailed: a guard of the room's own has failed.
        """
        changes, result = await decide(call)
        if not changes.settings:
            await self.commit(changes, call.at)
            return result
        wanted = Wanted(call, decide, changes, result, asyncio.get_running_loop().create_future())
        self._wanted.append(wanted)
        if self._changing is None:
            self._changing = asyncio.create_task(self._change_all())
        await wanted.landed
        return cast("R", wanted.result)

    async def _change_all(self) -> None:
        """Land the changes that wait, those that came meanwhile together, until none does."""
        try:
            while batch := self._wanted[:_TOGETHER]:
                del self._wanted[: len(batch)]
                await self._change_together(batch)
        finally:
            self._changing = None

    async def _change_together(self, batch: "list[Wanted]") -> None:
        """Land a batch; what must not share its commit, or makes it fail, is landed alone."""
        try:
            if not await self._landed(batch):
                raise Problem(Fault.BUSY, "Too many settings changes at once; try again shortly.", retry_after=1)  # noqa: TRY301 - told like every failure
        except Exception as exc:  # noqa: BLE001 - whatever it is, who asked for the change that caused it must hear of it
            if len(batch) == 1:
                batch[0].answer(exc)
        for one in batch:
            if not one.landed.done():
                await self._change_together([one])

    async def _landed(self, batch: "list[Wanted]") -> bool:
        """Whether the changes of ``batch`` that can share a commit have landed, or failed for good."""
        for _ in range(_ATTEMPTS):
            base = await self.refresh()
            changes, at, held = await self._decided(batch, base)
            try:
                if held:
                    await self._commit(changes, base, at)
            except GuardFailed as exc:
                if exc.guard != "settings":
                    raise
            else:
                for one in held:
                    one.answer(None)
                return True
        return False

    async def _decided(self, batch: "list[Wanted]", base: Snapshot) -> "tuple[Changes, datetime, list[Wanted]]":
        """What the changes of ``batch`` come to, each decided on what those before it leave; and which are in it.

        One that writes records too is in it alone: others would decide without having seen them. And no two in it
        change the same object, whose history tells of each.
        """
        together, held = Changes(), list[Wanted]()
        at, reached = batch[0].call.at, base
        for one in batch:
            if one.landed.done():
                continue
            try:
                await one.decide_on(reached)
            except Exception as exc:  # noqa: BLE001 - as above
                if reached is base:  # what is refused for the sake of changes that have not landed is decided again
                    one.answer(exc)
                continue
            if held and not (one.light and held[0].light and one.changes.settings.keys().isdisjoint(together.settings)):
                continue
            together.extend(one.changes)
            held.append(one)
            at = max(at, one.call.at)
            if len(batch) > 1:
                reached = reached.changed(reached.seq, one.changes.settings.values())
        return together, at, held

    async def commit(self, changes: Changes, at: datetime) -> None:
        """Commit records and events that need no settings change.

        :raises Problem: as :meth:`change`.
        :raises GuardFailed: as :meth:`change`.
        :raises TypeError: settings are among the changes; only :meth:`change` knows what they were decided on.
        """
        if changes.settings:
            raise TypeError("settings are changed by State.change, which decides on the newest ones")
        await self._commit(changes, self.settings, at)

    async def _commit(self, changes: Changes, base: Snapshot, at: datetime) -> None:
        try:
            await self._land(changes, base, at)
        except GuardFailed as exc:
            if exc.guard in {"row", "reference"}:
                raise stale() from exc
            raise

    async def _land(self, changes: Changes, base: Snapshot, at: datetime) -> None:
        unit = changes.unit(base, at, self._encoders)
        if not unit.writes:
            return
        try:
            await self.store.commit(unit)
        except Taken as exc:
            raise self.taken(exc) from exc
        COMMITS.inc()
        for write in unit.writes:
            if write.statement.name == "event.insert":
                action = str(write.args[1])
                EVENTS.inc("custom_" if action.startswith("custom_") else action)
        if unit.announce and self.settings.seq == base.seq:
            self.settings = base.changed(unit.announce, changes.settings.values())

    def taken(self, exc: Taken) -> Problem:
        """The field error that a unique constraint names."""
        for kind in self.kinds.values():
            if kind.table and kind.table.name == exc.table:
                for field in kind.fields.values():
                    if field.column == exc.column:
                        return invalid({field.name: [f"{kind.title[0]} with this {field.name} already exists."]})
        return Problem(Fault.CONFLICT, "Another object holds a value that must be unique.")
