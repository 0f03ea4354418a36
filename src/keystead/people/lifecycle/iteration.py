"""LifecycleIteration and Review: one round of looking at something, and what each reviewer said."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.kinds import records
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import READ_ONLY, Column, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.lifecycle.rule import LIFECYCLE_RULE, ContentTypeEnum, LifecycleRule, named, people_by_uuid
from keystead.people.shown import PartialGroup, PartialUser, gone, partial_groups, partial_users
from keystead.store import Statement


class LifecycleIterationStateEnum(enum.StrEnum):
    """How a round stands."""

    REVIEWED = "REVIEWED"
    PENDING = "PENDING"
    OVERDUE = "OVERDUE"
    CANCELED = "CANCELED"


OPEN: Final = (LifecycleIterationStateEnum.PENDING, LifecycleIterationStateEnum.OVERDUE)
"""How a round stands that waits for reviewers."""


class LifecycleIteration(msgspec.Struct, frozen=True, kw_only=True):
    """One round of looking at one object."""

    id: Annotated[Uuid, READ_ONLY]
    rule: Annotated[Uuid, READ_ONLY, Ref("authentik_lifecycle.lifecyclerule", OnDelete.CASCADE)]
    content_type: ContentTypeEnum
    object_id: Annotated[str, READ_ONLY]
    state: Annotated[LifecycleIterationStateEnum, READ_ONLY]
    opened_on: Annotated[datetime, READ_ONLY]
    grace_period_end: Annotated[datetime, READ_ONLY]
    next_review_date: Annotated[datetime, READ_ONLY]


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What one reviewer said."""

    id: Annotated[Uuid, READ_ONLY]
    iteration: Annotated[Uuid, Ref("authentik_lifecycle.lifecycleiteration")]
    reviewer: Annotated[int, READ_ONLY, Ref("authentik_core.user")]
    timestamp: Annotated[datetime, READ_ONLY, Column("at")]
    note: Text | None = None


class ReviewShown(msgspec.Struct):
    """The computed member: the reviewer in short."""

    reviewer: PartialUser


class RelatedRule(msgspec.Struct):
    """The rule behind a round, in short."""

    name: str
    reviewer_groups: list[PartialGroup]
    min_reviewers: int
    reviewers: list[PartialUser]
    id: Uuid = ""


class LifecycleIterationShown(msgspec.Struct):
    """The computed members of a round."""

    object_verbose: str
    object_admin_url: str
    reviews: list[Annotated[dict[str, object], msgspec.Meta(title="Review")]]
    rule: RelatedRule
    user_can_review: bool


class LifecycleIterationRequest(msgspec.Struct):
    """What to open a round for."""

    content_type: ContentTypeEnum


class ReviewRequest(msgspec.Struct):
    """What one says about a round."""

    iteration: Uuid
    note: Text | None = None


class PaginatedLifecycleIterationList(msgspec.Struct):
    """A page of rounds."""

    pagination: Annotated[dict[str, object], msgspec.Meta(title="Pagination")]
    results: list[LifecycleIteration]
    autocomplete: dict[str, object]


async def view_reviews(
    _call: Call, state: State, reviews: Sequence[Review], _query: Mapping[str, Sequence[str]]
) -> list[ReviewShown]:
    """The reviewers in short."""
    people = await partial_users(state, [one.reviewer for one in reviews])
    return [ReviewShown(people.get(one.reviewer) or gone(state, one.reviewer)) for one in reviews]


def can_review(call: Call, rule: LifecycleRule | None, round_: LifecycleIteration, reviewed: bool) -> bool:  # noqa: FBT001 - read with its name where it is called
    """Whether the caller may say something about a round: they are a reviewer, and have not yet."""
    if rule is None or reviewed or round_.state not in OPEN:
        return False
    return call.actor.uuid in rule.reviewers or bool(call.actor.groups & set(rule.reviewer_groups))


