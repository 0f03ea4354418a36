"""Several changes that become one unit: each is decided on what those before it leave, settings and records alike."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

import msgspec
from msgspec.structs import replace

from keystead.doors.rest.blueprints.sought import matching
from keystead.doors.rest.blueprints.told import Log
from keystead.doors.rest.verbs import new_key
from keystead.kinds import grants
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import UUID_FORMAT
from keystead.kinds.state import State
from keystead.store.ahead import Ahead

T = TypeVar("T", bound=msgspec.Struct)


class Work:
    """A unit that grows.

    :ivar call: the caller, with the settings as this unit leaves them.
    :ivar state: the installation as this unit leaves it: to ask, never to commit through.
    :ivar models: the models of what it was about.
    """

    def __init__(self, call: Call, state: State) -> None:
        self.call = call
        self.ahead = Ahead(state.store)
        self.state = copy.copy(state)
        self.state.store = self.ahead
        self.state.settings = call.settings
        self.changes = Changes()
        self.models: set[str] = set()
        self.report = Log(call.at)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.ahead.let_go()

    async def put(self, step: Changes) -> None:
        """Add ``step``; whatever comes next sees it.

        :raises GuardFailed: the store would refuse it, and so on.
        """
        # Nobody decides on events: for them alone no other writer need wait.
        await self.ahead.write([write for write in step.writes if write.statement.name != "event.insert"])
        self.changes.extend(step)
        if not step.settings:
            return
        settings = self.call.settings.changed(self.call.settings.seq, step.settings.values())
        self.call = replace(self.call, settings=settings)
        self.state.settings = settings

    async def find(
        self, kind: Kind[T], wanted: Mapping[str, object], several: Callable[[], None] = lambda: None
    ) -> T | None:
        """The first object with these members that the caller may see: its ``pk``, or all the others.

        :param several: told when others have them too.
        :raises ValueError: see :func:`matching`.
        """
        rest = {name: value for name, value in wanted.items() if name not in {"pk", kind.pk}}
        pk = wanted.get("pk", wanted.get(kind.pk))
        for one in ({kind.pk: pk} if pk is not None else {}, rest):
            found = await matching(self.call, self.state, kind, one)
            asking = await grants.on(self.call, self.state.store, kind, found)
            seen: list[T] = [obj for obj in found if may(asking, kind, "view", obj)]
            if seen:
                if len(seen) > 1:
                    several()
                return seen[0]
        return None

    async def key_for(self, kind: Kind[Any], wanted: object) -> object:
        """The key of a new object: ``wanted``, where keys are UUIDs and nothing has it; else a new one.

        :raises ValueError: something has it, or it is no UUID.
        """
        field = kind.fields[kind.pk]
        if wanted is None or UUID_FORMAT not in field.formats:
            return await new_key(self.state, kind)
        pk = field.take(wanted)
        # The documents of all settings share one table: a key must be free among all of them.
        if any(self.call.settings.get(one, pk) for one in self.state.kinds.values() if one.table is None):
            raise ValueError("another object has this pk")
        return pk

    async def about(self, kind: Kind[Any], obj: Any) -> Call:  # noqa: ANN401 - objects of every kind
        """The call, with what its actor may do to ``obj`` in particular."""
        return await grants.on(self.call, self.state.store, kind, [obj])
