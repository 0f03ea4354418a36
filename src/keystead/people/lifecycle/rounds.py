"""Rounds of reviews: opened when they are due, overdue when nobody came, over once everybody has looked who had to.

The worker opens the first round over an object as soon as there is a rule, and the next one when the interval is over.
While a round is open there is no other over the same object under the same rule. What each round comes to is an event.
"""

from collections.abc import Sequence
from typing import Final

from keystead.base import duration, rand
from keystead.base.clock import micros
from keystead.base.errors import Problem, denied, invalid
from keystead.kinds import records
from keystead.kinds.access import may, system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import SYSTEM, Actor, Call, Origin
from keystead.kinds.changes import Changes
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.actor import actor_of
from keystead.people.group import GROUP
from keystead.people.installation.settings import event_retention
from keystead.people.lifecycle.iteration import (
    LIFECYCLE_ITERATION,
    OPEN,
    REVIEW,
    LifecycleIteration,
    LifecycleIterationRequest,
    LifecycleIterationStateEnum,
    Review,
    ReviewRequest,
    can_review,
)
from keystead.people.lifecycle.rule import LIFECYCLE_RULE, LifecycleRule, named, people_by_uuid, target_of
from keystead.store import GuardFailed, Statement, Write

BATCH: Final = 200
"""Rounds that one run opens, or looks at; the next run goes on."""
_BUSY: Final = (
    "SELECT t.object_id FROM lifecycle_iterations t WHERE t.rule = $1"
    " AND (t.state IN ('PENDING', 'OVERDUE') OR t.next_review_date > $2)"
)
_NOT_DUE: Final = Statement("lifecycle.not_due", _BUSY)
_DUE_GROUPS: Final = Statement(
    "lifecycle.due_groups",
    f"SELECT g.id FROM groups g WHERE g.id NOT IN ({_BUSY}) ORDER BY g.id LIMIT $3",  # noqa: S608 - a constant
)
_LATE: Final = Statement(
    "lifecycle.late",
    "SELECT id FROM lifecycle_iterations WHERE state = 'PENDING' AND grace_period_end <= $1"
    " ORDER BY opened_on LIMIT $2",
)
_SAID: Final = Statement(
    "lifecycle.said",
    "SELECT t.id FROM lifecycle_iterations t WHERE t.state IN ('PENDING', 'OVERDUE')"
    " AND EXISTS (SELECT 1 FROM lifecycle_reviews r WHERE r.iteration = t.id) ORDER BY t.opened_on LIMIT $1",
)
_OPEN_OBJECTS: Final = Statement(
    "lifecycle.open_objects",
    "SELECT DISTINCT content_type, object_id FROM lifecycle_iterations WHERE state IN ('PENDING', 'OVERDUE')",
)
_CANCEL: Final = Statement(
    "lifecycle.cancel",
    "UPDATE lifecycle_iterations SET state = 'CANCELED' WHERE content_type = $1 AND object_id = $2"
    " AND state IN ('PENDING', 'OVERDUE')",
)
_END: Final = Statement(
    "lifecycle.end", "UPDATE lifecycle_iterations SET state = $2 WHERE id = $1 AND state IN ('PENDING', 'OVERDUE')"
)
_OVERDUE: Final = Statement(
    "lifecycle.overdue", "UPDATE lifecycle_iterations SET state = 'OVERDUE' WHERE id = $1 AND state = 'PENDING'"
)


async def tend(state: State) -> int:
    """Do what is due: cancel, open, complete, remind; how many rounds changed.

    :raises StoreDown: the store does not answer.
    """
    settings = await state.refresh()
    call = Call(SYSTEM, state.clock.now(), settings, origin=Origin(retention=event_retention(settings)))
    changed = await _cancel_gone(call, state)
    for rule in settings.all(LIFECYCLE_RULE):
        changed += len(await open_due(call, state, rule))
    for one in await _rounds(state, _SAID, BATCH):
        changed += await _complete(call, state, one)
    for one in await _rounds(state, _LATE, micros(call.at), BATCH):
        changes = Changes()
        changes.write(Write(_OVERDUE, (one.id,), expect=1, guard="round"))
        await _told(call, state, changes, "review_overdue", one)
        changed += await _landed(call, state, changes)
    return changed


