"""Blueprints: what entries make, change and remove, all of it or nothing."""

import asyncio
from pathlib import Path

import pytest

from keystead.base.config import Config
from keystead.doors.rest.blueprints.folder import Folder
from keystead.store import Unit
from tests.doors.rest.blueprint_calls import API, BLUEPRINTS, HEAD, count, imported, one, refused, send
from tests.house import House

GROUP = "- model: authentik_core.group\n"
FLOW = "{name: F, title: T, designation: authentication}"
EVERYTHING = f"""
- model: authentik_flows.flow
  id: flow
  identifiers: {{slug: !Context slug}}
  attrs: {FLOW}
- model: authentik_stages_dummy.dummystage
  id: stage
  identifiers: {{name: s}}
- model: authentik_flows.flowstagebinding
  identifiers: {{target: !KeyOf flow, stage: !KeyOf stage, order: 0}}
- model: authentik_rbac.role
  id: role
  identifiers: {{name: r}}
  attrs: {{permissions: [authentik_core.view_user], managed: mine}}
- model: authentik_core.group
  id: group
  identifiers: {{name: g}}
  attrs: {{is_superuser: true, roles: [!KeyOf role]}}
  permissions: [{{permission: view_group, role: !KeyOf role}}]
- model: authentik_core.user
  id: user
  identifiers: {{username: joe}}
  attrs: {{name: Joe, password: a long password, groups: [!KeyOf group]}}
- model: authentik_core.token
  identifiers: {{identifier: t}}
  attrs: {{user: !KeyOf user, key: abcdefghijklmnopqrstuvwxyz, intent: api, managed: mine}}
- model: authentik_policies.policybinding
  identifiers: {{target: !KeyOf flow, group: !Find [authentik_core.group, [name, g]], order: 1}}
- model: authentik_core.application
  identifiers: {{slug: a}}
  attrs: {{name: A, icon: https://example.org/a.png}}
"""


async def test_everything_lands_in_one_unit_and_a_second_time_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    units: list[list[str]] = []
    commit = house.state.store.commit

    async def recorded(unit: Unit) -> None:
        await commit(unit)
        units.append([write.statement.name for write in unit.writes])

    monkeypatch.setattr(house.state.store, "commit", recorded)
    first = await imported(house.admin, EVERYTHING, context='{"slug": "f"}')
    monkeypatch.undo()
    assert first == ["made"] * 9
    assert len([names for names in units if not {"ids.open", "ids.take"} & set(names)]) == 1
    me = (await house.nobody.get(f"{API}/core/users/me/", token="abcdefghijklmnopqrstuvwxyz")).json["user"]
    assert (me["username"], me["is_superuser"]) == ("joe", True)
    assert (await one(house.admin, "core/applications", slug="a"))["meta_icon"] == "https://example.org/a.png"
    flow = (await house.admin.get(f"{API}/flows/instances/f/")).json
    assert (len(flow["stages"]), (await one(house.admin, "policies/bindings", target=flow["pk"]))["order"]) == (1, 1)
    assert (await one(house.admin, "core/tokens", identifier="t"))["managed"] == "mine"

    events = await count(house.admin, "events/events")
    again = await imported(house.admin, EVERYTHING, context='{"slug": "f"}')
    assert again == ["unchanged"] * 9
    assert await count(house.admin, "events/events") == events


async def test_two_at_once_and_somebody_between(house: House) -> None:
    stop = asyncio.Event()

    async def others() -> int:
        done = 0
        while not stop.is_set():
            made = await house.admin.post(f"{API}/core/groups/", {"name": f"other {done}"})
            flow = {"name": "O", "title": "O", "designation": "recovery", "slug": f"other-{done}"}
            assert (made.status, (await house.admin.post(f"{API}/flows/instances/", flow)).status) == (201, 201)
            done += 1
        return done

    async with asyncio.TaskGroup() as tasks:
        between = tasks.create_task(others())
        both = [tasks.create_task(imported(house.admin, EVERYTHING, context='{"slug": "f"}')) for _ in range(2)]
        told = await asyncio.gather(*both)
        stop.set()
    assert sorted(told) == [["made"] * 9, ["unchanged"] * 9]
    assert between.result() > 0


async def test_who_comes_between_two_entries_was_there_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = house.state.store.reserve
    between = 0

    async def slowly(name: str, count: int) -> int:
        nonlocal between
        if name == "users" and not between:
            between = (await house.admin.post(f"{API}/core/groups/", {"name": "g"})).status
        return await reserve(name, count)

    monkeypatch.setattr(house.state.store, "reserve", slowly)
    user = "- model: authentik_core.user\n  identifiers: {username: u}\n  attrs: {name: U}\n"
    told = await imported(house.admin, f"{GROUP}  identifiers: {{name: g}}\n{user}")
    assert between == 201
    assert told == ["unchanged", "made"]


