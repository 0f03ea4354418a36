"""Kinds of the tests' own, with fields of every sort and references of every sort; their tables are made here."""

import contextlib
import enum
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import (
    HIDDEN,
    READ_ONLY,
    UNIQUE,
    WRITE_ONLY,
    Column,
    Duration,
    Email,
    Int32,
    Json,
    Link,
    OnDelete,
    Ref,
    Slug,
    Text,
    Uuid,
)
from keystead.kinds.state import State
from tests import engines
from tests.engines import Engine, Place
from tests.house import VAULT, HandClock


class Colour(enum.StrEnum):
    """A choice."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Point(msgspec.Struct, frozen=True):
    """A value with parts."""

    x: int
    name: str = ""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that others refer to."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    size: int = 0
    key: Secret = Secret("")


class Crate(msgspec.Struct, frozen=True, kw_only=True):
    """Another setting of the same family."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    inside: Annotated[Uuid, Ref("boxes", OnDelete.CASCADE)] | None = None


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that refers, in every way there is."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    main: Annotated[Uuid, Ref("boxes", OnDelete.CASCADE)] | None = None
    spare: Annotated[Uuid, Ref("toys.box", OnDelete.SET_NULL)] | None = None
    usual: Annotated[Uuid, Ref("boxes", OnDelete.SET_DEFAULT)] | None = None
    past: Annotated[Uuid, Ref("boxes", OnDelete.LEFT_DANGLING)] | None = None
    row: tuple[Annotated[Uuid, Ref("boxes", OnDelete.CASCADE_MANY)], ...] = ()
    below: Annotated[Uuid, Ref("toys.shelf", OnDelete.CASCADE)] | None = None
    keeper: Annotated[int, Ref("toys.sample", OnDelete.SET_NULL)] | None = None
    colour: Colour | None = None
    order: int | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A record with a field of every sort."""

    pk: Annotated[int, READ_ONLY, Column("id")]
    text: str = ""
    title: Annotated[Text, msgspec.Meta(max_length=40)] = "untitled"
    code: Annotated[Slug, UNIQUE]
    uuid: Uuid = "00000000-0000-4000-8000-000000000000"
    mail: Email = ""
    life: Duration = "hours=1"
    note: str | None = None
    count: Int32 = 0
    big: int | None = None
    ratio: float = 0.5
    yes: bool = False
    maybe: bool | None = None
    colour: Colour = Colour.RED
    hue: Colour | None = None
    at: datetime | None = None
    attributes: Json = {}
    anything: object = None
    words: tuple[str, ...] = ()
    point: Point | None = None
    hidden: Annotated[str, HIDDEN] = ""
    typed: Annotated[str, WRITE_ONLY] = ""
    box: Annotated[Uuid, Ref("boxes", OnDelete.CASCADE)] | None = None
    spare: Annotated[Uuid, Ref("boxes", OnDelete.SET_NULL)] | None = None
    shelf: Annotated[Uuid, Ref("toys.shelf", OnDelete.LEFT_DANGLING)] | None = None
    boxes: Annotated[
        tuple[Annotated[Uuid, Ref("boxes", OnDelete.CASCADE_MANY)], ...], Link("toy_boxes", "sample_id", "box_id")
    ] = ()


BOX: Final = Kind(
    model="toys.box", struct=Box, path="toys/boxes", title=("Box", "Boxes"), family="boxes", component="t"
)
CRATE: Final = Kind(
    model="toys.crate", struct=Crate, path="toys/crates", title=("Crate", "Crates"), family="boxes", component="t"
)
SHELF: Final = Kind(
    model="toys.shelf",
    struct=Shelf,
    path="toys/shelves",
    title=("Shelf", "Shelves"),
    bindable=True,
    filters=("name", "colour", "order", "row", "main"),
)
SAMPLE: Final = Kind(
    model="toys.sample",
    struct=Sample,
    path="toys/samples",
    title=("Sample", "Samples"),
    table=Table("toy_samples"),
    search=("text", "title", "note"),
    order=("code",),
    filters=(
        "text",
        "code",
        "uuid",
        "note",
        "count",
        "big",
        "yes",
        "maybe",
        "colour",
        "hue",
        "box",
        "boxes",
        Filter("at__gt", datetime, sql="t.at > {}"),
        Filter("counts", int, many=True, sql="t.count = ANY({}::bigint[])"),
        Filter("dated", bool, sql="t.at IS NOT NULL"),
    ),
)
SETTINGS: Final[tuple[Kind[Any], ...]] = (BOX, CRATE, SHELF)
KINDS: Final[tuple[Kind[Any], ...]] = (*SETTINGS, SAMPLE)

_TABLES: Final = """
CREATE TABLE toy_samples (
    id BIGINT PRIMARY KEY, text TEXT NOT NULL, title TEXT NOT NULL, code TEXT NOT NULL, uuid TEXT NOT NULL,
    mail TEXT NOT NULL, life TEXT NOT NULL, note TEXT, count BIGINT NOT NULL, big BIGINT,
    ratio DOUBLE PRECISION NOT NULL, yes BOOLEAN NOT NULL, maybe BOOLEAN, colour TEXT NOT NULL, hue TEXT, at BIGINT,
    attributes JSONB NOT NULL, anything TEXT, words TEXT NOT NULL, point TEXT, hidden TEXT NOT NULL,
    typed TEXT NOT NULL, box TEXT, spare TEXT, shelf TEXT
);
CREATE UNIQUE INDEX uq_toy_samples__code ON toy_samples (code);
CREATE TABLE toy_boxes (
    sample_id BIGINT NOT NULL REFERENCES toy_samples (id) ON DELETE CASCADE,
    box_id TEXT NOT NULL,
    PRIMARY KEY (sample_id, box_id)
);
"""


async def make_tables(place: Place) -> None:
    """Make the tables of the kinds above."""
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            connection.executescript(_TABLES)
        return
    async with engines.past(place) as connection:
        await connection.execute(_TABLES)


@contextlib.asynccontextmanager
async def toy_state(engine: Engine) -> AsyncIterator[State]:
    """A state of these kinds on a new database."""
    async with engines.fresh_place(engine) as place:
        await make_tables(place)
        async with engines.opened(place) as store:
            state = State(store, KINDS, VAULT, HandClock())
            await state.load()
            yield state


async def keep(state: State, *objs: Any) -> None:  # noqa: ANN401 - objects of every kind
    """Keep new objects, without events."""

    async def decide(call: Call) -> tuple[Changes, None]:
        changes = Changes()
        for obj in objs:
            kind = next(kind for kind in KINDS if kind.struct is type(obj))
            changes.create(system(call, kind, "add"), obj, quiet=True)
        return changes, None

    await state.change(Call(SYSTEM, state.clock.now(), state.settings), decide)
