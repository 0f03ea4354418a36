"""What the document tells of challenges is what the executor sends, and all that the contract knows."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.prompt import Prompt, PromptTypeEnum
from keystead.flows.stages.consent import ConsentStage
from keystead.flows.stages.dummy import DummyStage
from keystead.flows.stages.identification import IdentificationStage, UserFieldsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.flows.stages.prompt import PromptStage
from keystead.flows.stages.redirect import RedirectStage, RedirectStageModeEnum
from keystead.flows.stages.user_login import UserLoginStage
from keystead.people import password
from tests.client import Client
from tests.doors.http.signed_in import sign_in
from tests.doors.rest.conforms import Json, faults
from tests.doors.rest.contract import contract
from tests.house import House

EXECUTOR = "/api/v3/flows/executor/"
ANSWERS: dict[str, dict[str, object]] = {
    "ak-stage-dummy": {},
    "ak-stage-identification": {"uid_field": "anna"},
    "ak-stage-password": {"password": "correct horse"},
    "ak-stage-user-login": {"remember_me": True},
    "ak-stage-prompt": {"colour": "red", "shape": "round"},
}


@pytest.fixture
def engine() -> str:
    """One engine: the shapes of challenges do not depend on it."""
    return "sqlite"


@pytest.fixture
async def document(house: House) -> Json:
    """The document as clients get it."""
    found: Json = (await house.nobody.get("/api/v3/schema/?format=json")).json
    return found


def components(document: Json, name: str) -> set[str]:
    """The names of the schemas of which one is meant."""
    return {one["$ref"].rpartition("/")[2] for one in document["components"]["schemas"][name]["oneOf"]}


@pytest.mark.parametrize("name", ["ChallengeTypes", "FlowChallengeResponseRequest", "LoginChallengeTypes"])
async def test_every_challenge_and_answer_of_the_contract_is_told_of(document: Json, name: str) -> None:
    assert components(document, name) == components(contract(), name)
    mapping = document["components"]["schemas"][name]["discriminator"]["mapping"]
    assert len(mapping) == len(components(document, name)), "two challenges share a component"
    for component, target in mapping.items():
        schema = contract()["components"]["schemas"][target.rpartition("/")[2]]
        assert schema["properties"]["component"]["default"] == component


async def _flow(house: House, *stages: Any, designation: str = "authentication") -> Flow:  # noqa: ANN401 - every stage
    flow = Flow(
        pk=rand.uuid4(),
        name="f",
        slug=rand.hex128(),
        title="F",
        designation=FlowDesignationEnum(designation),
    )
    bindings = [
        FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=stage.pk, order=order)
        for order, stage in enumerate(stages)
    ]
    await house.put(flow, *stages, *bindings)
    return flow


async def _asked(client: Client, document: Json, flow: Flow, body: object = ...) -> Json:
    """A challenge, looked at closely."""
    url = f"{EXECUTOR}{flow.slug}/?query=next%3D%252F"
    answered = await client.request("GET" if body is ... else "POST", url, json=body)
    if answered.status == 302:
        answered = await client.get(url)
    assert answered.status == 200, answered.text
    found: Json = answered.json
    schema = {"$ref": "#/components/schemas/ChallengeTypes"}
    assert list(faults(document, schema, found, found["component"])) == []
    return found


async def test_what_is_sent_is_what_is_told(house: House, document: Json) -> None:
    await house.person("anna", password=await password.hash_password("correct horse"))
    prompts = [
        Prompt(pk=rand.uuid4(), name=key, field_key=key, label=key, type=PromptTypeEnum(kind), placeholder="round")
        for key, kind in (("colour", "text"), ("shape", "dropdown"), ("line", "separator"))
    ]
    await house.put(*prompts)
    flow = await _flow(
        house,
        DummyStage(pk=rand.uuid4(), name="d"),
        IdentificationStage(pk=rand.uuid4(), name="i", user_fields=(UserFieldsEnum.USERNAME,)),
        PasswordStage(pk=rand.uuid4(), name="p", backends=(BackendsEnum.INBUILT,)),
        PromptStage(pk=rand.uuid4(), name="q", fields=tuple(one.pk for one in prompts)),
        UserLoginStage(pk=rand.uuid4(), name="l", remember_me_offset="days=1"),
    )
    client = Client(house.app)
    asked = await _asked(client, document, flow)
    seen = [asked["component"]]
    while asked["component"] in ANSWERS:
        refused = await _asked(client, document, flow, {"component": "ak-stage-autosubmit"})
        assert refused["response_errors"]
        asked = await _asked(client, document, flow, ANSWERS[asked["component"]])
        seen.append(asked["component"])
    assert seen == [*list(ANSWERS)[:3], "ak-stage-prompt", "ak-stage-user-login", "xak-flow-redirect"]


async def test_so_is_what_ends_a_run(house: House, document: Json) -> None:
    nowhere = RedirectStage(pk=rand.uuid4(), name="r", mode=RedirectStageModeEnum.FLOW)
    broken = DummyStage(pk=rand.uuid4(), name="b", throw_error=True)
    away = RedirectStage(pk=rand.uuid4(), name="a", mode=RedirectStageModeEnum.STATIC, target_static="/")
    wanted = (nowhere, "ak-stage-access-denied"), (broken, "ak-stage-flow-error"), (away, "xak-flow-redirect")
    for stage, component in wanted:
        flow = await _flow(house, stage)
        assert (await _asked(Client(house.app), document, flow))["component"] == component


async def test_so_is_a_consent(house: House, document: Json) -> None:
    browser, _ = await sign_in(house, house.plain)
    flow = await _flow(house, ConsentStage(pk=rand.uuid4(), name="c"), designation="authorization")
    assert (await _asked(browser, document, flow))["component"] == "ak-stage-consent"


async def test_the_inspector_shows_a_run_to_those_who_may_inspect(house: House, document: Json) -> None:
    flow = await _flow(house, DummyStage(pk=rand.uuid4(), name="d"))
    url = f"/api/v3/flows/inspector/{flow.slug}/"
    plain, _ = await sign_in(house, house.plain)
    assert (await house.nobody.get(url)).status == 403
    assert (await plain.get(url)).status == 403
    assert (await house.admin.get("/api/v3/flows/inspector/none/")).status == 404
    root, _ = await sign_in(house, house.superuser)
    other = await _flow(house, DummyStage(pk=rand.uuid4(), name="e"), designation="recovery")
    found = (await root.get(f"/api/v3/flows/inspector/{other.slug}/")).json
    assert list(faults(document, {"$ref": "#/components/schemas/FlowInspection"}, found)) == []
    assert found["current_plan"]["current_stage"]["stage_obj"]["name"] == "e"
    assert found["is_completed"] is False
