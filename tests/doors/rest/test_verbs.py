"""The verbs beyond what every kind shares: keys that change, races, what is shown after a change, rights on actions."""

import asyncio
import json

import pytest

from keystead import app
from keystead.kinds.action import Action
from keystead.kinds.pending import Pending
from tests.client import Client
from tests.doors.http.signed_in import sign_in
from tests.family.bodies import Maker
from tests.house import House

ROLES = "/api/v3/rbac/roles/"
USERS = "/api/v3/core/users/"
TOKENS = "/api/v3/core/tokens/"
BRANDS = "/api/v3/core/brands/"
FLOWS = "/api/v3/flows/instances/"


async def flow(house: House, slug: str, **more: object) -> dict[str, object]:
    body = {"name": slug, "title": slug, "slug": slug, "designation": "authentication", **more}
    answered = await house.admin.post(FLOWS, body)
    assert answered.status == 201, answered.text
    made: dict[str, object] = answered.json
    return made


async def test_an_object_is_named_by_its_slug_and_a_new_slug_is_a_new_address(house: House) -> None:
    made = await flow(house, "first")
    answered = await house.admin.patch(f"{FLOWS}first/", {"slug": "second"})
    assert answered.status == 200
    assert answered.json["pk"] == made["pk"]
    assert (await house.admin.get(f"{FLOWS}first/")).status == 404
    assert (await house.admin.get(f"{FLOWS}second/")).json["pk"] == made["pk"]
    assert (await house.admin.get(f"{FLOWS}{made['pk']}/")).status == 404, "the uuid is not the key here"


async def test_a_put_and_a_patch_of_other_members_at_once_both_count(house: House) -> None:
    await flow(house, "busy")
    for number in range(5):
        changes = [
            house.admin.patch(f"{FLOWS}busy/", {"title": f"title {number}"}),
            house.admin.patch(f"{FLOWS}busy/", {"name": f"name {number}"}),
            house.admin.patch(f"{FLOWS}busy/", {"layout": "sidebar_left"}),
            house.admin.patch(f"{FLOWS}busy/", {"denied_action": "message"}),
        ]
        assert [one.status for one in await asyncio.gather(*changes)] == [200] * 4
        left = (await house.admin.get(f"{FLOWS}busy/")).json
        assert (left["title"], left["name"]) == (f"title {number}", f"name {number}")
        assert (left["layout"], left["denied_action"]) == ("sidebar_left", "message")


async def test_of_many_who_make_the_same_at_once_one_does(house: House) -> None:
    for path, body in (
        (ROLES, {"name": "same"}),
        (USERS, {"name": "same", "username": "same"}),
        (TOKENS, {"identifier": "same"}),
    ):
        answers = await asyncio.gather(*(house.admin.post(path, body) for _ in range(12)))
        assert sorted(one.status for one in answers) == [201] + [400] * 11
        complaint = next(one for one in answers if one.status == 400).json
        assert [name for name in complaint if name != "code"] == list(body)[-1:]


async def test_of_many_who_remove_the_same_at_once_one_does(house: House) -> None:
    role = (await house.admin.post(ROLES, {"name": "brief"})).json
    user = (await house.admin.post(USERS, {"name": "brief", "username": "brief"})).json
    for url in (f"{ROLES}{role['pk']}/", f"{USERS}{user['pk']}/"):
        answers = sorted(one.status for one in await asyncio.gather(*(house.admin.delete(url) for _ in range(8))))
        assert answers.count(204) == 1
        assert set(answers) <= {204, 404, 409}


async def test_the_answer_to_a_change_shows_what_the_change_made(house: House) -> None:
    role = (await house.admin.post(ROLES, {"name": "shown"})).json
    made = await house.admin.post(
        USERS, {"name": "x", "username": "x", "roles": [role["pk"]], "groups": [house.admins.pk]}
    )
    assert made.json["roles_obj"] == [{"pk": role["pk"], "name": "shown"}]
    assert made.json["is_superuser"] is True
    assert [one["pk"] for one in made.json["groups_obj"]] == [house.admins.pk]
    left = await house.admin.patch(f"{USERS}{made.json['pk']}/", {"groups": [], "roles": []})
    assert (left.json["is_superuser"], left.json["groups_obj"], left.json["roles_obj"]) == (False, [], [])


