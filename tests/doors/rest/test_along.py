"""What a kind writes along with a change lands in the same unit, with the object before and after."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.store import Unit
from tests.engines import Engine
from tests.house import House, fresh_house
from tests.kinds.toys import BOX, Box

BOXES = "/api/v3/toys/boxes/"


async def told(call: Call, _state: State, old: Box | None, new: Box | None) -> Changes:
    changes = Changes()
    changes.event(call, "custom_along", "toys", {"old": old.name if old else None, "new": new.name if new else None})
    return changes


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    async with fresh_house(engine, extra=(replace(BOX, along=told),)) as made:
        yield made


async def test_a_change_and_what_goes_along_are_one_unit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    units: list[list[str]] = []
    commit = house.state.store.commit

    async def recorded(unit: Unit) -> None:
        await commit(unit)
        units.append([str(write.args[1]) for write in unit.writes if write.statement.name == "event.insert"])

    monkeypatch.setattr(house.state.store, "commit", recorded)
    made = (await house.admin.post(BOXES, {"name": "first"})).json
    assert (await house.admin.patch(f"{BOXES}{made['pk']}/", {"name": "second"})).status == 200
    assert (await house.admin.delete(f"{BOXES}{made['pk']}/")).status == 204
    assert [unit for unit in units if unit] == [
        ["model_created", "custom_along"],
        ["model_updated", "custom_along"],
        ["model_deleted", "custom_along"],
    ]
    monkeypatch.undo()
    listed = await house.admin.get("/api/v3/events/events/", query={"action": "custom_along", "ordering": "created"})
    changes = [(one["context"]["old"], one["context"]["new"]) for one in listed.json["results"]]
    assert sorted(changes, key=str) == [("first", "second"), ("second", None), (None, "first")]
