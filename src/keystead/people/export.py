"""DataExport: a list of users or events as a file. Files are not made yet."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.field import Field
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, UUID_FORMAT, Column, Json, Ref, Uuid
from keystead.kinds.pending import Pending
from keystead.kinds.state import State
from keystead.people.event import EVENT, SUMMED
from keystead.people.shown import PartialUser, gone, partial_users
from keystead.people.user import USER


class DataExport(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a file.

    :param model: what is listed: users or events.
    :param query_params: what the list was asked for.
    :param file: the file's name; empty until it is made.
    """

    id: Annotated[Uuid, READ_ONLY]
    user: Annotated[int, HIDDEN, Column("user_id"), Ref("authentik_core.user")]
    requested_on: Annotated[datetime, READ_ONLY]
    model: Annotated[str, HIDDEN]
    query_params: Annotated[Json, READ_ONLY] = {}
    file: Annotated[str, HIDDEN] = ""
    completed: Annotated[bool, READ_ONLY] = False


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
    _call: Call, state: State, exports: Sequence[DataExport], _query: Mapping[str, Sequence[str]]
) -> list[DataExportShown]:
    """Who asked, and what is listed."""
    users = await partial_users(state, [one.user for one in exports])
    return [
        DataExportShown(
            users.get(one.user) or gone(state, one.user),
            content_type(state, one.model),
            one.file,
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


def _asked(field: Field) -> Filter:
    """A filter by a member, for an operation that takes what a list takes."""
    return Filter(field.name, Uuid if UUID_FORMAT in field.formats else field.core)


_USERS: Final = tuple(_asked(USER.fields[one]) if isinstance(one, str) else one for one in USER.filters)
_LISTED: Final = (
    Filter("search", str, note="Text to look for."),
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
)
ACTIONS = (
    Action(
        USER,
        "POST",
        "export/",
        Pending("Users are not written to files yet; read their list page by page."),
        "export_create",
        permission="view",
        response=DataExport,
        status=201,
        query=(*_USERS, *_LISTED),
    ),
    Action(
        EVENT,
        "POST",
        "export/",
        Pending("Events are not written to files yet; read their list page by page."),
        "export_create",
        permission="view",
        response=DataExport,
        status=201,
        query=SUMMED,
    ),
)
