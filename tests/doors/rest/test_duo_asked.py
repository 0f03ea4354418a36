"""Duo as a second factor: the stage that asks for it, and who gets past without."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from keystead.base import rand
from keystead.base.outbound import Outbound
from keystead.base.secret import Secret
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.stages.authenticator_duo import AuthenticatorDuoStage
from keystead.flows.stages.authenticator_validate import (
    AuthenticatorValidateStage,
    DeviceClassesEnum,
    NotConfiguredActionEnum,
)
from keystead.flows.stages.identification import IdentificationStage, UserFieldsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.flows.stages.user_login import UserLoginStage
from keystead.kinds import records
from keystead.people import password
from keystead.people.devices.duo import DUO_DEVICE, DuoDevice
from keystead.people.devices.totp import TOTPDevice
from keystead.people.user import User
from tests.client import Client
from tests.duo import AUTH, Duo, serving
from tests.house import BEGIN, House
from tests.strangers import Authority

DENIED, VALIDATE, ENTERED = "ak-stage-access-denied", "ak-stage-authenticator-validate", "xak-flow-redirect"
SECRET = "correct horse battery staple"
ME = "/api/v3/core/users/me/"


@pytest.fixture
async def duo(house: House, authority: Authority) -> AsyncIterator[Duo]:
    """Duo, where the house asks for it; it knows one account."""
    async with serving(authority) as (server, outbound):
        house.state.outbound = outbound
        server.accounts["anna"] = "DUANNA"
        yield server


@pytest.fixture
async def anna(house: House) -> User:
    return await house.person("anna", password=await password.hash_password(SECRET))


async def keys_of(house: House, duo: Duo) -> AuthenticatorDuoStage:
    """The stage that holds the keys."""
    made = AuthenticatorDuoStage(
        pk=rand.uuid4(), name="keys", client_id=AUTH[0], client_secret=Secret(AUTH[1]), api_hostname=duo.host
    )
    await house.put(made)
    return made


async def connected(house: House, duo: Duo, user: User, **members: Any) -> DuoDevice:  # noqa: ANN401 - members of a device
    """A device of ``user``."""
    given = {"confirmed": True, "duo_user_id": "DUANNA", "created": BEGIN, "last_updated": BEGIN, **members}
    stage = given.pop("stage", None) or (await keys_of(house, duo)).pk
    pk = await house.state.store.reserve("devices_duo", 1)
    device = DuoDevice(pk=pk, name="Duo", user=user.pk, stage=stage, **given)
    await house.put(device)
    return device


async def arrive(house: House, *, right: bool = True, **members: Any) -> tuple[Client, str, dict[str, Any]]:  # noqa: ANN401 - members of a stage
    """A browser after name and password, where it runs, and what it is asked."""
    run, validate = rand.hex128(), AuthenticatorValidateStage(pk=rand.uuid4(), name="second", **members)
    fields = (UserFieldsEnum.USERNAME,)
    stages = (
        IdentificationStage(pk=rand.uuid4(), name="who", user_fields=fields),
        PasswordStage(pk=rand.uuid4(), name="password", backends=(BackendsEnum.INBUILT,)),
        validate,
        UserLoginStage(pk=rand.uuid4(), name="enter"),
    )
    flow = Flow(
        pk=rand.uuid4(),
        name="in",
        slug=run,
        title="In",
        designation=FlowDesignationEnum.AUTHENTICATION,
        authentication=AuthenticationEnum.NONE,
    )
    wanted: tuple[Any, ...] = stages if right else (stages[0], validate, stages[3])
    bound = [FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=one.pk, order=at) for at, one in enumerate(wanted)]
    await house.put(*wanted, flow, *bound)
    browser, place = Client(house.app), f"/api/v3/flows/executor/{run}/"
    await browser.get(place)
    asked = await browser.post(place, {"uid_field": "anna"})
    if right:
        await browser.get(place)
        asked = await browser.post(place, {"password": SECRET})
    return browser, place, asked.json if asked.status == 200 else (await browser.get(place)).json


async def answered(browser: Client, place: str, **body: object) -> dict[str, Any]:
    """What follows an answer."""
    found = await browser.post(place, body)
    following: dict[str, Any] = (await browser.get(place)).json if found.status == 302 else found.json
    return following


async def inside(browser: Client) -> bool:
    return (await browser.get(ME)).status == 200


async def test_somebody_confirms_at_duo(house: House, duo: Duo, anna: User) -> None:
    device = await connected(house, duo, anna)
    browser, place, asked = await arrive(house)
    assert asked["component"] == VALIDATE
    offered: dict[str, Any] = {"device_class": "duo", "device_uid": str(device.pk), "challenge": {}, "last_used": None}
    assert (asked["device_challenges"], asked["configuration_stages"]) == ([offered], [])
    assert (await answered(browser, place, selected_challenge=offered))["component"] == VALIDATE
    assert not await inside(browser)
    assert duo.asked == []
    page = await browser.get(place.replace("/api/v3/flows/executor/", "/if/flow/"))
    assert f'name="duo" value="{device.pk}"' in page.text
    refused = await answered(browser, place, duo=device.pk)
    assert refused["response_errors"]["duo"][0]["code"] == "denied"
    assert not await inside(browser)
    duo.verdict = "allow"
    await answered(browser, place, duo=str(device.pk))
    assert await inside(browser)
    ((path, params),) = duo.asked[1:]
    assert (path, params["user_id"], params["display_username"]) == ("/auth/v2/auth", "DUANNA", "anna")
    (used,) = await records.load(house.state.store, DUO_DEVICE, "user_id", [anna.pk])
    assert used.last_used == house.clock.now()
    logins = (await house.admin.get("/api/v3/events/events/", query={"action": "login"})).json["results"]
    assert logins[0]["context"]["auth_method"] == "auth_mfa"
    assert logins[0]["context"]["auth_method_args"]["mfa_devices"][0]["model_name"] == "duodevice"
    failed = (await house.admin.get("/api/v3/events/events/", query={"action": "login_failed"})).json["results"]
    assert len(failed) == 1


async def test_nothing_but_duos_word_is_a_way_past(house: House, duo: Duo, anna: User) -> None:
    device = await connected(house, duo, anna)
    other = await connected(house, duo, house.plain, duo_user_id="DUPLAIN")
    duo.accounts["plain"] = "DUPLAIN"
    browser, place, _ = await arrive(house)
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"duo": other.pk},
        {"duo": True},
        {"duo": [device.pk]},
        {"duo": -device.pk},
        {"duo": "x"},
        {"duo": "9" * 5_000},
        {"duo": 10**60},
        {"code": "123456"},
        {"code": "123456", "duo": device.pk},
        {"webauthn": {}},
        {"webauthn": {"id": "x"}},
        {"selected_stage": rand.uuid4()},
        {"component": "ak-stage-user-login", "remember_me": True},
        {"selected_challenge": {"device_class": "duo", "device_uid": str(other.pk), "challenge": {}}},
    )
    for body in bodies:
        following = await answered(browser, place, **body)
        assert following["component"] in {VALIDATE, DENIED}, body
        assert not await inside(browser)
    assert duo.asked == [], "nobody's telephone was asked"


@pytest.mark.parametrize("said", [b"<html>", b'{"stat": "OK", "response": "allow"}', b'{"stat": "FAIL"}'])
async def test_a_duo_that_is_out_of_order_lets_nobody_past(house: House, duo: Duo, anna: User, said: bytes) -> None:
    device = await connected(house, duo, anna)
    browser, place, _ = await arrive(house)
    duo.silent, duo.verdict = said, "allow"
    assert (await answered(browser, place, duo=device.pk))["response_errors"]["duo"][0]["code"] == "invalid"
    duo.silent = b""
    for verdict in ("waiting", "", "ALLOW"):
        duo.verdict = verdict
        assert (await answered(browser, place, duo=device.pk))["component"] in {VALIDATE, DENIED}
    house.state.outbound = Outbound()
    assert (await answered(browser, place, duo=device.pk))["component"] in {VALIDATE, DENIED}
    assert not await inside(browser)


async def test_nobody_is_worn_down(house: House, duo: Duo, anna: User) -> None:
    device = await connected(house, duo, anna)
    browser, place, _ = await arrive(house)
    seen = [(await answered(browser, place, duo=device.pk))["component"] for _ in range(5)]
    assert seen == [VALIDATE] * 4 + [DENIED]
    assert len(duo.asked) == 5


@pytest.mark.parametrize("action", list(NotConfiguredActionEnum))
async def test_who_has_nothing_is_let_past_denied_or_told(
    house: House, duo: Duo, anna: User, action: NotConfiguredActionEnum
) -> None:
    keys = await keys_of(house, duo)
    await connected(house, duo, anna, confirmed=False, stage=keys.pk)
    more: dict[str, Any] = {"configuration_stages": (keys.pk,)} if action is NotConfiguredActionEnum.CONFIGURE else {}
    browser, _, following = await arrive(house, not_configured_action=action, **more)
    assert following["component"] == (ENTERED if action is NotConfiguredActionEnum.SKIP else DENIED)
    assert await inside(browser) is (action is NotConfiguredActionEnum.SKIP)


async def test_a_device_that_cannot_be_asked_is_no_missing_one(house: House, duo: Duo, anna: User) -> None:
    await house.put(
        TOTPDevice(pk=1, name="app", user=anna.pk, confirmed=True, created=BEGIN, last_updated=BEGIN, key_sealed="x")
    )
    browser, _, denied = await arrive(house)
    assert denied["component"] == DENIED
    assert not await inside(browser)
    # Where the stage does not take such devices, they are none to it; nor is Duo's, where it does not take that.
    device = await connected(house, duo, anna)
    _, _, asked = await arrive(house, device_classes=(DeviceClassesEnum.DUO,))
    assert asked["device_challenges"][0]["device_uid"] == str(device.pk)
    browser, _, _ = await arrive(house, device_classes=(DeviceClassesEnum.SMS,))
    assert await inside(browser)


async def test_a_second_factor_wants_a_first(house: House, duo: Duo, anna: User) -> None:
    await connected(house, duo, anna)
    _, _, denied = await arrive(house, right=False)
    assert denied["component"] == DENIED
    assert duo.asked == []


async def test_a_device_of_a_stage_that_is_gone_confirms_nothing(house: House, duo: Duo, anna: User) -> None:
    device = await connected(house, duo, anna, stage=rand.uuid4())
    browser, place, _ = await arrive(house)
    duo.verdict = "allow"
    assert "duo" in (await answered(browser, place, duo=device.pk))["response_errors"]
    assert not await inside(browser)
    assert duo.asked == []
