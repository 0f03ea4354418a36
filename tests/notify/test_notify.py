"""Notifications are their owner's; transports go somewhere; rules name whom to tell; a local transport can be tried."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.kinds.changes import Changes
from keystead.notify.notification import Notification, SeverityEnum, told
from keystead.notify.transport import NotificationTransport, TransportModeEnum
from keystead.people.user import User
from tests.house import House

MINE = "/api/v3/events/notifications/"
TRANSPORTS = "/api/v3/events/transports/"
RULES = "/api/v3/events/rules/"


async def tell(house: House, user: User, body: str = "hello", event: str | None = None) -> Notification:
    made = told(house.call, user.pk, SeverityEnum.WARNING, body, event)
    await house.put(made)
    return made


async def test_people_see_and_settle_their_own_and_nobody_elses(house: House) -> None:
    mine, other = await tell(house, house.plain, "mine"), await tell(house, house.superuser, "other")
    (shown,) = (await house.user.get(MINE)).json["results"]
    assert (shown["pk"], shown["body"], shown["severity"], shown["seen"]) == (mine.pk, "mine", "warning", False)
    assert "event" not in shown
    assert (await house.user.get(f"{MINE}{other.pk}/")).status == 404
    assert (await house.user.patch(f"{MINE}{other.pk}/", {"seen": True})).status == 404
    assert (await house.user.delete(f"{MINE}{other.pk}/")).status == 404
    changed = await house.user.patch(f"{MINE}{mine.pk}/", {"seen": True, "body": "forged", "severity": "alert"})
    assert (changed.json["seen"], changed.json["body"], changed.json["severity"]) == (True, "mine", "warning")
    assert (await house.user.delete(f"{MINE}{mine.pk}/")).status == 204
    assert (await house.nobody.get(MINE)).status == 403


async def test_the_event_behind_a_notification_is_shown_while_it_is_kept(house: House) -> None:
    changes = Changes()
    changes.event(house.call, "custom_tea", "test", {"cups": 2})
    await house.state.commit(changes, house.call.at)
    event = str(changes.writes[0].args[0])
    await tell(house, house.plain, "tea", event)
    await tell(house, house.plain, "gone", rand.uuid4())
    shown = {one["body"]: one.get("event") for one in (await house.user.get(MINE)).json["results"]}
    assert shown["tea"]["action"] == "custom_tea"
    assert shown["tea"]["context"] == {"cups": 2}
    assert shown["gone"] is None
    (one,) = (await house.user.get(MINE, query={"event": event})).json["results"]
    assert one["body"] == "tea"


async def test_all_of_ones_own_are_marked_as_seen(house: House) -> None:
    for user in (house.plain, house.plain, house.superuser):
        await tell(house, user)
    assert (await house.user.post(f"{MINE}mark_all_seen/")).status == 204
    assert [one["seen"] for one in (await house.user.get(MINE)).json["results"]] == [True, True]
    unseen = await house.admin.get(MINE, query={"user": str(house.superuser.pk), "seen": "false"})
    assert unseen.json["pagination"]["count"] == 1
    assert (await house.nobody.post(f"{MINE}mark_all_seen/")).status == 403


@pytest.mark.parametrize("link", ["javascript:alert(1)", " JAVASCRIPT:alert(1)", "data:text/html,x", "x"])
async def test_a_link_runs_nothing(house: House, link: str) -> None:
    mine = await tell(house, house.plain)
    assert (await house.user.patch(f"{MINE}{mine.pk}/", {"hyperlink": link})).status == 400
    assert (await house.user.patch(f"{MINE}{mine.pk}/", {"hyperlink": "/if/user/"})).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 201),
        ({"mode": "email"}, 201),
        ({"mode": "webhook", "webhook_url": "https://chat.example.org/hooks/1"}, 201),
        ({"mode": "webhook_slack", "webhook_url": "http://chat.example.org:8080/h"}, 201),
        ({"mode": "webhook"}, 400),
        ({"mode": "webhook_slack", "webhook_url": ""}, 400),
        ({"mode": "webhook", "webhook_url": "chat.example.org"}, 400),
        ({"mode": "webhook", "webhook_url": "file:///etc/passwd"}, 400),
        ({"mode": "webhook", "webhook_url": "https://"}, 400),
        ({"mode": "webhook", "webhook_url": "https://[::1"}, 400),
        ({"mode": "webhook", "webhook_url": "https://host:99999/"}, 400),
        ({"mode": "webhook", "webhook_url": "https://host/a b"}, 400),
        ({"mode": "local", "webhook_url": "nonsense"}, 400),
        ({"mode": "pigeon"}, 400),
    ],
)
async def test_a_webhook_goes_somewhere(house: House, body: dict[str, Any], status: int) -> None:
    answered = await house.admin.post(TRANSPORTS, {"name": "t", **body})
    assert answered.status == status, answered.text
    if status == 201:
        assert answered.json["mode_verbose"]


async def test_a_local_transport_tells_the_one_who_tries_it(house: House) -> None:
    local = NotificationTransport(pk=rand.uuid4(), name="local")
    hook = NotificationTransport(
        pk=rand.uuid4(), name="hook", mode=TransportModeEnum.WEBHOOK, webhook_url="https://x.example.org/"
    )
    await house.put(local, hook)
    tried = await house.admin.post(f"{TRANSPORTS}{local.pk}/test/")
    assert (tried.status, len(tried.json["messages"])) == (200, 1)
    (one,) = (await house.admin.get(MINE)).json["results"]
    assert "local" in one["body"]
    unreached = await house.admin.post(f"{TRANSPORTS}{hook.pk}/test/")
    assert (unreached.status, list(unreached.json)) == (400, ["webhook_url", "code"])
    viewer = await house.client_with("authentik_events.view_notificationtransport")
    assert (await viewer.post(f"{TRANSPORTS}{local.pk}/test/")).status == 403
    assert (await house.user.post(f"{TRANSPORTS}{local.pk}/test/")).status == 404


async def test_a_rule_names_whom_to_tell_and_policies_are_bound_to_it(house: House) -> None:
    transport = NotificationTransport(pk=rand.uuid4(), name="local")
    await house.put(transport)
    body = {"name": "r", "transports": [transport.pk], "destination_group": house.admins.pk, "severity": "alert"}
    rule = (await house.admin.post(RULES, body)).json
    assert rule["destination_group_obj"]["name"] == house.admins.name
    policy = (await house.admin.post("/api/v3/policies/event_matcher/", {"name": "m", "action": "login"})).json
    bound = {"policy": policy["pk"], "target": rule["pk"], "order": 0}
    assert (await house.admin.post("/api/v3/policies/bindings/", bound)).status == 201
    for name, count in ((house.admins.name, 1), ("nobody", 0)):
        found = await house.admin.get(RULES, query={"destination_group__name": name})
        assert found.json["pagination"]["count"] == count
    assert (await house.admin.delete(f"{TRANSPORTS}{transport.pk}/")).status == 204
    assert (await house.admin.get(f"{RULES}{rule['pk']}/")).json["transports"] == []
    assert (await house.admin.delete(f"/api/v3/core/groups/{house.admins.pk}/")).status in {204, 403}


async def test_a_mapping_that_does_not_compile_is_refused(house: House) -> None:
    place = "/api/v3/propertymappings/notification/"
    assert (await house.admin.post(place, {"name": "m", "expression": "return {"})).status == 400
    made = await house.admin.post(place, {"name": "m", "expression": "return {'text': 'hello'}"})
    assert made.status == 201
    tried = await house.admin.post(f"/api/v3/propertymappings/all/{made.json['pk']}/test/", {})
    assert tried.json == {"result": '{"text":"hello"}', "successful": True}
