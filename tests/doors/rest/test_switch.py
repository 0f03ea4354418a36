"""Several accounts in one browser: each came in by signing in here, one is in force, and no other session can be."""

from datetime import timedelta
from typing import Any

from keystead.base import rand
from keystead.doors.http.cookies import ACCOUNTS, SESSION
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.stages.identification import IdentificationStage, UserFieldsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.flows.stages.user_login import UserLoginStage
from keystead.flows.stages.user_logout import UserLogoutStage
from keystead.kinds.changes import Changes
from keystead.people import password, session
from keystead.people.user import User
from tests.client import Answered, Client
from tests.doors.http.signed_in import JAR, sign_in, token_of
from tests.house import House

URL = "/api/v3/core/users/switch/"
ME = "/api/v3/core/users/me/"
WORD = "correct horse battery staple"


async def flows(house: House) -> None:
    """A flow to sign in by, and one to sign out by."""
    enter = Flow(pk=rand.uuid4(), name="in", slug="in", title="In", designation=FlowDesignationEnum.AUTHENTICATION)
    leave = Flow(pk=rand.uuid4(), name="out", slug="out", title="Out", designation=FlowDesignationEnum.INVALIDATION)
    entering = UserLoginStage(pk=rand.uuid4(), name="enter")
    who = IdentificationStage(pk=rand.uuid4(), name="who", user_fields=(UserFieldsEnum.USERNAME,))
    secret = PasswordStage(pk=rand.uuid4(), name="secret", backends=(BackendsEnum.INBUILT,))
    gone = UserLogoutStage(pk=rand.uuid4(), name="leave")
    await house.put(enter, leave, who, secret, entering, gone)
    bound = [
        FlowStageBinding(pk=rand.uuid4(), target=enter.pk, stage=pk, order=order)
        for order, pk in enumerate((who.pk, secret.pk, entering.pk))
    ]
    await house.put(*bound, FlowStageBinding(pk=rand.uuid4(), target=leave.pk, stage=gone.pk, order=0))


async def person(house: House, name: str) -> User:
    return await house.person(name, password=await password.hash_password(WORD))


async def posted(browser: Client, body: dict[str, Any], query: str = "") -> Answered:
    return await browser.post(URL + query, body, headers=token_of(browser))


async def names(browser: Client) -> tuple[str, list[str]]:
    """Who is in force, and everybody signed in."""
    told = (await browser.get(ME)).json
    assert [one["is_current"] for one in told["users"]] == [True] + [False] * (len(told["users"]) - 1)
    return told["user"]["username"], [one["username"] for one in told["users"]]


async def added(browser: Client, name: str) -> None:
    """Somebody else signs in beside whoever is."""
    begun = await posted(browser, {"action": "add"}, "?next=/if/user/")
    assert (begun.status, begun.json) == (200, {"redirect": "/if/flow/in/?next=%2Fif%2Fuser%2F"}), begun.text
    at = "/api/v3/flows/executor/in/?query=next%3D%252Fif%252Fuser%252F"
    assert (await browser.get(at)).json["component"] == "ak-stage-identification"
    assert (await browser.post(at, {"uid_field": name})).status == 302
    assert (await browser.post(at, {"password": WORD})).json["to"] == "/if/user/"


async def test_somebody_signs_in_beside_and_either_is_put_in_force(house: House) -> None:
    await flows(house)
    anna, berta = await person(house, "anna"), await person(house, "berta")
    browser, first = await sign_in(house, anna)
    assert await names(browser) == ("anna", ["anna"])
    before = browser.cookies[SESSION]
    await added(browser, "berta")
    assert await names(browser) == ("berta", ["berta", "anna"])
    second = browser.cookies[SESSION]
    house.clock.move(seconds=5)
    back = await posted(browser, {"user_pk": anna.pk}, "?next=/here")
    assert (back.status, back.json) == (200, {"redirect": "/here"})
    assert await names(browser) == ("anna", ["anna", "berta"])
    assert browser.cookies[SESSION] not in {before, second}, "the key is a new one"
    stale = Client(house.app, cookies={SESSION: before})
    assert (await stale.get(ME)).status == 403, "the old key opens nothing"
    mine = (await browser.get("/api/v3/core/authenticated_sessions/")).json["results"]
    assert [(one["uuid"], one["current"]) for one in mine] == [(first.uuid, True)], "applications' tokens live on"
    assert (await posted(browser, {"user_pk": berta.pk})).json == {"redirect": "/if/user/"}
    assert await names(browser) == ("berta", ["berta", "anna"])
    told = (await house.admin.get("/api/v3/events/events/", query={"action": "custom_user_switched"})).json["results"]
    assert len(told) == 2