async def test_a_list_without_the_permission_shows_what_is_ones_own(house: House) -> None:
    browser, session = await sign_in(house, house.plain)
    await sign_in(house, house.superuser)
    sessions = await browser.get("/api/v3/core/authenticated_sessions/")
    assert [one["uuid"] for one in sessions.json["results"]] == [session.uuid]
    assert sessions.json["pagination"]["count"] == 1
    assert sessions.json["results"][0]["current"] is True
    tokens = await house.user.get(TOKENS)
    assert {one["user"] for one in tokens.json["results"]} == {house.plain.pk}
    filtered = await house.user.get(TOKENS, query={"user__username": "akadmin"})
    assert filtered.json["pagination"]["count"] == 0
    events = await house.user.get("/api/v3/events/events/")
    assert events.status == 200
    assert {one["user"]["pk"] for one in events.json["results"]} <= {house.plain.pk}


@pytest.mark.parametrize("path", ["core/users", "core/groups", "flows/instances", "rbac/permissions/roles"])
async def test_a_search_for_more_than_databases_look_for_is_refused(house: House, path: str) -> None:
    for text in ("a" * 1000, "ü%_\\" * 250):
        assert (await house.admin.get(f"/api/v3/{path}/", query={"search": text})).status == 200
    answered = await house.admin.get(f"/api/v3/{path}/", query={"search": "a" * 50_001})
    assert answered.status == 400
    assert answered.json["search"] == ["Search for at most 1000 characters."]


@pytest.mark.parametrize("path", ["core/users", "core/groups"])
async def test_a_filter_of_more_attributes_than_databases_look_at_is_refused(house: House, path: str) -> None:
    inside = {f"k{number}": {"a": [number]} for number in range(1500)}
    for wanted in ({"deep": inside}, dict(list(inside.items())[:100])):
        found = await house.admin.get(f"/api/v3/{path}/", query={"attributes": json.dumps(wanted)})
        assert (found.status, found.json["results"]) == (200, [])
    answered = await house.admin.get(f"/api/v3/{path}/", query={"attributes": json.dumps(inside)})
    assert answered.status == 400
    assert answered.json["attributes"] == ["Ask for at most 100 attributes at once."]


async def test_what_is_in_ones_own_list_can_be_read_alone(house: House) -> None:
    made = await house.user.post(TOKENS, {"identifier": "mine"})
    assert made.status == 201
    events = (await house.user.get("/api/v3/events/events/")).json["results"]
    assert [one["action"] for one in events] == ["model_created"]
    assert (await house.user.get(f"/api/v3/events/events/{events[0]['pk']}/")).status == 200
    assert (await house.user.get(f"{TOKENS}mine/")).status == 200
    assert (await house.user.delete(f"{TOKENS}mine/")).status == 204


async def test_a_setting_that_others_use_is_told_and_let_go(house: House) -> None:
    made = await flow(house, "used")
    patched = await house.admin.patch(f"{BRANDS}{house.brand.brand_uuid}/", {"flow_authentication": made["pk"]})
    assert patched.status == 200
    used = await house.admin.get(f"{FLOWS}used/used_by/")
    assert used.json == [
        {
            "app": "authentik_brands",
            "model_name": "brand",
            "pk": house.brand.brand_uuid,
            "name": "authentik-default",
            "action": "set_null",
        }
    ]
    assert (await house.admin.delete(f"{FLOWS}used/")).status == 204
    assert (await house.admin.get(f"{BRANDS}{house.brand.brand_uuid}/")).json["flow_authentication"] is None
    changed = await house.admin.get("/api/v3/events/events/?action=model_updated&context_model_app=authentik_brands")
    (_, last) = sorted(changed.json["results"], key=lambda one: one["created"])[-1:] * 2
    assert "flow_authentication" in last["context"]["diff"]


