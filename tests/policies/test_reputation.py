"""Reputation: scores rise and fall with logins, and the policy lets through who has a bad name."""

import pytest
from msgspec.structs import replace

from keystead.base import rand
from keystead.kinds.changes import Changes
from keystead.policies.reputation import HIGHEST, LOWEST, ReputationPolicy, scored
from tests.house import House
from tests.policies.asking import ask

SCORES = "/api/v3/policies/reputation/scores/"


async def mark(house: House, name: str, ip: str, *steps: int) -> None:
    """Logins that failed (-1) or went well (1)."""
    for step in steps:
        changes = Changes()
        changes.write(scored(replace(house.call, peer=ip), name, step))
        await house.state.commit(changes, house.clock.now())


async def scores(house: House, **query: str) -> dict[tuple[str, str], int]:
    answered = await house.admin.get(SCORES, query=query)
    assert answered.status == 200
    return {(one["identifier"], one["ip"]): one["score"] for one in answered.json["results"]}


async def test_scores_sum_up_within_bounds(house: House) -> None:
    await mark(house, "anna", "192.0.2.1", -1, -1, 1, -1)
    await mark(house, "anna", "192.0.2.2", *[-1] * 9)
    await mark(house, "bert", "192.0.2.1", *[1] * 9)
    assert await scores(house) == {
        ("anna", "192.0.2.1"): -2,
        ("anna", "192.0.2.2"): LOWEST,
        ("bert", "192.0.2.1"): HIGHEST,
    }
    assert await scores(house, identifier="bert") == {("bert", "192.0.2.1"): HIGHEST}
    assert await scores(house, identifier_in="bert") == {("bert", "192.0.2.1"): HIGHEST}
    assert len(await scores(house, ip="192.0.2.1")) == 2
    assert len(await scores(house, score="-2")) == 1


async def test_a_score_runs_out(house: House) -> None:
    await mark(house, "anna", "192.0.2.1", *[-1] * 5)
    house.clock.move(hours=23)
    assert await scores(house) == {("anna", "192.0.2.1"): -5}
    house.clock.move(hours=2)
    assert await scores(house) == {}
    await mark(house, "anna", "192.0.2.1", -1)
    assert await scores(house) == {("anna", "192.0.2.1"): -1}, "what ran out does not come back"


@pytest.mark.parametrize("name", ["with\0null", "x" * 5000, "\ud800", ""])
async def test_whatever_was_typed_can_be_kept(house: House, name: str) -> None:
    await mark(house, name, "192.0.2.1", -1)
    await mark(house, name, "", -1)
    assert set((await scores(house)).values()) == {-1}


@pytest.mark.parametrize(
    ("check_ip", "check_username", "threshold", "passes"),
    [
        (True, True, -6, True),  # anna's three and two, and the one of somebody else from her address
        (True, True, -7, False),
        (True, False, -4, True),
        (True, False, -5, False),
        (False, True, -5, True),
        (False, True, -6, False),
        (False, False, -1, False),
        (False, False, 0, True),
    ],
)
async def test_a_bad_name_passes(
    house: House,
    check_ip: bool,  # noqa: FBT001 - a table's columns
    check_username: bool,  # noqa: FBT001 - as above
    threshold: int,
    passes: bool,  # noqa: FBT001 - as above
) -> None:
    anna = await house.person("anna")
    await mark(house, "anna", "192.0.2.7", -1, -1, -1)
    await mark(house, "anna", "192.0.2.8", -1, -1)
    await mark(house, "bert", "192.0.2.7", -1)
    await mark(house, "bert", "192.0.2.9", *[-1] * 5)
    policy = ReputationPolicy(
        pk=rand.uuid4(), name="p", check_ip=check_ip, check_username=check_username, threshold=threshold
    )
    assert (await ask(house, policy, anna)).passing is passes
    assert (await ask(house, policy, None, pending_user_identifier="anna")).passing is passes


async def test_scores_can_be_struck_out_and_nothing_else(house: House) -> None:
    await mark(house, "anna", "192.0.2.1", -1)
    (one,) = (await house.admin.get(SCORES)).json["results"]
    assert (one["ip_geo_data"], one["ip_asn_data"]) == ({}, {})
    assert (await house.admin.put(f"{SCORES}{one['pk']}/", {"score": 5})).status == 405
    assert (await house.user.get(SCORES)).status == 403
    assert (await house.admin.delete(f"{SCORES}{one['pk']}/")).status == 204
    assert await scores(house) == {}
