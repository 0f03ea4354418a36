"""Entra ID: users and groups are written to it through Microsoft Graph."""

from collections.abc import AsyncIterator, Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base import rand
from keystead.base.outbound import Outbound
from keystead.policies.binding import PolicyBinding
from keystead.providers.microsoft_entra import client
from keystead.providers.microsoft_entra.provider import MICROSOFT_ENTRA_PROVIDER
from keystead.providers.outgoing.system import What
from tests.house import House
from tests.providers import asked
from tests.providers.entra import CLIENT, SECRET, TENANT, Entra
from tests.providers.written import Writer, group, writer
from tests.strangers import LOCAL, Authority, answering, listening

ROOM = "microsoft_entra"


@pytest.fixture
async def entra(house: House, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Entra]:
    found = Entra()
    async with listening(answering(found.answer), authority.serving("127.0.0.1")) as port:
        found.port = port
        monkeypatch.setattr(client, "LOGIN_AT", found.login_at)
        monkeypatch.setattr(client, "GRAPH_AT", found.graph_at)
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting())
        yield found


@pytest.fixture
async def tenant(house: House, entra: Entra) -> Writer:  # noqa: ARG001 - it is asked
    return await writer(house, ROOM, client_id=CLIENT, client_secret=SECRET, tenant_id=TENANT)


async def test_a_user_is_made_then_changed(house: House, tenant: Writer, entra: Entra) -> None:
    assert "plain@example.org is created" in await tenant.done(house.plain)
    (there,) = entra.users.values()
    assert (there["userPrincipalName"], there["accountEnabled"]) == ("plain@example.org", True)
    await house.admin.patch(f"{asked.API}/core/users/{house.plain.pk}/", {"name": "Other", "is_active": False})
    await tenant.done(house.plain)
    assert (there["displayName"], there["accountEnabled"]) == ("Other", False)
    (link,) = await tenant.links()
    assert (link["microsoft_id"], link["attributes"]["displayName"]) == (there["id"], "Other")
    assert not [name for name in link["attributes"] if name.startswith("@")]
    assert entra.issued == 1
    house.clock.move(hours=2)
    await tenant.done(house.plain)
    assert entra.issued == 2
    entra.issued += 1
    await tenant.done(house.plain)
    assert entra.issued == 4, "a token that is not accepted is got anew"
    told = repr(await asked.listed(house.admin, "events/events", page_size="100")) + repr(link)
    for secret in ("eyJ.canary", entra.passwords[0], SECRET):
        assert secret not in told


async def test_who_is_there_already_is_taken_over(house: House, tenant: Writer, entra: Entra) -> None:
    entra.users["u-9"] = {"id": "u-9", "userPrincipalName": "Plain@example.org"}
    assert "taken over" in await tenant.done(house.plain)
    entra.users["u-8"] = {"id": "u-8", "userPrincipalName": "o'neill@example.org"}
    await tenant.change(discovery_enabled=False)
    other = await house.person("oneill", email="o'neill@example.org")
    assert "taken over" in await tenant.done(other), "after the conflict"
    assert await tenant.remote(other) == "u-8"
    del entra.users["u-8"]
    assert "not there any more" in await tenant.done(other)
    assert len(entra.users) == len(await tenant.links()) == 2


