"""Review rules and rounds, and people who leave at a set time."""

from datetime import timedelta
from typing import Any

import pytest

from keystead.base import rand
from keystead.kinds import records
from keystead.people.finding import by_pk
from keystead.people.lifecycle.iteration import (
    REVIEW,
    LifecycleIteration,
    LifecycleIterationStateEnum,
    Review,
)
from keystead.people.lifecycle.offboarding import carry_out_due
from keystead.people.lifecycle.rule import ContentTypeEnum
from keystead.people.session import SESSION
from keystead.people.token import TOKEN
from tests.doors.http.signed_in import sign_in
from tests.house import House

RULES = "/api/v3/lifecycle/rules/"
ROUNDS = "/api/v3/lifecycle/iterations/"
LEAVING = "/api/v3/lifecycle/user_offboarding/"


def rule(house: House, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a rule
    return {"name": "r", "content_type": "authentik_core.group", "reviewers": [house.superuser.uuid], **members}


async def test_a_rule_says_what_is_reviewed_and_by_whom(house: House) -> None:
    body = rule(house, object_id=house.admins.pk, reviewer_groups=[house.admins.pk])
    made = await house.admin.post(RULES, body)
    assert made.status == 201, made.text
    assert made.json["target_verbose"] == house.admins.name
    assert [one["username"] for one in made.json["reviewers_obj"]] == ["akadmin"]
    assert [one["name"] for one in made.json["reviewer_groups_obj"]] == [house.admins.name]
    assert (made.json["interval"], made.json["grace_period"], made.json["min_reviewers"]) == ("days=60", "days=30", 1)
    every = await house.admin.post(RULES, rule(house, name="all", content_type="authentik_rbac.role"))
    assert every.json["target_verbose"] == "Roles"
    for name, count in (("group", 1), ("role", 1), ("application", 0)):
        found = await house.admin.get(RULES, query={"content_type__model": name})
        assert found.json["pagination"]["count"] == count


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"object_id": "no-such"}, "object_id"),
        ({"object_id": rand.uuid4(), "content_type": "authentik_core.application"}, "object_id"),
        ({"content_type": "authentik_core.user"}, "content_type"),
        ({"reviewers": []}, "reviewers"),
        ({"reviewers": [rand.uuid4()]}, "reviewers"),
        ({"grace_period": "days=60"}, "grace_period"),
        ({"grace_period": "soon"}, "grace_period"),
        ({"interval": "days=1"}, "grace_period"),
        ({"min_reviewers": -1}, "min_reviewers"),
    ],
)
async def test_a_rule_that_cannot_be_kept_is_refused(house: House, members: dict[str, Any], member: str) -> None:
    refused = await house.admin.post(RULES, rule(house, **members))
    assert refused.status == 400
    assert member in refused.json


async def open_round(house: House, rule_pk: str, **members: Any) -> LifecycleIteration:  # noqa: ANN401 - members of a round
    made = LifecycleIteration(
        **{
            "id": rand.uuid4(),
            "rule": rule_pk,
            "content_type": ContentTypeEnum.GROUP,
            "object_id": house.admins.pk,
            "state": LifecycleIterationStateEnum.PENDING,
            "opened_on": house.clock.now(),
            "grace_period_end": house.clock.now() + timedelta(days=30),
            "next_review_date": house.clock.now() + timedelta(days=60),
            **members,
        }
    )
    await house.put(made)
    return made


async def test_rounds_are_seen_by_those_they_wait_for(house: House) -> None:
    staff = await house.person("staff")
    client = await house.client_of(staff)
    made = (await house.admin.post(RULES, rule(house, reviewers=[staff.uuid]))).json
    crew = (await house.admin.post("/api/v3/core/groups/", {"name": "crew"})).json
    first = await open_round(house, made["id"], object_id=crew["pk"])
    house.clock.move(days=60)
    second = await open_round(house, made["id"], state=LifecycleIterationStateEnum.OVERDUE)
    await open_round(house, made["id"], state=LifecycleIterationStateEnum.REVIEWED, object_id="other")
    latest = f"{ROUNDS}latest/authentik_core.group/{house.admins.pk}/"
    for mine in ("", "?user_is_reviewer=true"):
        found = (await client.get(f"{ROUNDS}open/{mine}")).json
        assert [one["id"] for one in found["results"]] == [first.id, second.id]
        assert [one["id"] for one in (await client.get(latest + mine)).json] == [second.id]
    (one, _) = (await client.get(f"{ROUNDS}open/")).json["results"]
    assert (one["object_verbose"], one["rule"]["name"], one["user_can_review"]) == ("crew", "r", True)
    assert [who["username"] for who in one["rule"]["reviewers"]] == ["staff"]
    paged = (await client.get(f"{ROUNDS}open/?page_size=1&page=2")).json
    assert ([one["id"] for one in paged["results"]], paged["pagination"]["count"]) == ([second.id], 2)
    assert (await client.get(f"{ROUNDS}open/?page=9")).status == 404
    assert (await house.user.get(f"{ROUNDS}open/")).json["results"] == []
    assert (await house.nobody.get(f"{ROUNDS}open/")).status == 403
    assert (await house.nobody.get(latest)).status == 403
    assert len((await house.admin.get(f"{ROUNDS}open/")).json["results"]) == 2
    assert (await house.admin.get(f"{ROUNDS}open/?user_is_reviewer=true")).json["results"] == []
    await house.put(
        Review(id=rand.uuid4(), iteration=first.id, reviewer=staff.pk, timestamp=house.clock.now(), note="ok")
    )
    (told, _) = (await house.admin.get(f"{ROUNDS}open/")).json["results"]
    assert [(said["note"], said["reviewer"]["username"]) for said in told["reviews"]] == [("ok", "staff")]
    assert [one["id"] for one in (await client.get(f"{ROUNDS}open/")).json["results"]] == [second.id]
    assert (await house.admin.delete(f"{RULES}{made['id']}/")).status == 204
    assert (await house.admin.get(f"{ROUNDS}open/")).json["results"] == []
    assert await records.load(house.state.store, REVIEW, "iteration", [first.id]) == []


