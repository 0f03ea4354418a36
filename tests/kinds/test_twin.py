"""A kind's twin is the same kind of objects under another path, where owners are nobody special."""

from dataclasses import replace
from typing import Any, Final

import msgspec

from keystead.kinds.access import may, owns
from keystead.kinds.call import Actor, Call
from keystead.kinds.kind import READ, Kind, Table
from keystead.kinds.snapshot import Snapshot
from tests.house import BEGIN
from tests.kinds.toys import BOX, SAMPLE, Sample

OWNED: Final[Kind[Any]] = replace(SAMPLE, table=Table("toy_samples", owner="count", self_made=True))
TWIN: Final = OWNED.twin("toys/admin/samples", READ)


def test_only_the_way_there_differs() -> None:
    assert (TWIN.path, TWIN.verbs) == ("toys/admin/samples", READ)
    assert (TWIN.model, TWIN.struct, TWIN.rules, TWIN.view) == (OWNED.model, OWNED.struct, OWNED.rules, OWNED.view)
    assert TWIN.permission("view") == OWNED.permission("view")
    assert TWIN.table == Table("toy_samples")
    assert BOX.twin("toys/admin/boxes", READ).table is None


def test_owners_need_permissions_there() -> None:
    sample = Sample(pk=1, code="a", count=7)
    call = Call(Actor(pk=7), BEGIN, Snapshot({}))
    assert owns(call, OWNED, sample)
    assert may(call, OWNED, "change", sample)
    assert may(call, OWNED, "add")
    assert not may(call, TWIN, "view", sample)
    assert not may(call, TWIN, "add")
    holder = msgspec.structs.replace(call, actor=Actor(pk=8, permissions=frozenset({TWIN.permission("view")})))
    assert may(holder, TWIN, "view", sample)