async def view(
    call: Call, state: State, rounds: Sequence[LifecycleIteration], _query: Mapping[str, Sequence[str]]
) -> list[LifecycleIterationShown]:
    """What is reviewed, by whom, and what was said."""
    said = await records.load(state.store, REVIEW, "iteration", [one.id for one in rounds]) if rounds else []
    said.sort(key=lambda one: one.timestamp)
    shown = await render(call, state, REVIEW, said, {})
    return [
        LifecycleIterationShown(
            object_verbose=await named(call, state, one.content_type, one.object_id),
            object_admin_url=f"{call.origin.root}/if/admin/",
            reviews=[body for review, body in zip(said, shown, strict=True) if review.iteration == one.id],
            rule=await _related(call, state, one.rule),
            user_can_review=can_review(
                call,
                call.settings.get(LIFECYCLE_RULE, one.rule),
                one,
                reviewed=any(review.iteration == one.id and review.reviewer == call.actor.pk for review in said),
            ),
        )
        for one in rounds
    ]


async def _related(call: Call, state: State, pk: str) -> RelatedRule:
    rule = call.settings.get(LIFECYCLE_RULE, pk)
    if rule is None:
        return RelatedRule("", [], 0, [], pk)
    groups = await partial_groups(state, rule.reviewer_groups)
    people = await people_by_uuid(state, rule.reviewers)
    return RelatedRule(rule.name, list(groups.values()), rule.min_reviewers, list(people.values()), pk)


_FOUND: Final = Statement(
    "lifecycle.found",
    "SELECT id, rule, content_type, object_id, state, opened_on, grace_period_end, next_review_date"
    " FROM lifecycle_iterations WHERE state = ANY($1::text[]) ORDER BY opened_on, id",
)
_LATEST: Final = Statement(
    "lifecycle.latest",
    "SELECT id, rule, content_type, object_id, state, opened_on, grace_period_end, next_review_date"
    " FROM lifecycle_iterations t WHERE content_type = $1 AND object_id = $2 AND NOT EXISTS (SELECT 1"
    " FROM lifecycle_iterations n WHERE n.rule = t.rule AND n.object_id = t.object_id AND n.opened_on > t.opened_on)"
    " ORDER BY opened_on DESC, id",
)


async def opened(call: Call, state: State, *, to_review: bool) -> list[dict[str, object]]:
    """The rounds that wait for reviewers, the oldest first, as far as they are the caller's business.

    :param to_review: only those the caller may say something about.
    """
    rows = await state.store.fetch(_FOUND, [one.value for one in OPEN], heavy=True)
    return await _seen(call, state, [records.from_row(LIFECYCLE_ITERATION, row) for row in rows], to_review=to_review)


async def latest(call: Call, state: State, model: str, pk: str, *, to_review: bool) -> list[dict[str, object]]:
    """The newest round of each rule over one object; see :func:`opened`."""
    rows = await state.store.fetch(_LATEST, model, pk, heavy=True)
    return await _seen(call, state, [records.from_row(LIFECYCLE_ITERATION, row) for row in rows], to_review=to_review)


async def _seen(
    call: Call, state: State, rounds: Sequence[LifecycleIteration], *, to_review: bool
) -> list[dict[str, object]]:
    shown = await render(call, state, LIFECYCLE_ITERATION, rounds, {})
    everything = may(call, LIFECYCLE_ITERATION, "view") and not to_review
    return [one for one in shown if everything or one["user_can_review"]]


LIFECYCLE_ITERATION: Kind[LifecycleIteration] = Kind(
    model="authentik_lifecycle.lifecycleiteration",
    struct=LifecycleIteration,
    path="lifecycle/iterations",
    title=("Lifecycle Iteration", "Lifecycle Iterations"),
    key="id",
    key_name="id",
    table=Table("lifecycle_iterations"),
    verbs=frozenset(),
    shown=LifecycleIterationShown,
    view=view,
    search=(),
    order=("opened_on",),
)
REVIEW: Kind[Review] = Kind(
    model="authentik_lifecycle.review",
    struct=Review,
    path="lifecycle/reviews",
    title=("Review", "Reviews"),
    key="id",
    key_name="id",
    table=Table("lifecycle_reviews"),
    verbs=frozenset(),
    shown=ReviewShown,
    view=view_reviews,
    search=(),
    order=("timestamp",),
)
