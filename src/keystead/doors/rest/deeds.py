"""Making, changing and removing one object: every member checked, every rule asked, whoever asks for it.

The verbs of the API do one of these in a unit, blueprints many.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from keystead.doors.rest.body import taken
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.state import State
from keystead.people import power

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


async def make(
    call: Call,
    state: State,
    kind: Kind[Any],
    body: dict[str, object],
    pk: object,
    beside: Mapping[str, object] = _NOTHING,
) -> tuple[Changes, Any]:
    """A new object from ``body``, with the key ``pk``.

    :param beside: values of members that no request can set; who may is the caller's business.
    :raises Problem: ``INVALID`` with every member's complaint, ``DENIED``.
    """
    may_add = require(call, kind, Verb.CREATE)
    obj = await taken(call, state, kind, body, None, partial=False, pk=pk)
    obj = await _ruled(call, state, kind, None, _with(obj, beside))
    changes = Changes()
    changes.create(may_add, obj)
    if kind.along:
        changes.extend(await kind.along(call, state, None, obj))
    return changes, obj


async def alter(
    call: Call,
    state: State,
    kind: Kind[Any],
    old: Any,  # noqa: ANN401 - objects of every kind
    body: dict[str, object],
    *,
    partial: bool,
    strictly: bool = False,
    beside: Mapping[str, object] = _NOTHING,
) -> tuple[Changes, Any]:
    """``old`` changed by ``body``: all required members must be there unless ``partial``.

    :param strictly: only while nothing else of a record has changed.
    :param beside: as for :func:`make`.
    :raises Problem: as :func:`make`; ``NOT_FOUND`` where the caller may not even see ``old``.
    """
    may_change = require(call, kind, Verb.UPDATE, old)
    obj = await taken(call, state, kind, body, old, partial=partial, pk=getattr(old, kind.pk))
    obj = await _ruled(call, state, kind, old, _with(obj, beside))
    changes = Changes()
    changes.update(may_change, old, obj, strictly=strictly)
    if kind.along:
        changes.extend(await kind.along(call, state, old, obj))
    return changes, obj


async def remove(call: Call, state: State, kind: Kind[Any], obj: Any) -> Changes:  # noqa: ANN401 - as above
    """``obj`` removed, and what refers to it treated as the references say.

    :raises Problem: ``DENIED``, or whatever the kind's rules say.
    """
    may_remove = require(call, kind, Verb.DESTROY, obj)
    await power.guard(call, state, kind, obj, None)
    if kind.leaving:
        await kind.leaving(call, state, obj)
    changes = Changes()
    changes.delete(may_remove, obj, state.kinds.values())
    if kind.along:
        changes.extend(await kind.along(call, state, obj, None))
    return changes


def _with(obj: Any, beside: Mapping[str, object]) -> Any:  # noqa: ANN401 - as above
    return msgspec.structs.replace(obj, **beside) if beside else obj


async def _ruled(call: Call, state: State, kind: Kind[Any], old: Any, new: Any) -> Any:  # noqa: ANN401 - as above
    """``new`` as the kind's rules complete it, if they and the caller's power let it be.

    :raises Problem: a rule is broken, or the caller is weaker than whom the object leads to.
    """
    if kind.rules:
        new = await kind.rules(call, state, old, new)
    await power.guard(call, state, kind, old, new)
    return new