async def _rounds(state: State, statement: Statement, *args: int) -> list[LifecycleIteration]:
    keys = [row[0] for row in await state.store.fetch(statement, *args, heavy=True)]
    return await records.load(state.store, LIFECYCLE_ITERATION, "id", keys) if keys else []


async def _landed(call: Call, state: State, changes: Changes) -> bool:
    """Whether ``changes`` were made; not if somebody else has changed the round meanwhile."""
    try:
        await state.commit(changes, call.at)
    except GuardFailed:
        return False
    return True


async def _told(call: Call, state: State, changes: Changes, action: str, one: LifecycleIteration) -> None:
    """Add the event that tells what a round has come to."""
    rule = call.settings.get(LIFECYCLE_RULE, one.rule)
    context = {
        "object": {"model": one.content_type.value, "pk": one.object_id},
        "object_verbose": await named(call, state, one.content_type, one.object_id),
        "rule": rule.name if rule else "",
    }
    changes.event(call, action, LIFECYCLE_ITERATION.app, context, about=(LIFECYCLE_ITERATION, one))


async def _cancel_gone(call: Call, state: State) -> int:
    """End the rounds over what is not there any more."""
    ended = 0
    for model, key in await state.store.fetch(_OPEN_OBJECTS, heavy=True):
        if await target_of(call, state, str(model), str(key)) is None:
            changes = Changes()
            changes.write(Write(_CANCEL, (str(model), str(key))))
            await state.commit(changes, call.at)
            ended += 1
    return ended


async def open_due(call: Call, state: State, rule: LifecycleRule) -> list[LifecycleIteration]:
    """Open the rounds that are due under ``rule``, at most :data:`BATCH`; those that were."""
    found = []
    for key in await _due(call, state, rule):
        one = LifecycleIteration(
            id=rand.uuid4(),
            rule=rule.id,
            content_type=rule.content_type,
            object_id=key,
            state=LifecycleIterationStateEnum.PENDING,
            opened_on=call.at,
            grace_period_end=call.at + duration.parse(rule.grace_period),
            next_review_date=call.at + duration.parse(rule.interval),
        )
        changes = Changes()
        # On the authority of whoever made the rule, or may open rounds.
        changes.create(system(call, LIFECYCLE_ITERATION, "add"), one, quiet=True)
        await _told(call, state, changes, "review_initiated", one)
        try:
            await state.commit(changes, call.at)
        except Problem:
            continue  # somebody else has opened it
        found.append(one)
    return found


async def _due(call: Call, state: State, rule: LifecycleRule) -> list[str]:
    """The objects over which a round is due."""
    model, at = rule.content_type.value, micros(call.at)
    if rule.object_id is None and model == GROUP.model:
        return [str(row[0]) for row in await state.store.fetch(_DUE_GROUPS, rule.id, at, BATCH, heavy=True)]
    busy = {str(row[0]) for row in await state.store.fetch(_NOT_DUE, rule.id, at, heavy=True)}
    if rule.object_id is None:
        keys = [str(one.pk) for kind in call.settings.kinds(model) for one in call.settings.all(kind)]
    else:
        there = await target_of(call, state, model, rule.object_id)
        keys = [rule.object_id] if there is not None else []
    return [key for key in keys if key not in busy][:BATCH]


def enough(rule: LifecycleRule, known: set[str], said: Sequence[Actor]) -> bool:
    """Whether everybody has looked who had to.

    :param known: uuids of the people there are, of those whom the rule names; nobody waits for who is gone.
    :param said: who has looked.
    """
    if (known & set(rule.reviewers)) - {one.uuid for one in said}:
        return False
    groups = [{one.pk for one in said if pk in one.groups} for pk in rule.reviewer_groups]
    if rule.min_reviewers_is_per_group:
        return bool(said) and all(len(members) >= rule.min_reviewers for members in groups)
    return bool(said) and (not groups or len(set[int]().union(*groups)) >= rule.min_reviewers)


