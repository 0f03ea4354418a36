"""A change of settings on its way: decided on some settings, and again on newer ones, until it has landed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.snapshot import Snapshot


class Wanted:
    """A settings change on its way."""

    def __init__(
        self,
        call: Call,
        decide: Callable[[Call], Awaitable[tuple[Changes, Any]]],
        changes: Changes,
        result: object,
        landed: "asyncio.Future[None]",
    ) -> None:
        self.call = call
        self.changes = changes
        self.result = result
        self.landed = landed
        self._decide = decide

    async def decide_on(self, settings: Snapshot) -> None:
        """Decide, unless it was decided on these very settings."""
        if settings is not self.call.settings:
            self.call = replace(self.call, settings=settings)
            self.changes, self.result = await self._decide(self.call)

    @property
    def light(self) -> bool:
        """Whether it writes no records but events."""
        return all(write.statement.name == "event.insert" for write in self.changes.writes)

    def answer(self, outcome: Exception | None) -> None:
        """Tell who waits, if anybody still does."""
        if self.landed.done():
            return
        if outcome is None:
            self.landed.set_result(None)
        else:
            self.landed.set_exception(outcome)
