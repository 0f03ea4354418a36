"""No secret comes out (SECURITY AP-04, AP-17): canaries go into every credential of every kind and are looked for."""

import re
from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.kind import Filter, Verb
from keystead.kinds.ledger import MASK
from keystead.kinds.marks import Mark
from keystead.kinds.secrets import by_secret
from keystead.people.role import Role
from keystead.store import Statement
from tests.client import Answered
from tests.doors.http.signed_in import sign_in
from tests.family.bodies import CANARY, Maker
from tests.family.every import AnyKind, every, makeable, path_of
from tests.house import House

SECRET_MARKS = {Mark.WRITE_ONLY, Mark.HIDDEN}
TABLES = ("settings", "settings_changes", "events", "users", "tokens", "sessions")


def secrets(kind: AnyKind) -> list[str]:
    return [field.name for field in kind.fields.values() if field.secret and field.writable]


def quiet(answered: Answered, canary: str) -> None:
    assert answered.status < 400, answered.text
    assert canary not in answered.text
    assert all(canary not in value for _, value in answered.headers)


async def stored(maker: Maker) -> str:
    """Everything the database holds in the tables that carry objects and events, as text."""
    rows: list[Any] = []
    for table in TABLES:
        rows += await maker.house.state.store.fetch(Statement(f"test.{table}", f"SELECT * FROM {table}"))  # noqa: S608 - names above
    return repr(rows)


@every(Verb.CREATE)
async def test_a_secret_is_taken_and_never_given_out(maker: Maker, kind: AnyKind) -> None:
    house = maker.house
    viewer = await house.client_with(kind.permission("view"))
    for name in secrets(kind):
        shown = Mark.SECRET_SHOWN in kind.fields[name].marks
        body = await maker.body(kind)
        if not str(body[name]).startswith(CANARY):
            # Its form is prescribed (a private key, say): that text itself is the canary.
            canaries = [str(body[name])]
        else:
            canaries = [f"{CANARY}first", f"{CANARY}second"]
        made = await house.admin.post(path_of(kind), body | {name: canaries[0]})
        assert made.status == 201, made.text
        place = path_of(kind, made.json)
        answers = [made, await house.admin.get(place), await house.admin.get(path_of(kind), query={"page_size": "100"})]
        for canary in canaries:
            answers.append(await house.admin.patch(place, {name: canary}))
            obj = await maker.kept(kind, made.json[kind.pk])
            assert getattr(obj, name).reveal() == canary.strip(), "the secret was not taken"
            put = await maker.body(kind, full=False)
            answers.append(await house.admin.put(path_of(kind, answers[-1].json), put | {name: canary}))
            place = path_of(kind, answers[-1].json)
        for answered in answers:
            assert answered.status < 400, answered.text
            if shown:
                continue
            for canary in canaries:
                quiet(answered, canary.split("\n")[1] if "\n" in canary else canary)
        for canary in canaries:
            hidden = canary.split("\n")[1] if "\n" in canary else canary
            for url in (place, path_of(kind), f"{place}used_by/"):
                quiet(await viewer.get(url, query={"page_size": "100"} if url == path_of(kind) else None), hidden)
            for url in family_paths(kind, answers[-1].json):
                quiet(await house.admin.get(url), hidden)
            quiet(
                await house.admin.get("/api/v3/events/events/", query={"search": "model_", "page_size": "100"}), hidden
            )
            assert hidden not in await stored(maker), f"{name} is kept in clear"
        assert (await house.admin.delete(place)).status == 204
        left = await stored(maker)
        assert all(canary not in left for canary in canaries)


def family_paths(kind: AnyKind, shown: dict[str, Any]) -> list[str]:
    bases = [f"/api/v3/{one.path}/" for one in app.FAMILIES if one.name == kind.family]
    return [url for base in bases for url in (f"{base}?page_size=100", f"{base}{shown[kind.key]}/")]


@every(Verb.CREATE)
async def test_an_event_tells_that_a_secret_changed_and_not_what_it_is(maker: Maker, kind: AnyKind) -> None:
    for name in secrets(kind):
        body = await maker.body(kind)
        if not str(body[name]).startswith(CANARY):
            continue
        made = await maker.house.admin.post(path_of(kind), body)
        assert (await maker.house.admin.patch(path_of(kind, made.json), {name: f"{CANARY}other"})).status == 200
        told = await maker.house.admin.get(
            "/api/v3/events/events/",
            query={"action": "model_updated", "context_model_pk": str(made.json[kind.pk])},
        )
        (event,) = told.json["results"]
        assert event["context"]["diff"][name] == {"previous_value": MASK, "new_value": MASK}


