"""Agents: programs that work for somebody, with an account and a token of their own."""

from keystead.people.finding import by_pk
from tests.client import Client
from tests.house import House

AGENTS = "/api/v3/agents/agents/"


async def test_an_agent_comes_with_its_account_and_token(house: House) -> None:
    made = await house.admin.post(AGENTS, {"parent": house.plain.pk, "label": "Mail sorter"})
    assert made.status == 201, made.text
    agent = made.json["agent"]
    one = f"{AGENTS}{agent['pk']}/"
    assert (await house.admin.get(one)).json == agent
    assert (agent["name"], agent["parent"]["username"], agent["policy_behavior"]) == ("Mail sorter", "plain", "none")
    client = Client(house.app, made.json["token"])
    me = (await client.get("/api/v3/core/users/me/")).json["user"]
    assert (me["username"], me["is_superuser"], me["type"]) == (agent["username"], False, "service_account")
    assert (await house.admin.get(AGENTS, query={"parent": str(house.plain.pk)})).json["pagination"]["count"] == 1
    assert (await house.admin.get(AGENTS, query={"parent": "1000000"})).json["pagination"]["count"] == 0
    changed = await house.admin.patch(one, {"name": "Sorter", "is_active": False, "attributes": {"a": 1}})
    assert changed.status == 200, changed.text
    assert (await house.admin.get(one)).json == changed.json
    assert (changed.json["name"], changed.json["is_active"]) == ("Sorter", False)
    assert (await client.get("/api/v3/core/users/me/")).status == 403
    put = await house.admin.put(
        one, {"username": "sorter", "name": "S", "expiring": True, "expires": "2027-01-01T00:00:00Z"}
    )
    assert put.status == 200, put.text
    assert (put.json["username"], put.json["attributes"]) == ("sorter", {"a": 1})
    assert (await house.admin.delete(one)).status == 204
    assert (await house.admin.get(one)).status == 404
    assert await by_pk(house.state, agent["pk"]) is None


async def test_an_agent_goes_with_its_parent(house: House) -> None:
    made = (await house.admin.post(AGENTS, {"parent": house.plain.pk})).json["agent"]
    assert (await house.admin.delete(f"/api/v3/core/users/{house.plain.pk}/")).status == 204
    assert (await house.admin.get(f"{AGENTS}{made['pk']}/")).status == 404


async def test_who_may(house: House) -> None:
    assert (await house.user.post(AGENTS, {})).status == 403
    maker = await house.client_with("authentik_agents.add_agent")
    assert (await maker.post(AGENTS, {})).status == 201
    assert (await maker.post(AGENTS, {"parent": house.superuser.pk})).status == 403, "nobody's but the weaker one's"


async def test_what_is_refused(house: House) -> None:
    assert "parent" in (await house.admin.post(AGENTS, {"parent": 1000000})).json
    assert "expires" in (await house.admin.post(AGENTS, {"expiring": True})).json
    assert "policy_behavior" in (await house.admin.post(AGENTS, {"policy_behavior": "all"})).json
    made = (await house.admin.post(AGENTS, {})).json["agent"]
    assert "username" in (await house.admin.patch(f"{AGENTS}{made['pk']}/", {"username": "a b"})).json
