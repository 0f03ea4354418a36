"""Enrolment at Duo in a flow, what the API tells of it, and the import of accounts that are at Duo already."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from keystead.base import rand
from keystead.base.outbound import UNREACHED, Outbound
from keystead.base.secret import Secret
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.flows.prompt import Prompt, PromptTypeEnum
from keystead.flows.stages.authenticator_duo import AuthenticatorDuoStage
from keystead.flows.stages.prompt import PromptStage
from keystead.flows.stages.user_login import UserLoginStage
from keystead.flows.stages.user_write import UserWriteStage
from keystead.kinds import records
from keystead.people.devices.duo import DUO_DEVICE, DuoDevice
from keystead.people.user import User
from tests.client import Answered, Client
from tests.doors.http.signed_in import sign_in, token_of
from tests.duo import ADMIN, AUTH, Duo, serving
from tests.house import House
from tests.strangers import Authority

STAGES = "/api/v3/stages/authenticator/duo/"
COMPONENT = "ak-stage-authenticator-duo"


@pytest.fixture
async def duo(house: House, authority: Authority) -> AsyncIterator[Duo]:
    """Duo, where the house asks for it."""
    async with serving(authority) as (server, outbound):
        house.state.outbound = outbound
        yield server


@pytest.fixture
async def stage(house: House, duo: Duo) -> AuthenticatorDuoStage:
    made = AuthenticatorDuoStage(
        pk=rand.uuid4(),
        name="duo",
        friendly_name="Telephone",
        client_id=AUTH[0],
        client_secret=Secret(AUTH[1]),
        api_hostname=duo.host,
        admin_integration_key=ADMIN[0],
        admin_secret_key=Secret(ADMIN[1]),
    )
    await house.put(made)
    return made


async def flow_of(house: House, *stages: Any, designation: str = "stage_configuration") -> str:  # noqa: ANN401 - stages of every kind
    """Where a flow of these stages runs."""
    flow = Flow(
        pk=rand.uuid4(),
        name="setup",
        slug=f"s{rand.hex128()[:8]}",
        title="Connect with Duo",
        designation=FlowDesignationEnum(designation),
        authentication=AuthenticationEnum.NONE,
    )
    bound = [FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=one.pk, order=at) for at, one in enumerate(stages)]
    await house.put(flow, *bound)
    return f"/api/v3/flows/executor/{flow.slug}/"


async def devices(house: House) -> list[DuoDevice]:
    """Every device there is."""
    keys = [house.plain.pk, house.superuser.pk]
    people = await house.admin.get("/api/v3/core/users/", query={"page_size": "100"})
    return await records.load(
        house.state.store, DUO_DEVICE, "user_id", [*keys, *(one["pk"] for one in people.json["results"])]
    )


async def arrive(house: House, stage: AuthenticatorDuoStage, user: User) -> tuple[Client, str, dict[str, Any]]:
    """A browser before the stage, where it runs, and what it is asked."""
    browser, _ = await sign_in(house, user)
    run = await flow_of(house, stage)
    asked = await browser.get(run)
    return browser, run, asked.json


def told_of(answered: Answered) -> list[str]:
    """The members that an answer complains of."""
    return [member for member in answered.json if member != "code"]


def status_of(stage: AuthenticatorDuoStage) -> str:
    return f"{STAGES}{stage.pk}/enrollment_status/"


async def test_somebody_connects_their_account(house: House, duo: Duo, stage: AuthenticatorDuoStage) -> None:
    browser, run, asked = await arrive(house, stage, house.plain)
    assert asked["component"] == COMPONENT
    assert asked["activation_code"] == "duo://plain"
    assert asked["activation_barcode"].startswith("https://")
    assert (asked["stage_uuid"], asked["pending_user"]) == (stage.pk, "plain")
    assert (await browser.get(run)).json == asked, "looking again begins nothing anew"
    shown = (await browser.get(run.replace("/api/v3/flows/executor/", "/if/flow/"))).text
    assert 'href="duo://plain"' in shown
    assert f'src="{asked["activation_barcode"]}"' in shown
    waiting = (await browser.post(run, {"component": COMPONENT}, headers=token_of(browser))).json
    assert waiting["response_errors"]["non_field_errors"][0]["code"] == "invalid"
    assert waiting["activation_code"] == asked["activation_code"]
    assert await devices(house) == []
    assert [path for path, _ in duo.asked].count("/auth/v2/enroll") == 1
    duo.how_far = "success"
    done = await browser.post(run, {"component": COMPONENT}, headers=token_of(browser))
    assert done.status == 302 or done.json["component"] == "xak-flow-redirect"
    (device,) = await devices(house)
    assert (device.user, device.name, device.confirmed) == (house.plain.pk, "Telephone", True)
    assert device.duo_user_id == duo.accounts["plain"]
    (short,) = (await browser.get("/api/v3/authenticators/all/")).json
    assert (short["external_id"], short["confirmed"]) == (device.duo_user_id, True)
    assert (await browser.post(status_of(stage), {}, headers=token_of(browser))).status == 400, "nothing is under way"


async def test_the_browser_that_began_is_told_how_far_it_is(
    house: House, duo: Duo, stage: AuthenticatorDuoStage
) -> None:
    browser, _, _ = await arrive(house, stage, house.plain)
    for how_far in ("waiting", "success", "invalid"):
        duo.how_far = how_far
        answered = await browser.post(status_of(stage), {}, headers=token_of(browser))
        assert (answered.status, answered.json) == (200, {"duo_response": how_far})
    duo.how_far = "something new"
    assert (await browser.post(status_of(stage), {}, headers=token_of(browser))).json == {"duo_response": "invalid"}
    before = len(duo.asked)
    other, _ = await sign_in(house, house.plain)
    for client, more in ((house.nobody, {}), (house.admin, {}), (house.user, {}), (other, token_of(other))):
        refused = await client.post(status_of(stage), {}, headers=more)
        assert (refused.status, told_of(refused)) == (400, ["non_field_errors"])
    assert (await browser.post(status_of(stage), {})).status == 403, "another site's page could have sent it"
    elsewhere = await browser.post(f"{STAGES}{rand.uuid4()}/enrollment_status/", {}, headers=token_of(browser))
    assert elsewhere.status == 404
    assert len(duo.asked) == before
    house.clock.move(days=30_000)
    assert (await browser.post(status_of(stage), {})).status == 400


async def test_newcomers_connect_the_account_that_was_just_made(
    house: House, duo: Duo, stage: AuthenticatorDuoStage
) -> None:
    """Nobody is signed in yet: the cookie of the run is all there is."""
    asked = Prompt(pk=rand.uuid4(), name="username", field_key="username", label="Name", type=PromptTypeEnum.TEXT)
    form = PromptStage(pk=rand.uuid4(), name="form", fields=(asked.pk,))
    write = UserWriteStage(pk=rand.uuid4(), name="write", create_users_as_inactive=False)
    login = UserLoginStage(pk=rand.uuid4(), name="login")
    await house.put(asked, form, write, login)
    browser = Client(house.app)
    refused = (await browser.get(await flow_of(house, stage, login, designation="enrollment"))).json
    assert refused["component"] == "ak-stage-access-denied", "nobody was made"
    assert duo.asked == []
    run = await flow_of(house, form, write, stage, login, designation="enrollment")
    await browser.get(run)
    await browser.post(run, {"username": "newcomer"})
    assert (await browser.get(run)).json["activation_code"] == "duo://newcomer"
    duo.how_far = "success"
    assert (await browser.post(status_of(stage), {})).json == {"duo_response": "success"}
    assert (await Client(house.app).post(status_of(stage), {})).status == 400
    await browser.post(run, {})
    assert (await browser.get("/api/v3/core/users/me/")).json["user"]["username"] == "newcomer"
    (device,) = await devices(house)
    assert device.duo_user_id == duo.accounts["newcomer"]


@pytest.mark.parametrize("designation", ["authentication", "recovery", "stage_configuration"])
async def test_nobody_connects_what_is_not_proved_to_be_theirs(
    house: House, duo: Duo, stage: AuthenticatorDuoStage, designation: str
) -> None:
    denied = (await Client(house.app).get(await flow_of(house, stage, designation=designation))).json
    assert denied["component"] == "ak-stage-access-denied"
    assert duo.asked == []


async def test_a_code_that_is_over_ends_the_run(house: House, duo: Duo, stage: AuthenticatorDuoStage) -> None:
    browser, run, _ = await arrive(house, stage, house.plain)
    duo.how_far = "invalid"
    denied = (await browser.post(run, {}, headers=token_of(browser))).json
    assert denied["component"] == "ak-stage-access-denied"
    again = (await browser.get(run)).json
    assert again["component"] == COMPONENT
    assert again["activation_code"].startswith("duo://plain-"), "the name is taken at Duo by now"
    duo.expiration = int(house.clock.now().timestamp()) + 60
    browser, run, asked = await arrive(house, stage, house.superuser)
    house.clock.move(minutes=2)
    later = (await browser.post(run, {}, headers=token_of(browser))).json
    assert later["component"] == "ak-stage-access-denied" or later["activation_code"] != asked["activation_code"]
    assert await devices(house) == []


async def test_a_silent_duo_is_told_without_reasons(house: House, stage: AuthenticatorDuoStage) -> None:
    browser, _, _ = await arrive(house, stage, house.plain)
    house.state.outbound = Outbound()
    denied = (await browser.get(await flow_of(house, stage))).json
    assert denied["component"] == "ak-stage-access-denied"
    assert "Duo" in denied["error_message"]
    assert "OUTBOUND" not in denied["error_message"]
    _, _, denied = await arrive(house, stage, house.superuser)
    assert denied["component"] == "ak-stage-access-denied"
    assert UNREACHED not in denied["error_message"]


async def test_an_administrator_names_whose_account_it_is(house: House, duo: Duo, stage: AuthenticatorDuoStage) -> None:
    place = f"{STAGES}{stage.pk}/import_device_manual/"
    made = await house.admin.post(place, {"duo_user_id": "DU7", "username": "plain"})
    assert (made.status, made.body) == (204, b"")
    (device,) = await devices(house)
    assert (device.user, device.duo_user_id, device.confirmed) == (house.plain.pk, "DU7", True)
    for body, member in (
        ({"duo_user_id": "DU7", "username": "plain"}, "duo_user_id"),
        ({"duo_user_id": "DU7", "username": "akadmin"}, "duo_user_id"),
        ({"duo_user_id": "DU8", "username": "nobody"}, "username"),
        ({"duo_user_id": "", "username": "plain"}, "duo_user_id"),
        ({"duo_user_id": "DU8"}, "username"),
    ):
        refused = await house.admin.post(place, body)
        assert (refused.status, told_of(refused)) == (400, [member])
    assert (await house.user.post(place, {"duo_user_id": "DU8", "username": "plain"})).status == 404
    assert (await house.nobody.post(place, {"duo_user_id": "DU8", "username": "plain"})).status == 403
    assert duo.asked == []
    events = await house.admin.get("/api/v3/events/events/", query={"action": "model_created", "ordering": "-created"})
    assert events.json["results"][0]["context"]["model"]["model_name"] == "duodevice"


async def test_a_device_is_given_by_who_may_and_to_nobody_stronger(house: House, stage: AuthenticatorDuoStage) -> None:
    room = "authentik_stages_authenticator_duo"
    words = (f"{room}.view_authenticatorduostage", f"{room}.change_authenticatorduostage")
    place = f"{STAGES}{stage.pk}/import_device_manual/"
    setter = await house.client_with(*words)
    assert (await setter.post(place, {"duo_user_id": "DU8", "username": "plain"})).status == 403
    helper = await house.client_with(f"{room}.view_authenticatorduostage", f"{room}.add_duodevice")
    assert (await helper.post(place, {"duo_user_id": "DU8", "username": "akadmin"})).status == 403
    assert (await helper.post(place, {"duo_user_id": "DU8", "username": "plain"})).status == 204


async def test_accounts_are_found_by_name(house: House, duo: Duo, stage: AuthenticatorDuoStage) -> None:
    await house.person("berta")
    await house.person("carla")
    await house.person("dora")
    duo.page = 2
    duo.users = [
        {"user_id": "DU1", "username": "plain", "status": "active", "is_enrolled": True},
        {"user_id": "DU2", "username": "berta", "status": "active", "is_enrolled": True},
        {"user_id": "DU3", "username": "carla", "status": "bypass", "is_enrolled": True},
        {"user_id": "DU4", "username": "dora", "status": "active", "is_enrolled": False},
        {"user_id": "DU5", "username": "nobody of ours", "status": "active", "is_enrolled": True},
    ]
    place = f"{STAGES}{stage.pk}/import_devices_automatic/"
    found = await house.admin.post(place, {})
    assert (found.status, found.json) == (200, {"count": 2, "error": ""})
    assert {one.duo_user_id for one in await devices(house)} == {"DU1", "DU2"}
    assert (await house.admin.post(place, {})).json == {"count": 0, "error": ""}
    assert {path for path, _ in duo.asked} == {"/admin/v1/users"}


async def test_accounts_are_not_found_without_a_key_or_an_answer(
    house: House, duo: Duo, stage: AuthenticatorDuoStage
) -> None:
    place = f"{STAGES}{stage.pk}/import_devices_automatic/"
    duo.silent = b"<html>"
    told = await house.admin.post(place, {})
    assert (told.status, "none of Duo's" in told.json["non_field_errors"][0]) == (400, True)
    room = "authentik_stages_authenticator_duo"
    helper = await house.client_with(f"{room}.view_authenticatorduostage", f"{room}.add_duodevice")
    told = await helper.post(place, {})
    assert (told.status, "none of Duo's" in told.json["non_field_errors"][0]) == (400, False)
    assert (await house.admin.patch(f"{STAGES}{stage.pk}/", {"admin_secret_key": ""})).status == 200
    told = await house.admin.post(place, {})
    assert (told.status, told_of(told)) == (400, ["admin_integration_key"])
    assert (await house.user.post(place, {})).status == 404
    assert await devices(house) == []


@pytest.mark.parametrize(
    "host", ["https://x.example", "x.example/y", "x y", "x.example:25", "u@x.example", "x?y", "0x7f.1"]
)
async def test_duos_host_is_a_host(house: House, host: str) -> None:
    body = {"name": "duo", "client_id": "a", "client_secret": "b", "api_hostname": host}
    refused = await house.admin.post(STAGES, body)
    assert (refused.status, told_of(refused)) == (400, ["api_hostname"])
    assert (await house.admin.post(STAGES, {**body, "api_hostname": "API-1.duosecurity.com"})).status == 201
