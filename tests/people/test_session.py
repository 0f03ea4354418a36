"""Sessions: found by the digest of their key, until their instant; ended one by one, all but one, and many at once."""

from datetime import timedelta

import pytest

from keystead.doors.http.cookies import fresh
from keystead.kinds.changes import Changes
from keystead.people import session
from keystead.people.user import User
from keystead.store import Statement
from tests.doors.http.signed_in import sign_in, token_of
from tests.house import House

SESSIONS = "/api/v3/core/authenticated_sessions/"


async def started(house: House, user: User, **more: timedelta) -> tuple[str, session.Session]:
    sid = fresh()
    call = house.call
    made, writes = session.start(
        call, user.pk, sid, expires=call.at + more.get("life", timedelta(hours=1)), auth={"a": 1}
    )
    changes = Changes()
    changes.write(*writes)
    await house.state.commit(changes, call.at)
    return sid, made


async def test_a_session_is_found_by_its_key_which_is_kept_nowhere(house: House) -> None:
    sid, made = await started(house, house.plain)
    assert await session.find(house.state, sid, house.clock.now()) == made
    for other in ("", "x", sid[:-1], sid + "x", made.digest, made.uuid, "a\x00"):
        assert await session.find(house.state, other, house.clock.now()) is None, other
    rows = await house.state.store.fetch(Statement("test.sessions", "SELECT * FROM sessions"))
    assert sid not in repr(rows)


async def test_it_ends_at_its_instant_and_no_later_than_a_year(house: House) -> None:
    sid, made = await started(house, house.plain, life=timedelta(days=4000))
    assert made.expires == house.clock.now() + session.LONGEST
    assert await session.find(house.state, sid, made.expires - timedelta(microseconds=1)) == made
    assert await session.find(house.state, sid, made.expires) is None


async def test_sessions_end_one_by_one_and_all_but_one(house: House) -> None:
    first, one = await started(house, house.plain)
    second, two = await started(house, house.plain)
    other, _ = await started(house, house.superuser)
    changes = Changes()
    changes.write(session.end_all_but(house.plain.pk, two.uuid))
    await house.state.commit(changes, house.call.at)
    assert await session.find(house.state, first, house.clock.now()) is None
    assert await session.find(house.state, second, house.clock.now()) == two
    assert await session.find(house.state, other, house.clock.now())
    changes = Changes()
    changes.write(session.end(two), session.end(one))
    await house.state.commit(changes, house.call.at)
    assert await session.find(house.state, second, house.clock.now()) is None


async def test_what_has_expired_is_hidden_from_everybody(house: House) -> None:
    browser, made = await sign_in(house, house.superuser, hours=1)
    url = f"{SESSIONS}{made.uuid}/"
    assert (await house.admin.get(url)).status == 200
    house.clock.move(hours=1)
    assert (await house.admin.get(url)).status == 404
    assert (await house.admin.delete(url)).status == 404
    assert (await house.admin.get(SESSIONS)).json["pagination"]["count"] == 0
    assert (await browser.get(SESSIONS)).status == 403


async def test_what_is_shown_of_a_session(house: House) -> None:
    browser, made = await sign_in(house, house.superuser)
    (shown,) = (await browser.get(SESSIONS)).json["results"]
    assert shown["uuid"] == made.uuid
    assert shown["current"] is True
    assert (await house.admin.get(f"{SESSIONS}{made.uuid}/")).json["current"] is False
    assert shown["user_agent"]["user_agent"]["family"] == "Other"
    assert not {"digest", "auth", "created"} & set(shown)
    assert made.digest not in (await browser.get(SESSIONS)).text


async def test_a_session_can_be_ended_and_nothing_else(house: House) -> None:
    browser, made = await sign_in(house, house.superuser)
    url = f"{SESSIONS}{made.uuid}/"
    for method in ("PUT", "PATCH"):
        assert (await house.admin.request(method, url, json={"user": 1})).status == 405
    assert (await house.admin.post(SESSIONS, {})).status == 405
    assert (await browser.delete(url, headers=token_of(browser))).status == 204
    assert (await browser.get("/api/v3/core/users/me/")).status == 403


@pytest.mark.parametrize(
    ("pks", "ended"), [("{a}", 2), ("{a},{b}", 3), ("{a}&user_pks={b}", 3), ("", 0), ("x", 0), ("9" * 40, 0)]
)
async def test_many_end_at_once(house: House, pks: str, ended: int) -> None:
    other = await house.person("other")
    for user in (house.plain, house.plain, other):
        await started(house, user)
    query = pks.format(a=house.plain.pk, b=other.pk)
    assert (await house.user.delete(f"{SESSIONS}bulk_delete/?user_pks={query}")).status == 403
    answered = await house.admin.delete(f"{SESSIONS}bulk_delete/?user_pks={query}")
    if answered.status == 400:
        assert ended == 0
        assert "user_pks" in answered.json
        return
    assert (answered.status, answered.json) == (200, {"deleted": ended})
    assert (await house.admin.get(SESSIONS)).json["pagination"]["count"] == 3 - ended
