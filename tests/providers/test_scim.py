"""SCIM: users and groups are written to a server that others have written."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import ScimFilter
from scim2_models import User as ScimUser

from keystead.base import rand
from keystead.base.outbound import Outbound
from keystead.policies.binding import PolicyBinding
from keystead.providers.scim.client import filtered
from tests.house import House
from tests.providers import asked
from tests.providers.scim_server import TOKEN, ScimServer, scim_servers
from tests.providers.written import Writer, group, writer
from tests.strangers import LOCAL


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[], ScimServer]]:
    with scim_servers() as made:
        yield made


@pytest.fixture
def server(servers: Callable[[], ScimServer]) -> ScimServer:
    return servers()


@pytest.fixture
async def scim(house: House, server: ScimServer) -> Writer:
    """A provider that writes to the server."""
    house.state.outbound = Outbound((LOCAL,))
    return await writer(house, "scim", url=server.url, token=TOKEN)


async def test_a_user_is_made_then_changed_then_found_deactivated(
    house: House, scim: Writer, server: ScimServer
) -> None:
    assert "plain is created" in await scim.done(house.plain)
    (there,) = await server.all("Users")
    assert (there["userName"], there["active"], there["emails"][0]["value"]) == ("plain", True, "plain@example.org")
    (link,) = await scim.links()
    assert (link["scim_id"], link["user"]) == (there["id"], house.plain.pk)
    assert link["attributes"]["userName"] == "plain"
    assert len(await scim.events("model_created", "scimprovideruser")) == 1
    url = f"{asked.API}/core/users/{house.plain.pk}/"
    await house.admin.patch(url, {"name": "Somebody Else", "is_active": False})
    assert "plain is updated" in await scim.done(house.plain)
    (there,) = await server.all("Users")
    assert (there["displayName"], there["active"]) == ("Somebody Else", False)
    (again,) = await scim.links()
    assert (again["id"], again["scim_id"]) == (link["id"], link["scim_id"])
    assert again["attributes"]["active"] is False
    assert len(await scim.events("model_updated", "scimprovideruser")) == 1
    told = repr(await asked.listed(house.admin, "events/events", page_size="100")) + repr(again)
    assert TOKEN not in told


@pytest.mark.parametrize("discovery", [True, False])
async def test_what_is_there_already_is_taken_over(
    house: House, scim: Writer, server: ScimServer, *, discovery: bool
) -> None:
    """By a search, or by the conflict that making it causes."""
    await scim.change(discovery_enabled=discovery)
    known = await server.put_user("PLAIN")
    assert "plain is taken over" in await scim.done(house.plain)
    (there,) = await server.all("Users")
    assert (there["id"], there["userName"]) == (known, "plain")
    assert await scim.remote(house.plain) == known


async def test_what_was_removed_there_is_made_anew(house: House, scim: Writer, server: ScimServer) -> None:
    await scim.done(house.plain)
    (before,) = await scim.links()
    await server.remove("Users", before["scim_id"])
    said = await scim.done(house.plain)
    assert "not there any more" in said
    assert "created" in said
    (after,) = await scim.links()
    assert after["id"] == before["id"]
    assert after["scim_id"] != before["scim_id"]
    assert [one["id"] for one in await server.all("Users")] == [after["scim_id"]]


@pytest.mark.parametrize("mode", ["default", "gitlab"])
async def test_members_of_a_group_are_those_who_are_known_there(
    house: House, scim: Writer, server: ScimServer, mode: str
) -> None:
    """By PUT of the whole group, or by PATCH of what differs."""
    await scim.change(compatibility_mode=mode)
    stranger = await server.put_user("stranger")
    other = await house.person("other")
    unknown = await house.person("unknown")
    team = await group(house, "team", house.plain.pk, unknown.pk)
    await scim.done(house.plain)
    await scim.done(other)

    async def there() -> set[str]:
        (found,) = await server.all("Groups")
        assert found["displayName"] == "team"
        return {one["value"] for one in found.get("members") or []}

    assert "team is created" in await scim.done(team)
    assert await there() == {await scim.remote(house.plain)}
    url = f"{asked.API}/core/groups/{team.pk}/"
    await house.admin.patch(url, {"users": [other.pk, unknown.pk]})
    assert "team is updated" in await scim.done(team)
    assert await there() == {await scim.remote(other)}
    await house.admin.patch(url, {"users": []})
    await scim.done(team)
    assert await there() == set()
    assert stranger in {one["id"] for one in await server.all("Users")}
    (link,) = await scim.links("group")
    assert link["group"] == team.pk


async def test_a_group_that_is_there_is_taken_over_with_its_members(
    house: House, scim: Writer, server: ScimServer
) -> None:
    known = await server.put_group("team", await server.put_user("stranger"))
    await scim.done(house.plain)
    team = await group(house, "team", house.plain.pk)
    assert "team is taken over" in await scim.done(team)
    (there,) = await server.all("Groups")
    assert there["id"] == known
    assert [one["value"] for one in there["members"]] == [await scim.remote(house.plain)]


async def test_a_dry_run_reads_only(house: House, scim: Writer, server: ScimServer) -> None:
    await scim.change(dry_run=True)
    (line,) = await scim.lines(house.plain, override_dry_run=None)
    assert line["event"] == "Dry run: would create plain in the SCIM system."
    assert line["attributes"]["body"]["userName"] == "plain"
    known = await server.put_user("plain")
    (line,) = await scim.lines(house.plain)
    assert (line["event"].split(" in ")[0], line["attributes"]["id"]) == ("Dry run: would take over plain", known)
    assert [one.get("active") for one in await server.all("Users")] == [None]
    assert await scim.links() == []
    assert "taken over" in await scim.done(house.plain, override_dry_run=True)
    (line,) = await scim.lines(house.plain)
    assert "would update" in line["event"]
    await house.put(PolicyBinding(pk=rand.uuid4(), target=scim.application.pk, user=house.superuser.pk, order=0))
    assert "would delete" in await scim.done(house.plain)
    assert len(await scim.links()) == len(await server.all("Users")) == 1


async def test_who_is_out_of_scope_is_not_made_and_goes(house: House, scim: Writer, server: ScimServer) -> None:
    await scim.done(house.plain)
    await house.put(PolicyBinding(pk=rand.uuid4(), target=scim.application.pk, user=house.superuser.pk, order=0))
    other = await house.person("other")
    assert "other may not use Wiki" in await scim.done(other)
    assert [one["userName"] for one in await server.all("Users")] == ["plain"]
    said = await scim.done(house.plain)
    assert "plain may not use Wiki" in said
    assert "removed" in said
    assert await server.all("Users") == []
    assert await scim.links() == []
    assert len(await scim.events("model_deleted", "scimprovideruser")) == 1


async def test_who_is_gone_there_already_is_only_forgotten(house: House, scim: Writer, server: ScimServer) -> None:
    await scim.done(house.plain)
    await server.remove("Users", await scim.remote(house.plain))
    await house.put(PolicyBinding(pk=rand.uuid4(), target=scim.application.pk, user=house.superuser.pk, order=0))
    assert "was not in the SCIM system any more" in await scim.done(house.plain)
    assert await scim.links() == []


async def test_several_at_once_make_one(house: House, scim: Writer, server: ScimServer) -> None:
    said = await asyncio.gather(*(scim.ask(house.plain) for _ in range(6)))
    assert {one.status for one in said} <= {200, 429, 503}
    assert sum("created" in one.text for one in said) == 1
    assert len(await server.all("Users")) == len(await scim.links()) == 1


async def test_one_who_is_somebody_else_there_is_left_alone(house: House, scim: Writer, server: ScimServer) -> None:
    known = await server.put_user("plain")
    other = await house.person("other")
    await asked.made(house, "providers/scim_users", scim_id=known, user=other.pk, provider=scim.pk)
    assert "linked with another user" in await scim.failed(house.plain)
    assert [link["user"] for link in await scim.links()] == [other.pk]
    await asked.made(house, "providers/scim_users", scim_id="two", user=other.pk, provider=scim.pk)
    assert "2 objects" in await scim.failed(other)


async def test_names_with_signs_of_the_filter_are_found_again(house: House, scim: Writer, server: ScimServer) -> None:
    expression = 'return {"userName": request.user.attributes["there"], "active": True}'
    made = await asked.made(house, "propertymappings/provider/scim", expression=expression)
    await scim.change(property_mappings=[made["pk"]])
    names = ['a"b', "a\\b", '" or userName pr or userName eq "', "a b/c?d=e&f#g%20", "ännä", "\\\\\"'", "x\ty", "日本"]
    for at, name in enumerate(names):
        known = await server.put_user(name)
        person = await house.person(f"person{at}", attributes={"there": name})
        assert "taken over" in await scim.done(person), name
        assert await scim.remote(person) == known
    assert len(await server.all("Users")) == len(names)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_filter_finds_one_name_and_no_other(name: str, other: str) -> None:
    """As the foreign library reads it."""
    told = ScimFilter[ScimUser[Any]](filtered("userName", name))
    assert told.match(ScimUser(user_name=name))
    assert told.match(ScimUser(user_name=other)) == (other.lower() == name.lower())


async def test_a_wrong_token_is_told_and_not_shown(house: House, scim: Writer, server: ScimServer) -> None:
    await scim.change(token="a-wrong-token-for-the-server")
    said = await scim.failed(house.plain)
    assert "401" in said
    assert "a-wrong-token" not in said
    assert await scim.links() == []
    assert await server.all("Users") == []
