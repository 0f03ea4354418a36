"""Passwords by their hashes: which are taken, from whom."""

import pytest
from argon2 import PasswordHasher

from keystead.people import password
from keystead.people.finding import by_pk
from tests.house import House


async def test_a_password_comes_by_its_hash(house: House) -> None:
    one = f"/api/v3/core/users/{house.plain.pk}/set_password_hash/"
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("a password from elsewhere")
    for given in (hashed, f"argon2{hashed}"):
        done = await house.admin.post(one, {"password": given})
        assert (done.status, done.body) == (204, b"")
        kept = await by_pk(house.state, house.plain.pk)
        assert kept is not None
        assert await password.verify(kept.password, "a password from elsewhere")


@pytest.mark.parametrize(
    "given",
    [
        "a password",
        "pbkdf2_sha256$600000$salt$hash",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0",
        "$argon2id$v=19$m=64,t=999999,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2Fs",
        "",
    ],
)
async def test_what_is_no_hash_is_refused(house: House, given: str) -> None:
    refused = await house.admin.post(f"/api/v3/core/users/{house.plain.pk}/set_password_hash/", {"password": given})
    assert refused.status == 400
    assert "password" in refused.json


async def test_setting_a_hash_is_a_permission_of_its_own(house: House) -> None:
    one = f"/api/v3/core/users/{house.plain.pk}/set_password_hash/"
    hashed = {"password": PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("x")}
    changer = await house.client_with("authentik_core.view_user", "authentik_core.change_user")
    assert (await changer.post(one, hashed)).status == 403
    setter = await house.client_with("authentik_core.view_user", "authentik_core.set_user_password_hash")
    assert (await setter.post(one, hashed)).status == 204
    above = f"/api/v3/core/users/{house.superuser.pk}/set_password_hash/"
    assert (await setter.post(above, hashed)).status == 403