async def test_what_becomes_of_an_object(house: House) -> None:
    there = f"{GROUP}  identifiers: {{name: g}}\n"
    for entry, told, attributes in (
        (f"{there}  state: absent\n", "not there", None),
        (f"{there}  state: created\n  attrs: {{attributes: {{a: 1}}}}\n", "made", {"a": 1}),
        (f"{there}  state: created\n  attrs: {{attributes: {{a: 2}}}}\n", "there already", {"a": 1}),
        (
            f"{there}  attrs: {{attributes: {{a: 3, b: {{c: d, e: f}}}}}}\n",
            "changed",
            {"a": 3, "b": {"c": "d", "e": "f"}},
        ),
        (
            f"{there}  conditions: [true, !Condition [EQ, a, b]]\n  state: absent\n",
            "left out: a condition does not hold",
            ...,
        ),
        (f"{GROUP}  identifiers: {{attributes: {{b: {{c: d}}}}}}\n  attrs: {{attributes: {{}}}}\n", "changed", {}),
        (f"{there}  state: absent\n", "removed", None),
        (f"{there}  state: must_created\n  attrs: {{attributes: {{a: 1}}}}\n", "made", {"a": 1}),
    ):
        assert await imported(house.admin, entry) == [told], entry
        if attributes is not ...:
            found = (await house.admin.get(f"{API}/core/groups/", query={"name": "g"})).json["results"]
            assert [group["attributes"] for group in found] == ([attributes] if attributes is not None else [])
    ((entry, _, why),) = await refused(house.admin, f"{there}  state: must_created\n")
    assert (entry, "already" in why) == ("1", True)


async def test_a_pk_names_an_object_or_becomes_one(house: House) -> None:
    pk = "4f6a7d6e-1111-4222-8333-123456789abc"
    entry = (
        "- model: authentik_stages_dummy.dummystage\n  identifiers: {{pk: {pk}, name: {name}}}\n  attrs: {{{attrs}}}\n"
    )
    assert await imported(house.admin, entry.format(pk=pk, name="s", attrs="")) == ["made"]
    assert (await one(house.admin, "stages/dummy"))["pk"] == pk
    # By the pk, whatever the name; by the name, whatever the pk.
    assert await imported(house.admin, entry.format(pk=pk, name="other", attrs="throw_error: true")) == ["changed"]
    other = pk.replace("1111", "2222")
    assert await imported(house.admin, entry.format(pk=other, name="s", attrs="throw_error: true")) == ["unchanged"]
    # A key that something else has would put this in its place.
    flow = f"- model: authentik_flows.flow\n  identifiers: {{slug: f, pk: {pk}}}\n  attrs: {FLOW}\n"
    ((_, _, why),) = await refused(house.admin, flow)
    assert "another object has this pk" in why
    user = "- model: authentik_core.user\n  identifiers: {pk: 4711, username: joe}\n  attrs: {name: J}\n"
    assert await imported(house.admin, user) == [
        "keys of this model are drawn here: the one given is left alone",
        "made",
    ]


