"""Events to notifications: the worker judges new events by the rules, in order, and tells whom the rules name.

How far it has come is kept beside what it wrote, in the same unit: an event is told once, or, after a crash, still.
Mails and webhooks leave by the outbox.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from keystead.base import log
from keystead.kinds import records
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.ledger import plain_pk
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.notify.notification import SeverityEnum
from keystead.notify.rule import NOTIFICATION_RULE, NotificationRule
from keystead.notify.telling import tell_by, ways
from keystead.people.event import EVENT, Event, EventActions
from keystead.people.finding import by_pk
from keystead.people.lifecycle.rule import LIFECYCLE_RULE, people_by_uuid
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
_BEGIN: Final = Statement("notify.begin", "INSERT INTO installation (name, value) VALUES ($1, '0')")
_MOVE: Final = Statement("notify.move", "UPDATE installation SET value = $2 WHERE name = $1 AND value = $3")
_MEMBERS: Final = Statement(
    "notify.members",
    "WITH RECURSIVE down (id) AS (SELECT id FROM groups WHERE id = $1"
    " UNION SELECT p.group_id FROM group_parents p JOIN down ON p.parent_id = down.id)"
    " SELECT DISTINCT u.id FROM down JOIN group_members m ON m.group_id = down.id JOIN users u ON u.id = m.user_id"
    " WHERE u.is_active ORDER BY u.id",
)
_LOG: Final = log.get("notify")
_OF_REVIEWS: Final = {
    EventActions.REVIEW_INITIATED.value: (SeverityEnum.NOTICE, "is waiting for your review"),
    EventActions.REVIEW_OVERDUE.value: (SeverityEnum.WARNING, "is still waiting for your review, which is overdue"),
}
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


async def _whom(state: State, rule: NotificationRule, event: Event) -> list[User]:
    """Whom a rule tells of an event, in the order of their keys; the one who did it comes last."""
    rows = await state.store.fetch(_MEMBERS, rule.destination_group) if rule.destination_group else []
    keys = [int(cast("int", row[0])) for row in rows]
    if rule.destination_event_user and event.owner and event.owner not in keys:
        user = await by_pk(state, event.owner)
        keys += [user.pk] if user is not None and user.is_active else []
    return await _users(state, keys)


async def _users(state: State, keys: Sequence[int]) -> list[User]:
    """Users by key, each once, in this order."""
    keys = list(dict.fromkeys(keys))
    found = {one.pk: one for one in await records.load(state.store, USER, "id", keys)} if keys else {}
    return [found[pk] for pk in keys if pk in found]


async def judged(engine: Engine, call: Call, state: State, event: Event) -> Changes:
    """The notifications that an event leads to."""
    changes = Changes()
    if _of_a_rule(call.settings, event):
        return changes
    if event.action in _OF_REVIEWS:
        await _reviewers_told(call, state, changes, event)
    for rule in call.settings.all(NOTIFICATION_RULE):
        by = ways(call.settings, rule.transports)
        if not by or not bindings_of(call.settings, rule.pk):
            continue
        user = await by_pk(state, event.owner) if event.owner else None
        context: dict[str, object] = {"event": event_view(event)}
        if (await engine.judge(call, state, rule.pk, user=user, context=context)).passing:
            await tell_by(call, state, changes, by, await _whom(state, rule, event), rule.severity, body(event), event)
    return changes


async def _reviewers_told(call: Call, state: State, changes: Changes, event: Event) -> None:
    """Tell the reviewers of a round that waits for them, by the transports of its rule."""
    rule = next((one for one in call.settings.all(LIFECYCLE_RULE) if one.name == event.context.get("rule")), None)
    by = ways(call.settings, rule.notification_transports) if rule else []
    if rule is None or not by:
        return
    named = [one.pk for one in (await people_by_uuid(state, rule.reviewers)).values() if one.is_active]
    members = [row[0] for pk in rule.reviewer_groups for row in await state.store.fetch(_MEMBERS, pk)]
    whom = await _users(state, [*named, *(int(cast("int", one)) for one in members)])
    severity, words = _OF_REVIEWS[event.action]
    text = f"{event.context.get('object_verbose')} {words} ({rule.name})."
    await tell_by(call, state, changes, by, whom, severity, text, event)


async def tell(engine: Engine, state: State) -> int:
    """Judge the events that nobody has judged yet; how many they were.

    :raises StoreDown: the store does not answer.
    """
    at = state.clock.now()
    row = await state.store.fetch_one(_AT, _MARK)
    if row is None:
        # From the first event on: what happens before a new worker looks around for the first time is told, too.
        begin = Changes()
        begin.write(Write(_BEGIN, (_MARK,)))
        await state.commit(begin, at)
    place, done = int(str(row[0])) if row else 0, 0
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