async def _is_enough(state: State, rule: LifecycleRule, reviewers: Sequence[int]) -> bool:
    said = [actor for pk in reviewers if (actor := await actor_of(state, pk)) is not None]
    return enough(rule, set(await people_by_uuid(state, rule.reviewers)), said)


async def _complete(call: Call, state: State, one: LifecycleIteration) -> bool:
    """End a round that everybody has looked at, if nobody noticed: two came last, or the rule asks for fewer now."""
    rule = call.settings.get(LIFECYCLE_RULE, one.rule)
    reviews = await records.load(state.store, REVIEW, "iteration", [one.id])
    if rule is None or not await _is_enough(state, rule, [review.reviewer for review in reviews]):
        return False
    changes = Changes()
    await _ended(call, state, changes, one)
    return await _landed(call, state, changes)


async def _ended(call: Call, state: State, changes: Changes, one: LifecycleIteration) -> None:
    changes.write(Write(_END, (one.id, LifecycleIterationStateEnum.REVIEWED.value), expect=1, guard="round"))
    await _told(call, state, changes, "review_completed", one)


async def open_now(call: Call, state: State, _obj: None, body: LifecycleIterationRequest) -> Answer:
    """Open what is due under the rules for objects of this type, without waiting for the worker; the first of them."""
    found: list[LifecycleIteration] = []
    for rule in call.settings.all(LIFECYCLE_RULE):
        if rule.content_type is body.content_type:
            found += await open_due(call, state, rule)
    if not found:
        text = "No round is due: there is no rule for objects of this type, or each of them is reviewed, or was lately."
        raise invalid({"content_type": [text]})
    return Answer((await render(call, state, LIFECYCLE_ITERATION, found[:1], {}))[0], status=201)


async def attest(call: Call, state: State, _obj: None, body: ReviewRequest) -> Answer:
    """Say that one has looked at what a round is about; the last one who had to ends the round."""
    if call.actor.original is not None:
        raise denied("Be yourself first: nobody reviews in the name of somebody else.")
    one = next(iter(await records.load(state.store, LIFECYCLE_ITERATION, "id", [body.iteration])), None)
    rule = call.settings.get(LIFECYCLE_RULE, one.rule) if one else None
    reviews = await records.load(state.store, REVIEW, "iteration", [body.iteration]) if one else []
    mine = any(review.reviewer == call.actor.pk for review in reviews)
    if one is None or rule is None or not (mine or _concerned(call, rule) or may(call, LIFECYCLE_ITERATION, "view")):
        raise invalid({"iteration": [f'Invalid pk "{body.iteration}" - object does not exist.']})
    if one.state not in OPEN:
        raise invalid({"iteration": ["This round is over."]})
    if mine:
        raise invalid({"iteration": ["You have reviewed this already."]})
    if not can_review(call, rule, one, reviewed=False):
        raise denied("You are none of the reviewers of this rule.")
    made = Review(id=rand.uuid4(), iteration=one.id, reviewer=call.actor.pk, timestamp=call.at, note=body.note)
    changes = Changes()
    # That the caller is a reviewer was looked at above.
    changes.create(system(call, REVIEW, "add"), made, quiet=True)
    await _told(call, state, changes, "review_attested", one)
    if await _is_enough(state, rule, [*(review.reviewer for review in reviews), call.actor.pk]):
        changes.write(Write(_END, (one.id, LifecycleIterationStateEnum.REVIEWED.value), expect=1, guard="row"))
        await _told(call, state, changes, "review_completed", one)
    return Answer((await render(call, state, REVIEW, [made], {}))[0], status=201, changes=changes)


def _concerned(call: Call, rule: LifecycleRule) -> bool:
    return call.actor.uuid in rule.reviewers or bool(call.actor.groups & set(rule.reviewer_groups))


ACTIONS: Final = (
    Action(
        LIFECYCLE_ITERATION,
        "POST",
        "",
        open_now,
        "create",
        permission="add",
        request=LifecycleIterationRequest,
        response=LifecycleIteration,
        status=201,
    ),
    Action(
        REVIEW,
        "POST",
        "",
        attest,
        "create",
        permission="",
        request=ReviewRequest,
        response=Review,
        status=201,
    ),
)
