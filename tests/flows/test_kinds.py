"""Flows, bindings and stages as the contract shows them."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows.binding import FLOW_STAGE_BINDING, FlowStageBinding, bindings_of
from keystead.flows.choice import configuring, designated
from keystead.flows.flow import ACTIONS, FLOW, Cache, Flow, FlowDesignationEnum, Link
from keystead.flows.inspector import inspect
from keystead.flows.register import STAGES
from keystead.flows.stages.consent import ConsentStage
from keystead.flows.stages.deny import DenyStage
from keystead.flows.stages.prompt import PROMPT, PromptStage
from keystead.flows.stages.user_login import UserLoginStage
from keystead.flows.stages.user_logout import UserLogoutStage
from keystead.flows.stages.user_write import UserWriteStage
from keystead.kinds.kind import Kind
from keystead.kinds.listing import narrowed, settings
from keystead.kinds.pending import Pending
from keystead.kinds.render import render, type_members
from keystead.people.brand import BRAND
from keystead.policies.binding import PolicyBinding
from tests.flows.parts import SECRET, enter, secret, text_field, who
from tests.flows.support import Studio, signed_in

CONTRACT = Path(__file__).parent.parent / "contract" / "openapi-2026.8.json.gz"
PATHS = {
    "Flow": ("flows/instances", "slug", ""),
    "FlowStageBinding": ("flows/bindings", "fsb_uuid", ""),
    "Prompt": ("stages/prompt/prompts", "prompt_uuid", ""),
    "IdentificationStage": ("stages/identification", "stage_uuid", "ak-stage-identification-form"),
    "PasswordStage": ("stages/password", "stage_uuid", "ak-stage-password-form"),
    "UserLoginStage": ("stages/user_login", "stage_uuid", "ak-stage-user-login-form"),
    "UserLogoutStage": ("stages/user_logout", "stage_uuid", "ak-stage-user-logout-form"),
    "ConsentStage": ("stages/consent", "stage_uuid", "ak-stage-consent-form"),
    "PromptStage": ("stages/prompt/stages", "stage_uuid", "ak-stage-prompt-form"),
    "UserWriteStage": ("stages/user_write", "stage_uuid", "ak-stage-user-write-form"),
    "DenyStage": ("stages/deny", "stage_uuid", "ak-stage-deny-form"),
}
KINDS: list[Kind[Any]] = [FLOW, FLOW_STAGE_BINDING, PROMPT, *(stage.kind for stage in STAGES)]
OURS = [kind for kind in KINDS if kind.struct.__name__ in PATHS]
"""Stages that are kept only are compared with the contract where all kinds are (test_openapi_contract.py)."""
DEFAULTS: dict[str, dict[str, object]] = {
    "Flow": {
        "background": "",
        "policy_engine_mode": "any",
        "compatibility_mode": False,
        "layout": "stacked",
        "denied_action": "message_continue",
        "authentication": "none",
    },
    "FlowStageBinding": {
        "evaluate_on_plan": False,
        "re_evaluate_policies": True,
        "policy_engine_mode": "any",
        "invalid_response_action": "retry",
    },
    "IdentificationStage": {
        "user_fields": [],
        "password_stage": None,
        "captcha_stage": None,
        "case_insensitive_matching": True,
        "show_matched_user": True,
        "enrollment_flow": None,
        "recovery_flow": None,
        "passwordless_flow": None,
        "sources": [],
        "show_source_labels": False,
        "pretend_user_exists": True,
        "enable_remember_me": False,
        "webauthn_stage": None,
    },
    "PasswordStage": {"configure_flow": None, "failed_attempts_before_cancel": 5, "allow_show_password": False},
    "UserLoginStage": {
        "session_duration": "seconds=0",
        "terminate_other_sessions": False,
        "remember_me_offset": "seconds=0",
        "network_binding": "no_binding",
        "geoip_binding": "no_binding",
        "remember_device": "days=30",
    },
    "UserLogoutStage": {},
    "ConsentStage": {"mode": "always_require", "consent_expire_in": "weeks=4"},
    "PromptStage": {"validation_policies": []},
    "Prompt": {
        "required": False,
        "placeholder": "",
        "initial_value": "",
        "order": 0,
        "sub_text": "",
        "placeholder_expression": False,
        "initial_value_expression": False,
    },
    "UserWriteStage": {
        "user_creation_mode": "create_when_required",
        "create_users_as_inactive": True,
        "create_users_group": None,
        "user_type": "external",
        "user_path_template": "",
    },
    "DenyStage": {"deny_message": ""},
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """The contract's schemas."""
    found: dict[str, Any] = msgspec.json.decode(gzip.decompress(CONTRACT.read_bytes()))["components"]["schemas"]
    return found


