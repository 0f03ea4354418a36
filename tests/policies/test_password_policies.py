"""Policies about passwords: what one must be like, how old it may be, and that it is a new one."""

from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.doors.worker.cleanup import forget_passwords
from keystead.people import password
from keystead.people.finding import by_pk
from keystead.people.user import User
from keystead.policies.expiry import PasswordExpiryPolicy
from keystead.policies.password import PasswordPolicy
from keystead.policies.unique_password import UniquePasswordPolicy
from keystead.store import Statement
from tests.house import House
from tests.policies.asking import ask

REMEMBERED = Statement("test.remembered", "SELECT password FROM password_history WHERE user_id = $1 ORDER BY id")


def like(**members: Any) -> PasswordPolicy:  # noqa: ANN401 - members of a policy
    return PasswordPolicy(pk=rand.uuid4(), name="p", **members)


@pytest.mark.parametrize(
    ("members", "given", "passes"),
    [
        ({}, "x", True),
        ({"length_min": 3}, "äöü", True),
        ({"length_min": 3}, "äö", False),
        ({"length_min": 2}, "a\u0308", False),  # one letter, however it was typed
        ({"amount_digits": 2}, "a1b2", True),
        ({"amount_digits": 2}, "a1b", False),
        ({"amount_uppercase": 1}, "aÉ", True),
        ({"amount_uppercase": 1}, "aé", False),
        ({"amount_lowercase": 1}, "ABc", True),
        ({"amount_lowercase": 1}, "ABC", False),
        ({"amount_symbols": 1}, "ab~", True),
        ({"amount_symbols": 1}, "ab ", False),
        ({"amount_symbols": 1, "symbol_charset": "€"}, "ab~", False),
        ({"amount_symbols": 1, "symbol_charset": "€"}, "ab€", True),
        ({"length_min": 30, "check_static_rules": False}, "x", True),
    ],
)
async def test_what_a_password_must_be_like(house: House, members: dict[str, Any], given: str, passes: bool) -> None:  # noqa: FBT001 - a table's column
    for context in ({"prompt_data": {"password": given}}, {"password": given}):
        assert (await ask(house, like(**members), **context)).passing is passes


async def test_the_person_is_told_what_is_missing(house: House) -> None:
    policy = like(length_min=8, amount_digits=1)
    result = await ask(house, policy, prompt_data={"password": "short"})
    assert result.messages == ("The password needs at least 8 characters, at least 1 digits.",)
    worded = msgspec.structs.replace(policy, error_message="Try harder.")
    assert (await ask(house, worded, prompt_data={"password": "short"})).messages == ("Try harder.",)
    for context in ({}, {"prompt_data": {"other": "long enough 1"}}, {"prompt_data": {"password": 5}}):
        assert (await ask(house, policy, **context)).messages == ("No password was given.",)
    other = like(password_field="pin", amount_digits=1)
    assert (await ask(house, other, prompt_data={"pin": "1", "password": "x"})).passing


async def test_what_is_not_built_is_refused_and_not_passed_over(house: House) -> None:
    refused = await house.admin.post("/api/v3/policies/password/", {"name": "p", "check_zxcvbn": True})
    assert (refused.status, list(refused.json)) == (400, ["check_zxcvbn", "code"])
    # Nobody outside can be asked whether a password has leaked: so it counts as if it had.
    result = await ask(house, like(check_have_i_been_pwned=True), prompt_data={"password": "anything at all"})
    assert (result.passing, len(result.messages)) == (False, 1)
    assert not (await ask(house, like(check_zxcvbn=True), prompt_data={"password": "anything at all"})).passing


async def test_a_password_expires(house: House) -> None:
    policy = PasswordExpiryPolicy(pk=rand.uuid4(), name="p", days=30)
    assert (await ask(house, policy, house.plain)).passing
    house.clock.move(days=29, hours=23)
    assert (await ask(house, policy, house.plain)).passing
    house.clock.move(hours=1)
    asked = await ask(house, policy, house.plain)
    told = await ask(house, msgspec.structs.replace(policy, deny_only=True), house.plain)
    assert not asked.passing
    assert not told.passing
    assert asked.messages != told.messages
    assert (await by_pk(house.state, house.plain.pk)) == house.plain, "a policy changes nobody"
    for days, passes in ((2**31 - 1, True), (0, False), (-(2**31), False)):
        assert (await ask(house, msgspec.structs.replace(policy, days=days), house.plain)).passing is passes
    assert not (await ask(house, policy, None)).passing


async def _set(house: House, user: User, given: str) -> User:
    answered = await house.admin.post(f"/api/v3/core/users/{user.pk}/set_password/", {"password": given})
    assert answered.status == 204
    house.clock.move(days=1)
    found = await by_pk(house.state, user.pk)
    assert found is not None
    return found


async def test_a_password_is_a_new_one(house: House) -> None:
    policy = UniquePasswordPolicy(pk=rand.uuid4(), name="p", num_historical_passwords=2)
    user = await house.person("anna")
    assert (await ask(house, policy, user, prompt_data={"password": "first"})).passing
    for given in ("first", "second", "third", "fourth"):
        user = await _set(house, user, given)
    for given, passes in (("fourth", False), ("third", False), ("second", False), ("first", True), ("fifth", True)):
        assert (await ask(house, policy, user, prompt_data={"password": given})).passing is passes
    assert (await ask(house, policy, house.plain, prompt_data={"password": "fourth"})).passing
    assert (await ask(house, policy, None, prompt_data={"password": "fourth"})).passing
    assert not (await ask(house, policy, user)).passing


async def test_hashes_are_remembered_as_long_as_a_policy_asks_for_them(house: House) -> None:
    user = await house.person("anna")
    for given in ("first", "second", "third", "fourth"):
        user = await _set(house, user, given)
    rows = await house.state.store.fetch(REMEMBERED, user.pk)
    assert [
        await password.verify(str(row[0]), given) for row, given in zip(rows, ("first", "second", "third"), strict=True)
    ]
    await house.put(UniquePasswordPolicy(pk=rand.uuid4(), name="p", num_historical_passwords=2))
    await forget_passwords(house.state)
    assert await house.state.store.fetch(REMEMBERED, user.pk) == rows[1:]
    policies = (await house.admin.get("/api/v3/policies/unique_password/")).json["results"]
    await house.admin.delete(f"/api/v3/policies/unique_password/{policies[0]['pk']}/")
    await forget_passwords(house.state)
    assert await house.state.store.fetch(REMEMBERED, user.pk) == []


async def test_what_is_no_other_password_is_not_remembered(house: House) -> None:
    user = await house.person("anna")
    user = await _set(house, user, "first")
    assert await house.state.store.fetch(REMEMBERED, user.pk) == [], "there was none before"
    changed = await house.admin.patch(f"/api/v3/core/users/{user.pk}/", {"name": "Other"})
    assert changed.status == 200
    assert await house.state.store.fetch(REMEMBERED, user.pk) == []


async def test_no_more_passwords_are_compared_than_a_person_can_wait_for(house: House) -> None:
    body = {"name": "p", "num_historical_passwords": 51}
    assert (await house.admin.post("/api/v3/policies/unique_password/", body)).status == 400
    assert (
        await house.admin.post("/api/v3/policies/unique_password/", body | {"num_historical_passwords": 50})
    ).status == 201