def at(house: House, **by: float) -> str:
    return (house.clock.now() + timedelta(**by)).isoformat()


@pytest.mark.parametrize("action", ["deactivate", "delete"])
@pytest.mark.parametrize("revoke", [True, False])
async def test_somebody_leaves_at_a_set_time(house: House, action: str, revoke: bool) -> None:  # noqa: FBT001 - a parameter of the test
    anna = await house.person("anna")
    await sign_in(house, anna)
    await house.client_of(anna)
    body = {
        "user": anna.pk,
        "scheduled_at": at(house, days=1),
        "action": action,
        "revoke_sessions": revoke,
        "revoke_tokens": revoke,
    }
    made = await house.admin.post(LEAVING, body)
    assert made.status == 201, made.text
    assert made.json["user_obj"]["username"] == "anna"
    assert made.json["created_by_obj"]["username"] == "akadmin"
    assert (made.json["status"], made.json["executed_at"]) == ("pending", None)
    house.clock.move(hours=23)
    assert await carry_out_due(house.state) == 0
    house.clock.move(hours=2)
    assert await carry_out_due(house.state) == 1
    assert await carry_out_due(house.state) == 0
    left = await by_pk(house.state, anna.pk)
    assert (left is None) is (action == "delete")
    assert left is None or not left.is_active
    for kind in (SESSION, TOKEN):
        kept: list[Any] = await records.load(house.state.store, kind, "user_id", [anna.pk])
        assert bool(kept) is (left is not None and not revoke)
    (told,) = (await house.admin.get("/api/v3/events/events/?action=user_offboarded")).json["results"]
    assert told["context"]["model"]["name"] == "Anna"
    assert told["context"]["action"] == action
    shown = (await house.admin.get(LEAVING)).json["results"]
    assert [one["status"] for one in shown] == ([] if action == "delete" else ["completed"])
    for query, count in (
        ("status=completed", len(shown)),
        ("status=pending", 0),
        (f"user__uuid={anna.uuid}", len(shown)),
    ):
        assert (await house.admin.get(f"{LEAVING}?{query}")).json["pagination"]["count"] == count


async def test_what_was_called_off_does_not_happen(house: House) -> None:
    anna = await house.person("anna")
    made = await house.admin.post(LEAVING, {"user": anna.pk, "scheduled_at": at(house, days=1)})
    assert (await house.admin.patch(f"{LEAVING}{made.json['id']}/", {"action": "delete"})).status == 405
    assert (await house.admin.delete(f"{LEAVING}{made.json['id']}/")).status == 204
    house.clock.move(days=2)
    assert await carry_out_due(house.state) == 0
    left = await by_pk(house.state, anna.pk)
    assert left is not None
    assert left.is_active


async def test_nobody_sends_themselves_or_somebody_stronger_away(house: House) -> None:
    permissions = [f"authentik_lifecycle.{word}_useroffboarding" for word in ("add", "delete", "view")]
    clerk = await house.client_with(*permissions)
    anna = await house.person("anna")
    soon = at(house, days=1)
    assert (await clerk.post(LEAVING, {"user": anna.pk, "scheduled_at": soon})).status == 201
    assert (await clerk.post(LEAVING, {"user": house.superuser.pk, "scheduled_at": soon})).status == 403
    assert (await house.user.post(LEAVING, {"user": anna.pk, "scheduled_at": soon})).status == 403
    for body in (
        {"user": house.superuser.pk, "scheduled_at": soon},
        {"user": anna.pk, "scheduled_at": soon},
        {"user": house.plain.pk, "scheduled_at": at(house, seconds=0)},
        {"user": 10**9, "scheduled_at": soon},
        {"user": house.plain.pk, "scheduled_at": soon, "action": "promote"},
        {"user": house.plain.pk},
    ):
        assert (await house.admin.post(LEAVING, body)).status == 400, body
    strong = await house.person("strong", groups=(house.admins.pk,))
    mine = await house.admin.post(LEAVING, {"user": strong.pk, "scheduled_at": soon})
    assert (await clerk.delete(f"{LEAVING}{mine.json['id']}/")).status == 403
