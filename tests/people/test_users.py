"""Users: what they must be, how they are found, and what is done to them beside the verbs."""

import asyncio
from typing import Any

import msgspec
import pytest

from keystead.kinds.access import system
from keystead.kinds.changes import Changes
from keystead.people import password, token
from keystead.people.actor import actor_of
from keystead.people.brand import BRAND
from keystead.people.finding import by_identifier, by_pk, by_username, user_by
from keystead.people.user import USER, superusers
from tests.doors.http.signed_in import sign_in
from tests.house import House

USERS = "/api/v3/core/users/"
GROUPS = "/api/v3/core/groups/"


@pytest.mark.parametrize("username", ["a", "a.b@c+d-e_f", "Ünal", "用户", "x" * 150])
async def test_a_username_may_be(house: House, username: str) -> None:
    made = await house.admin.post(USERS, {"username": username, "name": ""})
    assert made.status == 201, made.text
    assert (await by_username(house.state, username)) is not None


@pytest.mark.parametrize(
    "username", ["", "  ", "a b", "a/b", "a'b", "a;b", "a\nb", "a\x00b", "x" * 151, "😀", "a\u200bb"]
)
async def test_a_username_may_not_be(house: House, username: str) -> None:
    answered = await house.admin.post(USERS, {"username": username, "name": ""})
    assert answered.status == 400, answered.text
    assert "username" in answered.json


async def test_usernames_are_unique_as_they_are_written(house: House) -> None:
    for username, status in (("same", 201), ("same", 400), ("SAME", 201)):
        answered = await house.admin.post(USERS, {"username": username, "name": ""})
        assert answered.status == status


@pytest.mark.parametrize("path", ["/a", "a/", "a//b", "/", "", " "])
async def test_a_folder_has_no_empty_parts(house: House, path: str) -> None:
    answered = await house.admin.post(USERS, {"username": "u", "name": "", "path": path})
    assert answered.status == 400
    assert "path" in answered.json


async def test_internal_service_accounts_are_not_made_by_hand(house: House) -> None:
    body = {"username": "u", "name": "", "type": "internal_service_account"}
    assert "type" in (await house.admin.post(USERS, body)).json
    assert "type" in (await house.admin.patch(f"{USERS}{house.plain.pk}/", {"type": body["type"]})).json
    outpost = await house.person("outpost", type=body["type"])
    assert (await house.admin.patch(f"{USERS}{outpost.pk}/", {"name": "renamed"})).status == 200
    assert (await house.admin.put(f"{USERS}{outpost.pk}/", {**body, "username": "outpost"})).status == 200


async def test_a_change_is_dated_and_nothing_else_is(house: House) -> None:
    made = (await house.admin.post(USERS, {"username": "u", "name": ""})).json
    house.clock.move(hours=1)
    same = (await house.admin.patch(f"{USERS}{made['pk']}/", {"name": ""})).json
    assert same["last_updated"] == made["last_updated"]
    changed = (await house.admin.patch(f"{USERS}{made['pk']}/", {"name": "New"})).json
    assert changed["last_updated"] > made["last_updated"]
    for name in ("date_joined", "password_change_date", "uuid", "uid", "last_login"):
        assert changed[name] == made[name]


async def test_somebody_is_found_by_what_identifies_them(house: House) -> None:
    state = house.state
    alice = await house.person("Alice", email="alice@mail.example", attributes={"upn": "alice@corp.example"})
    every = ("username", "email", "upn")
    for value in ("Alice", "alice", "ALICE", "alice@mail.example", "Alice@Mail.Example", "alice@CORP.example"):
        assert await by_identifier(state, every, value) == alice, value
    for value in ("alice@mail", "", " Alice", "%", "a\x00", "Alice@mail.example@"):
        assert await by_identifier(state, every, value) is None, value
    assert await by_identifier(state, ("email",), "Alice") is None
    assert await by_identifier(state, (), "Alice") is None
    assert await by_identifier(state, ("no_such",), "Alice") is None
    assert await by_identifier(state, every, "alice", case_insensitive=False) is None
    assert await by_identifier(state, every, "Alice", case_insensitive=False) == alice


async def test_nobody_locks_somebody_out_by_being_called_the_same_in_capitals(house: House) -> None:
    bob = await house.person("bob")
    shadow = await house.person("BOB", email="other@example.org")
    assert await by_identifier(house.state, ("username", "email"), "bob") == bob
    assert await by_identifier(house.state, ("username", "email"), "BOB") == shadow
    assert await by_identifier(house.state, ("username", "email"), "Bob") is None, "neither, where neither is meant"


