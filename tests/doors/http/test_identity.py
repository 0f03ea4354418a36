"""Who calls: tokens and sessions that count, those that do not, and requests another site made a browser send."""

from typing import Any

import msgspec
import pytest

from keystead.kinds.access import system
from keystead.kinds.changes import Changes
from keystead.people import token
from keystead.people.finding import by_pk
from keystead.people.group import GROUP
from keystead.people.session import SESSION
from keystead.people.token import IntentEnum
from keystead.people.user import USER, User
from tests.doors.http.signed_in import JAR, sign_in, token_of
from tests.house import House

ME = "/api/v3/core/users/me/"
USERS = "/api/v3/core/users/"


async def key_of(house: House, user: User, **more: Any) -> str:  # noqa: ANN401 - parameters of token.issue
    given = {"intent": IntentEnum.API, "identifier": "made-for-a-test", **more}
    made, key = token.issue(house.state, user=user.pk, **given)
    await house.put(made)
    return key.reveal()


async def change_user(house: House, user: User, **members: Any) -> None:  # noqa: ANN401 - members of a user
    changes = Changes()
    old = await by_pk(house.state, user.pk)
    assert old
    changes.update(system(house.call, USER, "change"), old, msgspec.structs.replace(old, **members))
    await house.state.commit(changes, house.call.at)


async def test_a_token_stands_for_its_user(house: House) -> None:
    for client, user in ((house.admin, house.superuser), (house.user, house.plain)):
        answered = await client.get(ME)
        assert answered.status == 200
        assert answered.json["user"]["username"] == user.username
        assert answered.json["user"]["is_superuser"] == (user is house.superuser)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_known_in_any_case(house: House, scheme: str) -> None:
    answered = await house.nobody.get(ME, headers={"authorization": f"{scheme}   {house.admin.token}  "})
    assert answered.status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer x",
        "Bearer  ",
        "Bearer a.b.c",
        "Bearer " + "x" * 5000,
        "Bearer é",
        "Basic YTpi",
        "Digest x",
        "Token abc",
        "Bearer a b",
    ],
)
async def test_bad_credentials_are_403_and_never_401(house: House, authorization: str) -> None:
    answered = await house.nobody.get(ME, headers={"authorization": authorization})
    assert answered.status == 403
    assert answered.json["detail"]
    assert answered.json["code"] == "not_authenticated"


@pytest.mark.parametrize("authorization", ["", "Bearer", "nonsense"])
async def test_a_header_without_a_blank_is_none(house: House, authorization: str) -> None:
    anonymous = await house.nobody.get(ME)
    answered = await house.nobody.get(ME, headers={"authorization": authorization})
    assert (answered.status, answered.body) == (403, anonymous.body)
    open_to_all = await house.nobody.get("/api/v3/core/brands/current/", headers={"authorization": authorization})
    assert open_to_all.status == 200


async def test_two_authorization_headers_are_no_credentials(house: House) -> None:
    true = f"Bearer {house.admin.token}".encode()
    for pair in ((true, true), (true, b"Bearer x"), (b"", true)):
        answered = await house.nobody.get(ME, raw_headers=[(b"authorization", value) for value in pair])
        assert answered.status == 403


@pytest.mark.parametrize("intent", [one for one in IntentEnum if one is not IntentEnum.API])
async def test_tokens_for_other_uses_are_none_here(house: House, intent: IntentEnum) -> None:
    key = await key_of(house, house.superuser, intent=intent)
    answered = await house.nobody.with_token(key).get(ME)
    assert answered.status == 403
    # Nothing tells a key of the wrong sort from a key that is none.
    assert answered.body == (await house.nobody.with_token("x" * 60).get(ME)).body


async def test_a_token_ends_at_its_instant_whether_or_not_anybody_cleaned_up(house: House) -> None:
    key = await key_of(house, house.superuser, expires=house.clock.move(minutes=5))
    client = house.nobody.with_token(key)
    house.clock.move(minutes=-5)
    assert (await client.get(ME)).status == 200
    house.clock.move(minutes=5, microseconds=-1)
    assert (await client.get(ME)).status == 200
    house.clock.move(microseconds=1)
    assert (await client.get(ME)).status == 403


async def test_a_token_has_the_powers_its_owner_has_now(house: House) -> None:
    person = await house.person("eve", groups=(house.admins.pk,))
    client = await house.client_of(person)
    assert (await client.get(USERS)).json["pagination"]["count"] == 3
    await change_user(house, person, groups=())
    assert (await client.get(USERS)).status == 403
    await change_user(house, person, groups=(house.admins.pk,))
    assert (await client.get(USERS)).status == 200
    await change_user(house, person, is_active=False)
    assert (await client.get(USERS)).status == 403
    assert (await client.get(ME)).status == 403
    await change_user(house, person, is_active=True)
    assert (await client.get(ME)).status == 200
    assert (await house.admin.delete(f"{USERS}{person.pk}/")).status == 204
    assert (await client.get(ME)).status == 403