def acting(action: Action) -> str:
    return f"{action.kind.path}/{action.path} {action.method}"


OURS = [action for action in app.ACTIONS if action.kind.model not in app.OPENED]
ACTIONS = pytest.mark.parametrize("action", OURS, ids=[acting(action) for action in OURS])


async def ask(client: Client, action: Action, key: object) -> int:
    url = f"/api/v3/{action.kind.path}/{action.path.replace('{key}', str(key))}"
    body = {"pk": 1, "password": "x", "name": "x", "key": "x", "action": "login", "app": "x"} if action.request else ...
    return (await client.request(action.method, url, json=body)).status


@ACTIONS
async def test_an_action_is_closed_to_everybody_it_does_not_name(house: House, action: Action) -> None:
    """SECURITY AP-01: every operation beside the verbs, asked by nobody, by a plain user and by a viewer."""
    kind = action.kind
    key: object = "none"
    if "{key}" in action.path:
        maker = Maker(house)
        key = getattr(await maker.kept(kind, await maker.make(kind)), kind.key)
    anonymous = await ask(house.nobody, action, key)
    if action.permission is None:
        # Metadata of a provider that no application has are not there (404) for anybody.
        there = {200, 204} if "{key}" not in action.path else {200, 204, 404}
        assert anonymous in ({400, 501} if isinstance(action.run, Pending) else there)
        return
    assert anonymous == 403
    if action.permission:
        assert await ask(house.user, action, key) in ({404} if "{key}" in action.path else {403})
        viewer = await house.client_with(kind.permission("view"))
        answered = await ask(viewer, action, key)
        assert answered != 403 if action.permission == "view" else answered in {403, 404}
    # Whoever holds everything but superuser status and rights on this kind is as far as a plain user.
    others = [
        other.permission(word)
        for other in app.KINDS
        if other is not kind
        for word in ("view", "add", "change", "delete")
        if other.permission(word) != action.permission  # some want a right on another kind than their own
    ]
    outsider = await house.client_with(*others)
    if action.permission:
        assert await ask(outsider, action, key) in {403, 404}
    elif action.method != "GET" and "{key}" in action.path:
        assert await ask(outsider, action, key) in {400, 403, 404}


async def test_a_list_of_settings_shows_what_was_changed_a_moment_ago(house: House) -> None:
    policies = "/api/v3/policies/expression/"
    made = (await house.admin.post(policies, {"name": "kept", "expression": "return True"})).json

    async def shown() -> dict[str, object]:
        listed = (await house.admin.get(f"{policies}?name=kept")).json["results"]
        assert listed == [(await house.admin.get(f"{policies}{made['pk']}/")).json]
        found: dict[str, object] = listed[0]
        return found

    assert (await shown(), await shown()) == (made, made)
    await house.admin.patch(f"{policies}{made['pk']}/", {"expression": "return False"})
    assert (await shown())["expression"] == "return False"
    bound = await flow(house, "binds")
    body = {"policy": made["pk"], "target": bound["policybindingmodel_ptr_id"], "order": 0}
    assert (await house.admin.post("/api/v3/policies/bindings/", body)).status == 201
    assert (await shown())["bound_to"] == 1


async def test_a_kept_body_shows_secrets_to_those_only_who_may_change_the_object(house: House) -> None:
    providers = "/api/v3/providers/oauth2/"
    reader = await house.client_with("authentik_providers_oauth2.view_oauth2provider")
    flows = [str((await flow(house, slug))["pk"]) for slug in ("one", "two")]
    body = {
        "name": "secretive",
        "authorization_flow": flows[0],
        "invalidation_flow": flows[1],
        "redirect_uris": [],
        "client_secret": "s3cret",
    }
    assert (await house.admin.post(providers, body)).status == 201
    for _ in range(2):
        for client, seen in ((house.admin, True), (reader, False)):
            answered = await client.get(f"{providers}?name=secretive")
            assert answered.status == 200, answered.text
            assert ("s3cret" in answered.text) is seen
