"""Whom a source's word leads to: those it is connected with, those who match, new ones - and whom it does not."""

import asyncio
from typing import Any

import pytest

from keystead.people.user import User, UserTypeEnum
from keystead.store import Statement
from tests.client import Client
from tests.house import House
from tests.sources.plex_tv import API, CONNECT, Plex, me

PASSWORDS = Statement("test.passwords", "SELECT password FROM users WHERE username = 'p-anna'")
EXECUTOR = f"{API}/flows/executor"


async def refused(plex: Plex, token: str, word: str) -> None:
    before = await plex.connections()
    browser = Client(plex.house.app)
    answered = await plex.redeem(token, browser)
    assert (answered.status, word in answered.json["detail"]) == (403, True), answered.text
    assert await me(browser) == ""
    assert await plex.connections() == before


async def test_who_is_connected_is_who_they_are(house: House, plex: Plex) -> None:
    await plex.source(user_matching_mode="username_link")
    await house.person("anna")
    token = plex.friend()
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    browser = Client(house.app)
    await plex.redeem(token, browser)
    assert await me(browser) == "plain"


async def test_without_a_flow_nobody_comes_in(house: House, plex: Plex) -> None:
    await plex.source(enrollment_flow=None, authentication_flow=None)
    token = plex.friend()
    await refused(plex, token, "makes no new users")
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    await refused(plex, token, "names no flow")


async def test_a_source_that_is_off(house: House, plex: Plex) -> None:
    await plex.source(enabled=False)
    token = plex.friend()
    await refused(plex, token, "at present")
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 403


async def test_who_is_deactivated_stays_so(house: House, plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    await house.user.post(CONNECT, {"plex_token": token})
    await house.admin.patch(f"{API}/core/users/{house.plain.pk}/", {"is_active": False})
    await refused(plex, token, "not active")


@pytest.mark.parametrize("mode", ["email_link", "email_deny", "username_link", "username_deny", "identifier"])
async def test_matching_finds_nobody(house: House, plex: Plex, mode: str) -> None:
    await plex.source(user_matching_mode=mode)
    browser = Client(house.app)
    assert (await plex.redeem(plex.friend(), browser)).status == 200
    assert await me(browser) == "anna"


MATCHES: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "by address": ("email_link", {"email": "anna@example.org"}, {}, ""),
    "by address, in other letters": ("email_link", {"email": "Anna@Example.org"}, {}, ""),
    "by an unconfirmed address": ("email_link", {"email": "anna@example.org"}, {"confirmed": False}, "confirmed"),
    "by an address nobody speaks of": ("email_link", {"email": "anna@example.org"}, {"confirmed": None}, "confirmed"),
    "by no address": ("email_link", {"email": ""}, {"email": None}, "does not tell"),
    "by an address of a machine": (
        "email_link",
        {"email": "anna@example.org", "type": UserTypeEnum.SERVICE_ACCOUNT},
        {},
        "not clear",
    ),
    "denied by address": ("email_deny", {"email": "ANNA@example.org"}, {}, "known here"),
    "denied by an unconfirmed one": ("email_deny", {"email": "anna@example.org"}, {"confirmed": False}, "known here"),
    "by name": ("username_link", {"username": "anna"}, {}, ""),
    "by name, in other letters": ("username_link", {"username": "Anna"}, {}, "not clear"),
    "denied by name": ("username_deny", {"username": "ANNA"}, {}, "known here"),
}


@pytest.mark.parametrize("how", MATCHES)
async def test_matching_finds_somebody(house: House, plex: Plex, how: str) -> None:
    mode, members, told, word = MATCHES[how]
    await plex.source(user_matching_mode=mode)
    user = await house.person(**{"username": "somebody", **members})
    token = plex.friend(**told)
    if word:
        await refused(plex, token, word)
        return
    browser = Client(house.app)
    assert (await plex.redeem(token, browser)).status == 200
    assert await me(browser) == user.username
    assert [one["user"] for one in await plex.connections()] == [user.pk]
    (linked,) = await plex.events("source_linked")
    assert linked["user"]["pk"] == user.pk


async def test_two_with_the_same_address_are_nobody(house: House, plex: Plex) -> None:
    await plex.source(user_matching_mode="email_link")
    for name in ("one", "two"):
        await house.person(name, email="anna@example.org")
    await refused(plex, plex.friend(), "not clear")


async def test_a_deactivated_match(house: House, plex: Plex) -> None:
    await plex.source(user_matching_mode="username_link")
    await house.person("anna", is_active=False)
    await refused(plex, plex.friend(), "not active")


async def test_a_name_that_is_taken_makes_nobody(house: House, plex: Plex) -> None:
    await plex.source()
    await house.person("anna")
    await refused(plex, plex.friend(), "taken")


