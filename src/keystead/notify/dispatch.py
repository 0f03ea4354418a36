"""Events to notifications: the worker judges new events by the rules, in order, and tells whom the rules name.

How far it has come is kept beside what it wrote, in the same unit: an event is told once, or, after a crash, still.
Mails leave by the outbox; webhooks are not sent yet.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from keystead.base import log
from keystead.kinds import outbox, records
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.ledger import plain_pk
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.notify import mail
from keystead.notify.mail import TRANSPORT
from keystead.notify.notification import NOTIFICATION, told
from keystead.notify.rule import NOTIFICATION_RULE, NotificationRule
from keystead.notify.transport import (
    NOTIFICATION_TRANSPORT,
    NotificationTransport,
    Reader,
    TransportModeEnum,
    mailed,
)
from keystead.people.event import EVENT, Event, EventActions
from keystead.people.finding import by_pk
from keystead.people.user import USER, User
from keystead.policies.binding import bindings_of
from keystead.policies.engine import Engine
from keystead.policies.values import event_view
from keystead.store import Statement, Write
from keystead.store.sql import dynamic

SETTLED: Final = timedelta(seconds=2)
"""How old an event is before it is judged."""
MISSING: Final = timedelta(seconds=10)
"""How old an event is before the numbers missing before it are given up: those of events that never landed. PostgreSQL
hands out numbers in another order than the one in which they land."""
_BATCH: Final = 200
_MARK: Final = "notify.position"
_AT: Final = Statement("notify.at", "SELECT value FROM installation WHERE name = $1")
_BEGIN: Final = Statement(
    "notify.begin",
    "INSERT INTO installation (name, value) SELECT $1, CAST(coalesce(max(position), 0) AS TEXT) FROM events",
)
_MOVE: Final = Statement("notify.move", "UPDATE installation SET value = $2 WHERE name = $1 AND value = $3")
_MEMBERS: Final = Statement(
    "notify.members",
    "WITH RECURSIVE down (id) AS (SELECT id FROM groups WHERE id = $1"
    " UNION SELECT p.group_id FROM group_parents p JOIN down ON p.parent_id = down.id)"
    " SELECT DISTINCT u.id FROM down JOIN group_members m ON m.group_id = down.id JOIN users u ON u.id = m.user_id"
    " WHERE u.is_active ORDER BY u.id",
)
_LOG: Final = log.get("notify")
_BUILT: Final = frozenset({TransportModeEnum.LOCAL, TransportModeEnum.EMAIL})
_OWN: Final = frozenset({EventActions.POLICY_EXCEPTION.value, EventActions.POLICY_EXECUTION.value})
"""What the policies bound to rules cause themselves when they are asked."""


def body(event: Event) -> str:
    """What is told of an event: its message, or all that is known of it, in the form that documented mappings read."""
    message = event.context.get("message")
    return f"{event.action}: {message if isinstance(message, str) else event.context}"


def _bound(settings: Snapshot) -> frozenset[object]:
    """The policies that rules ask, as events name them."""

    def build() -> frozenset[object]:
        return frozenset(
            plain_pk(one.policy)
            for rule in settings.all(NOTIFICATION_RULE)
            for one in bindings_of(settings, rule.pk)
            if one.policy
        )

    return settings.memo("notify.bound", build)


def _of_a_rule(settings: Snapshot, event: Event) -> bool:
    """Whether judging events caused it: telling of that would never end."""
    model = event.context.get("model")
    return event.action in _OWN and isinstance(model, dict) and model.get("pk") in _bound(settings)


def _ways(settings: Snapshot, rule: NotificationRule) -> Sequence[NotificationTransport]:
    """The transports of a rule that can tell anybody anything in this version."""
    found = (settings.get(NOTIFICATION_TRANSPORT, pk) for pk in rule.transports)
    return [one for one in found if one is not None and one.mode in _BUILT]


def _of_mail(event: Event) -> bool:
    """Whether a mail about an event left, or some mail never did: telling of that by mail would never end."""
    if event.action == EventActions.EMAIL_SENT:
        return TRANSPORT in event.context
    return event.action == EventActions.SYSTEM_TASK_EXCEPTION and event.context.get(outbox.TOPIC) == mail.TOPIC


async def _whom(state: State, rule: NotificationRule, event: Event) -> list[User]:
    """Whom a rule tells of an event, in the order of their keys; the one who did it comes last."""
    rows = await state.store.fetch(_MEMBERS, rule.destination_group) if rule.destination_group else []
    keys = [int(cast("int", row[0])) for row in rows]
    if rule.destination_event_user and event.owner and event.owner not in keys:
        user = await by_pk(state, event.owner)
        keys += [user.pk] if user is not None and user.is_active else []
    found = {one.pk: one for one in await records.load(state.store, USER, "id", keys)} if keys else {}
    return [found[pk] for pk in keys if pk in found]


async def judged(engine: Engine, call: Call, state: State, event: Event) -> Changes:
    """The notifications that an event leads to."""
    changes = Changes()
    if _of_a_rule(call.settings, event):
        return changes
    for rule in call.settings.all(NOTIFICATION_RULE):
        ways = _ways(call.settings, rule)
        if not ways or not bindings_of(call.settings, rule.pk):
            continue
        user = await by_pk(state, event.owner) if event.owner else None
        context: dict[str, object] = {"event": event_view(event)}
        if not (await engine.judge(call, state, rule.pk, user=user, context=context)).passing:
            continue
        whom = await _whom(state, rule, event)
        local = [one for one in ways if one.mode is TransportModeEnum.LOCAL]
        here = whom if local else []
        for reader in here[:1] if all(one.send_once for one in local) else here:
            # On the authority of whoever wrote the rule.
            one = told(call, reader.pk, rule.severity, body(event), event.pk)
            changes.create(system(call, NOTIFICATION, "add"), one, quiet=True)
        for way in ways if not _of_mail(event) else []:
            if way.mode is TransportModeEnum.EMAIL:
                changes.write(*_letters(call, state, way, rule, event, whom))
    return changes


def _letters(
    call: Call, state: State, way: NotificationTransport, rule: NotificationRule, event: Event, whom: Sequence[User]
) -> list[Write]:
    """The mails that tell of an event by one transport; who has no address gets none."""
    readers = [Reader(one.email, one.name, one.username) for one in whom if one.email]
    text = body(event)
    try:
        return [
            mail.letter(state, mailed(call, way, reader, rule.severity, text), call.at)
            for reader in (readers[:1] if way.send_once else readers)
        ]
    except mail.TemplateError as exc:
        # An event that told of this would be told of in the same way.
        _LOG.warning("a notification cannot be mailed", transport=way.name, reason=str(exc))
        return []


async def tell(engine: Engine, state: State) -> int:
    """Judge the events that nobody has judged yet; how many they were.

    :raises StoreDown: the store does not answer.
    """
    at = state.clock.now()
    row = await state.store.fetch_one(_AT, _MARK)
    if row is None:
        begin = Changes()
        begin.write(Write(_BEGIN, (_MARK,)))
        await state.commit(begin, at)
        return 0
    place, done = int(str(row[0])), 0
    while events := await _following(state, place, at):
        for event in events:
            call = Call(SYSTEM, at, await state.refresh(), peer=event.client_ip or "")
            changes = await judged(engine, call, state, event)
            changes.write(Write(_MOVE, (_MARK, str(event.position), str(place)), expect=1, guard="notify"))
            await state.commit(changes, at)
            place, done = event.position, done + 1
    return done


async def _following(state: State, place: int, at: datetime) -> list[Event]:
    """Events from a place on, in order, up to the first before which another one may still land."""
    text = f"SELECT {records.columns(EVENT)} FROM events t WHERE t.position > $1 ORDER BY t.position LIMIT $2"  # noqa: S608 - declared names
    found: list[Event] = []
    for row in await state.store.fetch(dynamic(text), place, _BATCH):
        event = records.from_row(EVENT, row)
        if event.created > at - (SETTLED if event.position == place + 1 else MISSING):
            break
        found.append(event)
        place = event.position
    return found
