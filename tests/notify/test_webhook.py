"""Webhooks: what a real receiver gets, in which form, from whom it is taken, and that telling of failures ends."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pytest

from keystead import app
from keystead.base import rand
from keystead.base.outbound import Outbound
from keystead.doors.worker.outbox import deliver_due
from keystead.kinds.changes import Changes
from keystead.notify import webhook
from keystead.notify.dispatch import tell
from keystead.notify.mapping import NotificationWebhookMapping
from keystead.notify.notification import SeverityEnum
from keystead.notify.rule import NotificationRule
from keystead.notify.transport import NotificationTransport, TransportModeEnum
from keystead.people.event import EventActions
from keystead.people.lifecycle.rounds import tend
from keystead.people.lifecycle.rule import ContentTypeEnum, LifecycleRule
from keystead.policies.binding import PolicyBinding
from keystead.policies.event_matcher import EventMatcherPolicy
from keystead.policies.event_words import ModelEnum
from keystead.store import Statement
from keystead.trust.keypair import CertificateKeyPair
from tests.house import House
from tests.notify.conftest import events
from tests.strangers import LOCAL, Asked, Authority, answering, listening

HOST: Final = "hooks.example.org"
TRANSPORTS: Final = "/api/v3/events/transports/"
PATH: Final = "/T0/secret-of-the-receiver"
_WAITING: Final = Statement("test.waiting", "SELECT count(*) FROM outbox")
# The mapping of a documented application (documented-calls.md), in words of our own.
MAPPER: Final = """
kind, _, told = request.context["notification"].body.partition(": ")
try:
    pk = int(told.split("'model': {'pk': ")[1].split(",")[0])
except (IndexError, ValueError):
    pk = None
