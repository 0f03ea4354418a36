"""Events become notifications: by the rules, for whom they name, once, and never because of themselves."""

from functools import partial
from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.kinds.changes import Changes
from keystead.notify.dispatch import tell
from keystead.notify.rule import NotificationRule
from keystead.notify.transport import NotificationTransport, TransportModeEnum
from keystead.people.event import EventActions
from keystead.people.group import Group
from keystead.people.user import User
from keystead.policies.binding import PolicyBinding
from keystead.policies.event_matcher import EventMatcherPolicy
from keystead.policies.expression import ExpressionPolicy
from keystead.store import Statement, Write
from tests.client import Client
from tests.house import House

MINE = "/api/v3/events/notifications/"
LOCAL = TransportModeEnum.LOCAL


async def judge(house: House) -> int:
    """Judge what has settled."""
    house.clock.move(seconds=3)
    return await tell(app.ENGINE, house.state)


@pytest.fixture(autouse=True)
async def begun(house: House) -> None:
    """What came with the installation is none of what these tests are about."""
    await judge(house)


async def happens(house: House, action: str, user: User | None = None, **context: object) -> None:
    changes = Changes()
    who = {"pk": user.pk, "username": user.username} if user else {"pk": 0, "username": ""}
    changes.event(house.call, action, "test", context, user=who)
    await house.state.commit(changes, house.call.at)


async def rule(house: House, policy: Any, *modes: TransportModeEnum, **members: Any) -> NotificationRule:  # noqa: ANN401 - a policy of any kind, members of a rule
    transports = [
        NotificationTransport(pk=rand.uuid4(), name=rand.hex128(), mode=mode, webhook_url="https://x.example.org/")
        for mode in modes or (LOCAL,)
    ]
    made = NotificationRule(
        pk=rand.uuid4(),
        name=rand.hex128(),
        transports=tuple(one.pk for one in transports),
        **({"destination_group": house.admins.pk} | members),
    )
    bound = [PolicyBinding(pk=rand.uuid4(), policy=policy.pk, target=made.pk, order=0)] if policy else []
    await house.put(*transports, made, *([policy] if policy else []), *bound)
    return made


def logins() -> EventMatcherPolicy:
    return EventMatcherPolicy(pk=rand.uuid4(), name=rand.hex128(), action=EventActions.LOGIN)


async def bodies(client: Client) -> list[str]:
    return [one["body"] for one in (await client.get(MINE, query={"ordering": "body"})).json["results"]]


async def test_what_a_rule_picks_is_told_once_to_whom_it_names(house: House) -> None:
    await rule(house, logins())
    await happens(house, "login", house.plain, n=1)
    await happens(house, "logout", house.plain)
    assert await tell(app.ENGINE, house.state) == 0, "what is too young may have something older beside it"
    assert await judge(house) == 2
    assert await judge(house) == 0
    assert await bodies(house.admin) == ["login: {'n': 1}"]
    assert await bodies(house.user) == []
    (one,) = (await house.admin.get(MINE)).json["results"]
    assert (one["severity"], one["event"]["action"], one["event"]["user"]["username"]) == ("notice", "login", "plain")


async def test_whoever_did_it_is_told_too(house: House) -> None:
    await rule(house, logins(), destination_group=None, destination_event_user=True)
    gone = await house.person("gone", is_active=False)
    for user in (house.plain, gone, None):
        await happens(house, "login", user)
    await judge(house)
    assert await bodies(house.user) == ["login: {}"]
    assert (await house.admin.get(MINE)).json["pagination"]["count"] == 1


async def test_members_of_groups_below_are_told_and_nobody_twice(house: House) -> None:
    below = Group(pk=rand.uuid4(), name="below", num_pk=70, parents=(house.admins.pk,))
    await house.put(below)
    anna = await house.person("anna", groups=(below.pk, house.admins.pk))
    await house.person("gone", groups=(below.pk,), is_active=False)
    await rule(house, logins(), LOCAL, LOCAL, destination_event_user=True)
    await happens(house, "login", anna)
    await judge(house)
    assert (await house.admin.get(MINE, query={"user": str(anna.pk)})).json["pagination"]["count"] == 1
    assert (await house.admin.get(MINE)).json["pagination"]["count"] == 2


