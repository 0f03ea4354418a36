"""E-mail transports: whom they tell, in which words, once or each, and never about themselves without an end."""

from functools import partial
from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.doors.worker.outbox import deliver_due
from keystead.kinds.changes import Changes
from keystead.notify import mail
from keystead.notify.dispatch import tell
from keystead.notify.notification import SeverityEnum
from keystead.notify.rule import NotificationRule
from keystead.notify.transport import NotificationTransport, TransportModeEnum
from keystead.people.event import EventActions
from keystead.policies.binding import PolicyBinding
from keystead.policies.event_matcher import EventMatcherPolicy
from keystead.store import Statement
from tests.house import House
from tests.notify.conftest import Post, deliver, events, words

TRANSPORTS = "/api/v3/events/transports/"
EMAIL, LOCAL = TransportModeEnum.EMAIL, TransportModeEnum.LOCAL
_WAITING = Statement("test.telling", "SELECT count(*) FROM outbox")


async def judge(house: House) -> int:
    house.clock.move(seconds=3)
    return await tell(app.ENGINE, house.state)


@pytest.fixture(autouse=True)
async def begun(house: House) -> None:
    """What came with the installation is none of what these tests are about."""
    await judge(house)


async def happens(house: House, action: str, **context: object) -> None:
    changes = Changes()
    changes.event(house.call, action, "test", context)
    await house.state.commit(changes, house.call.at)


async def rule(house: House, action: EventActions | None, *ways: NotificationTransport, **members: Any) -> None:  # noqa: ANN401 - members of a rule
    policy = EventMatcherPolicy(pk=rand.uuid4(), name=rand.hex128(), action=action)
    made = NotificationRule(
        pk=rand.uuid4(),
        name=rand.hex128(),
        transports=tuple(one.pk for one in ways),
        severity=SeverityEnum.ALERT,
        **({"destination_group": house.admins.pk} | members),
    )
    bound = PolicyBinding(pk=rand.uuid4(), policy=policy.pk, target=made.pk, order=0)
    await house.put(*ways, made, policy, bound)


def by(mode: TransportModeEnum = EMAIL, **members: Any) -> NotificationTransport:  # noqa: ANN401 - members of a transport
    return NotificationTransport(pk=rand.uuid4(), name=rand.hex128(), mode=mode, **members)


async def waiting(house: House) -> int:
    ((count,),) = await house.state.store.fetch(_WAITING)
    return int(str(count))


async def told_here(house: House) -> int:
    found = await house.admin.get("/api/v3/events/notifications/")
    return int(found.json["pagination"]["count"])


async def test_each_is_mailed_in_the_words_of_the_transport(house: House, post: Post) -> None:
    await house.person("anna", groups=(house.admins.pk,))
    await house.person("mute", groups=(house.admins.pk,), email="")
    await rule(house, EventActions.LOGIN, by(email_subject_prefix="[id] "))
    await happens(house, "login", message="from <afar>\nby night")
    await judge(house)
    assert await told_here(house) == 0, "a mail is no notification on this server"
    assert await deliver(house, post) == 2
    assert sorted(post.rcpts) == ["akadmin@example.org", "anna@example.org"]
    one = next(message for message in post.kept if message["to"] == "anna@example.org")
    assert one["subject"] == "[id] login: from <afar> by night"
    assert "Hello Anna," in words(one)
    assert "Alert" in words(one)
    assert "login: from <afar>" in words(one)


async def test_once_is_once_for_each_way_by_itself(house: House, post: Post) -> None:
    await house.person("anna", groups=(house.admins.pk,))
    await rule(house, EventActions.LOGIN, by(send_once=True), by(LOCAL))
    await happens(house, "login")
    await judge(house)
    assert await deliver(house, post) == 1
    assert await told_here(house) == 2


async def test_a_mail_about_everything_does_not_tell_of_itself(house: House, post: Post) -> None:
    await rule(house, None, by(), by(LOCAL))
    await happens(house, "login")
    assert await judge(house) == 1
    assert await deliver(house, post) == 1
    assert await judge(house) == 1, "the event of the mail that left"
    assert await waiting(house) == 0
    assert await told_here(house) == 2, "on this server even that is told"
    changes = Changes()
    values: dict[str, object] = {"title": "", "user": {"name": "a", "username": "a"}, "url": "", "brand": "b"}
    other = mail.Letter(to=["a@example.org"], subject="s", template="welcome", values=values)
    changes.write(mail.letter(house.state, other, house.clock.now()))
    await house.state.commit(changes, house.clock.now())
    assert await deliver(house, post) == 1
    await judge(house)
    assert await deliver(house, post) == 1, "of letters that tell of no event a mail does tell"


async def test_no_mail_tells_that_mail_does_not_leave(house: House, post: Post) -> None:
    post.refuses = "451 come back later"
    await rule(house, None, by(), by(LOCAL))
    await happens(house, "login")
    await judge(house)
    house.clock.move(hours=25)
    assert await deliver(house, post) == 0
    (given_up,) = await events(house, "system_task_exception")
    assert given_up["context"]["topic"] == mail.TOPIC
    await judge(house)
    assert await waiting(house) == 0
    assert await told_here(house) == 2
    await happens(house, "system_task_exception", message="something else")
    await judge(house)
    assert await waiting(house) == 1


async def test_a_template_that_does_not_fit_is_refused_and_holds_up_nothing(house: House) -> None:
    made = (await house.admin.post(TRANSPORTS, {"name": "m", "mode": "email"})).json
    for template, said in (("no-such", "there are"), ("email/email_otp.html", "token")):
        for answered in (
            await house.admin.post(TRANSPORTS, {"name": "n", "mode": "email", "email_template": template}),
            await house.admin.patch(f"{TRANSPORTS}{made['pk']}/", {"email_template": template}),
        ):
            assert (answered.status, said in answered.json["email_template"][0]) == (400, True)
    kept = by(email_template="email/of-another-release.html")
    await rule(house, EventActions.LOGIN, kept)
    await happens(house, "login")
    await happens(house, "login")
    assert await judge(house) == 3, "the event of the transport above among them"
    assert await waiting(house) == 0
    assert (await house.admin.post(f"{TRANSPORTS}{kept.pk}/test/")).status == 400


async def test_a_trial_goes_to_whoever_asks(house: House, post: Post) -> None:
    way = by()
    await house.put(way)
    tried = await house.admin.post(f"{TRANSPORTS}{way.pk}/test/")
    assert tried.status == 200, tried.text
    assert "akadmin@example.org" in tried.json["messages"][0]
    assert await deliver(house, post) == 1
    assert post.rcpts == ["akadmin@example.org"]
    assert post.kept[0]["subject"] == f"Keystead: Trial of {way.name}."
    viewer = await house.client_with("authentik_events.view_notificationtransport")
    assert (await viewer.post(f"{TRANSPORTS}{way.pk}/test/")).status == 403
    mute = await house.client_of(await house.person("mute", email="", groups=(house.admins.pk,)))
    assert (await mute.post(f"{TRANSPORTS}{way.pk}/test/")).status == 400
    assert await waiting(house) == 0


async def test_the_worker_knows_how_to_deliver_them(house: House, post: Post) -> None:
    await rule(house, EventActions.LOGIN, by())
    await happens(house, "login")
    await judge(house)
    assert await deliver_due(house.state, {}) == 0
    house.clock.move(seconds=10)
    assert await deliver_due(house.state, {mail.TOPIC: partial(mail.deliver, post.server())}) == 1
