"""Lists of large tables: whichever way they are read, they hold what Python finds, page by page as short lists do."""

import asyncio
import itertools
import random  # noqa: TID251 - lists that are the same in each run, no secret
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds import listing, records
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.kind import Kind
from keystead.kinds.large import Large, kept, lists, members, ranks, sample, trails
from keystead.kinds.listing import Page, pagination
from keystead.kinds.state import State
from keystead.people.group import GROUP, Group
from keystead.people.role import Role
from keystead.people.user import USER, User, UserTypeEnum
from keystead.store import Row, Statement, Unit, Value, migrate
from tests import engines
from tests.engines import ENGINES
from tests.house import BEGIN, House, assemble, fresh_house, new_user
from tests.patience import PATIENCE

Query = dict[str, list[str]]


async def _no(*_: object) -> bool:
    return False


NAMES = (
    "Anna",
    "Émile",
    "Łucja",
    "MÜLLER",
    "O'Brien",
    'the "Q"',
    "100%",
    "a_b",
    "back\\slash",
    "ΣΟΦΟΣ",
    "straße",
    "x",
    "",
)
PATHS = ("users", "users/berlin", "users/b%", "else")
ROLES = tuple(Role(pk=rand.uuid4(), name=name) for name in ("few", "many"))
GROUPS = tuple(
    Group(
        pk=rand.uuid4(),
        name=f"{NAMES[number % 13]} group {number}",
        num_pk=1000 + number,
        is_superuser=number == 3,
        attributes={"region": number % 5, "flag": number % 2 == 0},
    )
    for number in range(90)
)
WAYS: dict[str, dict[str, object]] = {
    "near": {"NEAR": 10_000},
    "walks": {"NEAR": 0, "STEPS": 10**6},
    "ranks": {"NEAR": 0, "FEWEST": 0, "STEPS": 0, "SKIPPED": 0, "SORTED": 0, "SKIPPING": 0.0},
    "at once": {"NEAR": 0, "FAR": 0, "STEPS": 0, "SKIPPED": 0, "SKIPPING": PATIENCE},
    "either": {"NEAR": 10, "FEWEST": 5, "STEPS": 40, "SKIPPED": 60, "SORTED": 40},
    "trails": {"NEAR": 0, "STEPS": 0, "SKIPPED": 0, "usable": _no},
}