async def test_members_come_and_go_and_those_of_others_stay(house: House, tenant: Writer, entra: Entra) -> None:
    people = [house.plain, *[await house.person(name) for name in ("anna", "bert", "cleo")]]
    for one in people:
        await tenant.done(one)
    team = await group(house, "team", *(one.pk for one in people[:3]))
    assert "3 members came, 0 went" in await tenant.done(team)
    (there,) = entra.groups.values()
    members = entra.members[there["id"]]
    assert set(members) == {await tenant.remote(one) for one in people[:3]}
    members.append("stranger")
    entra.page = 2
    await house.admin.patch(f"{asked.API}/core/groups/{team.pk}/", {"users": [people[3].pk, people[0].pk]})
    assert "1 members came, 2 went" in await tenant.done(team)
    assert set(members) == {"stranger", await tenant.remote(people[3]), await tenant.remote(people[0])}
    entra.onward = "https://elsewhere.example/v1.0/groups"
    assert "leads elsewhere" in await tenant.failed(team)
    entra.onward, entra.page = "", 100
    entra.groups["second"] = {**there, "id": "second", "mailNickname": "another"}
    await asked.listed(house.admin, "providers/microsoft_entra_groups")
    (link,) = await tenant.links("group")
    assert (await house.admin.delete(f"{asked.API}/providers/{ROOM}_groups/{link['id']}/")).status == 204
    assert "taken over" in await tenant.done(team), "of two of one name that which is ours"
    assert await tenant.remote(team) == there["id"]
    there["mailNickname"] = "changed"
    (link,) = await tenant.links("group")
    await house.admin.delete(f"{asked.API}/providers/{ROOM}_groups/{link['id']}/")
    assert "2 of that name" in await tenant.failed(team)


async def test_a_group_is_kept_though_its_members_are_not_all_written(
    house: House, tenant: Writer, entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time runs out between the group and its members; the next one goes on there."""
    await tenant.done(house.plain)
    team = await group(house, "team", house.plain.pk)
    enlisted = client.Entra.enlisted

    async def late(entra: client.Entra, key: str) -> tuple[Collection[str], Collection[str]]:
        entra._api._until = 0  # noqa: SLF001 - the moment between the two
        return await enlisted(entra, key)

    with monkeypatch.context() as patch:
        patch.setattr(client.Entra, "enlisted", late)
        said = await tenant.failed(team)
    assert "takes longer than 60 seconds" in said
    (link,) = await tenant.links("group")
    assert entra.members == {}
    assert "1 members came" in await tenant.done(team)
    assert entra.members == {link["microsoft_id"]: [await tenant.remote(house.plain)]}
    assert len(entra.groups) == 1


async def test_groups_cannot_be_suspended(house: House, tenant: Writer, entra: Entra) -> None:
    team = await group(house, "team")
    await tenant.done(team)
    provider = house.state.settings.get(MICROSOFT_ENTRA_PROVIDER, tenant.pk)
    assert provider is not None
    opened = client.opened(house.call, house.state, provider)
    assert await opened.suspend(What.GROUP, "groups-0001") is None
    assert not [verb for verb in entra.verbs if verb.startswith("PATCH")]


@pytest.mark.parametrize(("action", "said", "left"), [("delete", "removed", []), ("suspend", "suspended", [False])])
async def test_who_leaves_the_scope(
    house: House, tenant: Writer, entra: Entra, action: str, said: str, left: list[bool]
) -> None:
    await tenant.change(user_delete_action=action)
    await tenant.done(house.plain)
    await house.put(PolicyBinding(pk=rand.uuid4(), target=tenant.application.pk, user=house.superuser.pk, order=0))
    assert said in await tenant.done(house.plain)
    assert [one["accountEnabled"] for one in entra.users.values()] == left
    assert [one["attributes"]["accountEnabled"] for one in await tenant.links()] == left


async def test_secrets_are_not_said_back(house: House, tenant: Writer, entra: Entra) -> None:
    await tenant.change(client_secret="canary-of-a-wrong-secret")
    said = await tenant.failed(house.plain)
    assert said == "Entra ID gives us no token: “Invalid: ********************”."
    await tenant.change(tenant_id="a/b")
    assert "tenant" in await tenant.failed(house.plain)
    assert entra.verbs == []


@given(st.text())
def test_a_filter_holds_one_value(name: str) -> None:
    told = client.filtered("displayName", name)
    assert told.startswith("displayName eq '")
    assert "'" not in told[len("displayName eq '") : -1].replace("''", "")
    assert told[len("displayName eq '") : -1].replace("''", "'") == name
