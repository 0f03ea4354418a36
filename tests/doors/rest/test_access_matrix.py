"""Every route of the API by every sort of caller (SECURITY AP-01): what comes of it is what ``matrix.py`` says."""

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from keystead import app
from keystead.base import rand
from keystead.doors.rest.families import Family
from keystead.doors.rest.operation import Operation
from keystead.kinds.action import Action
from keystead.kinds.changes import Changes
from keystead.kinds.field import fields
from keystead.kinds.kind import PERMISSION, Verb
from keystead.people.role import ROLE, Role
from keystead.people.user import USER
from tests.client import Answered, Client
from tests.doors.rest import matrix
from tests.doors.rest.matrix import AnyKind, Comes, Who
from tests.engines import ENGINES
from tests.family.bodies import Maker
from tests.family.every import asked, every, makeable, path_of
from tests.house import fresh_house

API = "/api/v3"
MISSING = "00000000-0000-4000-8000-000000000000"


class Callers:
    """Clients of every sort, made as they are wanted."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.house = maker.house
        self._holding: dict[tuple[str, ...], Client] = {}
        self._granted: tuple[Client, str] | None = None

    async def holding(self, *permissions: str) -> Client:
        """A client of somebody who holds these permissions."""
        if permissions not in self._holding:
            self._holding[permissions] = await self.house.client_with(*permissions)
        return self._holding[permissions]

    async def granted(self, permission: str, kind: AnyKind, pk: object) -> Client:
        """A client of somebody who holds the permission on this object, and nothing else on it."""
        if self._granted is None:
            role = Role(pk=rand.uuid4(), name="granted")
            await self.house.put(role)
            self._granted = await self.house.client_of(await self.house.person("granted", roles=(role.pk,))), role.pk
        client, to = self._granted
        await self.house.grant(to, kind, pk, permission)
        return client

    async def one(self, who: Who, kind: AnyKind, permission: str, pk: object = None) -> Client:
        """A client of that sort, as regards a permission and an object of ``kind``."""
        match who:
            case Who.NOBODY:
                return self.house.nobody
            case Who.PLAIN | Who.OWNER:
                return self.house.user
            case Who.SUPERUSER:
                return self.house.admin
            case Who.HOLDER:
                return await self.holding(permission)
            case Who.OTHERS:
                return await self.holding(*sorted(kind.codenames - {permission}))
            case Who.GRANTED:
                return await self.granted(permission, kind, pk)


@pytest.fixture(scope="module", params=ENGINES)
async def callers(request: pytest.FixtureRequest) -> AsyncIterator[Callers]:
    """Callers of every sort, in a house of the module's own."""
    async with fresh_house(request.param) as made:
        yield Callers(Maker(made))


async def _made_by_somebody(callers: Callers, kind: AnyKind) -> object:
    """A new object that belongs to nobody strong, though it may belong to who makes it."""
    maker = callers.maker
    whose = [one.name for one in kind.references if one.ref and one.ref.target == USER.model and not one.writable]
    if not whose or Verb.CREATE not in kind.verbs:
        return await maker.make(kind)
    obj = await maker.unwritten(kind, **{name: await maker.target(USER.model) for name in whose})
    await callers.house.put(obj)
    return getattr(obj, kind.pk)


async def owned(callers: Callers, kind: AnyKind, *, by_plain: bool) -> Any:  # noqa: ANN401 - objects of every kind
    """A new object; of the plain user's own, or somebody else's."""
    maker, house = callers.maker, callers.house
    column = kind.table.owner if kind.table else ""
    member = next((field for field in kind.fields.values() if column and field.column == column), None)
    if member is None:
        return await maker.kept(kind, await _made_by_somebody(callers, kind))
    if not by_plain:
        stranger = (
            {member.name: await maker.target(USER.model)} if member.writable and Verb.CREATE in kind.verbs else {}
        )
        return await maker.kept(kind, await maker.make(kind, **stranger))
    if Verb.CREATE in kind.verbs and member.writable:
        return await maker.kept(kind, await maker.make(kind, **{member.name: house.plain.pk}))
    if Verb.CREATE in kind.verbs and kind.table and kind.table.self_made:
        made = await house.user.post(path_of(kind), await maker.body(kind, full=False))
        assert made.status == 201, made.text
        return await maker.kept(kind, made.json[kind.pk])
    obj = await maker.unwritten(kind, **{member.name: house.plain.pk})
    if kind.model == "authentik_events.event":
        changes = Changes()
        changes.event(await house.call_of(house.plain), "custom_own", "test", {})
        await house.state.commit(changes, house.call.at)
        return await maker.kept(kind, changes.writes[0].args[0])
    await house.put(obj)
    return obj


