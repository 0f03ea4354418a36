"""Events: who may read and report them, how they are summed up, and that nobody edits them (SECURITY AP-17)."""

from datetime import timedelta
from typing import Any

import pytest

from keystead.kinds.changes import Changes
from tests.house import House

EVENTS = "/api/v3/events/events/"


async def tell(house: House, action: str, context: dict[str, object], **more: Any) -> None:  # noqa: ANN401 - parameters of an event
    changes = Changes()
    changes.event(house.call, action, "test", context, **more)
    await house.state.commit(changes, house.call.at)


async def test_nobody_edits_or_removes_an_event(house: House) -> None:
    await tell(house, "login", {})
    (one,) = (await house.admin.get(EVENTS)).json["results"]
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await house.admin.request(method, f"{EVENTS}{one['pk']}/", json={"action": "logout"})).status == 405
    assert (await house.admin.get(f"{EVENTS}{one['pk']}/")).json == one


async def test_a_report_says_who_reports_and_not_what_it_claims(house: House) -> None:
    reporter = await house.client_with("authentik_events.add_event")
    body = {
        "action": "login",
        "app": "outpost",
        "context": {"password": "hunter2", "n": 1},
        "user": {"pk": house.superuser.pk, "username": "akadmin"},
        "client_ip": "10.0.0.1",
        "created": "2000-01-01T00:00:00Z",
        "pk": "00000000-0000-4000-8000-000000000000",
    }
    made = await reporter.post(EVENTS, body)
    assert made.status == 201, made.text
    kept = (await house.admin.get(f"{EVENTS}{made.json['pk']}/")).json
    assert kept["user"]["username"] not in {"akadmin", ""}
    assert kept["client_ip"] == "127.0.0.1"
    assert kept["created"].startswith("2026-09-01T12:00:00")
    assert kept["context"]["n"] == 1
    assert kept["context"]["password"] != "hunter2"
    assert {name: kept[name] for name in made.json if name in kept} == made.json
    assert (await house.user.post(EVENTS, body)).status == 403
    for bad in (
        {},
        {"action": "no such"},
        {"action": "login", "app": ""},
        {"action": "login", "app": "x", "context": []},
    ):
        assert (await reporter.post(EVENTS, bad)).status == 400, bad


async def test_what_anybody_reports_breaks_no_summary(house: House) -> None:
    contexts: list[dict[str, object]] = [
        {"authorized_application": "text"},
        {"authorized_application": ["list"]},
        {"authorized_application": None},
        {"authorized_application": {"pk": "a", "name": "App"}},
        {"model": "text", "device": 5},
        {"deep": {"a\x00b": "\ud800"}},
    ]
    for context in contexts:
        await tell(house, "authorize_application", context)
    top = await house.admin.get(f"{EVENTS}top_per_user/")
    assert top.status == 200
    assert top.json == [{"application": {"pk": "a", "name": "App"}, "counted_events": 1, "unique_users": 0}]
    for query in ("context_model_pk=1", "context_authorized_app=a", "context_device=5", "search=text", "brand_name=x"):
        assert (await house.admin.get(f"{EVENTS}?{query}")).status == 200, query


@pytest.mark.parametrize("key", ["0b6a3c1e-9d55-4c3a-8a53-1b8a1f0c2d3e", "0b6a3c1e9d554c3a8a531b8a1f0c2d3e"])
async def test_the_object_of_an_event_is_found_with_dashes_or_without(house: House, key: str) -> None:
    await tell(house, "custom_x", {"model": {"pk": "0b6a3c1e9d554c3a8a531b8a1f0c2d3e", "app": "a", "model_name": "m"}})
    await tell(house, "custom_x", {"model": {"pk": 7, "app": "a", "model_name": "m"}})
    for query, count in ((f"context_model_pk={key}", 1), ("context_model_pk=7", 1), ("context_model_app=a", 2)):
        assert (await house.admin.get(f"{EVENTS}?{query}")).json["pagination"]["count"] == count, query


async def test_events_are_told_newest_first_in_the_order_they_happened(house: House) -> None:
    for number in range(5):
        await tell(house, "custom_x", {"number": number})
    house.clock.move(seconds=1)
    await tell(house, "custom_x", {"number": 5})
    found = (await house.admin.get(EVENTS)).json["results"]
    assert [one["context"]["number"] for one in found] == [5, 4, 3, 2, 1, 0]
    back = (await house.admin.get(f"{EVENTS}?ordering=created")).json["results"]
    assert sorted(one["context"]["number"] for one in back) == [0, 1, 2, 3, 4, 5]
    assert back[-1]["context"]["number"] == 5


