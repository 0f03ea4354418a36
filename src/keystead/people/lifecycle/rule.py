"""LifecycleRule: who looks how often at an application, a group or a role, and says whether it still serves."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base import duration
from keystead.base.errors import invalid
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, Filter, Kind, Verb
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people.group import GROUP
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.store import Statement


class ContentTypeEnum(enum.StrEnum):
    """What can be reviewed."""

    APPLICATION = "authentik_core.application"
    GROUP = "authentik_core.group"
    ROLE = "authentik_rbac.role"


_TITLES: Final = {
    ContentTypeEnum.APPLICATION: "Applications",
    ContentTypeEnum.GROUP: "Groups",
    ContentTypeEnum.ROLE: "Roles",
}


class LifecycleRule(msgspec.Struct, frozen=True, kw_only=True):
    """Who reviews what, and how often.

    :param object_id: the one object; without it every object of that type.
    :param interval: from one review to the next.
    :param grace_period: how long a review may take before it is overdue.
    :param reviewer_groups: groups whose members may review.
    :param min_reviewers: how many of them must.
    :param min_reviewers_is_per_group: that many of each group.
    :param reviewers: people (by uuid) every one of whom must review.
    :param notification_transports: how they are told that a round waits for them, and that it is overdue.
    """

    id: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    content_type: ContentTypeEnum
    object_id: Text | None = None
    interval: Duration = "days=60"
    grace_period: Duration = "days=30"
    reviewer_groups: tuple[Annotated[Uuid, Ref("authentik_core.group", OnDelete.CASCADE_MANY, gives=False)], ...] = ()
    min_reviewers: Annotated[int, msgspec.Meta(ge=0, le=32767)] = 1
    min_reviewers_is_per_group: bool = False
    reviewers: tuple[Uuid, ...]
    notification_transports: tuple[
        Annotated[Uuid, Ref("authentik_events.notificationtransport", OnDelete.CASCADE_MANY)], ...
    ] = ()


class LifecycleRuleShown(msgspec.Struct):
    """The computed members: the reviewers, and what is reviewed, as people read it."""

    reviewer_groups_obj: list[PartialGroup]
    reviewers_obj: list[PartialUser]
    target_verbose: str


_BY_UUID: Final = Statement("user.keys_by_uuid", "SELECT uuid, id FROM users WHERE uuid = ANY($1::text[])")


async def people_by_uuid(state: State, uuids: Sequence[str]) -> dict[str, PartialUser]:
    """Users in short, by uuid; who is gone is left out."""
    if not uuids:
        return {}
    keys = {str(uuid): int(str(pk)) for uuid, pk in await state.store.fetch(_BY_UUID, sorted(set(uuids)))}
    users = await partial_users(state, keys.values())
    return {uuid: users[pk] for uuid, pk in keys.items() if pk in users}


async def target_of(call: Call, state: State, model: str, pk: str) -> Any | None:  # noqa: ANN401 - objects of three kinds
    """The object that is reviewed."""
    if model == GROUP.model:
        found = await records.load(state.store, GROUP, "id", [pk])
        return found[0] if found else None
    setting = call.settings.find(model, pk)
    return setting[1] if setting else None


async def named(call: Call, state: State, model: ContentTypeEnum, pk: str | None) -> str:
    """What is reviewed, as people read it."""
    if pk is None:
        return _TITLES[model]
    found = await target_of(call, state, model.value, pk)
    return str(found.name) if found is not None else pk


async def view(
    call: Call, state: State, rules: Sequence[LifecycleRule], _query: Mapping[str, Sequence[str]]
) -> list[LifecycleRuleShown]:
    """The reviewers, and what is reviewed."""
    groups = await partial_groups(state, [pk for one in rules for pk in one.reviewer_groups])
    people = await people_by_uuid(state, [uuid for one in rules for uuid in one.reviewers])
    return [
        LifecycleRuleShown(
            [groups[pk] for pk in one.reviewer_groups if pk in groups],
            [people[uuid] for uuid in one.reviewers if uuid in people],
            await named(call, state, one.content_type, one.object_id),
        )
        for one in rules
    ]


async def check(call: Call, state: State, _old: LifecycleRule | None, new: LifecycleRule) -> LifecycleRule:
    """The object is there, somebody can review it, and a review ends before the next begins."""
    if new.object_id is not None and await target_of(call, state, new.content_type.value, new.object_id) is None:
        raise invalid({"object_id": [f'Invalid pk "{new.object_id}" - object does not exist.']})
    if not (new.reviewers or new.reviewer_groups):
        raise invalid({"reviewers": ["Name at least one reviewer, or a group of them."]})
    known = await people_by_uuid(state, new.reviewers)
    if missing := [uuid for uuid in new.reviewers if uuid not in known]:
        raise invalid({"reviewers": [f'Invalid pk "{missing[0]}" - object does not exist.']})
    if duration.parse(new.grace_period) >= duration.parse(new.interval):
        raise invalid({"grace_period": ["Must be shorter than the interval."]})
    return new


LIFECYCLE_RULE: Kind[LifecycleRule] = Kind(
    model="authentik_lifecycle.lifecyclerule",
    struct=LifecycleRule,
    path="lifecycle/rules",
    title=("Lifecycle Rule", "Lifecycle Rules"),
    key="id",
    key_name="id",
    verbs=ALL - {Verb.USED_BY},
    shown=LifecycleRuleShown,
    view=view,
    rules=check,
    filters=(
        Filter(
            "content_type__model",
            str,
            test=lambda rule, name: rule.content_type.value.partition(".")[2] == name,
            note="What is reviewed: application, group or role.",
        ),
    ),
)