def judged(wrong: list[str], where: str, who: Who, wanted: Comes, answered: Answered) -> None:
    """Note an answer that is not as it must be."""
    found = matrix.came(answered.status)
    if found != wanted and not (wanted is Comes.AWAY and found in {Comes.REFUSED, Comes.HIDDEN}):
        wrong.append(f"{where}, {who}: must be {wanted}, is {answered.status} {answered.text[:200]}")


@every()
async def test_verbs(callers: Callers, kind: AnyKind) -> None:
    wrong: list[str] = []
    shared = {
        mine: await owned(callers, kind, by_plain=mine) for mine in {False, bool(kind.table and kind.table.owner)}
    }
    for verb in sorted(kind.verbs):
        for who in Who:
            wanted = matrix.of_verb(kind, verb, who)
            if wanted is None:
                continue
            mine = who is Who.OWNER
            spent = verb is Verb.DESTROY and wanted is Comes.REACHED
            obj = await owned(callers, kind, by_plain=mine) if spent else shared[mine]
            client = await callers.one(who, kind, kind.permission(PERMISSION[verb]), getattr(obj, kind.pk))
            judged(wrong, f"{verb} of {kind.model}", who, wanted, await asked(client, kind, verb, obj, {}))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("action", app.ACTIONS, ids=matrix.name_of)
async def test_actions(callers: Callers, action: Action) -> None:
    wrong: list[str] = []
    kind, permission = action.kind, matrix.permission_of(action)
    single = "{key}" in action.path
    missing = False
    for who in (Who.SUPERUSER, *Who):
        wanted = matrix.of_action(action, who)
        if wanted is None:
            continue
        obj = await owned(callers, kind, by_plain=False) if single else None
        client = await callers.one(who, kind, permission, getattr(obj, kind.pk, None))
        url = f"{API}/{kind.path}/{action.path.replace('{key}', str(getattr(obj, kind.key, '')))}"
        answered = await client.request(action.method, url, json=await body_of(callers, action.request))
        if who is Who.SUPERUSER:
            missing = single and answered.status == 404
        if missing and wanted is Comes.REACHED and answered.status == 404:
            continue  # it is not there for anybody
        judged(wrong, f"{action.method} {action.path} of {kind.model}", who, wanted, answered)
    assert not wrong, "\n".join(wrong)


async def body_of(callers: Callers, struct: Any) -> object:  # noqa: ANN401 - a type expression
    """A body that the door takes: what is checked then is who asks, not what."""
    if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
        return ... if struct is None else {}
    body = {name: await callers.maker.value(field) for name, field in fields(struct).items() if field.required}
    return body | ({"pk": callers.house.plain.pk} if set(body) == {"pk"} else {})


@pytest.mark.parametrize("family", app.FAMILIES, ids=[family.name for family in app.FAMILIES])
async def test_families(callers: Callers, family: Family) -> None:
    wrong: list[str] = []
    base = f"{API}/{family.path}/"
    for kind in (one for one in app.KINDS if one.family == family.name and makeable(one)):
        kept = await owned(callers, kind, by_plain=False)
        cells = [
            (Verb.LIST, "GET", base),
            (Verb.RETRIEVE, "GET", f"{base}{getattr(kept, kind.key)}/"),
            (Verb.USED_BY, "GET", f"{base}{getattr(kept, kind.key)}/used_by/"),
        ]
        for verb, method, url in cells:
            for who in Who:
                wanted = matrix.of_verb(kind, verb, who)
                if wanted is None:
                    continue
                client = await callers.one(who, kind, kind.permission("view"), getattr(kept, kind.pk))
                judged(wrong, f"{verb} of {family.name} ({kind.model})", who, wanted, await client.request(method, url))
        for who in Who:
            wanted = matrix.of_verb(kind, Verb.DESTROY, who)
            if wanted is None:
                continue
            obj = await owned(callers, kind, by_plain=False) if wanted is Comes.REACHED else kept
            client = await callers.one(who, kind, kind.permission("delete"), getattr(obj, kind.pk))
            answered = await client.delete(f"{base}{getattr(obj, kind.key)}/")
            judged(wrong, f"destroy of {family.name} ({kind.model})", who, wanted, answered)
    for who, client in ((Who.NOBODY, callers.house.nobody), (Who.PLAIN, callers.house.user)):
        wanted = Comes.REFUSED if who is Who.NOBODY else Comes.REACHED
        judged(wrong, f"types of {family.name}", who, wanted, await client.get(f"{base}types/"))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("operation", app.OPERATIONS, ids=[one.operation for one in app.OPERATIONS])