async def test_volume_counts_by_hour_and_action(house: House) -> None:
    begin = house.clock.now()
    for hours, action in ((0, "login"), (0, "login"), (0, "logout"), (1, "login"), (30, "login")):
        house.clock.at = begin + timedelta(hours=hours)
        await tell(house, action, {})
    volume = (await house.admin.get(f"{EVENTS}volume/?action=login")).json
    assert [(one["action"], one["count"]) for one in volume] == [("login", 2), ("login", 1), ("login", 1)]
    assert volume[0]["time"] == "2026-09-01T12:00:00Z"
    assert volume[1]["time"] == "2026-09-01T13:00:00Z"
    day = (await house.admin.get(f"{EVENTS}volume/?action=login&&history_days=1")).json
    assert [one["count"] for one in day] == [1]
    assert len((await house.admin.get(f"{EVENTS}volume/")).json) == 4
    both = (await house.admin.get(f"{EVENTS}volume/?actions=login&actions=logout")).json
    assert sum(one["count"] for one in both) == 5
    month = (await house.admin.get(f"{EVENTS}per_month/?action=login")).json
    assert sum(one["y_cord"] for one in month) == 4
    assert all(one["x_cord"] % 3_600_000 == 0 for one in month)
    for days in ("x", "-1", "9" * 30, "1e9", "nan", ""):
        assert (await house.admin.get(f"{EVENTS}volume/?history_days={days}")).status in {200, 400}, days


async def test_the_applications_used_most_are_told_with_how_many_used_them(house: House) -> None:
    for app, user in (("a", 1), ("a", 2), ("a", 2), ("b", 1)):
        who = {"pk": user, "username": f"u{user}"}
        await tell(house, "authorize_application", {"authorized_application": {"pk": app, "name": app}}, user=who)
    top = (await house.admin.get(f"{EVENTS}top_per_user/?top_n=1")).json
    assert top == [{"application": {"pk": "a", "name": "a"}, "counted_events": 3, "unique_users": 2}]


async def test_every_action_is_told_and_summaries_are_for_those_who_may_see(house: House) -> None:
    actions = (await house.user.get(f"{EVENTS}actions/")).json
    assert {"login", "login_failed", "custom_"} <= {one["component"] for one in actions}
    assert all(one["name"] for one in actions)
    for tail in ("volume/", "per_month/", "top_per_user/"):
        assert (await house.user.get(EVENTS + tail)).status == 403
        assert (await house.nobody.get(EVENTS + tail)).status == 403


async def test_figures_count_events_and_people(house: House) -> None:
    for hours, user in ((30, 1), (2, 1), (1, 2)):
        house.clock.move(hours=-hours)
        await tell(house, "login", {}, user={"pk": user, "username": f"u{user}"})
        house.clock.move(hours=hours)
    await tell(house, "logout", {}, user={"pk": 3, "username": "u3"})
    query = [("action", "login"), ("count_steps", "hours=24"), ("count_steps", "days=2"), ("count_steps", "minutes=1")]
    answered = await house.admin.get(f"{EVENTS}stats/", query=query)
    assert answered.json == {"unique_users": 2, "count_step": {"hours=24": 2, "days=2": 3, "minutes=1": 0}}
    assert (await house.admin.get(f"{EVENTS}stats/")).json == {"unique_users": 3, "count_step": {}}
    far = await house.admin.get(f"{EVENTS}stats/", query={"count_steps": "days=99999999"})
    assert far.json["count_step"] == {"days=99999999": 4}
    for wrong in ([("count_steps", "soon")], [("count_steps", f"days={n}") for n in range(17)]):
        refused = await house.admin.get(f"{EVENTS}stats/", query=wrong)
        assert (refused.status, "count_steps" in refused.json) == (400, True)
    assert (await house.user.get(f"{EVENTS}stats/")).status == 403


async def test_who_asks_for_the_log_to_be_changed_hears_why_not(house: House) -> None:
    await tell(house, "login", {})
    (one,) = (await house.admin.get(EVENTS)).json["results"]
    for method in ("PUT", "PATCH", "DELETE"):
        refused = await house.admin.request(method, f"{EVENTS}{one['pk']}/")
        assert refused.status == 405
        assert "proves nothing" in refused.json["detail"]
        assert (await house.user.request(method, f"{EVENTS}{one['pk']}/")).status == 404
        assert (await house.admin.request(method, f"{EVENTS}00000000-0000-4000-8000-000000000000/")).status == 404
