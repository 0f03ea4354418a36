"""Lists narrowed by a secret tell nobody anything that they could not have anyway."""

from typing import Any

import pytest

from keystead.flows.stages.authenticator_email import AUTHENTICATOR_EMAIL_STAGE
from keystead.flows.stages.authenticator_sms import AUTHENTICATOR_SMS_STAGE
from keystead.kinds.kind import Kind
from tests.family.bodies import Maker
from tests.house import House

CASES = (
    (AUTHENTICATOR_EMAIL_STAGE, "password"),
    (AUTHENTICATOR_SMS_STAGE, "auth"),
    (AUTHENTICATOR_SMS_STAGE, "auth_password"),
)


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[name for _, name in CASES])
async def test_only_who_may_set_a_secret_anew_finds_by_it(house: House, kind: Kind[Any], name: str) -> None:
    mine, other = [await Maker(house).make(kind) for _ in range(2)]
    url = f"/api/v3/{kind.path}/"
    for pk, text in ((mine, "a whole s3cret"), (other, "another")):
        assert (await house.admin.patch(f"{url}{pk}/", {name: text})).status == 200
    editor = await house.client_with(kind.permission("view"), kind.permission("change"))
    reader = await house.client_with(kind.permission("view"))
    for client, sought, found in (
        (house.admin, "a whole s3cret", {mine}),
        (editor, "a whole s3cret", {mine}),
        (reader, "a whole s3cret", set()),
        (house.admin, "a whole", set()),
        (house.admin, "A WHOLE S3CRET", set()),
        (house.admin, "none", set()),
        (house.admin, "", {mine, other}),
    ):
        listed = await client.get(f"{url}?{name}={sought.replace(' ', '+')}")
        assert {one["pk"] for one in listed.json["results"]} == found, sought
        assert "s3cret" not in listed.text
    assert (await house.user.get(f"{url}?{name}=another")).status == 403