async def test_policies_are_asked(house: House, plex: Plex) -> None:
    source = await plex.source()
    token = plex.friend()
    words = 'context["prompt_data"]["username"] == "berta" and context["source"].slug == "plex"'
    expression = f'return context["is_sso"] and {words}'
    policy = (await house.admin.post(f"{API}/policies/expression/", {"name": "p", "expression": expression})).json["pk"]
    bound = {"target": source["pk"], "policy": policy, "order": 0}
    assert (await house.admin.post(f"{API}/policies/bindings/", bound)).status == 201
    await refused(plex, token, "may not use")
    assert (await plex.redeem(plex.friend("berta", 8))).status == 200


async def test_what_a_mapping_makes_of_it(house: House, plex: Plex) -> None:
    text = (
        'return {"username": "p-" + info["username"], "password": "secret", "name": properties["name"] + "!",'
        ' "attributes": {"plex": {"id": info["id"], "of": source.slug}, "leak": info.get("authToken")}}'
    )
    mapping = await house.admin.post(f"{API}/propertymappings/source/plex/", {"name": "m", "expression": text})
    await plex.source(user_property_mappings=[mapping.json["pk"]])
    await plex.redeem(plex.friend())
    (kept,) = await plex.connections()
    user = (await house.admin.get(f"{API}/core/users/{kept['user']}/")).json
    assert (user["username"], user["name"]) == ("p-anna", "Anna!")
    assert user["attributes"] == {"plex": {"id": 7, "of": "plex"}, "leak": None}
    assert [row[0] for row in await house.state.store.fetch(PASSWORDS)] == [""]


async def test_an_address_that_a_mapping_made_up_was_confirmed_by_nobody(house: House, plex: Plex) -> None:
    text = {"name": "m", "expression": 'return {"email": "plain@example.org"}'}
    mapping = await house.admin.post(f"{API}/propertymappings/source/plex/", text)
    await plex.source(user_property_mappings=[mapping.json["pk"]], user_matching_mode="email_link")
    await refused(plex, plex.friend(), "not confirmed")


@pytest.mark.parametrize("expression", ["return 1 / 0", "return []"])
async def test_a_mapping_that_fails(house: House, plex: Plex, expression: str) -> None:
    mapping = await house.admin.post(f"{API}/propertymappings/source/plex/", {"name": "m", "expression": expression})
    await plex.source(user_property_mappings=[mapping.json["pk"]])
    await refused(plex, plex.friend(), "cannot be used")
    (told,) = await plex.events("property_mapping_exception")
    assert told["context"]["message"].startswith("m: ")


async def asked_for_a_name(plex: Plex) -> Client:
    """A browser at the default enrollment's question, behind which the user is made."""
    browser = Client(plex.house.app)
    led = await plex.redeem(plex.friend(username=None, title="two words"), browser)
    assert led.json["to"] == "/if/flow/default-source-enrollment/", led.text
    return browser


async def denied(browser: Client, word: str, slug: str = "default-source-enrollment") -> None:
    answered = await browser.post(f"{EXECUTOR}/{slug}/", {"username": "anna"})
    assert answered.status == 200, answered.text
    assert answered.json["component"] == "ak-stage-access-denied"
    assert word in answered.json["error_message"]
    assert await me(browser) == ""


async def test_a_source_that_is_closed_meanwhile(house: House, plex: Plex) -> None:
    await plex.source()
    browser = await asked_for_a_name(plex)
    await plex.change(enabled=False)
    await denied(browser, "does not vouch")
    assert (await house.admin.get(f"{API}/core/users/", query={"username": "anna"})).json["results"] == []


async def test_an_account_that_was_connected_meanwhile(house: House, plex: Plex) -> None:
    await plex.source()
    browser = await asked_for_a_name(plex)
    assert (await house.user.post(CONNECT, {"plex_token": "token-of-anna"})).status == 204
    await denied(browser, "does not vouch")
    assert [one["user"] for one in await plex.connections()] == [house.plain.pk]


async def lasting(house: House, plex: Plex) -> dict[str, Any]:
    """The source; its sign-in asks whether to stay signed in."""
    source = await plex.source()
    (stage,) = (
        await house.admin.get(f"{API}/stages/user_login/", query={"name": "default-source-authentication-login"})
    ).json["results"]
    changed = await house.admin.patch(f"{API}/stages/user_login/{stage['pk']}/", {"remember_me_offset": "days=1"})
    assert changed.status == 200, changed.text
    return source