async def test_the_key_is_kept_as_a_digest_and_sealed(house: House) -> None:
    found = await token.by_key(house.state, house.admin.token, house.clock.now())
    assert found
    assert house.admin.token not in repr(found)


async def test_a_session_stands_for_its_user_and_reading_needs_no_token(house: House) -> None:
    browser, _ = await sign_in(house, house.superuser)
    answered = await browser.get(ME)
    assert answered.json["user"]["username"] == "akadmin"
    assert (await browser.request("HEAD", ME)).status == 200


async def test_what_changes_something_needs_the_token_of_this_session(house: House) -> None:
    browser, _ = await sign_in(house, house.superuser)
    other, _ = await sign_in(house, house.superuser)
    body = {"name": "somebody", "username": "somebody"}
    before = (await browser.get(USERS)).json["pagination"]["count"]
    for headers in (
        {},
        {"x-authentik-csrf": "x"},
        {"x-authentik-csrf": ""},
        {"x-authentik-csrf": "é"},
        token_of(other),
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            url = USERS if method == "POST" else f"{USERS}{house.plain.pk}/"
            answered = await browser.request(method, url, json=body, headers=headers)
            assert answered.status == 403, (method, headers)
            assert answered.json["detail"].startswith("CSRF Failed")
    # The token is not taken from a cookie, a query or a body: only a page of ours can send the header.
    sent = {**body, "csrfmiddlewaretoken": token_of(browser)["x-authentik-csrf"]}
    assert (await browser.post(f"{USERS}?x-authentik-csrf={JAR.csrf('x')}", sent)).status == 403
    assert (await browser.get(USERS)).json["pagination"]["count"] == before
    assert (await browser.post(USERS, body, headers=token_of(browser))).status == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil.example:9000"}, 403),
        ({"origin": "http://localhost@evil.example"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:9000"}, 201),
        ({"sec-fetch-site": "none"}, 201),
        ({"origin": "https://localhost"}, 201),
        ({"origin": "http://LOCALHOST:9443"}, 201),
    ],
)
async def test_what_a_browser_says_comes_from_elsewhere_is_refused_even_with_a_token(
    house: House, headers: dict[str, str], status: int
) -> None:
    browser, _ = await sign_in(house, house.superuser)
    answered = await browser.post(
        USERS, {"name": "x", "username": "somebody"}, headers={**token_of(browser), **headers}
    )
    assert answered.status == status, answered.text


async def test_tokens_need_no_cross_site_token_and_count_before_a_session(house: House) -> None:
    browser, _ = await sign_in(house, house.plain)
    assert (await browser.post(USERS, {"name": "x", "username": "x"}, headers=token_of(browser))).status == 403
    browser.token = house.admin.token
    answered = await browser.post(USERS, {"name": "x", "username": "x"}, headers={"origin": "https://app.example"})
    assert answered.status == 201
    assert (await browser.get(ME)).json["user"]["username"] == "akadmin"
    browser.token = "wrong"
    assert (await browser.get(ME)).status == 403, "bad credentials are not passed over for a cookie"


async def test_a_session_ends_at_its_instant_and_with_its_user(house: House) -> None:
    browser, _ = await sign_in(house, house.superuser, hours=2)
    house.clock.move(hours=2, microseconds=-1)
    assert (await browser.get(ME)).status == 200
    house.clock.move(microseconds=1)
    assert (await browser.get(ME)).status == 403

    person = await house.person("eve")
    theirs, made = await sign_in(house, person)
    assert (await theirs.get(ME)).status == 200
    await change_user(house, person, is_active=False)
    assert (await theirs.get(ME)).status == 403
    await change_user(house, person, is_active=True)
    ended = await house.admin.delete(f"/api/v3/core/authenticated_sessions/{made.uuid}/")
    assert ended.status == 204, ended.text
    assert (await theirs.get(ME)).status == 403


async def test_a_cookie_that_is_not_ours_is_as_none(house: House) -> None:
    browser, _ = await sign_in(house, house.superuser)
    anonymous = await house.nobody.get(ME)
    name, value = next(iter(browser.cookies.items()))
    for other in ("x", value[:-2], value * 40, "", f'"{value}"'):
        browser.cookies[name] = other
        answered = await browser.get(ME)
        assert (answered.status, answered.body) == (403, anonymous.body)
    # A shadow from a sub-domain comes second; the first counts.
    answered = await house.nobody.get(ME, headers={"cookie": f"{name}={value}; {name}=shadow"})
    assert answered.status == 200


async def test_a_group_above_makes_a_superuser_and_takes_it_again(house: House) -> None:
    below = await house.admin.post("/api/v3/core/groups/", {"name": "below", "parents": [house.admins.pk]})
    person = await house.person("eve", groups=(below.json["pk"],))
    client = await house.client_of(person)
    assert (await client.get(USERS)).status == 200
    path = f"/api/v3/{GROUP.path}/{below.json['pk']}/"
    assert (await house.admin.patch(path, {"parents": []})).status == 200
    assert (await client.get(USERS)).status == 403
    assert SESSION.table