def example(kind: Kind[Any], flow: Flow, stage: DenyStage) -> msgspec.Struct:
    makes: dict[str, Any] = {
        "Flow": lambda: flow,
        "FlowStageBinding": lambda: FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=stage.pk, order=7),
        "Prompt": lambda: text_field("x"),
        "IdentificationStage": lambda: who(user_fields=()),
        "PasswordStage": secret,
        "UserLoginStage": lambda: UserLoginStage(pk=rand.uuid4(), name="l"),
        "UserLogoutStage": lambda: UserLogoutStage(pk=rand.uuid4(), name="o"),
        "ConsentStage": lambda: ConsentStage(pk=rand.uuid4(), name="c"),
        "PromptStage": lambda: PromptStage(pk=rand.uuid4(), name="p", fields=()),
        "UserWriteStage": lambda: UserWriteStage(pk=rand.uuid4(), name="w"),
        "DenyStage": lambda: stage,
    }
    made: msgspec.Struct = makes[kind.struct.__name__]()
    return made


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
async def test_members_are_the_contracts(studio: Studio, schemas: dict[str, Any], kind: Kind[Any]) -> None:
    name = kind.struct.__name__
    stage = DenyStage(pk=rand.uuid4(), name="d")
    flow = await studio.flow(stage)
    (shown,) = await render(studio.call, studio.state, kind, [example(kind, flow, stage)], {})
    body = msgspec.json.decode(msgspec.json.encode(shown))
    schema = schemas[name]
    assert set(body) == set(schema["properties"]), "members"
    for member in schema.get("required", ()):
        assert body[member] is not None or schema["properties"][member].get("nullable"), member
    asked = schemas[f"{name}Request"]
    assert {one.name for one in kind.fields.values() if one.writable} == set(asked["properties"])
    assert {one.name for one in kind.fields.values() if one.writable and one.required} == set(asked["required"])
    assert {member: body[member] for member in DEFAULTS[name]} == DEFAULTS[name]
    assert (kind.path, kind.key_name, kind.component) == PATHS[name]
    if kind.family:
        assert type_members(kind)["meta_model_name"] == kind.model


async def test_a_flow_shows_what_is_bound_to_it(studio: Studio) -> None:
    stages = [DenyStage(pk=rand.uuid4(), name=str(n)) for n in range(3)]
    flow = await studio.flow()
    for stage, order in zip(stages, (20, 10, 30), strict=True):
        await studio.bind(flow, stage, order=order)
    policy = await studio.policy(flow.pk, "return True")
    (shown,) = await render(studio.call, studio.state, FLOW, [flow], {})
    assert shown["stages"] == [stages[1].pk, stages[0].pk, stages[2].pk]
    assert shown["policies"] == [policy.pk]
    assert shown["policybindingmodel_ptr_id"] == flow.pk
    assert shown["background_url"] == "/static/dist/assets/images/flow_background.jpg"
    kind = next(stage.kind for stage in STAGES if stage.kind.struct is DenyStage)
    (body,) = msgspec.to_builtins(await render(studio.call, studio.state, kind, [stages[0]], {}))
    assert [one["slug"] for one in body["flow_set"]] == [flow.slug]


async def test_a_stage_goes_with_its_bindings_and_a_flow_with_its(studio: Studio) -> None:
    stage = DenyStage(pk=rand.uuid4(), name="d")
    flow = await studio.flow(stage)
    chosen = secret(configure_flow=flow.pk)
    embedding = who(password_stage=chosen.pk, recovery_flow=flow.pk)
    await studio.put(chosen, embedding)
    (binding,) = studio.state.settings.all(FLOW_STAGE_BINDING)
    await studio.policy(binding.pk, "return True")
    await studio.remove(stage)
    assert studio.state.settings.all(FLOW_STAGE_BINDING) == ()
    bound = next(kind for kind in studio.state.kinds.values() if kind.struct is PolicyBinding)
    assert studio.state.settings.all(bound) == ()
    await studio.remove(flow)
    found = {type(one).__name__: one for _, one in studio.state.settings.members("stages")}
    assert found["PasswordStage"].configure_flow is None
    assert found["IdentificationStage"].recovery_flow is None


async def test_a_prompt_leaves_its_forms(studio: Studio) -> None:
    one, two = text_field("one"), text_field("two")
    stage = await studio.prompts(one, two)
    await studio.remove(one)
    kept = studio.state.settings.find("stages", stage.pk)
    assert kept is not None
    assert kept[1].fields == (two.pk,)


