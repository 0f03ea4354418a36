"""Long lists of members, kept while nobody changes them: what a list shows is what there is, whoever changed it how."""

import asyncio
import random  # noqa: TID251 - the same changes in each run, no secret
from collections.abc import AsyncIterator, Sequence
from typing import Final, cast

import msgspec
import pytest

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.large import links
from keystead.kinds.large.links import Links
from keystead.people.group import GROUP, Group
from keystead.people.user import USER
from keystead.store import Row, Statement, Store, Unit, Value, Write
from tests import engines
from tests.engines import ENGINES
from tests.house import new_user

GROUPS: Final = tuple(Group(pk=rand.uuid4(), name=f"group {number}", num_pk=1000 + number) for number in range(4))
PEOPLE: Final = range(100, 140)
_ROWS: Final = Statement("rows", f"SELECT {records.columns(GROUP)} FROM groups t ORDER BY t.num_pk")  # noqa: S608 - declared names
_ADD: Final = Statement("add", "INSERT INTO group_members (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
_REMOVE: Final = Statement("remove", "DELETE FROM group_members WHERE user_id = $1 AND group_id = $2")
_UNUSER: Final = Statement("unuser", "DELETE FROM users WHERE id = $1")
_UNGROUP: Final = Statement("ungroup", "DELETE FROM groups WHERE id = $1")


class Counted:
    """A store that tells how many links were read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.names: list[str] = []

    async def fetch(self, statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        self.names.append(statement.name)
        return await self.store.fetch(statement, *args, heavy=heavy)


@pytest.fixture(params=ENGINES)
async def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Store, Store]]:
    """One database as two processes see it; everybody is in the first two groups."""
    monkeypatch.setattr(links, "LONG", 20)
    async with (
        engines.fresh_place(request.param) as place,
        engines.opened(place) as one,
        engines.opened(place) as other,
    ):
        await one.commit(Unit(tuple(write for group in GROUPS for write in records.insert(GROUP, group))))
        keys = (GROUPS[0].pk, GROUPS[1].pk)
        people = [new_user(pk, f"user{pk}", groups=keys) for pk in PEOPLE]
        await one.commit(Unit(tuple(write for user in people for write in records.insert(USER, user))))
        yield one, other


async def shown(store: Store, kept: Links) -> Sequence[Group]:
    """The groups as lists show them."""
    found = await kept.complete(GROUP, await store.fetch(_ROWS))
    assert found == await records.from_rows(store, GROUP, await store.fetch(_ROWS))
    return found


async def test_what_is_kept_is_not_read_again_until_it_changes(stores: tuple[Store, Store]) -> None:
    counted = Counted(stores[0])
    kept = Links(cast("Store", counted))
    first = await shown(stores[0], kept)
    assert first[0].users == tuple(PEOPLE)
    whole, known = f"{GROUP.model}.revising", f"{GROUP.model}.revised"
    assert counted.names == [whole]
    await shown(stores[0], kept)
    assert counted.names == [whole, known, whole]  # the short ones are read
    two = (await stores[0].fetch(_ROWS))[:2]
    await kept.complete(GROUP, two)
    assert counted.names == [whole, known, whole, known]
    await stores[1].commit(Unit((Write(_ADD, (PEOPLE[0], GROUPS[2].pk)), Write(_REMOVE, (PEOPLE[0], GROUPS[0].pk)))))
    changed = await shown(stores[0], kept)
    assert [len(group.users) for group in changed] == [39, 40, 1, 0]
    found = await kept.load(GROUP, [GROUPS[1].pk, GROUPS[0].pk])
    assert {group.pk: len(group.users) for group in found} == {GROUPS[0].pk: 39, GROUPS[1].pk: 40}
    assert await kept.load(GROUP, []) == []


@pytest.mark.parametrize("seed", range(4))
async def test_two_processes_change_and_both_see(stores: tuple[Store, Store], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - as above
    kept = [Links(store) for store in stores]
    groups, people = list(GROUPS), set(PEOPLE)
    for number in range(60):
        at = dice.randrange(2)
        group, pk = dice.choice(groups), dice.choice(sorted(people))
        match dice.randrange(6):
            case 0:
                writes = [Write(_ADD, (pk, group.pk))]
            case 1:
                writes = [Write(_REMOVE, (pk, group.pk))]
            case 2:
                now = next(one for one in await shown(stores[at], kept[at]) if one.pk == group.pk)
                some = tuple(sorted(dice.sample(sorted(people), len(people) // 2)))
                writes = records.update(GROUP, now, msgspec.structs.replace(now, users=some))
            case 3:
                writes = [Write(_UNUSER, (pk,), expect=1)]
                people.discard(pk)
            case 4:
                # the same key for another group: as whoever puts back what a file holds does
                again = msgspec.structs.replace(group, num_pk=2000 + number, users=tuple(sorted(people))[:9])
                writes = [Write(_UNGROUP, (group.pk,), expect=1), *records.insert(GROUP, again)]
                groups[groups.index(group)] = again
            case _:
                writes = records.update(GROUP, group, again := msgspec.structs.replace(group, name=f"name {number}"))
                groups[groups.index(group)] = again
        await stores[at].commit(Unit(tuple(writes)))
        for store, held in zip(stores, kept, strict=True):
            await shown(store, held)


async def test_no_more_is_kept_than_there_is_room_for(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Links(stores[0])
    size = len("[" + ", ".join(map(str, PEOPLE)) + "]")
    monkeypatch.setattr(links, "MOST", size + 10)
    await shown(stores[0], kept)
    assert len(kept._held) == 1  # noqa: SLF001 - what is kept is not to be seen otherwise
    monkeypatch.setattr(links, "MOST", 30)
    await stores[0].commit(Unit((Write(_REMOVE, (PEOPLE[0], GROUPS[0].pk)), Write(_REMOVE, (PEOPLE[0], GROUPS[1].pk)))))
    await shown(stores[0], kept)
    assert not kept._held  # noqa: SLF001 - as above


async def test_who_changes_the_same_groups_in_another_order_is_not_in_the_way(stores: tuple[Store, Store]) -> None:
    a, b = GROUPS[2].pk, GROUPS[3].pk

    def unit(number: int, at: int) -> Unit:
        order = (a, b) if at else (b, a)
        return Unit(tuple(Write(_ADD, (PEOPLE[number], group)) for group in order))

    half = len(PEOPLE) // 2
    await asyncio.gather(*(stores[at].commit(unit(number + at * half, at)) for number in range(half) for at in (0, 1)))
    found = await shown(stores[0], Links(stores[0]))
    assert [len(group.users) for group in found] == [40, 40, 40, 40]