@every()
def test_a_secret_has_a_type_that_no_renderer_prints(kind: AnyKind) -> None:
    sought = {item.name: item for item in kind.filters if isinstance(item, Filter)}
    for name in sought.keys() & set(secrets(kind)):
        keys = sought[name].keys
        assert keys is not None, f"{kind.model}: whoever may see a list finds out the secret {name}"
        assert keys.__qualname__.startswith(by_secret.__qualname__)
    assert not set(kind.search) & set(secrets(kind))
    credential = ("password", "secret", "private", "key_data", "credential")
    for field in kind.fields.values():
        if field.name.endswith("_attribute"):
            continue  # the name of an attribute, and not what stands in it
        named = any(word in field.name for word in credential) and not field.name.endswith("_field")
        if field.core is str and field.ref is None and named:
            assert field.marks & SECRET_MARKS, f"{kind.model}.{field.name} looks like a credential and is readable"
        if field.secret:
            assert kind.table is None, f"{kind.model}.{field.name}: records do not seal secrets"
            assert not field.readable


@pytest.mark.parametrize("verb", ["search", "ordering", "filter"])
@every(Verb.LIST)
async def test_lists_cannot_be_asked_about_what_is_hidden(maker: Maker, kind: AnyKind, verb: str) -> None:
    declared = {item.name for item in kind.filters if isinstance(item, Filter)}
    hidden = [field for field in kind.fields.values() if not field.readable and field.name not in declared]
    plain = await maker.house.admin.get(path_of(kind))
    for field in hidden:
        query = {
            "search": {"ordering": f"-{field.name}"},
            "ordering": {"ordering": field.name},
            "filter": {field.name: "x", f"{field.name}__startswith": "a"},
        }[verb]
        assert field.name not in kind.filters
        answered = await maker.house.admin.get(path_of(kind), query=query)
        assert answered.json["pagination"]["count"] == plain.json["pagination"]["count"]
        assert answered.json["results"] == plain.json["results"]


async def test_no_address_of_the_api_gives_a_secret_out(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """One object of every kind, a canary in every credential, and every GET there is, by viewers and administrators."""
    maker = Maker(house)
    canaries: set[str] = set()
    shown: set[str] = set()
    keys: dict[str, object] = {}
    kinds = [kind for kind in (*app.KINDS, *app.TWINS) if makeable(kind)]
    for kind in kinds:
        if Verb.CREATE in kind.verbs:
            body = await maker.body(kind)
            made = await house.admin.post(path_of(kind), body)
            assert made.status == 201, made.text
            keys[kind.model] = made.json[kind.key]
            for name in secrets(kind):
                text = str(body[name]).split("\n")[-2 if "\n" in str(body[name]) else 0]
                (shown if Mark.SECRET_SHOWN in kind.fields[name].marks else canaries).add(text)
        else:
            keys[kind.model] = getattr(await maker.kept(kind, await maker.make(kind)), kind.key)
    person = await house.person("with-password", password="$argon2id$v=19$m=8,t=1,p=1$CANARYSALT$CANARYHASH")
    browser, session = await sign_in(house, person)
    canaries |= {"CANARYHASH", "$argon2", session.digest, house.admin.token, house.user.token}
    canaries |= {value for name, value in browser.cookies.items() if "session" in name}

    viewer = await house.client_with(*(kind.permission("view") for kind in kinds))
    role = Role(pk=rand.uuid4(), name="on each")
    await house.put(role)
    for kind in kinds:
        obj = next(iter(await all_of(maker, kind, keys[kind.model])))
        await house.grant(role.pk, kind, getattr(obj, kind.pk), kind.permission("view"))
    on_each = await house.client_of(await house.person("on-each", roles=(role.pk,)))
    canaries |= {viewer.token, on_each.token}
    addresses = [f"{path_of(kind)}?page_size=100" for kind in kinds]
    addresses += [f"{path_of(kind)}{keys[kind.model]}/" for kind in kinds]
    addresses += [f"{path_of(kind)}{keys[kind.model]}/used_by/" for kind in kinds]
    addresses += [f"/api/v3/{family.path}/?page_size=100" for family in app.FAMILIES]
    addresses += [
        f"/api/v3/{action.kind.path}/{action.path.replace('{key}', str(keys[action.kind.model]))}"
        for action in app.ACTIONS
        if action.method == "GET"
    ]
    addresses += [f"/api/v3/{one.path}" for one in app.OPERATIONS if one.method == "GET" and "{" not in one.path]
    callers = (
        (viewer, canaries | shown),
        (on_each, canaries | shown),
        (house.admin, canaries),
        (house.user, canaries | shown),
        (house.nobody, canaries | shown),
    )
    for client, hidden in callers:
        for address in addresses:
            if re.search(r"view_(private_)?key", address) and client is house.admin:
                continue  # to show the key is what it is for
            answered = await client.get(address)
            assert answered.status < 500 or answered.json["code"] == "not_built", (address, answered.text)
            leaked = [one for one in hidden if one in answered.text]
            assert not leaked, f"{address} tells {leaked}"
    out, err = capfd.readouterr()
    assert not [one for one in canaries | shown if one in out + err], "the log tells it"


async def all_of(maker: Maker, kind: AnyKind, key: object) -> list[Any]:
    """The objects whose key in addresses this is."""
    if kind.table is None:
        return [one for one in maker.house.state.settings.all(kind) if getattr(one, kind.key) == key]
    return await records.load(maker.house.state.store, kind, kind.fields[kind.key].column, [key])
