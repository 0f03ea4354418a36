"""DataExport: a list of users or events as a file, which the worker makes (``people/exporting.py``)."""

import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from keystead.base import rand
from keystead.base.clock import EPOCH
from keystead.base.errors import invalid
from keystead.kinds.access import system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.conditions import conditions
from keystead.kinds.field import Field
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, UUID_FORMAT, Column, Json, Ref, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.event import EVENT, SUMMED
from keystead.people.shown import PartialUser, gone, partial_users
from keystead.people.user import USER
from keystead.store import Statement

PREFIX: Final = "/files/exports/"
"""Where the files are served, below the sub-path we are reached under."""
KEPT: Final = timedelta(days=7)
"""How long a file, or the wish for one, is kept."""
WAITING: Final = 5
"""Files that one person may wait for at once."""


class DataExport(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a file.

    :param model: what is listed: users or events.
    :param query_params: what the list was asked for.
    :param file: the file's name; empty until it is made.
    :param attempts: how often the worker has begun.
    :param expires: when it is removed.
    """

    id: Annotated[Uuid, READ_ONLY]
    user: Annotated[int, HIDDEN, Column("user_id"), Ref("authentik_core.user")]
    requested_on: Annotated[datetime, READ_ONLY]
    model: Annotated[str, HIDDEN]
    query_params: Annotated[Json, READ_ONLY] = {}
    file: Annotated[str, HIDDEN] = ""
    completed: Annotated[bool, READ_ONLY] = False
    attempts: Annotated[int, HIDDEN] = 0
    expires: Annotated[datetime, HIDDEN] = EPOCH


class ContentType(msgspec.Struct):
    """A model of objects.

    :param id: a number that stands for it.
    """

    id: int
    app_label: str
    model: str
    verbose_name_plural: str
    fully_qualified_model: str


class DataExportShown(msgspec.Struct):
    """The computed members: who asked for it, what is listed, and where the file is."""

    requested_by: PartialUser
    content_type: ContentType
    file_url: str


def content_type(state: State, model: str) -> ContentType:
    """A model in short."""
    app, _, name = model.partition(".")
    kind = state.kinds.get(model)
    return ContentType(zlib.crc32(model.encode()) & 0x7FFFFFFF, app, name, kind.title[1] if kind else name, model)


async def view(
    call: Call, state: State, exports: Sequence[DataExport], _query: Mapping[str, Sequence[str]]
) -> list[DataExportShown]:
    """Who asked, what is listed, and where the file is, once it is made."""
    users = await partial_users(state, [one.user for one in exports])
    return [
        DataExportShown(
            users.get(one.user) or gone(state, one.user),
            content_type(state, one.model),
            f"{call.origin.root}{PREFIX}{one.id}/" if one.completed else "",
        )
        for one in exports
    ]


DATA_EXPORT: Kind[DataExport] = Kind(
    model="authentik_reports.dataexport",
    struct=DataExport,
    path="reports/exports",
    title=("Data Export", "Data Exports"),
    key="id",
    key_name="id",
    table=Table("data_exports", owner="user_id"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE, Verb.DESTROY}),
    shown=DataExportShown,
    view=view,
    search=(),
    order=("-requested_on",),
)
_WAITING: Final = Statement(
    "export.waiting", "SELECT count(*) FROM data_exports WHERE user_id = $1 AND completed = FALSE"
)


def _asked(field: Field) -> Filter:
    """A filter by a member, for an operation that takes what a list takes."""
    return Filter(field.name, Uuid if UUID_FORMAT in field.formats else field.core)


_USERS: Final = tuple(_asked(USER.fields[one]) if isinstance(one, str) else one for one in USER.filters)
_LISTED: Final = (
    Filter("search", str, note="Text to look for."),
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
)


def _exporting(
    kind: Kind[Any], query: tuple[Filter, ...]
) -> Callable[[Call, State, None, Mapping[str, Sequence[str]]], Awaitable[Answer]]:
    names = {item.name for item in query}

    async def run(call: Call, state: State, _obj: None, given: Mapping[str, Sequence[str]]) -> Answer:
        """Have the list that the query asks for made into a file; its address is told once it is there."""
        asked = {name: list(values) for name, values in given.items() if name in names and any(values)}
        conditions(call, kind, asked)  # what cannot be asked for is refused here, not hours later
        if not call.actor.pk:
            raise invalid({"non_field_errors": ["A file is made for somebody; Keystead itself needs none."]})
        row = await state.store.fetch_one(_WAITING, call.actor.pk)
        if row is not None and int(str(row[0])) >= WAITING:
            text = f"You wait for {WAITING} files already; remove one, or wait until one is made."
            raise invalid({"non_field_errors": [text]})
        made = DataExport(
            id=rand.uuid4(),
            user=call.actor.pk,
            requested_on=call.at,
            model=kind.model,
            query_params={name: values if len(values) > 1 else values[0] for name, values in asked.items()},
            expires=call.at + KEPT,
        )
        changes = Changes()
        # Whoever may see the whole list may have it as a file of their own.
        changes.create(system(call, DATA_EXPORT, "add"), made)
        return Answer((await render(call, state, DATA_EXPORT, [made], {}))[0], status=201, changes=changes)

    return run


def _action(kind: Kind[Any], query: tuple[Filter, ...]) -> Action:
    return Action(
        kind,
        "POST",
        "export/",
        _exporting(kind, query),
        "export_create",
        permission="view",
        response=DataExport,
        status=201,
        query=query,
    )


ACTIONS: Final = (_action(USER, (*_USERS, *_LISTED)), _action(EVENT, SUMMED))