return {"event_type": kind, "pk": pk}
"""


@dataclass
class Receiver:
    """A server that takes webhooks.

    :param status: what it answers.
    """

    url: str = ""
    status: int = 204
    taken: list[Asked] = field(default_factory=list)

    def answers(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        self.taken.append(asked)
        return self.status, {}, b""

    @property
    def bodies(self) -> list[Any]:
        return [msgspec.json.decode(one.body) for one in self.taken]


@pytest.fixture
async def receiver(house: House, authority: Authority) -> AsyncIterator[Receiver]:
    made = Receiver()

    async def resolve(_host: str, _port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(listening(answering(made.answers), authority.serving(HOST)))
        made.url = f"https://{HOST}:{port}{PATH}"
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting(), resolve=resolve)
        yield made


@pytest.fixture(autouse=True)
async def begun(house: House) -> None:
    """What came with the installation is none of what these tests are about."""
    await judge(house)


async def judge(house: House) -> int:
    house.clock.move(seconds=3)
    return await tell(app.ENGINE, house.state)


async def deliver(house: House) -> int:
    return await deliver_due(house.state, {webhook.TOPIC: webhook.deliver})


async def waiting(house: House) -> int:
    ((count,),) = await house.state.store.fetch(_WAITING)
    return int(str(count))


async def happens(house: House, action: str, **context: object) -> None:
    changes = Changes()
    changes.event(house.call, action, "test", context)
    await house.state.commit(changes, house.call.at)


def hook(receiver: Receiver, **members: Any) -> NotificationTransport:  # noqa: ANN401 - members of a transport
    more: dict[str, Any] = {"mode": TransportModeEnum.WEBHOOK, "webhook_url": receiver.url, **members}
    return NotificationTransport(pk=rand.uuid4(), name=rand.hex128(), **more)


async def mapping(house: House, expression: str) -> str:
    made = NotificationWebhookMapping(pk=rand.uuid4(), name="backend-webhook-mapper", expression=expression)
    await house.put(made)
    return made.pk


async def rule(
    house: House,
    way: NotificationTransport,
    *matched: EventMatcherPolicy,
    **members: Any,  # noqa: ANN401 - members of a rule
) -> None:
    more: dict[str, Any] = {"destination_group": house.admins.pk, "severity": SeverityEnum.ALERT, **members}
    made = NotificationRule(pk=rand.uuid4(), name=rand.hex128(), transports=(way.pk,), **more)
    bound = [PolicyBinding(pk=rand.uuid4(), policy=one.pk, target=made.pk, order=0) for one in matched]
    await house.put(way, made, *matched, *bound)


def on(action: EventActions | None, model: ModelEnum | None = None) -> EventMatcherPolicy:
    return EventMatcherPolicy(pk=rand.uuid4(), name=rand.hex128(), action=action, model=model)


async def test_each_reader_by_itself_and_the_form_that_is_documented(house: House, receiver: Receiver) -> None:
    await house.person("anna", groups=(house.admins.pk,))
    await rule(house, hook(receiver), on(EventActions.LOGIN))
    await happens(house, "login", message="from afar")
    assert await judge(house) == 1
    assert await deliver(house) == 2
    assert {one["user_username"] for one in receiver.bodies} == {"akadmin", "anna"}
    one = next(one for one in receiver.bodies if one["user_username"] == "anna")
    assert one == {
        "body": "login: from afar",
        "severity": "alert",
        "user_email": "anna@example.org",
        "user_username": "anna",
        "event_user_email": "",
        "event_user_username": "system",
    }
    asked = receiver.taken[0]
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", PATH, "application/json")
    assert await waiting(house) == 0


async def test_the_documented_application_learns_of_its_users(house: House, receiver: Receiver) -> None:
    way = hook(receiver, send_once=True, webhook_mapping_body=await mapping(house, MAPPER))
    user = ModelEnum("authentik_core.user")
    matched = (on(EventActions.MODEL_CREATED, user), on(EventActions.MODEL_DELETED, user))
    await rule(house, way, *matched, destination_group=None, destination_event_user=True)
    made = await house.admin.post("/api/v3/core/users/", {"username": "newcomer", "name": "New"})
    assert made.status == 201
    assert (await house.admin.delete(f"/api/v3/core/users/{made.json['pk']}/")).status == 204
    await judge(house)
    assert await deliver(house) == 2
    pk = made.json["pk"]
    wanted = [{"event_type": f"model_{what}", "pk": pk} for what in ("created", "deleted")]
    assert sorted(receiver.bodies, key=str) == wanted, "side by side, so in whatever order"


async def test_for_chats(house: House, receiver: Receiver) -> None:
    await rule(house, hook(receiver, mode=TransportModeEnum.WEBHOOK_SLACK, send_once=True), on(EventActions.LOGIN))
    await happens(house, "login", message="from afar")
    await judge(house)
    assert await deliver(house) == 1
    (body,) = receiver.bodies
    (attachment,) = body["attachments"]
    assert (attachment["text"], attachment["fallback"]) == ("login: from afar", "login: from afar")
    assert {"title": "Severity", "value": "alert", "short": True} in attachment["fields"]


async def test_headers_of_a_mapping(house: House, receiver: Receiver) -> None:
    pk = await mapping(
        house, 'return {"Authorization": "Bearer " + request.user.username, "X-Level": notification.severity}'
    )
    way = hook(receiver, webhook_mapping_headers=pk, send_once=True)
    await rule(house, way, on(EventActions.LOGIN))
    await happens(house, "login")
    await judge(house)
    assert await deliver(house) == 1
    headers = receiver.taken[0].headers
    assert (headers["authorization"], headers["x-level"]) == ("Bearer akadmin", "alert")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("return {'host': 'elsewhere'}", "cannot be set: 'host'"),
        ("return {'x y': '1'}", "cannot be set: 'x y'"),
        (r"return {'x': 'a\r\nb: c'}", "a value that stands in no header field"),
        ("return ['x']", "returned a list"),
        ("return 1 / 0", "division"),
    ],
)
async def test_headers_that_are_none(house: House, receiver: Receiver, expression: str, reason: str) -> None:
    way = hook(receiver, webhook_mapping_headers=await mapping(house, expression))
    await house.put(way)
    tried = await house.admin.post(f"{TRANSPORTS}{way.pk}/test/")
    assert tried.status == 400
    (said,) = tried.json["webhook_mapping_headers"]
    assert reason in said
    assert receiver.taken == []


async def test_nothing_is_sent_where_the_mapping_returns_nothing(house: House, receiver: Receiver) -> None:
    way = hook(receiver, webhook_mapping_body=await mapping(house, "return None"))
    await rule(house, way, on(EventActions.LOGIN))
    await happens(house, "login")
    await judge(house)
    assert await waiting(house) == 0
    assert "nothing was sent" in (await house.admin.post(f"{TRANSPORTS}{way.pk}/test/")).json["messages"][0]


async def test_a_mapping_that_fails_is_told_of_and_that_ends(house: House, receiver: Receiver) -> None:
    await rule(house, hook(receiver, webhook_mapping_body=await mapping(house, "return 1 / 0")), on(None))
    await happens(house, "login")
    assert await judge(house) == 1
    assert await judge(house) == 1, "the event of the mapping that failed"
    assert await judge(house) == 0
    (event,) = await events(house, "property_mapping_exception")
    assert "backend-webhook-mapper" in event["context"]["message"]
    assert await waiting(house) == 0


async def test_what_is_not_taken_is_tried_again_and_given_up_in_the_end(house: House, receiver: Receiver) -> None:
    receiver.status = 503
    await rule(house, hook(receiver, send_once=True), on(None))
    await happens(house, "login")
    await judge(house)
    assert (await deliver(house), await waiting(house)) == (0, 1)
    house.clock.move(seconds=11)
    receiver.status = 200
    assert (await deliver(house), await waiting(house), len(receiver.taken)) == (1, 0, 2)
    receiver.status = 410
    await happens(house, "logout")
    await judge(house)
    for _ in range(12):
        await deliver(house)
        house.clock.move(hours=5)
    assert await waiting(house) == 0
    (event,) = await events(house, "system_task_exception")
    assert f"{HOST} answers with status 410" in event["context"]["message"]
    assert "secret-of-the-receiver" not in str(event)
    await judge(house)
    assert await waiting(house) == 0, "a webhook that fails does not tell of itself"


async def test_a_transport_that_is_gone_or_has_changed(house: House, receiver: Receiver) -> None:
    one, other = hook(receiver), hook(receiver)
    await rule(house, one, on(EventActions.LOGIN))
    await rule(house, other, on(EventActions.LOGIN))
    await happens(house, "login")
    await judge(house)
    assert (await house.admin.delete(f"{TRANSPORTS}{one.pk}/")).status == 204
    moved = {"webhook_url": receiver.url.replace(PATH, "/moved")}
    assert (await house.admin.patch(f"{TRANSPORTS}{other.pk}/", moved)).status == 200
    assert await deliver(house) == 2, "one of them to nobody"
    assert [asked.path for asked in receiver.taken] == ["/moved"]


async def test_a_trial_says_what_the_receiver_makes_of_it(house: House, receiver: Receiver) -> None:
    way = hook(receiver)
    await house.put(way)
    tried = await house.admin.post(f"{TRANSPORTS}{way.pk}/test/")
    assert (tried.status, tried.json) == (200, {"messages": ["It is taken, with status 204."]})
    assert receiver.bodies[0]["user_username"] == "akadmin"
    receiver.status = 302
    tried = await house.admin.post(f"{TRANSPORTS}{way.pk}/test/")
    assert (tried.status, tried.json["webhook_url"]) == (400, [f"{HOST} answers with status 302"])


async def test_an_authority_of_its_own(house: House, receiver: Receiver, authority: Authority) -> None:
    """With one, it alone vouches for the receiver; without, the system's do."""
    house.state.outbound = Outbound((LOCAL,), resolve=house.state.outbound._resolve)  # noqa: SLF001 - as before, but for the trust
    pair = CertificateKeyPair(pk=rand.uuid4(), name="ca", certificate_data=authority.pem.strip())
    without, with_it = hook(receiver), hook(receiver, webhook_ca=pair.pk)
    await house.put(pair, without, with_it)
    assert (await house.admin.post(f"{TRANSPORTS}{without.pk}/test/")).status == 400
    assert (await house.admin.post(f"{TRANSPORTS}{with_it.pk}/test/")).status == 200


async def test_reviewers_are_told_by_the_transports_of_their_rule(house: House, receiver: Receiver) -> None:
    way = hook(receiver)
    anna = await house.person("anna")
    made = LifecycleRule(
        id=rand.uuid4(),
        name="yearly",
        content_type=ContentTypeEnum.GROUP,
        object_id=house.admins.pk,
        reviewers=(anna.uuid,),
        reviewer_groups=(house.admins.pk,),
        notification_transports=(way.pk,),
    )
    await house.put(way, made)
    assert await tend(house.state) == 1
    await judge(house)
    assert await deliver(house) == 2
    assert {one["user_username"] for one in receiver.bodies} == {"anna", "akadmin"}
    assert {one["body"] for one in receiver.bodies} == {f"{house.admins.name} is waiting for your review (yearly)."}
    house.clock.move(days=31)
    assert await tend(house.state) == 1
    await judge(house)
    assert await deliver(house) == 2
    assert receiver.bodies[-1]["severity"] == "warning"
    assert "overdue" in receiver.bodies[-1]["body"]