async def test_operations(callers: Callers, operation: Operation) -> None:
    wrong: list[str] = []
    for who in Who:
        wanted = matrix.of_operation(operation, who)
        if wanted is None:
            continue
        url, found = await address_of(callers, operation)
        client = await callers.one(who, ROLE, operation.permission)
        answered = await client.request(operation.method, url, json=await body_of(callers, operation.request))
        if who is Who.SUPERUSER and answered.status == 404 and (operation.query or not found):
            continue  # nothing of that sort can be made here, or none was named
        judged(wrong, f"{operation.method} {operation.path}", who, wanted, answered)
    assert not wrong, "\n".join(wrong)


async def address_of(callers: Callers, operation: Operation) -> tuple[str, bool]:
    """Where an operation stands, with the key of a real object; and whether there is one."""
    if "{" not in operation.path:
        return f"{API}/{operation.path}", True
    before, _, rest = operation.path.partition("{")
    kinds = [kind for kind in app.KINDS if f"{kind.path}/" == before]
    names = [family.name for family in app.FAMILIES if f"{family.path}/" == before]
    kinds += [kind for kind in app.KINDS if kind.family and kind.family in names]
    kinds = [kind for kind in kinds if makeable(kind)]
    if before == "rbac/permissions/":
        return f"{API}/{before}{next(iter(callers.house.state.permissions.by_id))}/", True
    if before == "rbac/permissions/assigned_by_roles/":
        kinds = [ROLE]
    after = re.sub(r"\{\w+\}", MISSING, rest.partition("}")[2])
    if not kinds:
        return f"{API}/{before}{MISSING}{after}", False
    obj = await owned(callers, kinds[0], by_plain=False)
    return f"{API}/{before}{getattr(obj, kinds[0].key)}{after}", True


async def test_every_route_has_its_cells(callers: Callers) -> None:
    told: set[tuple[str, str]] = set(matrix.BESIDE)
    methods = {
        Verb.LIST: ("GET", ""),
        Verb.CREATE: ("POST", ""),
        Verb.RETRIEVE: ("GET", "{}/"),
        Verb.UPDATE: ("PUT", "{}/"),
        Verb.PARTIAL_UPDATE: ("PATCH", "{}/"),
        Verb.DESTROY: ("DELETE", "{}/"),
        Verb.USED_BY: ("GET", "{}/used_by/"),
    }
    for kind in (*app.KINDS, *app.TWINS):
        told |= {(methods[verb][0], f"{API}/{kind.path}/{methods[verb][1]}") for verb in kind.verbs}
    for family in app.FAMILIES:
        verbs = (Verb.LIST, Verb.RETRIEVE, Verb.DESTROY, Verb.USED_BY)
        told |= {(methods[verb][0], f"{API}/{family.path}/{methods[verb][1]}") for verb in verbs}
        told.add(("GET", f"{API}/{family.path}/types/"))
    told |= {(one.method, f"{API}/{one.kind.path}/{one.path}") for one in app.ACTIONS}
    told |= {(one.method, f"{API}/{one.path}") for one in app.OPERATIONS}
    served = {(method, path) for method, path in callers.house.app.routes.templates if path.startswith(f"{API}/")}
    assert {(method, _bare(path)) for method, path in served} - {
        (method, _bare(path)) for method, path in told
    } == set()


def _bare(path: str) -> str:
    return re.sub(r"\{\w*\}", "{}", path)


def test_the_tables_tell_of_what_there_is() -> None:
    kinds = {kind.model: kind for kind in app.KINDS}
    assert all(verb in kinds[model].verbs or kinds[model].family for model, verb, _ in matrix.VERBS)
    assert {name for name, _ in matrix.ACTIONS} <= {matrix.name_of(one) for one in app.ACTIONS}
    assert {name for name, _ in matrix.OPERATIONS} <= {one.operation for one in app.OPERATIONS}
    specials = [*matrix.VERBS.values(), *matrix.ACTIONS.values(), *matrix.OPERATIONS.values()]
    assert all(one.why for one in specials)
    assert all(matrix.BESIDE.values())


@pytest.mark.parametrize("action", app.ACTIONS, ids=matrix.name_of)
def test_who_may_only_look_runs_nothing(action: Action) -> None:
    """SECURITY AP-05: what runs expressions or reaches out wants more than the permission to view."""
    if re.search(r"(^|/|_)(test|preview|debug|sync|apply|import)", action.path) and not action.path.endswith(
        "/status/"
    ):
        assert action.permission not in {"view", "", None}, "view permission must not run anything"