async def test_a_stage_stands_at_one_place_once(studio: Studio) -> None:
    stage = DenyStage(pk=rand.uuid4(), name="d")
    flow = await studio.flow(stage)
    (binding,) = studio.state.settings.all(FLOW_STAGE_BINDING)
    rules = FLOW_STAGE_BINDING.rules
    assert rules is not None
    again = msgspec.structs.replace(binding, pk=rand.uuid4())
    with pytest.raises(Problem) as caught:
        await rules(studio.call, studio.state, None, again)
    assert caught.value.kind is Fault.INVALID
    assert await rules(studio.call, studio.state, binding, binding) == binding
    other = msgspec.structs.replace(again, order=5)
    assert await rules(studio.call, studio.state, None, other) == other
    assert flow.pk == other.target


async def test_actions(studio: Studio) -> None:
    flow = await studio.flow(slug="go")
    built = [action for action in ACTIONS if not isinstance(action.run, Pending)]
    told = {action.operation: await action.run(studio.call, studio.state, flow, {}) for action in built}
    assert told["cache_info_retrieve"].body == Cache(0)
    assert told["cache_clear_create"].status == 204
    assert told["execute_retrieve"].body == Link("/if/flow/go/")


async def test_bindings_are_found_by_the_policies_bound_to_them(studio: Studio) -> None:
    flow = await studio.flow(*(DenyStage(pk=rand.uuid4(), name=str(n)) for n in range(3)))
    first, second, _ = bindings_of(studio.state.settings, flow.pk)
    one, two = await studio.policy(first.pk, "return True"), await studio.policy(second.pk, "return True")

    async def found(*policies: str) -> set[str]:
        query = {"policies": list(policies)}
        test = await narrowed(studio.call, studio.state, FLOW_STAGE_BINDING, query)
        return {binding.pk for binding in settings(studio.call, FLOW_STAGE_BINDING, query, test)}

    assert await found(one.pk) == {first.pk}
    assert await found(one.pk, two.pk) == {first.pk, second.pk}
    assert await found(rand.uuid4()) == set()


async def test_the_inspector(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    flow = await studio.flow(
        await studio.prompts(text_field("password", "password"), "colour"),
        await studio.prompts("last"),
        designation="stage_configuration",
    )
    for person in (None, anna):
        browser = await signed_in(studio, person, flow) if person else studio.browser(flow)
        visitor = await browser.visitor()
        with pytest.raises(Problem):
            await inspect(await browser.call(visitor), studio.state, studio.executor.ports, flow, visitor)
    browser = await signed_in(studio, root, flow)
    for step in range(2):
        visitor = await browser.visitor()
        call = await browser.call(visitor)
        found = await inspect(call, studio.state, studio.executor.ports, flow, visitor)
        told = msgspec.to_builtins(found)
        assert told["is_completed"] is False
        assert told["plans"] == [told["current_plan"]]
        plan = told["current_plan"]
        assert plan["current_stage"]["order"] == step
        assert plan["current_stage"]["stage_obj"]["component"] == "ak-stage-prompt-form"
        assert plan["next_planned_stage"]["order"] == 1
        assert plan["plan_context"]["pending_user"] == root.pk
        assert browser.sid not in str(told)
        if step:
            assert plan["plan_context"]["prompt_data"]["colour"] == "red"
            assert SECRET not in str(told)
        await browser.post(password=SECRET, colour="red")
    closed = await studio.flow(authentication="require_unauthenticated", designation="recovery")
    visitor = await browser.visitor()
    found = await inspect(await browser.call(visitor), studio.state, studio.executor.ports, closed, visitor)
    assert msgspec.to_builtins(found) == {"plans": [], "is_completed": True}


async def test_which_flow_serves_a_purpose(studio: Studio) -> None:
    purpose = FlowDesignationEnum.RECOVERY
    browser = studio.browser(await studio.flow())
    visitor = await browser.visitor()

    async def found() -> Flow | None:
        return await designated(await browser.call(visitor), studio.state, studio.executor.ports, visitor, purpose)

    assert await found() is None
    await studio.flow(slug="a", designation="recovery", authentication="require_authenticated")
    refused = await studio.flow(slug="b", designation="recovery")
    await studio.policy(refused.pk, "return False")
    open_ = await studio.flow(slug="c", designation="recovery")
    assert await found() == open_
    (brand,) = studio.state.settings.all(BRAND)
    await studio.change(brand, flow_recovery=refused.pk)
    assert await found() == refused


async def test_which_flow_sets_up_a_stage(studio: Studio) -> None:
    flow = await studio.flow()
    stage, bare, plain = secret(configure_flow=flow.pk), secret(), enter()
    await studio.put(stage, bare, plain)
    settings = studio.state.settings
    assert configuring(settings, stage.pk) == flow
    assert configuring(settings, bare.pk) is configuring(settings, plain.pk) is configuring(settings, "x") is None
