"""Several new objects in one unit, as the operations that make more than one thing at once do."""

from typing import Any

from msgspec.structs import replace

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, invalid
from keystead.doors.rest import deeds
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State


class Making:
    """Objects that are made in one unit; each sees those before it as if they were there."""

    def __init__(self, call: Call, state: State) -> None:
        self.call = call
        self.state = state
        self.changes = Changes()

    async def make(self, kind: Kind[Any], body: dict[str, object], pk: object, member: str) -> Any:  # noqa: ANN401 - objects of every kind
        """A new object of ``kind``, as by hand; what is wrong with its body is said under ``member``.

        :raises Problem: ``INVALID``, ``DENIED``.
        """
        try:
            changes, obj = await deeds.make(self.call, self.state, kind, body, pk)
        except Problem as exc:
            if exc.kind is not Fault.INVALID:
                raise
            raise invalid({member: exc.fields or {"non_field_errors": [exc.detail]}}) from exc
        self.changes.extend(changes)
        seen = self.call.settings.changed(self.call.settings.seq, [(kind, pk, obj)])
        self.call = replace(self.call, settings=seen)
        return obj