async def test_the_form_that_documented_mappings_read(house: House) -> None:
    """documented-calls.md: the text of a new user begins so, and an expression splits it."""
    model = EventMatcherPolicy(pk=rand.uuid4(), name="created", action=EventActions.MODEL_CREATED)
    await rule(house, model)
    made = await house.admin.post("/api/v3/core/users/", {"username": "anna", "name": "Anna"})
    await judge(house)
    (body,) = await bodies(house.admin)
    assert body.startswith(f"model_created: {{'model': {{'pk': {made.json['pk']}, ")


async def test_a_message_is_told_as_it_is(house: House) -> None:
    await rule(house, logins())
    await happens(house, "login", message="from afar", more=1)
    await judge(house)
    assert await bodies(house.admin) == ["login: from afar"]


async def test_expressions_see_the_event(house: House) -> None:
    source = """
event = context["event"]
return event.action == "login" and event.context["n"] > 1 and request.user.username == "plain"
"""
    await rule(house, ExpressionPolicy(pk=rand.uuid4(), name="e", expression=source.strip()))
    for number in (1, 2):
        await happens(house, "login", house.plain, n=number)
    await judge(house)
    assert await bodies(house.admin) == ["login: {'n': 2}"]


async def test_judging_does_not_cause_itself(house: House) -> None:
    every = EventMatcherPolicy(pk=rand.uuid4(), name="every", execution_logging=True)
    broken = ExpressionPolicy(pk=rand.uuid4(), name="broken", expression="return 1 / 0")
    other = ExpressionPolicy(pk=rand.uuid4(), name="other", expression="return 1 / 0")
    made = await rule(house, every)
    await house.put(broken, other, PolicyBinding(pk=rand.uuid4(), policy=broken.pk, target=made.pk, order=1))
    await happens(house, "login")
    counts = [await judge(house) for _ in range(4)]
    assert counts == [1, 2, 0, 0], "the two events of its own policies are passed over"
    assert len(await bodies(house.admin)) == 1
    await house.admin.post(f"/api/v3/policies/all/{other.pk}/test/", {"user": house.plain.pk})
    await judge(house)
    assert len(await bodies(house.admin)) == 2, "what other policies do is told"


async def test_without_a_policy_or_a_way_nobody_is_told(house: House) -> None:
    await rule(house, None)
    await rule(house, logins(), destination_group=None)
    await happens(house, "login", house.plain)
    assert await judge(house) == 1
    assert (await house.admin.get(MINE)).json["pagination"]["count"] == 0


async def test_once_is_once(house: House) -> None:
    await house.person("anna", groups=(house.admins.pk,))
    once = await rule(house, logins())
    transport = house.state.settings.find("authentik_events.notificationtransport", once.transports[0])
    assert transport is not None
    await house.admin.patch(f"/api/v3/events/transports/{transport[1].pk}/", {"send_once": True})
    await happens(house, "login")
    await judge(house)
    assert (await house.admin.get(MINE)).json["pagination"]["count"] == 1


async def test_many_events_are_judged_in_order(house: House) -> None:
    await rule(house, logins())
    for number in range(205):
        await happens(house, "login", message=f"{number:03}")
    assert await judge(house) == 205
    found = (await house.admin.get(MINE, query={"page_size": "100", "ordering": "body"})).json
    assert found["pagination"]["count"] == 205


async def test_what_stands_behind_a_missing_number_waits_for_it(house: House) -> None:
    await rule(house, logins())
    for number in range(3):
        await happens(house, "login", n=number)
    (row,) = await house.state.store.fetch(Statement("test.last", "SELECT max(position) FROM events"))
    changes = Changes()
    changes.write(Write(Statement("test.lose", "DELETE FROM events WHERE position = $1"), (int(str(row[0])) - 1,)))
    await house.state.commit(changes, house.clock.now())
    assert await judge(house) == 1
    assert await judge(house) == 0
    house.clock.move(seconds=10)
    assert await judge(house) == 1, "what never landed is given up"
    assert await bodies(house.admin) == ["login: {'n': 0}", "login: {'n': 2}"]


def test_the_worker_does_it() -> None:
    assert [one.name for one in app.JOBS][-1] == "notify"
    assert isinstance(app.JOBS[-1].run, partial)


async def test_what_happens_before_a_new_worker_has_looked_is_told_too(house: House) -> None:
    forget = Changes()
    forget.write(Write(Statement("test.forget", "DELETE FROM installation WHERE name = 'notify.position'"), expect=1))
    await house.state.commit(forget, house.call.at)
    await rule(house, logins())
    await happens(house, "login", house.plain)
    assert await judge(house) == 1
    assert len(await bodies(house.admin)) == 1
    assert await judge(house) == 0