def made(number: int) -> User:
    """A user unlike the others."""
    more: dict[str, object] = {"tags": [f"t{number % 4}", number % 6], "deep": {"er": {"number": number % 11 / 2}}}
    return new_user(
        1000 + number * 3,
        f"user{number * 37 % 400:03d}.{'abc'[number % 3]}",
        name=NAMES[number % 13],
        email=f"u{number}@{'Example' if number % 2 else 'example'}.org" if number % 5 else "",
        path=PATHS[number % 4],
        type=list(UserTypeEnum)[number % 3],
        is_active=number % 7 != 0,
        attributes={"n": number % 9, "is": number % 2 == 0, "none": None, 'odd "key"': "ä", **more}
        if number % 8
        else {},
        at=BEGIN + timedelta(hours=number // 3),
        last_login=None if number % 3 == 0 else BEGIN + timedelta(hours=number % 50),
        groups=tuple(GROUPS[at].pk for at in {number % 90, number * 7 % 90, 4 if number % 2 else 5}),
        roles=(ROLES[1].pk,) if number % 4 else tuple(role.pk for role in ROLES) if number % 28 == 0 else (),
    )


USERS = tuple(made(number) for number in range(300))


@pytest.fixture(scope="module", params=ENGINES)
async def crowd(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with fresh_house(request.param) as house:
        await house.put(*ROLES)
        await house.state.store.commit(Unit(tuple(write for one in GROUPS for write in records.insert(GROUP, one))))
        await house.state.store.commit(Unit(tuple(write for one in USERS for write in records.insert(USER, one))))
        yield house


def patched(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Have lists read in certain ways, in steps that suit a small table."""
    monkeypatch.setattr(sample, "DRAWN", 50)
    monkeypatch.setattr(members, "STEP", 16)
    monkeypatch.setattr(ranks, "_PIECE", 200)
    monkeypatch.setattr(ranks, "FEW", 100)
    monkeypatch.setattr(trails, "FAR", 60)
    monkeypatch.setattr(trails, "STEPS", 10)
    for name, value in values.items():
        place: object = ranks.Ranks if name == "usable" else lists
        monkeypatch.setattr(place, name, value)


async def paged(state: State, kind: Kind[Any], query: Query, size: int) -> tuple[list[Any], int]:
    """All pages of a list, one after the other, and the count that the last one tells."""
    call = Call(SYSTEM, BEGIN, state.settings)
    seen: list[Any] = []
    number, count = 1, 0
    while number:
        rows, count = await listing.rows(call, state, kind, query, Page(number, size))
        seen += rows
        number = pagination(Page(number, size), count)["next"]
    return seen, count


def texts(one: User) -> str:
    return f"{one.username}\n{one.name}\n{one.email}".lower()


def holding(needle: str) -> tuple[Query, Callable[[User], bool]]:
    return {"search": [needle]}, lambda one: needle.lower() in texts(one)


SUPER = {one.pk for one in USERS if GROUPS[3].pk in one.groups}
ASKED: Sequence[tuple[Query, Callable[[User], bool]]] = (
    ({}, lambda _: True),
    *map(
        holding,
        ("user1", "r12", "12", "1", "%", "_", "0%", "a_b", "\\", "back\\", "mül", "MÜ", "ü", "émi", "łu", "'", "o'b"),
    ),
    *map(holding, ('"q', '"', "the ", "no such", "zq", "example.org", "sse", "ß", "οφο", "@e", "x", "u7@")),
    ({"attributes": ['{"n": 3}']}, lambda one: one.attributes.get("n") == 3),
    ({"attributes": ['{"n": 3.0}']}, lambda one: one.attributes.get("n") == 3),
    ({"attributes": ['{"is": true}']}, lambda one: one.attributes.get("is") is True),
    ({"attributes": ['{"is": 1}']}, lambda _: False),
    ({"attributes": ['{"none": null}']}, lambda one: "none" in one.attributes),
    ({"attributes": ['{"odd \\"key\\"": "ä"}']}, lambda one: "none" in one.attributes),
    ({"attributes": ['{"tags": ["t1"]}']}, lambda one: "t1" in one.attributes.get("tags", ())),  # type: ignore[operator]  # JSON of ours
    ({"attributes": ['{"tags": [2, "t0"]}']}, lambda one: {"t0", 2} <= set(one.attributes.get("tags", ()))),  # type: ignore[call-overload]  # as above
    (
        {"attributes": ['{"deep__er__number": 2.5}']},
        lambda one: "5" in str(one.attributes.get("deep")) and "2.5" in str(one.attributes),
    ),
    ({"attributes": ['{"deep": {}}']}, lambda one: "deep" in one.attributes),
    ({"attributes": ["{}"]}, lambda _: True),
    ({"path": ["users/b%"]}, lambda one: one.path == "users/b%"),
    ({"path_startswith": ["users/b"]}, lambda one: one.path.startswith("users/b")),
    ({"path_startswith": ["users/b%"]}, lambda one: one.path.startswith("users/b%")),
    ({"is_active": ["true"]}, lambda one: one.is_active),
    ({"is_active": ["false"], "type": ["external"]}, lambda one: not one.is_active and one.type == "external"),
    ({"type": ["external", "internal"]}, lambda one: one.type in {"external", "internal"}),
    ({"is_superuser": ["true"]}, lambda one: one.pk in SUPER),
    ({"is_superuser": ["false"]}, lambda one: one.pk not in SUPER),
    ({"last_login__isnull": ["true"]}, lambda one: one.last_login is None),
    ({"last_login__isnull": ["false"]}, lambda one: one.last_login is not None),
    (
        {"date_joined__gt": [(BEGIN + timedelta(hours=40)).isoformat()]},
        lambda one: one.date_joined > BEGIN + timedelta(hours=40),
    ),
    (
        {"last_login__lt": [(BEGIN + timedelta(hours=9)).isoformat()]},
        lambda one: one.last_login is not None and one.last_login < BEGIN + timedelta(hours=9),
    ),
    ({"groups_by_pk": [GROUPS[4].pk]}, lambda one: GROUPS[4].pk in one.groups),
    (
        {"groups_by_name": [GROUPS[4].name, GROUPS[9].name]},
        lambda one: bool({GROUPS[4].pk, GROUPS[9].pk} & set(one.groups)),
    ),
    ({"roles_by_name": ["few"]}, lambda one: ROLES[0].pk in one.roles),
    ({"roles_by_pk": [ROLES[0].pk, ROLES[1].pk]}, lambda one: bool(one.roles)),
    (
        {"search": ["user"], "is_active": ["false"], "attributes": ['{"n": 4}']},
        lambda one: not one.is_active and one.attributes.get("n") == 4,
    ),
)


@pytest.mark.parametrize("way", WAYS)
async def test_users_are_found_in_each_way(crowd: House, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, PATIENCE=PATIENCE, **WAYS[way])
    state = crowd.state
    plain = Large(state.store, begins=10**9)
    for query, test in ASKED:
        state.large = plain
        short, count = await paged(state, USER, query, 100)
        ours = [one for one in short if one.pk >= 1000]
        assert {one.pk for one in ours} == {one.pk for one in USERS if test(one)}, query
        state.large = Large(state.store, begins=1)
        assert await paged(state, USER, query, 23) == (short, count), query


ORDERED = (
    "pk",
    "username",
    "name",
    "is_active",
    "last_login",
    "date_joined",
    "email",
    "path",
    "type",
    "uuid",
    "last_updated",
)


@pytest.mark.parametrize("way", WAYS)
async def test_every_order_is_that_of_short_lists(crowd: House, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, PATIENCE=PATIENCE, **WAYS[way])
    state = crowd.state
    for sign, name in itertools.product(("", "-"), (*ORDERED, "path,-username", "type,-last_login")):
        for narrowed in ({}, {"is_active": ["true"]}, {"date_joined__gt": [(BEGIN + timedelta(hours=30)).isoformat()]}):
            query = {"ordering": [f"{sign}{name}"], **narrowed}
            state.large = Large(state.store, begins=10**9)
            short = await paged(state, USER, query, 100)
            state.large = Large(state.store, begins=1)
            assert await paged(state, USER, query, 37) == short, query


@pytest.mark.parametrize("way", WAYS)
async def test_groups_are_found_in_each_way(crowd: House, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, PATIENCE=PATIENCE, **WAYS[way])
    state = crowd.state
    asked: list[tuple[Query, Callable[[Group], bool]]] = [
        ({}, lambda _: True),
        ({"search": ["group 1"]}, lambda one: "group 1" in one.name),
        ({"search": ["MÜL"]}, lambda one: "mül" in one.name.lower()),
        ({"search": ["%"]}, lambda one: "%" in one.name),
        ({"is_superuser": ["true"]}, lambda one: one.is_superuser),
        ({"attributes": ['{"region": 2}']}, lambda one: one.attributes["region"] == 2),
        ({"attributes": ['{"flag": true, "region": 4}']}, lambda one: one.attributes == {"region": 4, "flag": True}),
        ({"members_by_pk": [str(USERS[8].pk)]}, lambda one: one.pk in USERS[8].groups),
        ({"members_by_username": [USERS[8].username]}, lambda one: one.pk in USERS[8].groups),
        ({"ordering": ["-num_pk"]}, lambda _: True),
    ]
    for query, test in asked:
        state.large = Large(state.store, begins=10**9)
        short, count = await paged(state, GROUP, query, 100)
        assert {one.pk for one in short} & {one.pk for one in GROUPS} == {one.pk for one in GROUPS if test(one)}, query
        state.large = Large(state.store, begins=1)
        assert await paged(state, GROUP, query, 11) == (short, count), query


@pytest.mark.parametrize("seed", range(6))
async def test_any_page_of_any_list_is_that_of_a_short_one(
    crowd: House, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters, orders and pages at random, each list jumped into and walked on in, by the same process."""
    drawn = random.Random(seed)  # noqa: S311 - as above
    limits = {name: drawn.choice((0, 5, 40, 400)) for name in ("NEAR", "FEWEST", "STEPS", "SKIPPED", "SORTED", "FAR")}
    patched(monkeypatch, PATIENCE=drawn.choice((0.0, 10.0)), SKIPPING=drawn.choice((0.0, PATIENCE)), **limits)
    state = crowd.state
    call = Call(SYSTEM, BEGIN, state.settings)
    plain, big = Large(state.store, begins=10**9), Large(state.store, begins=1)
    for _ in range(40):
        query: Query = {}
        for narrowed, _test in drawn.sample(list(ASKED), drawn.choice((1, 1, 2))):
            query |= narrowed
        if drawn.random() < 0.7:
            names = drawn.sample(ORDERED, drawn.choice((1, 1, 2)))
            query["ordering"] = [",".join(drawn.choice(("", "-")) + name for name in names)]
        size = drawn.choice((3, 10, 50))
        state.large = plain
        count = (await listing.rows(call, state, USER, query, Page(1, size)))[1]
        pages = max(1, -(-count // size))
        first = drawn.randint(1, pages)
        for number in range(first, min(pages, first + 3) + 1):
            state.large = plain
            short = await listing.rows(call, state, USER, query, Page(number, size))
            state.large = big
            long = await listing.rows(call, state, USER, query, Page(number, size))
            assert [one.pk for one in long[0]] == [one.pk for one in short[0]], (query, number, size)
        with pytest.raises(Problem):
            await listing.rows(call, state, USER, query, Page(pages + 1, size))


async def test_who_comes_or_goes_between_is_skipped_and_repeated_by_no_walk(
    crowd: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched(monkeypatch, PATIENCE=10.0, NEAR=0, FEWEST=0, STEPS=30, SKIPPED=30)
    monkeypatch.setattr(kept, "PAUSE", 0.0)
    monkeypatch.setattr(kept, "_RATIO", 0)
    state = crowd.state
    state.large = Large(state.store, begins=1)
    queries: list[Query] = [{}, {"is_active": ["true"]}, {"search": ["user"]}, {"ordering": ["-name"]}]
    for query in queries:
        await paged(state, USER, query, 20)
    come = new_user(950, "user000.newcomer", name="Abel")
    await state.store.commit(Unit(tuple(records.insert(USER, come))))
    for query in queries:
        seen, count = await paged(state, USER, query, 20)
        assert len({one.pk for one in seen}) == len(seen) == count
        assert come.pk in {one.pk for one in seen}
    await state.store.commit(Unit((records.delete(USER, come),)))
    for query in queries:
        seen, count = await paged(state, USER, query, 20)
        assert len({one.pk for one in seen}) == len(seen) == count
        assert come.pk not in {one.pk for one in seen}


async def test_a_count_that_takes_too_long_is_an_estimate_on_the_first_pages_only(
    crowd: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched(monkeypatch, PATIENCE=0.0, NEAR=0)
    state = crowd.state
    call = Call(SYSTEM, BEGIN, state.settings)
    query = {"search": ["example.org"]}
    state.large = Large(state.store, begins=10**9)
    true = (await listing.rows(call, state, USER, query, Page(1, 10)))[1]
    state.large = Large(state.store, begins=1)
    rows, count = await listing.rows(call, state, USER, query, Page(1, 10))
    assert len(rows) == 10
    assert count > 10
    last = -(-true // 10)
    rows, count = await listing.rows(call, state, USER, query, Page(last, 10))
    assert (len(rows), count) == (true - (last - 1) * 10, true)
    with pytest.raises(Problem):
        await listing.rows(call, state, USER, query, Page(last + 1, 10))
    # Once counted it is told to all.
    told = 0
    for _ in range(1000):
        told = (await listing.rows(call, state, USER, query, Page(1, 10)))[1]
        if told == true:
            break
        await asyncio.sleep(0.01)
    assert told == true


async def test_nobody_waits_for_ever_for_what_is_being_looked_up(crowd: House, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, PATIENCE=0.0, **WAYS["ranks"])
    monkeypatch.setattr(kept, "LONGEST", 0.05)
    begun, go_on = asyncio.Event(), asyncio.Event()
    state = crowd.state
    fetch = state.store.fetch

    async def slow(statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        if statement.longest == ranks.MINUTES:
            begun.set()
            await go_on.wait()
        return await fetch(statement, *args, heavy=heavy)

    monkeypatch.setattr(state.store, "fetch", slow)
    state.large = Large(state.store, begins=1)
    await listing.prepare(state)
    call = Call(SYSTEM, BEGIN, state.settings)
    for _ in range(2):
        with pytest.raises(Problem) as told:
            await listing.rows(call, state, USER, {}, Page(9, 10))
        assert (told.value.kind, told.value.retry_after) == (Fault.BUSY, 10)
    assert begun.is_set()
    go_on.set()
    monkeypatch.setattr(kept, "LONGEST", PATIENCE)
    assert len((await listing.rows(call, state, USER, {}, Page(9, 10)))[0]) == 10


async def test_who_is_in_a_list_is_known_again_after_an_order_made_it_longer() -> None:
    line = members.Line(array("I", range(1, 101)), 100)
    for beyond in (False, True):
        one, same = (members.Many(bytearray(b"\0\1\1"), 2, beyond=beyond) for _ in range(2))
        await one.standing("order", line, members.Stretch(0, 1, turned=False))
        assert len(one.flags) == 101
        assert one == same
        assert same == one
        assert one != members.Many(bytearray(b"\0\1\0\1"), 2, beyond=beyond)
        assert one != members.Many(bytearray(b"\0\1\1"), 2, beyond=not beyond)
        assert one != members.Many(bytearray(b"\0\1\1") + bytes((not beyond,)), 2, beyond=beyond)


async def test_the_indexes_follow_every_change(crowd: House, monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch, PATIENCE=PATIENCE, NEAR=10_000)
    state = crowd.state
    call = Call(SYSTEM, BEGIN, state.settings)

    async def found(**query: str) -> set[str]:
        state.large = Large(state.store, begins=1)
        asked = {name: [text] for name, text in query.items()}
        rows, count = await listing.rows(call, state, USER, asked, Page(1, 100))
        assert count == len(rows)
        return {one.username for one in rows}

    def many(path: str) -> Statement:
        return Statement("census", f"SELECT coalesce(sum(n), 0) FROM user_census WHERE path = '{path}' AND is_active")  # noqa: S608 - constants

    one = new_user(900, "quaint.newcomer", name="Zebedee", path="zoo", attributes={"animal": "okapi"})
    await state.store.commit(Unit(tuple(records.insert(USER, one))))
    assert (
        await found(search="zebed")
        == await found(attributes='{"animal": "okapi"}')
        == await found(path="zoo")
        == {one.username}
    )
    other = msgspec.structs.replace(one, name="Wilhelmina", attributes={"animal": "tapir"}, path="yard")
    await state.store.commit(Unit(tuple(records.update(USER, one, other))))
    assert (
        await found(search="zebed") == await found(attributes='{"animal": "okapi"}') == await found(path="zoo") == set()
    )
    assert (
        await found(search="helmin")
        == await found(attributes='{"animal": "tapir"}')
        == await found(path="yard")
        == {one.username}
    )
    asleep = msgspec.structs.replace(other, is_active=False)
    await state.store.commit(Unit(tuple(records.update(USER, other, asleep))))
    assert await state.store.fetch_one(many("yard")) == (0,)
    assert await found(path="yard", is_active="false") == {one.username}
    await state.store.commit(Unit((records.delete(USER, asleep),)))
    assert (
        await found(search="helmin")
        == await found(attributes='{"animal": "tapir"}')
        == await found(path="yard")
        == set()
    )


async def test_a_sqlite_without_an_index_of_parts_of_words_searches_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "indexes_text", lambda _: False)
    async with engines.fresh_place("sqlite", migrated=False) as place:
        assert isinstance(place, Path)
        migrate.migrate_sqlite(place)
        async with engines.opened(place) as store:
            assert store.indexing == ""
            house = await assemble(store)
            house.state.large = Large(store, begins=1)
            for path in ("search=kadm", "search=ka", 'attributes={"floor":3}'):
                answered = await house.admin.get(f"/api/v3/core/users/?{path}")
                names = [one["username"] for one in answered.json["results"]]
                assert names == ([] if "floor" in path else ["akadmin"])
        migrate.migrate_sqlite(place, down_to=0)