async def test_who_is_meant_by_two_names_is_nobody(house: House) -> None:
    await house.person("one", email="shared@example.org")
    await house.person("two", email="shared@example.org")
    await house.person("three@example.org", email="x@example.org")
    await house.person("four", email="three@example.org")
    assert await by_identifier(house.state, ("email",), "shared@example.org") is None
    assert await by_identifier(house.state, ("username", "email"), "three@example.org") is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"username": "deep"}, True),
        ({"username": "Deep"}, False),
        ({"email": "deep@example.org"}, True),
        ({"attributes__team": "red"}, True),
        ({"attributes__a__b": "c"}, True),
        ({"attributes__a__b": "d"}, False),
        ({"username": "deep", "attributes__team": "red"}, True),
        ({"username": "deep", "attributes__team": "blue"}, False),
        ({"attributes__" + "__".join("x" * 2000): "y"}, False),
        ({}, False),
    ],
)
async def test_expressions_find_a_user_by_members(house: House, wanted: dict[str, str], found: bool) -> None:  # noqa: FBT001 - a table's column
    user = await house.person("deep", attributes={"team": "red", "a": {"b": "c"}})
    assert (await user_by(house.state, wanted)) == (user if found else None)
    assert await user_by(house.state, {"pk": str(user.pk)}) == user


