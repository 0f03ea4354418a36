"""Acting as somebody else: who may, whom, how it ends, and what events tell of it."""

from datetime import timedelta

import pytest

from keystead.doors.http.cookies import CSRF, SESSION, Jar
from keystead.kinds.changes import Changes
from keystead.people.session import start
from keystead.people.user import User
from tests.client import Client
from tests.house import VAULT, House

USERS, ME = "/api/v3/core/users/", "/api/v3/core/users/me/"
END = f"{USERS}impersonate_end/"
REASON = {"reason": "They cannot find the button."}


async def browser(house: House, user: User) -> Client:
    """A browser in which ``user`` is signed in."""
    call, sid, jar = house.call, f"session key of {user.username}", Jar.of(VAULT)
    _, writes = start(call, user.pk, sid, expires=call.at + timedelta(hours=8), auth={"method": "password"})
    changes = Changes()
    changes.write(*writes)
    await house.state.commit(changes, call.at)
    cookies = dict(
        line.partition(b";")[0].decode().split("=", 1)
        for _, line in jar.make(sid, secure=False, at=call.at, subject=user.uuid)
    )
    assert set(cookies) == {SESSION, CSRF}
    return Client(house.app, headers={"x-authentik-csrf": cookies[CSRF]}, cookies=cookies)


async def test_who_may_acts_as_somebody_until_they_stop(house: House) -> None:
    admin = await browser(house, house.superuser)
    assert (await admin.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)).status == 204
    me = (await admin.get(ME)).json
    assert (me["user"]["username"], me["original"]["username"]) == ("plain", "akadmin")
    assert me["user"]["is_superuser"] is False
    assert me["original"]["is_superuser"] is True
    assert (await admin.get(USERS)).status == 403, "what the other user may not do cannot be done"
    assert (await admin.post("/api/v3/core/tokens/", {"identifier": "mine"})).status == 201
    assert (await admin.get(END)).status == 204
    me = (await admin.get(ME)).json
    assert me["user"]["username"] == "akadmin"
    assert "original" not in me
    assert (await admin.get(END)).status == 204, "again is no fault"
    events = {one["action"]: one for one in (await admin.get("/api/v3/events/events/")).json["results"]}
    for action in ("impersonation_started", "impersonation_ended"):
        assert events[action]["user"]["username"] == "akadmin"
        assert events[action]["context"]["model"]["name"] == "Plain"
    assert events["impersonation_started"]["context"]["reason"] == REASON["reason"]
    made = events["model_created"]["user"]
    assert (made["username"], made["on_behalf_of"]["username"]) == ("akadmin", "plain")


async def test_the_portal_shows_who_acts_and_stops_it(house: House) -> None:
    admin = await browser(house, house.superuser)
    assert b"again" not in (await admin.get("/if/user/")).body
    await admin.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)
    assert b"Be akadmin again" in (await admin.get("/if/user/")).body
    stop = "/-/impersonation/end"
    assert (await admin.post(stop, form={"_csrf": "wrong"})).status == 403
    stopped = await admin.post(stop, form={"_csrf": admin.cookies[CSRF]})
    assert (stopped.status, stopped.header("location")) == (302, "/if/user/")
    assert (await admin.get(ME)).json["user"]["username"] == "akadmin"


async def test_who_may_not(house: House) -> None:
    one = f"{USERS}{house.superuser.pk}/impersonate/"
    plain = await browser(house, house.plain)
    assert (await plain.post(one, REASON)).status == 404
    assert (await house.admin.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)).status == 403, "no browser"
    assert (await house.nobody.post(one, REASON)).status == 403
    helper = await house.client_with("authentik_core.impersonate", "authentik_core.view_user")
    told = await helper.post(one, REASON)
    assert told.status == 403
    assert "powers" in told.json["detail"], "nobody becomes somebody stronger"


async def test_what_is_refused(house: House) -> None:
    admin = await browser(house, house.superuser)
    gone = await house.person("gone", is_active=False)
    assert (await admin.post(f"{USERS}{gone.pk}/impersonate/", REASON)).status == 400
    assert (await admin.post(f"{USERS}{house.superuser.pk}/impersonate/", REASON)).status == 400
    one = f"{USERS}{house.plain.pk}/impersonate/"
    assert "reason" in (await admin.post(one, {})).json
    assert "reason" in (await admin.post(one, {"reason": " "})).json
    await admin.patch("/api/v3/admin/settings/", {"impersonation_require_reason": False})
    assert (await admin.post(one, {"reason": ""})).status == 204
    second = await house.person("second")
    assert (await admin.post(f"{USERS}{second.pk}/impersonate/", REASON)).status == 404, "plain sees nobody"


async def test_the_switch_ends_it_at_once(house: House) -> None:
    admin = await browser(house, house.superuser)
    assert "can_impersonate" in (await house.nobody.get("/api/v3/root/config/")).json["capabilities"]
    await admin.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)
    await house.admin.patch("/api/v3/admin/settings/", {"impersonation": False})
    assert (await admin.get(ME)).status == 403
    assert "can_impersonate" not in (await house.nobody.get("/api/v3/root/config/")).json["capabilities"]
    other = await browser(house, await house.person("boss", groups=(house.admins.pk,)))
    assert (await other.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)).status == 403


@pytest.mark.parametrize("way", ["deactivated", "removed"])
async def test_it_ends_with_whoever_sits_behind_it(house: House, way: str) -> None:
    boss = await house.person("boss", groups=(house.admins.pk,))
    acting = await browser(house, boss)
    assert (await acting.post(f"{USERS}{house.plain.pk}/impersonate/", REASON)).status == 204
    one = f"{USERS}{boss.pk}/"
    await (house.admin.delete(one) if way == "removed" else house.admin.patch(one, {"is_active": False}))
    assert (await acting.get(ME)).status == 403
