"""Bodies of settings that are kept as JSON: no other caller's, none of yesterday; and records loaded without links."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from keystead import app
from keystead.base import rand
from keystead.flows.stages.deny import DENY_STAGE
from keystead.kinds.call import Actor, Call, Origin
from keystead.kinds.kind import Verb
from keystead.kinds.render import BASE, encoded, render
from keystead.people.brand import Brand
from keystead.people.group import GROUP, Group
from keystead.people.role import Role
from keystead.people.user import USER
from keystead.policies.expression import EXPRESSION_POLICY
from keystead.providers.oidc.provider import OAUTH2_PROVIDER
from tests.client import Client
from tests.family.bodies import Maker
from tests.house import BEGIN, House

API = "/api/v3"
PROVIDERS = f"{API}/{OAUTH2_PROVIDER.path}/"
KEPT = [kind for kind in app.KINDS if kind.steady]
ORIGINS = (
    Origin(root="http://one.example", host="one.example"),
    Origin(root="http://one.example", host="two.example"),
    Origin(root="https://two.example/id", host="two.example", secure=True),
)


def plain(body: object) -> Any:  # noqa: ANN401 - JSON of any shape
    return msgspec.json.decode(msgspec.json.encode(body))


async def test_what_is_kept_is_what_every_caller_sees_made_afresh(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = "/static/two.jpg"
    await house.put(Brand(brand_uuid=rand.uuid4(), domain="two.example", branding_default_flow_background=picture))
    maker = Maker(house)
    made = [(kind, [await maker.make(kind) for _ in range(2)]) for kind in KEPT if Verb.CREATE in kind.verbs]
    assert len(made) > 20
    stage = await maker.make(DENY_STAGE)
    bound = {"target": (await flow(house, "shown"))["pk"], "stage": stage, "order": 0}
    assert (await house.admin.post(f"{API}/flows/bindings/", bound)).status == 201
    made.append((DENY_STAGE, [stage, stage]))

    async def asks(*_args: object, **_more: object) -> None:
        raise AssertionError("a body that is kept shows something of the store, which changes unseen")

    monkeypatch.setattr(house.state.store, "fetch", asks)
    monkeypatch.setattr(house.state.store, "fetch_one", asks)
    settings = house.state.settings
    for kind, keys in made:
        objs = [settings.get(kind, key) for key in keys]
        view, change = kind.permission("view"), kind.permission("change")
        somebody = Actor(pk=7, username="somebody", uuid="u", means="token", permissions=frozenset({view}))
        callers = (
            somebody,
            Actor(pk=1, username="root", is_superuser=True, means="session", session="s"),
            replace(somebody, on=frozenset({(change, str(keys[0]))})),
            replace(somebody, permissions=frozenset({view, change})),
            replace(somebody, pk=8, groups=frozenset({"g"}), roles=frozenset({"r"}), original=somebody),
        )
        for _ in range(2):
            for number, actor in enumerate((*callers, *reversed(callers))):
                for origin in ORIGINS:
                    at = BEGIN + timedelta(days=400 * number)
                    call = Call(actor, at, settings, peer=f"192.0.2.{number}", origin=origin)
                    afresh = plain(await render(call, house.state, kind, objs, {"page": ["1"]}))
                    assert plain(await encoded(call, house.state, kind, objs, {})) == afresh, kind.model
                    one = plain(await encoded(call, house.state, kind, objs[1:], {}))
                    assert one == plain(await render(call, house.state, kind, objs[1:], {})), kind.model
    # Nothing that is kept holds a secret.
    bodies: dict[tuple[object, ...], msgspec.Raw] = settings.memo("render.encoded", dict)
    assert bodies
    for name, body in bodies.items():
        kind = next(one for one, _ in made if one.path == name[0])
        assert set(kind.shown_secrets).isdisjoint(plain(body)), kind.model


async def flow(house: House, slug: str) -> dict[str, Any]:
    body = {"name": slug, "title": slug, "slug": slug, "designation": "authorization"}
    made = await house.admin.post(f"{API}/flows/instances/", body)
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def provider(house: House, name: str, secret: str) -> Any:  # noqa: ANN401 - its key
    there = await house.admin.get(f"{API}/flows/instances/?slug=of-providers")
    through = (there.json["results"] or [await flow(house, "of-providers")])[0]["pk"]
    body = {"name": name, "authorization_flow": through, "invalidation_flow": through, "redirect_uris": []}
    made = await house.admin.post(PROVIDERS, body | {"client_secret": secret})
    assert made.status == 201, made.text
    return made.json["pk"]


async def member(house: House, name: str, *permissions: str) -> tuple[Role, Client]:
    role = Role(pk=rand.uuid4(), name=name, permissions=permissions)
    await house.put(role)
    return role, await house.client_of(await house.person(name, roles=(role.pk,)))


async def test_secrets_are_shown_object_by_object_and_caller_by_caller(house: House) -> None:
    mine, other = await provider(house, "mine", "mine-s3cret"), await provider(house, "other", "other-s3cret")
    view, change = OAUTH2_PROVIDER.permission("view"), OAUTH2_PROVIDER.permission("change")
    _, reader = await member(house, "reader", view)
    editors, editor = await member(house, "editor", view)
    narrow, only = await member(house, "only")
    await house.grant(editors.pk, OAUTH2_PROVIDER, mine, change)
    await house.grant(narrow.pk, OAUTH2_PROVIDER, mine, view)
    seen = (
        (reader, {"mine": False, "other": False}),
        (editor, {"mine": True, "other": False}),
        (house.admin, {"mine": True, "other": True}),
        (only, {"mine": False}),
    )
    for order in (seen, seen[::-1], seen):
        for client, shown in order:
            listed = (await client.get(PROVIDERS)).json
            assert {one["name"]: "client_secret" in one for one in listed["results"]} == shown
            assert listed["pagination"]["count"] == len(shown)
            for pk, name in ((mine, "mine"), (other, "other")):
                found = await client.get(f"{PROVIDERS}{pk}/")
                assert found.status == (200 if name in shown else 404)
                assert (f"{name}-s3cret" in found.text) is shown.get(name, False)
    # Taken away, it is seen no more.
    taken = {"permissions": [change], "model": OAUTH2_PROVIDER.model, "object_pk": str(mine)}
    url = f"{API}/rbac/permissions/assigned_by_roles/{editors.pk}/unassign/"
    assert (await house.admin.patch(url, taken)).status == 204
    assert "s3cret" not in (await editor.get(PROVIDERS)).text
    assert (await house.user.get(PROVIDERS)).status == 403


async def test_what_an_object_shows_of_others_changes_with_them(house: House) -> None:
    reader = await house.client_with(
        *(
            f"authentik_{name}"
            for name in (
                "stages_deny.view_denystage",
                "flows.view_flowstagebinding",
                "policies_expression.view_expressionpolicy",
                "providers_oauth2.view_oauth2provider",
            )
        )
    )
    through = await flow(house, "first")
    stage = (await house.admin.post(f"{API}/stages/deny/", {"name": "no"})).json["pk"]
    body = {"target": through["pk"], "stage": stage, "order": 1}
    binding = (await house.admin.post(f"{API}/flows/bindings/", body)).json["pk"]

    async def one(client: Client, path: str, pk: object) -> Any:  # noqa: ANN401 - JSON of any shape
        alone = await client.get(f"{API}/{path}/{pk}/")
        listed = (await client.get(f"{API}/{path}/?page_size=100")).json["results"]
        assert alone.json in listed, alone.text
        return alone.json

    for client in (reader, house.admin, reader):
        assert [flow["slug"] for flow in (await one(client, "stages/deny", stage))["flow_set"]] == ["first"]
        assert (await one(client, "flows/bindings", binding))["stage_obj"]["name"] == "no"
    assert (await house.admin.patch(f"{API}/flows/instances/first/", {"slug": "second"})).status == 200
    assert (await house.admin.patch(f"{API}/stages/deny/{stage}/", {"name": "never"})).status == 200
    brand = f"{API}/core/brands/{house.brand.brand_uuid}/"
    assert (await house.admin.patch(brand, {"branding_default_flow_background": "/static/new.jpg"})).status == 200
    for client in (reader, house.admin, reader):
        (shown,) = (await one(client, "stages/deny", stage))["flow_set"]
        assert (shown["slug"], shown["background_url"]) == ("second", "/static/new.jpg")
        within = (await one(client, "flows/bindings", binding))["stage_obj"]
        assert (within["name"], within["flow_set"][0]["slug"]) == ("never", "second")
    # Another brand answers at another name.
    more = {"domain": "elsewhere.example", "branding_default_flow_background": "/static/elsewhere.jpg"}
    assert (await house.admin.post(f"{API}/core/brands/", more)).status == 201
    away = Client(house.app, reader.token, host="elsewhere.example")
    for client, picture in ((away, "elsewhere"), (reader, "new"), (away, "elsewhere")):
        (shown,) = (await one(client, "stages/deny", stage))["flow_set"]
        assert shown["background_url"] == f"/static/{picture}.jpg"
    assert (await house.admin.delete(f"{API}/flows/bindings/{binding}/")).status == 204
    assert (await one(reader, "stages/deny", stage))["flow_set"] == []
    assert (await reader.get(f"{API}/flows/bindings/{binding}/")).status == 404

    policy = (await house.admin.post(f"{API}/policies/expression/", {"name": "p", "expression": "return True"})).json
    assert (await one(reader, "policies/expression", policy["pk"]))["bound_to"] == 0
    body = {"policy": policy["pk"], "target": through["pk"], "order": 0}
    judged = (await house.admin.post(f"{API}/policies/bindings/", body)).json["pk"]
    assert (await one(reader, "policies/expression", policy["pk"]))["bound_to"] == 1
    assert (await house.admin.delete(f"{API}/policies/bindings/{judged}/")).status == 204
    assert (await one(reader, "policies/expression", policy["pk"]))["bound_to"] == 0

    pk = await provider(house, "speaks", "a-s3cret")
    assert (await one(reader, "providers/oauth2", pk))["assigned_application_name"] is None
    application = {"name": "App", "slug": "app", "provider": pk}
    assert (await house.admin.post(f"{API}/core/applications/", application)).status == 201
    assert (await one(reader, "providers/oauth2", pk))["assigned_application_name"] == "App"
    assert (await house.admin.patch(f"{API}/core/applications/app/", {"name": "Else"})).status == 200
    assert (await one(reader, "providers/oauth2", pk))["assigned_application_name"] == "Else"


async def test_members_are_put_in_and_out_by_those_only_who_may_change_that_group(house: House) -> None:
    view, change = GROUP.permission("view"), GROUP.permission("change")
    theirs, other, strong = [
        Group(pk=rand.uuid4(), name=name, num_pk=await house.state.store.reserve("groups.num_pk", 1))
        for name in ("theirs", "other", "strong")
    ]
    held = Role(pk=rand.uuid4(), name="held", permissions=("authentik_core.add_user",))
    await house.put(held)
    await house.put(theirs, other, msgspec.structs.replace(strong, roles=(held.pk,), users=(house.superuser.pk,)))
    stewards, steward = await member(house, "steward")
    _, reader = await member(house, "reader", view)
    for group in (theirs, strong):
        await house.grant(stewards.pk, GROUP, group.pk, view, change)
    await house.grant(stewards.pk, GROUP, other.pk, view)
    statuses = (
        (steward, theirs, 204),
        (steward, other, 403),
        (steward, strong, 403),  # what the group gives, the steward lacks
        (steward, house.admins, 404),
        (reader, theirs, 403),
        (house.user, theirs, 404),
        (house.nobody, theirs, 403),
    )
    for client, group, status in statuses:
        for verb in ("add_user", "remove_user"):
            answered = await client.post(f"{API}/core/groups/{group.pk}/{verb}/", {"pk": house.plain.pk})
            assert answered.status == status, (group.name, verb, answered.text)
    # What was there stays: nothing takes the links that were not loaded for links that are not.
    kept = (await house.admin.get(f"{API}/core/groups/{strong.pk}/")).json
    assert (kept["users"], kept["roles"]) == ([house.superuser.pk], [held.pk])


async def test_a_long_list_too_holds_what_the_caller_may_see_and_counts_nothing_else(house: House) -> None:
    people = [await house.person(f"many-{number}") for number in range(12)]
    role, some = await member(house, "some")
    seen = {people[number].pk for number in (3, 7)}
    for pk in seen:
        await house.grant(role.pk, USER, pk, USER.permission("view"))
    everything = await house.client_with(USER.permission("view"))
    for begins in (1, 1_000_000):
        house.state.large.begins = begins
        for query in ("", "search=many", "is_active=true", "path=users", "is_superuser=false", "path_startswith=us"):
            for asked, keys in ((some, seen), (everything, {one.pk for one in people}), (some, seen)):
                listed = (await asked.get(f"{API}/core/users/?{query}&page_size=100")).json
                found = {one["pk"] for one in listed["results"]}
                assert found == keys if asked is some else found >= keys, query
                assert listed["pagination"]["count"] == len(listed["results"]), query
        assert (await house.user.get(f"{API}/core/users/?search=many")).status == 403
        groups = f"{API}/core/users/?groups_by_pk={house.admins.pk}"
        assert (await some.get(groups)).json["pagination"]["count"] == 0


async def test_a_list_that_is_kept_is_only_for_who_may_see_it_and_never_old(house: House) -> None:
    policies = f"{API}/policies/expression/?search=kept&page_size=5"
    body = {"name": "kept 1", "expression": "return True"}
    made = (await house.admin.post(f"{API}/policies/expression/", body)).json
    first = await house.admin.get(policies)
    assert (await house.admin.get(policies)).body == first.body
    reader = await house.client_with("authentik_policies_expression.view_expressionpolicy")
    assert (await reader.get(policies)).body == first.body
    for stranger, status in ((house.user, 403), (house.nobody, 403)):
        assert (await stranger.get(policies)).status == status
    await house.admin.patch(f"{API}/policies/expression/{made['pk']}/", {"name": "kept 2"})
    assert [one["name"] for one in (await house.admin.get(policies)).json["results"]] == ["kept 2"]
    assert (await house.admin.get(f"{policies}&page=2")).status == 404
    assert (await house.admin.get(f"{policies}&page=2")).status == 404
    await house.admin.delete(f"{API}/policies/expression/{made['pk']}/")
    assert (await reader.get(policies)).json["results"] == []


async def test_what_only_the_store_can_tell_is_asked_each_time(house: House) -> None:
    policies = f"{API}/{EXPRESSION_POLICY.path}/"
    assert (await house.admin.post(policies, {"name": "kept", "expression": "return True"})).status == 201

    def kept() -> list[object]:
        lists: dict[tuple[object, ...], bytes] = house.state.settings.memo("verbs.lists", dict)
        return [name for name in lists if name[0] == EXPRESSION_POLICY.path]

    assert {"created", "last_updated"} <= EXPRESSION_POLICY.sought
    for query in (
        "created=2020-01-01T00:00:00Z",
        "%63reated=2020-01-01T00:00:00Z",
        "page=1&last_updated=2020-01-01T00:00:00Z",
    ):
        answered = await house.admin.get(f"{policies}?{query}")
        assert (answered.status, answered.json["results"], kept()) == (200, [], []), query
    for query in ("", "?name=kept", "?search=created"):
        assert len((await house.admin.get(f"{policies}{query}")).json["results"]) == (0 if "search" in query else 1)
    assert len(kept()) == 3


async def test_a_list_of_a_family_is_kept_only_for_who_may_see_every_type(house: House) -> None:
    stages = f"{API}/stages/all/?search=kept"
    made = (await house.admin.post(f"{API}/stages/deny/", {"name": "kept 1"})).json
    assert (await house.admin.post(f"{API}/stages/dummy/", {"name": "kept 2"})).status == 201
    first = await house.admin.get(stages)
    assert [one["name"] for one in first.json["results"]] == ["kept 1", "kept 2"]
    assert (await house.admin.get(stages)).body == first.body
    some = await house.client_with("authentik_stages_deny.view_denystage")
    assert [one["name"] for one in (await some.get(stages)).json["results"]] == ["kept 1"]
    for stranger, status in ((house.user, 403), (house.nobody, 403)):
        assert (await stranger.get(stages)).status == status
    through = await flow(house, "through")
    body = {"target": through["pk"], "stage": made["pk"], "order": 1}
    assert (await house.admin.post(f"{API}/flows/bindings/", body)).status == 201
    assert [len(one["flow_set"]) for one in (await house.admin.get(stages)).json["results"]] == [1, 0]


def test_no_base_member_is_a_secret() -> None:
    for kind in app.KINDS:
        assert set(BASE.get(kind.family, ())).isdisjoint(kind.shown_secrets), kind.model
        assert not kind.shown_secrets or not kind.family or BASE[kind.family], kind.model


async def test_a_list_with_secrets_for_editors_is_made_for_each_caller(house: House) -> None:
    maker = Maker(house)
    await maker.make(OAUTH2_PROVIDER)
    seen = (await house.admin.get(PROVIDERS)).json["results"][0]
    assert seen["client_secret"]
    reader = await house.client_with(OAUTH2_PROVIDER.permission("view"))
    assert "client_secret" not in (await reader.get(PROVIDERS)).json["results"][0]
    assert (await house.admin.get(PROVIDERS)).json["results"][0]["client_secret"] == seen["client_secret"]