@pytest.mark.parametrize(
    ("wrong", "member"),
    [
        ("model: core.nothing\n  identifiers: {name: x}", None),
        ("model: authentik_flows.stage\n  identifiers: {name: x}", None),
        ("model: authentik_tenants.tenant\n  attrs: {name: x, schema_name: t_x}", None),
        ("model: authentik_core.authenticatedsession\n  attrs: {uuid: x}", None),
        ("model: authentik_events.event\n  attrs: {action: login}", None),
        ("model: authentik_core.group\n  attrs: {name: [a]}", "name"),
        ("model: authentik_core.group\n  attrs: {is_superuser: true}", "name"),
        ("model: authentik_core.group\n  attrs: {name: made}", "name"),
        ("model: authentik_core.group\n  attrs: {name: x, users: [99]}", "users"),
        ("model: authentik_core.group\n  attrs: {name: x, parents: [!KeyOf missing]}", None),
        ("model: authentik_core.group\n  identifiers: {nothing: x}\n  attrs: {name: x}", None),
        ("model: authentik_core.user\n  identifiers: {password: x}\n  attrs: {name: x}", None),
        ("model: authentik_core.user\n  attrs: {username: x, name: x, password: 5}", "password"),
        ("model: authentik_core.user\n  attrs: {username: x, name: x, permissions: [a.b]}", "permissions"),
        ("model: authentik_rbac.role\n  attrs: {name: x, permissions: [no.such_thing]}", "permissions"),
        ("model: authentik_flows.flow\n  attrs: {slug: made, name: a, title: b, designation: authentication}", "slug"),
        (
            "model: authentik_core.group\n  attrs: {name: x}\n  permissions: [{permission: view_group, user: 1}]",
            "permissions",
        ),
        ("model: authentik_blueprints.metaapplyblueprint\n  attrs: {identifiers: {name: nothing}}", None),
        ("model: authentik_blueprints.metausersetpassword\n  attrs: {user: 99, password: x}", None),
        ("model: authentik_core.group\n  attrs: {name: x}\n  state: !Format [x]", None),
        ("model: authentik_core.group\n  attrs: {name: !File /etc/passwd}", None),
        ("model: authentik_core.group\n  attrs: {name: !File ../secret_key}", None),
        ("model: authentik_core.group\n  attrs: {name: !File https://example.org/}", None),
        ("model: authentik_core.group\n  attrs: {name: !Env PATH}", None),
        ("model: authentik_core.group\n  attrs: {name: !Env [AUTHENTIK_SECRET_KEY, x]}", None),
    ],
)
async def test_one_wrong_entry_changes_nothing(house: House, wrong: str, member: str | None) -> None:
    before = [await count(house.admin, path) for path in ("core/groups", "core/users", "flows/instances")]
    events = await count(house.admin, "events/events")
    right = f"{GROUP}  attrs: {{name: made}}\n- model: authentik_flows.flow\n  attrs: {{slug: made, {FLOW[1:]}\n"
    complaints = await refused(house.admin, f"{right}- {wrong}\n")
    assert [(entry, named) for entry, named, _ in complaints] == [("3", member)], complaints
    assert [await count(house.admin, path) for path in ("core/groups", "core/users", "flows/instances")] == before
    assert await count(house.admin, "events/events") == events


@pytest.mark.parametrize(
    "text", ["version: 2", "- a", "version: 1\nentries: [{}]", "version: 1\nentries: [!X y]", "a: ["]
)
async def test_what_is_no_blueprint_tells_so(house: House, text: str) -> None:
    answer = await send(house.admin, "managed/blueprints/import/", text)
    assert (answer.status, answer.json["success"]) == (200, False)
    assert answer.json["logs"][-1]["event"]


async def test_what_is_left_alone_is_told(house: House) -> None:
    told = await imported(house.admin, f"{GROUP}  attrs: {{name: g, nothing: 1, pk: x}}\n")
    assert told == ["this member cannot be set and is left alone", "made"]


async def test_passwords_and_keys_are_set_when_they_are_others(house: House) -> None:
    user = "- model: authentik_core.user\n  id: u\n  identifiers: {username: joe}\n  attrs: {name: J, password: "
    assert await imported(house.admin, f"{user}first password}}\n") == ["made"]
    assert await imported(house.admin, f"{user}first password}}\n") == ["unchanged"]
    assert await imported(house.admin, f"{user}second password}}\n") == ["changed"]
    meta = "- model: authentik_blueprints.metausersetpassword\n  attrs: {user: !KeyOf u, password: third password}\n"
    assert await imported(house.admin, f"{user}second password}}\n{meta}") == ["unchanged", "password set"]
    sets = await count(house.admin, "events/events", action="password_set")
    assert sets == 3


@pytest.fixture
def folder(house: House, tmp_path: Path) -> Path:
    """The folder of blueprints of ``house``."""
    made = tmp_path / "blueprints"
    (made / "default").mkdir(parents=True)
    (made / ".hidden").mkdir()
    for name in ("default/a.yaml", "b.yml", ".hidden/c.yaml", ".d.yaml", "e.txt"):
        text = f"version: 1\nmetadata: {{name: {name}}}\nentries:\n{GROUP}  attrs: {{name: !File [e.txt, x]}}\n"
        (made / name).write_text(text if name != "e.txt" else "from a file")
    (made / "broken.yaml").write_text("version: 3")
    (tmp_path / "outside.yaml").write_text("version: 1")
    (made / "out.yaml").symlink_to(tmp_path / "outside.yaml")
    house.site.extras["config"] = Config(blueprints_dir=str(made))
    return made