async def test_a_connection_that_ends_meanwhile(house: House, plex: Plex) -> None:
    await lasting(house, plex)
    token, browser = plex.friend(), Client(house.app)
    await house.user.post(CONNECT, {"plex_token": token})
    led = await plex.redeem(token, browser)
    assert led.json["to"] == "/if/flow/default-source-authentication/"
    (kept,) = await plex.connections()
    await house.admin.delete(f"{API}/sources/user_connections/plex/{kept['pk']}/")
    answered = await browser.post(f"{EXECUTOR}/default-source-authentication/", {"remember_me": False})
    assert answered.json["component"] == "ak-stage-access-denied"
    assert (await me(browser), await plex.connections()) == ("", [])


async def test_nothing_is_kept_of_who_goes_away(house: House, plex: Plex) -> None:
    await lasting(house, plex)
    await plex.change(user_matching_mode="username_link")
    user: User = await house.person("anna")
    browser = Client(house.app)
    await plex.redeem(plex.friend(), browser)
    assert await plex.connections() == []
    done = await browser.post(f"{EXECUTOR}/default-source-authentication/", {"remember_me": True})
    assert done.status in {200, 302}, done.text
    assert await me(browser) == "anna"
    assert [one["user"] for one in await plex.connections()] == [user.pk]


async def test_who_names_somebody_else_in_the_flow_connects_nobody(house: House, plex: Plex) -> None:
    source = await plex.source(user_matching_mode="username_link")
    await house.person("anna")
    flow = source["authentication_flow"]
    who = {"name": "who", "user_fields": ["username"]}
    stage = (await house.admin.post(f"{API}/stages/identification/", who)).json["pk"]
    bound = await house.admin.post(f"{API}/flows/bindings/", {"target": flow, "stage": stage, "order": -1})
    assert bound.status == 201, bound.text
    browser = Client(house.app)
    await plex.redeem(plex.friend(), browser)
    answered = await browser.post(f"{EXECUTOR}/default-source-authentication/", {"uid_field": "plain"})
    assert answered.json["component"] == "ak-stage-access-denied", answered.text
    assert (await me(browser), await plex.connections()) == ("", [])


async def test_who_starts_again_is_vouched_for_by_nobody(house: House, plex: Plex) -> None:
    source = await plex.source()
    bound = await house.admin.get(f"{API}/flows/bindings/", query={"target": source["enrollment_flow"]})
    first = min(bound.json["results"], key=lambda one: one["order"])
    restart = {"invalid_response_action": "restart"}
    assert (await house.admin.patch(f"{API}/flows/bindings/{first['pk']}/", restart)).status == 200
    browser = await asked_for_a_name(plex)
    answered = await browser.post(f"{EXECUTOR}/default-source-enrollment/", {"username": ""})
    assert answered.json["component"] == "ak-stage-access-denied", answered.text


async def test_of_two_who_enrol_at_once_one_does(house: House, plex: Plex) -> None:
    await plex.source()
    browsers = [await asked_for_a_name(plex) for _ in range(2)]
    url = f"{EXECUTOR}/default-source-enrollment/"
    await asyncio.gather(*(one.post(url, {"username": name}) for one, name in zip(browsers, "ab", strict=True)))
    assert sorted([await me(one) for one in browsers]) in (["", "a"], ["", "b"])
    (kept,) = await plex.connections()
    made = (await house.admin.get(f"{API}/core/users/", query={"path": "goauthentik.io/sources/plex"})).json["results"]
    assert [one["pk"] for one in made] == [kept["user"]]


async def test_of_many_redeemed_at_once_all_are_one(plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    answers = await asyncio.gather(*(plex.redeem(token) for _ in range(4)))
    assert {one.status for one in answers} <= {200, 400, 403, 409}
    assert len(await plex.connections()) == len(await plex.events("source_linked")) == 1


async def test_what_cannot_be_a_member_of_a_user_is_none(house: House, plex: Plex) -> None:
    """SECURITY FE-10: profiles are as long and as strange as their owners like."""
    await plex.source()
    browser = Client(house.app)
    wild = {
        "username": "x" * 5000,
        "friendlyName": "<b>" * 5000,
        "email": "no address",
        "thumb": "http://169.254.169.254/",
    }
    led = await plex.redeem(plex.friend("anna", 7, **wild), browser)
    assert led.json["to"] == "/if/flow/default-source-enrollment/"
    assert (await browser.post(f"{EXECUTOR}/default-source-enrollment/", {"username": "anna"})).status == 200
    (kept,) = await plex.connections()
    user = (await house.admin.get(f"{API}/core/users/{kept['user']}/")).json
    assert (user["username"], user["name"], user["email"]) == ("anna", ("<b>" * 5000)[:255], "")
    assert len(plex.asked) == 3
