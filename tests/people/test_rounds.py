"""Rounds of reviews: they open when due, wait for those who have to look, and end or run late; events tell of each."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.kinds.call import Actor
from keystead.people.group import Group
from keystead.people.lifecycle.rounds import enough, tend
from keystead.people.lifecycle.rule import ContentTypeEnum, LifecycleRule
from keystead.people.user import User
from tests.client import Client
from tests.doors.http.signed_in import sign_in, token_of
from tests.house import House

RULES = "/api/v3/lifecycle/rules/"
ROUNDS = "/api/v3/lifecycle/iterations/"
REVIEWS = "/api/v3/lifecycle/reviews/"


async def ruled(house: House, *reviewers: User, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a rule
    named = {"reviewers": [one.uuid for one in reviewers], "object_id": house.admins.pk, "name": rand.hex128()}
    made = await house.admin.post(RULES, {"content_type": "authentik_core.group", **named, **members})
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def open_rounds(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"{ROUNDS}open/")).json["results"]
    return found


async def latest(house: House) -> dict[str, Any]:
    (one,) = (await house.admin.get(f"{ROUNDS}latest/authentik_core.group/{house.admins.pk}/")).json
    found: dict[str, Any] = one
    return found


async def told(house: House) -> list[str]:
    found = (await house.admin.get("/api/v3/events/events/", query={"ordering": "created"})).json["results"]
    return [one["action"] for one in found if one["action"].startswith("review_")]


async def test_a_round_opens_and_ends_when_everybody_has_looked(house: House) -> None:
    anna, berta = await house.person("anna"), await house.person("berta")
    await ruled(house, anna, berta)
    assert await tend(house.state) == 1
    assert await tend(house.state) == 0
    (one,) = await open_rounds(house.admin)
    assert (one["state"], one["object_verbose"]) == ("PENDING", house.admins.name)
    first, second = await house.client_of(anna), await house.client_of(berta)
    said = await first.post(REVIEWS, {"iteration": one["id"], "note": "fine"})
    assert said.status == 201, said.text
    assert (said.json["note"], said.json["reviewer"]["username"]) == ("fine", "anna")
    assert (await latest(house))["state"] == "PENDING"
    twice = await first.post(REVIEWS, {"iteration": one["id"]})
    assert "already" in twice.json["iteration"][0]
    house.clock.move(seconds=1)
    assert (await second.post(REVIEWS, {"iteration": one["id"]})).status == 201
    assert (await latest(house))["state"] == "REVIEWED"
    assert await open_rounds(house.admin) == []
    wanted = ["review_attested", "review_attested", "review_completed", "review_initiated"]
    assert sorted(await told(house)) == wanted
    over = await house.admin.post(REVIEWS, {"iteration": one["id"]})
    assert "over" in over.json["iteration"][0]


async def test_the_next_round_comes_after_the_interval(house: House) -> None:
    anna = await house.person("anna")
    client = await house.client_of(anna)
    await ruled(house, anna, interval="days=10", grace_period="days=3")
    await tend(house.state)
    first = await latest(house)
    await client.post(REVIEWS, {"iteration": first["id"]})
    house.clock.move(days=9)
    client = await house.client_of(anna)
    assert await tend(house.state) == 0
    house.clock.move(days=2)
    assert await tend(house.state) == 1
    second = await latest(house)
    assert (second["id"] != first["id"], second["state"]) == (True, "PENDING")
    house.clock.move(days=4)
    assert await tend(house.state) == 1
    assert (await latest(house))["state"] == "OVERDUE"
    house.clock.move(days=30)
    assert await tend(house.state) == 0
    assert (await latest(house))["id"] == second["id"], "no second one beside one that waits"
    assert (await client.post(REVIEWS, {"iteration": second["id"]})).status == 201
    assert (await latest(house))["state"] == "REVIEWED"
    assert (await told(house)).count("review_overdue") == 1


async def test_only_reviewers_review_and_only_as_themselves(house: House) -> None:
    anna = await house.person("anna")
    await ruled(house, anna)
    await tend(house.state)
    (one,) = await open_rounds(house.admin)
    body = {"iteration": one["id"]}
    assert (await house.nobody.post(REVIEWS, body)).status == 403
    unseen, missing = (
        (await house.user.post(REVIEWS, body)),
        await house.user.post(REVIEWS, {"iteration": rand.uuid4()}),
    )
    assert (unseen.status, missing.status) == (400, 400)
    assert list(unseen.json) == list(missing.json)
    assert (await house.admin.post(REVIEWS, body)).status == 403
    browser, _ = await sign_in(house, house.superuser)
    url = f"/api/v3/core/users/{anna.pk}/impersonate/"
    assert (await browser.post(url, {"reason": "x"}, headers=token_of(browser))).status == 204
    assert (await browser.post(REVIEWS, body, headers=token_of(browser))).status == 403
    assert (await latest(house))["reviews"] == []


async def test_rounds_are_opened_on_demand(house: House) -> None:
    body = {"content_type": "authentik_core.group"}
    refused = await house.admin.post(ROUNDS, body)
    assert "content_type" in refused.json
    anna = await house.person("anna")
    await ruled(house, anna)
    assert (await house.user.post(ROUNDS, body)).status == 403
    made = await house.admin.post(ROUNDS, body)
    assert (made.status, made.json["object_id"], made.json["state"]) == (201, house.admins.pk, "PENDING")
    assert (await house.admin.post(ROUNDS, body)).status == 400
    assert (await house.admin.post(ROUNDS, {"content_type": "authentik_rbac.role"})).status == 400


async def test_every_object_of_a_type_and_what_goes(house: House) -> None:
    anna = await house.person("anna")
    await house.put(Group(pk=rand.uuid4(), name="crew", num_pk=await house.state.store.reserve("groups.num_pk", 1)))
    await ruled(house, anna, object_id=None)
    application = await house.admin.post("/api/v3/core/applications/", {"name": "a", "slug": "a"})
    assert application.status == 201
    await ruled(house, anna, object_id=None, content_type="authentik_core.application")
    assert await tend(house.state) == 3
    assert sorted(one["object_verbose"] for one in await open_rounds(house.admin)) == ["a", "authentik Admins", "crew"]
    assert (await house.admin.delete("/api/v3/core/applications/a/")).status == 204
    assert await tend(house.state) == 1
    assert len(await open_rounds(house.admin)) == 2


async def test_a_rule_that_asks_for_fewer_ends_what_waits(house: House) -> None:
    anna, berta = await house.person("anna"), await house.person("berta")
    rule = await ruled(house, anna, berta)
    await tend(house.state)
    (one,) = await open_rounds(house.admin)
    await (await house.client_of(anna)).post(REVIEWS, {"iteration": one["id"]})
    assert await tend(house.state) == 0
    changed = await house.admin.patch(f"{RULES}{rule['id']}/", {"reviewers": [anna.uuid]})
    assert changed.status == 200, changed.text
    assert await tend(house.state) == 1
    assert (await latest(house))["state"] == "REVIEWED"


def who(pk: int, *groups: str) -> Actor:
    return Actor(pk=pk, uuid=f"u{pk}", groups=frozenset(groups))


@pytest.mark.parametrize(
    ("members", "said", "expected"),
    [
        ({"reviewers": ("u1",)}, [], False),
        ({"reviewers": ("u1",)}, [who(1)], True),
        ({"reviewers": ("u1", "u2")}, [who(1)], False),
        ({"reviewers": ("u1", "gone")}, [who(1)], True),
        ({"reviewer_groups": ("a",)}, [who(3)], False),
        ({"reviewer_groups": ("a",)}, [who(3, "a")], True),
        ({"reviewer_groups": ("a", "b"), "min_reviewers": 2}, [who(3, "a", "b")], False),
        ({"reviewer_groups": ("a", "b"), "min_reviewers": 2}, [who(3, "a"), who(4, "a")], True),
        (
            {"reviewer_groups": ("a", "b"), "min_reviewers": 1, "min_reviewers_is_per_group": True},
            [who(3, "a"), who(4, "a")],
            False,
        ),
        ({"reviewer_groups": ("a", "b"), "min_reviewers_is_per_group": True}, [who(3, "a"), who(4, "b")], True),
        ({"reviewers": ("u1",), "reviewer_groups": ("a",)}, [who(3, "a")], False),
        ({"reviewers": ("u1",), "reviewer_groups": ("a",)}, [who(3, "a"), who(1)], True),
        ({"reviewer_groups": ("a",), "min_reviewers": 0}, [], False),
    ],
)
def test_when_enough_have_looked(members: dict[str, Any], said: list[Actor], expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rule = LifecycleRule(**{"id": "r", "name": "r", "content_type": ContentTypeEnum.GROUP, "reviewers": (), **members})
    assert enough(rule, {"u1", "u2"}, said) is expected