async def test_no_session_comes_in_force_that_this_browser_does_not_hold(house: House) -> None:
    await flows(house)
    anna, berta = await person(house, "anna"), await person(house, "berta")
    browser, _ = await sign_in(house, anna)
    other, _ = await sign_in(house, berta)
    for pk in (berta.pk, house.superuser.pk, 4711):
        refused = await posted(browser, {"user_pk": pk})
        assert "not signed in" in refused.json["user_pk"][0]
    browser.cookies[ACCOUNTS] = other.cookies[SESSION]
    assert (await posted(browser, {"user_pk": berta.pk})).status == 400
    assert (await posted(browser, {})).status == 400
    assert (await posted(browser, {"user_pk": anna.pk})).status == 200
    assert (await posted(browser, {"user_pk": anna.pk}, "?next=//evil.example")).status == 400
    assert (await browser.post(URL, {"action": "add"})).status == 403, "without the cross-site token"
    assert (await house.admin.post(URL, {"action": "add"})).status == 403
    assert (await house.nobody.post(URL, {"action": "add"})).status == 403


async def test_what_has_ended_falls_out(house: House) -> None:
    await flows(house)
    anna, berta = await person(house, "anna"), await person(house, "berta")
    browser, _ = await sign_in(house, anna)
    await added(browser, "berta")
    changes = Changes()
    changes.write(session.end_all_but(anna.pk, ""))
    await house.state.commit(changes, house.clock.now())
    assert await names(browser) == ("berta", ["berta"])
    assert (await posted(browser, {"user_pk": anna.pk})).status == 400
    assert (await house.admin.patch(f"/api/v3/core/users/{berta.pk}/", {"is_active": False})).status == 200
    assert (await browser.get(ME)).status == 403


async def test_signing_out_ends_them_all(house: House) -> None:
    await flows(house)
    anna, _ = await person(house, "anna"), await person(house, "berta")
    browser, _ = await sign_in(house, anna)
    await added(browser, "berta")
    kept = dict(browser.cookies)
    assert ACCOUNTS in kept
    assert (await browser.get("/if/flow/out/")).status == 302
    assert ACCOUNTS not in browser.cookies
    assert (await browser.get(ME)).status == 403
    thief = Client(house.app, cookies=kept)
    assert (await posted(thief, {"user_pk": anna.pk})).status == 403
    told = (await house.admin.get("/api/v3/events/events/", query={"action": "logout"})).json["results"]
    assert sorted(one["user"]["username"] for one in told) == ["anna", "berta"]


async def test_without_a_flow_nobody_is_added(house: House) -> None:
    browser, _ = await sign_in(house, house.plain)
    refused = await posted(browser, {"action": "add"})
    assert "flow" in refused.json["non_field_errors"][0]
    assert ACCOUNTS not in browser.cookies


async def test_a_browser_holds_a_few(house: House) -> None:
    await flows(house)
    anna = await person(house, "anna")
    browser, _ = await sign_in(house, anna)
    keys = []
    for number in range(5):
        other = await house.person(f"p{number}")
        key = rand.token()
        _, writes = session.start(house.call, other.pk, key, expires=house.clock.now() + timedelta(hours=1), auth={})
        changes = Changes()
        changes.write(*writes)
        await house.state.commit(changes, house.clock.now())
        keys.append(key)
    _, value = JAR.park(keys, secure=False, at=house.clock.now())
    browser.cookies[ACCOUNTS] = value.decode().partition("=")[2].partition(";")[0]
    assert len((await names(browser))[1]) == 6
    refused = await posted(browser, {"action": "add"})
    assert "5 other accounts" in refused.json["action"][0]


async def test_nobody_switches_while_acting_as_somebody_else(house: House) -> None:
    await flows(house)
    browser, _ = await sign_in(house, house.superuser)
    url = f"/api/v3/core/users/{house.plain.pk}/impersonate/"
    assert (await browser.post(url, {"reason": "x"}, headers=token_of(browser))).status == 204
    assert (await posted(browser, {"action": "add"})).status == 403