@pytest.mark.usefixtures("folder")
async def test_files_of_the_folder(house: House) -> None:
    found = (await house.admin.get(f"{BLUEPRINTS}available/")).json
    assert [one["path"] for one in found] == ["b.yml", "default/a.yaml"]
    assert found[1]["meta"] == {"name": "default/a.yaml", "labels": {}}
    assert len(found[1]["hash"]) == 128
    done = await send(house.admin, "managed/blueprints/import/", path="default/a.yaml")
    assert done.json["success"], done.text
    assert await count(house.admin, "core/groups", name="from a file") == 1
    for path in (
        "../outside.yaml",
        "/etc/passwd",
        "out.yaml",
        ".d.yaml",
        ".hidden/c.yaml",
        "none.yaml",
        "a//b",
        "http://x/y.yaml",
    ):
        answer = await send(house.admin, "managed/blueprints/import/", path=path)
        assert (answer.status, list(answer.json)) == (400, ["path", "code"]), path


@pytest.mark.usefixtures("folder")
async def test_an_instance_is_applied(house: House) -> None:
    content = f"{HEAD}{GROUP}  attrs: {{name: !Context name}}\n"
    body = {"name": "b", "content": content, "context": {"name": "given"}}
    pk = (await house.admin.post(BLUEPRINTS, body)).json["pk"]
    done = await house.admin.post(f"{BLUEPRINTS}{pk}/apply/")
    assert done.status == 200, done.text
    assert done.json["status"] == "successful"
    assert done.json["managed_models"] == ["authentik_core.group"]
    assert len(done.json["last_applied_hash"]) == 128
    assert done.json["last_applied"] == house.clock.now().isoformat().replace("+00:00", "Z")
    assert await count(house.admin, "core/groups", name="given") == 1
    shown = (await house.admin.get(f"{BLUEPRINTS}{pk}/")).json
    assert shown == done.json

    again = await house.admin.post(f"{BLUEPRINTS}{pk}/apply/")  # the name is taken now
    assert again.json["status"] == "error"
    event = await one(house.admin, "events/events", action="configuration_error")
    assert "already exists" in str(event["context"]["log"])

    gone = (await house.admin.post(BLUEPRINTS, {"name": "gone", "path": "default/gone.yaml"})).json["pk"]
    assert (await house.admin.post(f"{BLUEPRINTS}{gone}/apply/")).json["status"] == "error"
    file = (await house.admin.post(BLUEPRINTS, {"name": "file", "path": "default/a.yaml"})).json["pk"]
    assert (await house.admin.post(f"{BLUEPRINTS}{file}/apply/")).json["status"] == "successful"
    far = (await house.admin.post(BLUEPRINTS, {"name": "far", "path": "oci://example.org/b:1"})).json["pk"]
    assert (await house.admin.post(f"{BLUEPRINTS}{far}/apply/")).json["status"] == "error"  # nobody is there


@pytest.mark.usefixtures("folder")
async def test_blueprints_apply_others_first(house: House) -> None:
    inner = (
        await house.admin.post(BLUEPRINTS, {"name": "inner", "content": f"{HEAD}{GROUP}  attrs: {{name: i}}\n"})
    ).json
    meta = "- model: authentik_blueprints.metaapplyblueprint\n  attrs: {{identifiers: {{{what}}}, required: {must}}}\n"
    entries = meta.format(what="name: inner", must="true") + f"{GROUP}  attrs: {{name: o}}\n"
    told = await imported(house.admin, entries + meta.format(what="path: default/a.yaml", must="true"))
    assert told == ["applied first", "made", "made", "applied first", "made"]
    assert (await house.admin.get(f"{BLUEPRINTS}{inner['pk']}/")).json["status"] == "successful"
    assert await imported(house.admin, meta.format(what="name: nobody", must="false")) == [
        "left out: there is no such blueprint"
    ]
    around = {"name": "round", "content": HEAD + meta.format(what="name: round", must="true")}
    pk = (await house.admin.post(BLUEPRINTS, around)).json["pk"]
    assert (await house.admin.post(f"{BLUEPRINTS}{pk}/apply/")).json["status"] == "error"


async def test_forms_that_say_too_much_or_too_little(house: House) -> None:
    said: tuple[tuple[str, dict[str, str], str], ...] = (
        ("", {"context": "{}"}, "file"),
        (HEAD, {"path": "a.yaml"}, "path"),
        (HEAD, {"context": "["}, "context"),
        (HEAD, {"context": "[]"}, "context"),
    )
    for text, more, member in said:
        answer = await send(house.admin, "managed/blueprints/import/", text, **more)
        assert (answer.status, member in answer.json) == (400, True), answer.text
    assert (await house.admin.post(f"{BLUEPRINTS}import/", {})).status == 415


def test_no_folder_has_no_files(tmp_path: Path) -> None:
    nothing = Folder(tmp_path / "none")
    assert (nothing.available(), nothing.text("a.yaml")) == ([], None)
