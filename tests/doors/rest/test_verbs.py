from tests.house import House


async def test_superuser_lists_users(house: House) -> None:
    answered = await house.admin.get("/api/v3/core/users/")
    assert answered.status == 200
    assert answered.json["pagination"]["count"] == 2