@pytest.mark.parametrize(
    "wanted", [{"password": "x"}, {"pk": "x"}, {"pk": "9" * 30}, {"username__startswith": "a"}, {"a": "b"}]
)
async def test_expressions_cannot_ask_for_anything_else(house: House, wanted: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        await user_by(house.state, wanted)


async def test_who_acts_has_every_power_of_their_groups_ancestors_and_roles(house: House) -> None:
    top = (await house.admin.post(GROUPS, {"name": "top", "is_superuser": True})).json
    middle = (await house.admin.post(GROUPS, {"name": "middle", "parents": [top["pk"]]})).json
    low = (await house.admin.post(GROUPS, {"name": "low", "parents": [middle["pk"]]})).json
    person = await house.person("low", groups=(low["pk"],))
    actor = await actor_of(house.state, person.pk, means="token")
    assert actor
    assert actor.is_superuser
    assert actor.groups == {top["pk"], middle["pk"], low["pk"]}
    assert await superusers(house.state, [person.pk, house.plain.pk, house.superuser.pk]) == {
        person.pk,
        house.superuser.pk,
    }
    assert await actor_of(house.state, 987654) is None
    plain = await actor_of(house.state, house.plain.pk)
    assert plain
    assert (plain.is_superuser, plain.permissions, plain.groups) == (False, frozenset(), frozenset())


async def test_me_is_who_asks(house: House) -> None:
    answered = (await house.user.get(f"{USERS}me/")).json
    assert answered["user"]["pk"] == house.plain.pk
    assert answered["user"]["settings"] == {}
    assert answered["users"] == [answered["user"]]
    assert "original" not in answered
    assert answered["user"]["avatar"].startswith("data:image/svg+xml;base64,")
    assert (await house.nobody.get(f"{USERS}me/")).status == 403


async def test_folders_are_told_once_each(house: House) -> None:
    for number, path in enumerate(["users/a", "users/b", "users/a", "Other"]):
        await house.person(f"p{number}", path=path)
    assert (await house.admin.get(f"{USERS}paths/")).json["paths"] == sorted({"users", "users/a", "users/b", "Other"})
    assert (await house.admin.get(f"{USERS}paths/?search=USERS/")).json["paths"] == ["users/a", "users/b"]


async def test_a_password_is_set_and_other_sessions_end(house: House) -> None:
    person = await house.person("eve", groups=(house.admins.pk,))
    here, mine = await sign_in(house, person)
    there, _ = await sign_in(house, person)
    for given in ("", "a\x00", "x" * 1025):
        assert (await house.admin.post(f"{USERS}{person.pk}/set_password/", {"password": given})).status == 400
    house.clock.move(minutes=1)
    csrf = {"x-authentik-csrf": here.cookies["authentik_csrf"]}
    answered = await here.post(f"{USERS}{person.pk}/set_password/", {"password": " Correct Horse "}, headers=csrf)
    assert answered.status == 204, answered.text
    assert (await here.get(f"{USERS}me/")).status == 200, "the one it was set in goes on"
    assert (await there.get(f"{USERS}me/")).status == 403
    left = await by_pk(house.state, person.pk)
    assert left
    assert left.password_change_date == house.clock.now()
    assert await password.verify(left.password, " Correct Horse "), "as it was typed, blanks and all"
    told = (await house.admin.get("/api/v3/events/events/?action=password_set")).json["results"]
    assert [one["context"]["model"]["pk"] for one in told] == [person.pk]
    assert "Correct" not in str(told)
    assert mine.user == person.pk


async def test_a_service_account_comes_with_a_password_shown_once(house: House) -> None:
    body: dict[str, Any] = {"name": "printer", "create_group": True}
    made = await house.admin.post(f"{USERS}service_account/", body)
    assert made.status == 200, made.text
    assert set(made.json) == {"username", "token", "user_uid", "user_pk", "group_pk"}
    user = await by_pk(house.state, made.json["user_pk"])
    assert user
    assert (user.type.value, user.groups) == ("service_account", (made.json["group_pk"],))
    found = await token.by_key(house.state, made.json["token"], house.clock.now())
    assert found
    assert found.identifier == "service-account-printer-password"
    assert found.intent is token.IntentEnum.APP_PASSWORD
    assert found.expires
    assert (found.expires - house.clock.now()).days == 360
    again = await house.admin.post(f"{USERS}service_account/", body)
    assert again.status == 400
    forever = await house.admin.post(f"{USERS}service_account/", {"name": "door", "expiring": False})
    assert "group_pk" not in forever.json
    kept = await token.by_key(house.state, forever.json["token"], house.clock.move(days=4000))
    assert kept
    for bad in ({}, {"name": ""}, {"name": "a b"}, {"name": "x" * 151}, {"name": "n", "expires": "soon"}):
        assert (await house.admin.post(f"{USERS}service_account/", bad)).status == 400, bad
    assert (await house.user.post(f"{USERS}service_account/", {"name": "mine"})).status == 403
    adder = await house.client_with("authentik_core.add_user")
    assert (await adder.post(f"{USERS}service_account/", {"name": "one"})).status == 200
    assert (await adder.post(f"{USERS}service_account/", {"name": "two", "create_group": True})).status == 403


async def test_a_recovery_link_needs_a_flow_and_works_once_it_has_one(house: House) -> None:
    url = f"{USERS}{house.plain.pk}/recovery/"
    refused = await house.admin.post(url, {})
    assert refused.status == 400
    assert "recovery flow" in refused.json["non_field_errors"][0]
    flow = {"name": "r", "title": "r", "slug": "r", "designation": "recovery"}
    pk = (await house.admin.post("/api/v3/flows/instances/", flow)).json["pk"]
    await house.admin.patch(f"/api/v3/{BRAND.path}/{house.brand.brand_uuid}/", {"flow_recovery": pk})
    made = await house.admin.post(url, {"token_duration": "hours=2"})
    assert made.status == 200, made.text
    link = made.json["link"]
    assert link.startswith("http://localhost:9000/recovery/use-token/")
    key = link.rstrip("/").rpartition("/")[2]
    found = await token.by_key(house.state, key, house.clock.now())
    assert found
    assert (found.intent, found.user) == (token.IntentEnum.RECOVERY, house.plain.pk)
    assert await token.by_key(house.state, key, house.clock.move(hours=2)) is None
    assert (await house.admin.post(url, {"token_duration": "2 hours"})).status == 400
    assert key not in (await house.admin.get("/api/v3/events/events/?page_size=100")).text


async def test_a_deleted_user_leaves_nothing_that_counts(house: House) -> None:
    person = await house.person("gone", groups=(house.admins.pk,))
    client = await house.client_of(person)
    browser, _ = await sign_in(house, person)
    assert (await house.admin.delete(f"{USERS}{person.pk}/")).status == 204
    for one in (client, browser):
        assert (await one.get(f"{USERS}me/")).status == 403
    again = await house.admin.post(USERS, {"username": "gone", "name": ""})
    assert again.json["pk"] != person.pk
    assert again.json["uid"] != (await house.admin.get(f"{USERS}?username=akadmin")).json["results"][0]["uid"]


async def test_many_at_once_get_keys_of_their_own(house: House) -> None:
    answers = await asyncio.gather(*(house.admin.post(USERS, {"username": f"u{n}", "name": ""}) for n in range(30)))
    assert len({one.json["pk"] for one in answers}) == 30
    assert len({one.json["uid"] for one in answers}) == 30


async def test_a_user_written_past_the_api_is_told_too(house: House) -> None:
    changes = Changes()
    new = msgspec.structs.replace(house.plain, name="Renamed")
    changes.update(system(house.call, USER, "change"), house.plain, new)
    await house.state.commit(changes, house.call.at)
    told = (await house.admin.get("/api/v3/events/events/?action=model_updated")).json["results"]
    assert told[0]["context"]["diff"]["name"] == {"previous_value": "Plain", "new_value": "Renamed"}
    assert told[0]["user"]["username"] == "system"
