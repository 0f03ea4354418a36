"""The operations beside the verbs that all providers have which write to other systems."""

from collections.abc import Mapping, Sequence
from typing import Any

from keystead.base.errors import not_found
from keystead.kinds import grants, records
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.kinds.sync import SyncObjectModelEnum, SyncObjectRequest, SyncObjectResult, SyncStatus
from keystead.people.group import GROUP
from keystead.people.user import USER
from keystead.policies.engine import Engine
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.system import What

_SORTS: Mapping[SyncObjectModelEnum, tuple[What, Kind[Any]]] = {
    SyncObjectModelEnum.USER: (What.USER, USER),
    SyncObjectModelEnum.GROUP: (What.GROUP, GROUP),
}


async def status(_call: Call, _state: State, _provider: Any, _query: Mapping[str, Sequence[str]]) -> Answer:  # noqa: ANN401 - providers of every kind
    """Whether a whole synchronisation runs, and how the last one ended: none has run."""
    return Answer(SyncStatus(is_running=False))


async def _seen(call: Call, state: State, kind: Kind[Any], key: str) -> Any:  # noqa: ANN401 - users and groups
    """The object with this key that the caller may see.

    :raises Problem: ``NOT_FOUND``: there is none.
    """
    field = kind.fields[kind.pk]
    try:
        value = field.take(int(key) if field.core is int and key.isascii() and key.isdigit() else key)
    except ValueError:
        raise not_found() from None
    found = await records.visible(state.store, kind, field.column, value, call.at, bare=True)
    if found is None:
        raise not_found()
    require(await grants.on(call, state.store, kind, [found]), kind, "view", found)
    return value


def actions(room: Room, engine: Engine) -> tuple[Action, ...]:
    """The operations of one sort of providers; ``engine`` says who may use what."""

    async def sync_object(call: Call, state: State, provider: Any, body: SyncObjectRequest) -> Answer:  # noqa: ANN401 - providers of every kind
        """Write one user or group to the system now, and tell what was done.

        What the system refuses is a line of level ``error`` in an answer that is 200, as the contract has it: the
        question was answered.
        """
        from keystead.providers.outgoing.sync import synchronise  # noqa: PLC0415 - rare, and much to load

        what, kind = _SORTS[body.sync_object_model]
        pk = await _seen(call, state, kind, body.sync_object_id)
        dry = provider.dry_run and not body.override_dry_run
        return Answer(SyncObjectResult(await synchronise(call, state, engine, room, provider, what, pk, dry=dry)))

    return (
        Action(
            room.kind,
            "GET",
            "{key}/sync/status/",
            status,
            "sync_status_retrieve",
            permission="view",
            response=SyncStatus,
        ),
        Action(
            room.kind,
            "POST",
            "{key}/sync/object/",
            sync_object,
            "sync_object_create",
            permission="change",
            request=SyncObjectRequest,
            response=SyncObjectResult,
        ),
    )
