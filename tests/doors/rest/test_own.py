"""Devices of one's own and of others, and what people can set up by themselves."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.stages.authenticator_totp import AuthenticatorTOTPStage, DigitsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.people.devices.sms import SMSDevice
from keystead.people.devices.static import StaticDevice
from keystead.people.devices.totp import TOTPDevice
from keystead.people.devices.webauthn import WebAuthnDevice
from keystead.people.devices.webauthn_type import WebAuthnDeviceType
from keystead.people.user import User
from keystead.store import Statement, Unit, Write
from tests.client import Client
from tests.doors.http.signed_in import sign_in
from tests.house import BEGIN, House

ALL, OTHERS = "/api/v3/authenticators/all/", "/api/v3/authenticators/admin/all/"
KEY = "sealed-key-of-an-application"
_CODE = Statement("test.code", "INSERT INTO static_codes (device_id, digest) VALUES ($1, $2)")


async def furnished(house: House, user: User) -> None:
    """Devices of several sorts, with something secret in each."""
    model = WebAuthnDeviceType(aaguid=rand.uuid4(), description="A key of steel")
    seen: dict[str, Any] = {"created": BEGIN, "last_updated": BEGIN, "user": user.pk, "confirmed": True}
    await house.put(
        model,
        TOTPDevice(pk=101, name="phone", key_sealed=KEY, last_used=BEGIN, **seen),
        StaticDevice(pk=102, name="paper", **seen),
        SMSDevice(pk=103, name="sms", phone_number="+49 30 1234", **seen),
        WebAuthnDevice(
            pk=104,
            name="key",
            user=user.pk,
            confirmed=True,
            created_on=BEGIN,
            last_updated=BEGIN,
            aaguid=model.aaguid,
            credential_id="credential-of-the-key",
            public_key="public-half",
        ),
    )
    codes = tuple(Write(_CODE, (102, f"digest-of-code-{number}")) for number in range(2))
    await house.state.store.commit(Unit(codes))


def named(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


async def test_everybody_sees_their_own_and_nobody_elses(house: House) -> None:
    await furnished(house, house.plain)
    assert (await house.nobody.get(ALL)).status == 403
    assert (await house.admin.get(ALL)).json == []
    found = {one["name"]: one for one in (await house.user.get(ALL)).json}
    assert set(found) == {"phone", "paper", "sms", "key"}
    phone = found["phone"]
    assert (phone["pk"], phone["confirmed"], phone["verbose_name"]) == ("101", True, "TOTP Device")
    assert phone["type"] == phone["meta_model_name"] == "authentik_stages_authenticator_totp.totpdevice"
    assert phone["last_used"] == "2026-09-01T12:00:00.123456Z"
    assert found["key"]["extra_description"] == "A key of steel"
    assert found["sms"]["extra_description"] == "+49 30 1234"
    assert found["paper"]["last_used"] is found["paper"]["extra_description"] is None


async def test_administrators_see_the_sorts_they_may_view(house: House) -> None:
    await furnished(house, house.plain)
    query = {"user": str(house.plain.pk)}
    assert set(named((await house.admin.get(OTHERS, query=query)).json)) == {"phone", "paper", "sms", "key"}
    assert (await house.admin.get(OTHERS)).json == []
    assert (await house.admin.get(OTHERS, query={"user": "987654"})).json == []
    assert "user" in (await house.admin.get(OTHERS, query={"user": "x"})).json
    for client in (house.nobody, house.user):
        assert (await client.get(OTHERS, query=query)).status == 403
    viewer = await house.client_with("authentik_stages_authenticator_totp.view_totpdevice")
    assert named((await viewer.get(OTHERS, query=query)).json) == ["phone"]


async def test_no_secret_of_a_device_comes_out(house: House) -> None:
    await furnished(house, house.plain)
    for client, base in ((house.user, "authenticators"), (house.admin, "authenticators/admin")):
        for sort in ("totp", "static", "sms", "webauthn", "duo", "email", "endpoint", "all"):
            answered = await client.get(f"/api/v3/{base}/{sort}/", query={"user": str(house.plain.pk)})
            assert answered.status == 200
            for secret in (KEY, "credential-of-the-key", "public-half", "digest-of-code"):
                assert secret not in answered.text
    (paper,) = (await house.user.get("/api/v3/authenticators/static/")).json["results"]
    assert len(paper["token_set"]) == 2
    assert {token for one in paper["token_set"] for token in one["token"]} == {"*"}


async def test_owners_rename_and_remove_what_is_theirs(house: House) -> None:
    await furnished(house, house.plain)
    other = await house.client_of(await house.person("somebody"))
    place = "/api/v3/authenticators/totp/101/"
    assert (await other.get(place)).status == 404
    assert (await other.delete(place)).status == 404
    changed = await house.user.patch(place, {"name": "work phone", "user": 1, "confirmed": False})
    assert (changed.status, changed.json["name"], changed.json["user"]["pk"]) == (200, "work phone", house.plain.pk)
    assert (await house.user.post("/api/v3/authenticators/totp/", {"name": "x"})).status == 405
    for method, path in (("GET", ""), ("POST", ""), ("GET", "101/"), ("PATCH", "101/"), ("DELETE", "101/")):
        answered = await house.user.request(method, f"/api/v3/authenticators/admin/totp/{path}", json={"name": "x"})
        assert answered.status in {403, 404}, (method, path)
    assert (await house.user.delete(place)).status == 204
    assert named((await house.user.get(ALL)).json) == ["sms", "paper", "key"]


async def test_both_paths_lead_to_the_same_device(house: House) -> None:
    made = await house.admin.post("/api/v3/authenticators/admin/totp/", {"name": "new", "user": house.plain.pk})
    assert made.status == 201
    assert made.json["user"]["pk"] == house.superuser.pk, "devices are made for oneself"
    pk = made.json["pk"]
    assert (await house.admin.get(f"/api/v3/authenticators/totp/{pk}/")).json == made.json
    (short,) = (await house.admin.get(ALL)).json
    assert (short["name"], short["confirmed"]) == ("new", False)
    assert (await house.admin.delete(f"/api/v3/authenticators/admin/totp/{pk}/")).status == 204
    assert (await house.admin.get(f"/api/v3/authenticators/totp/{pk}/")).status == 404


async def test_nobody_takes_a_device_from_somebody_stronger(house: House) -> None:
    await furnished(house, house.superuser)
    helper = await house.client_with(
        "authentik_stages_authenticator_totp.view_totpdevice", "authentik_stages_authenticator_totp.delete_totpdevice"
    )
    assert (await helper.delete("/api/v3/authenticators/admin/totp/101/")).status == 403
    await house.put(
        TOTPDevice(pk=201, name="plain", user=house.plain.pk, created=BEGIN, last_updated=BEGIN, confirmed=True)
    )
    assert (await helper.delete("/api/v3/authenticators/admin/totp/201/")).status == 204


@pytest.fixture
async def changing(house: House) -> Flow:
    """A flow in which people change their password, and one in which they could set up what is not built."""
    flow = Flow(
        pk=rand.uuid4(),
        name="c",
        slug="change",
        title="C",
        designation=FlowDesignationEnum.STAGE_CONFIGURATION,
    )
    backends = (BackendsEnum.INBUILT,)
    await house.put(
        flow,
        PasswordStage(pk=rand.uuid4(), name="with", backends=backends, configure_flow=flow.pk),
        PasswordStage(pk=rand.uuid4(), name="without", backends=backends),
        AuthenticatorTOTPStage(pk=rand.uuid4(), name="totp", configure_flow=flow.pk, digits=DigitsEnum.SIX),
    )
    return flow


async def test_what_can_be_set_up_leads_to_its_flow(house: House, changing: Flow) -> None:
    settings = "/api/v3/stages/all/user_settings/"
    assert (await house.nobody.get(settings)).status == 403
    (found,) = (await house.user.get(settings)).json
    assert (found["component"], found["title"]) == ("ak-user-settings-password", "Password")
    assert found["configure_url"] == f"/flows/-/configure/{found['object_uid']}/"
    browser, _ = await sign_in(house, house.plain)
    went = await browser.get(found["configure_url"])
    assert (went.status, went.header("location")) == (302, f"/if/flow/{changing.slug}/?next=%2Fif%2Fuser%2F")
    went = await browser.get(found["configure_url"], query={"next": "/application/launch/a/"})
    assert went.header("location").endswith("?next=%2Fapplication%2Flaunch%2Fa%2F")
    went = await browser.get(found["configure_url"], query={"next": "//evil.example.org"})
    assert went.header("location").endswith("?next=%2Fif%2Fuser%2F")
    assert (await browser.get(f"/flows/-/configure/{rand.uuid4()}/")).status == 404
    asked = await Client(house.app).get(found["configure_url"])
    assert asked.header("location").startswith("/flows/-/default/authentication/?next=%2Fflows%2F-%2Fconfigure%2F")
