"""Lists narrowed by a secret: whoever may not set it anew finds nothing by it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keystead.kinds import grants
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.state import State


def by_secret(name: str, kind: Callable[[], Kind[Any]]) -> Filter:
    """The filter by the secret member ``name``, of settings.

    It compares whole texts, and only those of objects that the caller may change: they could send the secret to
    themselves, so being told whether they guessed it gives them nothing. Others see an empty list.

    :param kind: gives the kind that the filter will be part of.
    """

    async def keys(call: Call, state: State, value: str, _query: Mapping[str, Sequence[str]]) -> frozenset[object]:
        own = kind()
        objs = call.settings.all(own)
        here = await grants.on(call, state.store, own, objs)
        found = (obj for obj in objs if may(here, own, "change", obj) and getattr(obj, name).matches(value))
        return frozenset(getattr(obj, own.pk) for obj in found)

    return Filter(name, str, keys=keys, note="The whole secret. Finds only what the caller may change.")
