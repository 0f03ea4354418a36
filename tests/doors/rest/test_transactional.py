"""Applications that come with their provider and bindings: all of it in one commit, or nothing."""

from typing import Any

import pytest

from keystead.store import Unit
from tests.family.bodies import Maker
from tests.house import House

URL, APPS = "/api/v3/core/transactional/applications/", "/api/v3/core/applications/"
OAUTH2 = "authentik_providers_oauth2.oauth2provider"


async def body_of(house: House, **more: object) -> dict[str, Any]:
    """A body that is taken."""
    maker = Maker(house)
    provider = await maker.body(house.state.kinds[OAUTH2], full=False)
    return {"app": {"name": "A", "slug": "a"}, "provider_model": OAUTH2, "provider": provider, **more}


async def count(house: House, path: str) -> int:
    return int((await house.admin.get(f"/api/v3/{path}/")).json["pagination"]["count"])


async def test_everything_is_made_in_one_unit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = await house.admin.post("/api/v3/policies/expression/", {"name": "p", "expression": "return True"})
    pk = policy.json["pk"]
    body = await body_of(
        house, policy_bindings=[{"policy": pk, "order": 0}, {"user": house.plain.pk, "order": 1, "negate": True}]
    )
    units: list[list[str]] = []
    commit = house.state.store.commit

    async def recorded(unit: Unit) -> None:
        await commit(unit)
        units.append([write.statement.name for write in unit.writes])

    monkeypatch.setattr(house.state.store, "commit", recorded)
    done = await house.admin.put(URL, body)
    monkeypatch.undo()
    assert (done.status, done.json) == (200, {"applied": True, "logs": []}), done.text
    (writes,) = [names for names in units if not {"ids.open", "ids.take"} & set(names)]
    assert writes.count("event.insert") == 4
    app = (await house.admin.get(f"{APPS}a/")).json
    assert app["provider_obj"]["name"] == body["provider"]["name"]
    bound = (await house.admin.get("/api/v3/policies/bindings/", query={"target": app["pk"]})).json["results"]
    told = [(one["policy"], one["user"], one["negate"]) for one in bound]
    assert told == [(pk, None, False), (None, house.plain.pk, True)]


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"app": {"name": "A"}}, "app"),
        ({"app": {"name": "A", "slug": "token"}}, "app"),
        ({"app": None}, "app"),
        ({"provider": {}}, "provider"),
        ({"provider": "x"}, "provider"),
        ({"provider_model": "authentik_core.user"}, "provider_model"),
        ({"provider_model": None}, "provider_model"),
        ({"policy_bindings": [{"order": 0}]}, "policy_bindings"),
        ({"policy_bindings": "x"}, "policy_bindings"),
    ],
)
async def test_what_is_wrong_anywhere_changes_nothing(house: House, change: dict[str, Any], member: str) -> None:
    body = await body_of(house)
    before = [await count(house, path) for path in ("core/applications", "providers/all", "events/events")]
    refused = await house.admin.put(URL, {**body, **change})
    assert refused.status == 400, refused.text
    assert member in refused.json
    assert [await count(house, path) for path in ("core/applications", "providers/all", "events/events")] == before


async def test_who_may(house: House) -> None:
    body = await body_of(house)
    assert (await house.nobody.put(URL, body)).status == 403
    assert (await house.user.put(URL, body)).status == 403
    half = await house.client_with("authentik_core.add_application")
    assert (await half.put(URL, body)).status == 403
    whole = await house.client_with("authentik_core.add_application", "authentik_providers_oauth2.add_oauth2provider")
    assert (await whole.put(URL, body)).status == 200


async def test_a_new_application_may_name_its_policies(house: House) -> None:
    first, second = [
        (await house.admin.post("/api/v3/policies/expression/", {"name": name, "expression": "return True"})).json["pk"]
        for name in ("one", "two")
    ]
    made = await house.admin.post(APPS, {"name": "A", "slug": "a", "policy_bindings": {first: 3, "two": 1}})
    assert made.status == 201, made.text
    bound = (await house.admin.get("/api/v3/policies/bindings/", query={"target": made.json["pk"]})).json["results"]
    assert [(one["policy"], one["order"]) for one in bound] == [(second, 1), (first, 3)]
    for wrong in ({"three": 0}, {"one": "x"}, ["one"]):
        refused = await house.admin.post(APPS, {"name": "B", "slug": "b", "policy_bindings": wrong})
        assert refused.status == 400, wrong
        assert "policy_bindings" in refused.json
    assert await count(house, "core/applications") == 1
