"""Patterns of attributes that administrators add: one that takes long to read is not read."""

import pytest

from tests.house import House

ATTRIBUTES = "/api/v3/core/object_attributes/"
BODY = {"object_type": "authentik_core.user", "key": "room", "label": "Room", "type": "text"}


@pytest.mark.parametrize("regex", ["(", "a" * 2049, "1+" * 450_000])
async def test_a_pattern_that_cannot_be_read_or_not_soon_is_refused(house: House, regex: str) -> None:
    answered = await house.admin.post(ATTRIBUTES, {**BODY, "regex": regex})
    assert answered.status == 400
    assert set(answered.json) == {"regex", "code"}
    assert (await house.admin.post(ATTRIBUTES, {**BODY, "regex": "[A-Z]{2}[0-9]+"})).status == 201
