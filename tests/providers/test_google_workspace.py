"""Google Workspace: users and groups are written to its Directory API."""

from collections.abc import AsyncIterator

import pytest

from keystead.base import rand
from keystead.base.clock import unix
from keystead.base.outbound import Outbound
from keystead.policies.binding import PolicyBinding
from keystead.providers.google_workspace import client
from tests.house import House
from tests.providers import asked
from tests.providers.google import ADMIN, Google
from tests.providers.written import Writer, group, writer
from tests.strangers import LOCAL, Authority, answering, listening

ROOM = "google_workspace"


@pytest.fixture
async def google(house: House, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Google]:
    found = Google(unix(house.clock.at))
    async with listening(answering(found.answer), authority.serving("127.0.0.1")) as port:
        found.port = port
        monkeypatch.setattr(client, "TOKEN_AT", found.token_at)
        monkeypatch.setattr(client, "DIRECTORY_AT", found.directory_at)
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting())
        yield found


@pytest.fixture
async def workspace(house: House, google: Google) -> Writer:
    return await writer(
        house,
        ROOM,
        delegated_subject=ADMIN,
        credentials=google.credentials,
        default_group_email_domain="example.org",
    )


async def test_a_user_is_made_then_changed(house: House, workspace: Writer, google: Google) -> None:
    assert "plain@example.org is created" in await workspace.done(house.plain)
    (there,) = google.users.values()
    assert (there["primaryEmail"], there["suspended"]) == ("plain@example.org", False)
    (claims,) = google.claims
    assert (claims["sub"], claims["iat"]) == (ADMIN, google.at)
    assert "https://www.googleapis.com/auth/admin.directory.user" in claims["scope"].split(" ")
    await house.admin.patch(f"{asked.API}/core/users/{house.plain.pk}/", {"name": "Other Name", "is_active": False})
    await workspace.done(house.plain)
    assert (there["name"]["givenName"], there["suspended"]) == ("Other", True)
    assert len(google.claims) == 1, "the token is kept"
    assert len(google.passwords) == 1
    house.clock.move(hours=2)
    await workspace.done(house.plain)
    assert len(google.claims) == 2
    google.tokens.clear()
    await workspace.done(house.plain)
    assert len(google.claims) == 3
    told = repr(await asked.listed(house.admin, "events/events", page_size="100")) + repr(await workspace.links())
    for secret in ("ya29", google.passwords[0], "PRIVATE KEY"):
        assert secret not in told


async def test_who_is_there_already_is_taken_over(house: House, workspace: Writer, google: Google) -> None:
    google.users["u-9"] = {"id": "u-9", "primaryEmail": "plain@example.org", "name": {}}
    assert "taken over" in await workspace.done(house.plain)
    assert await workspace.remote(house.plain) == "u-9"
    google.users["u-8"] = {"id": "u-8", "primaryEmail": "other@example.org", "name": {}}
    await workspace.change(discovery_enabled=False)
    other = await house.person("other")
    assert "taken over" in await workspace.done(other), "after the conflict"
    del google.users["u-8"]
    said = await workspace.done(other)
    assert "not there any more" in said
    assert len(google.users) == len(await workspace.links()) == 2


async def test_members_come_and_go_and_those_of_others_stay(house: House, workspace: Writer, google: Google) -> None:
    google.page = 2
    people = [house.plain, *[await house.person(name) for name in ("anna", "bert", "cleo", "dora")]]
    for one in people:
        await workspace.done(one)
    team = await group(house, "The Team!", *(one.pk for one in people[:4]))
    assert "the-team@example.org is created" in await workspace.done(team)
    (there,) = google.groups.values()
    members = google.members[there["id"]]
    assert set(members) == {await workspace.remote(one) for one in people[:4]}
    stranger, boss = {"id": "u-s", "primaryEmail": "s@x.org"}, await workspace.remote(people[1])
    google.users["u-s"] = stranger
    members |= {"u-s": "MEMBER", boss: "OWNER"}
    await house.admin.patch(f"{asked.API}/core/groups/{team.pk}/", {"users": [people[4].pk, people[0].pk]})
    assert "1 members came, 2 went" in await workspace.done(team)
    assert set(members) == {"u-s", boss, await workspace.remote(people[4]), await workspace.remote(people[0])}
    google.verbs.clear()
    await workspace.done(team)
    assert [verb for verb in google.verbs if "members" in verb and not verb.startswith("GET")] == []
    del google.users[await workspace.remote(people[2])]
    await house.admin.patch(f"{asked.API}/core/groups/{team.pk}/", {"users": [people[2].pk, people[3].pk]})
    assert "1 members are not in Google Workspace any more" in await workspace.failed(team)
    assert await workspace.remote(people[3]) in members


@pytest.mark.parametrize(
    ("action", "said", "left"),
    [("delete", "removed", None), ("suspend", "suspended", True), ("do_nothing", "stays as it is", False)],
)
async def test_who_leaves_the_scope(
    house: House, workspace: Writer, google: Google, *, action: str, said: str, left: bool | None
) -> None:
    await workspace.change(user_delete_action=action, group_delete_action=action)
    await workspace.done(house.plain)
    team = await group(house, "team", house.plain.pk)
    await workspace.done(team)
    await house.put(PolicyBinding(pk=rand.uuid4(), target=workspace.application.pk, user=house.superuser.pk, order=0))
    await workspace.change(dry_run=True)
    await workspace.done(house.plain)
    assert len(google.users) == 1
    await workspace.change(dry_run=False)
    assert said in await workspace.done(house.plain)
    assert [one["suspended"] for one in google.users.values()] == ([] if left is None else [left])
    assert len(await workspace.links()) == len(google.users)
    assert "is updated" in await workspace.done(team), "groups are not narrowed by who may use the application"


@pytest.mark.parametrize(
    "credentials", [{}, {"client_email": "a"}, {"client_email": "a", "private_key": "b"}, {"private_key": 1}]
)
async def test_a_key_file_that_is_none_is_told(
    house: House, workspace: Writer, google: Google, credentials: dict[str, object]
) -> None:
    await workspace.change(credentials=credentials)
    assert "no key file" in await workspace.failed(house.plain)
    assert google.claims == []
