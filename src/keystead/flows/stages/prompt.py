"""Prompt stage: a form that administrators put together; what was answered goes into the run as ``prompt_data``."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows.gate import seen
from keystead.flows.prompt import SHOWN_ONLY, Evaluate, Prompt, PromptTypeEnum, StagePrompt, shown, take
from keystead.flows.schema import Answered, Asked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import GENERAL, Again, Body, Challenge, Done, Error, Outcome, Run, Stage
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.finding import by_username
from keystead.people.person import person_by_pk, person_of
from keystead.policies.judge import Request
from keystead.policies.sandbox import ExpressionError
from keystead.policies.values import evaluate_mapping, names_for_mapping

COMPONENT: Final = "ak-stage-prompt"
_PROMPT: Final = "authentik_stages_prompt.prompt"


class PromptStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks a form.

    :param fields: the prompts, shown by their own order.
    :param validation_policies: judge the answers (``prompt_data``); each must pass.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    fields: tuple[Annotated[Uuid, Ref(_PROMPT, OnDelete.CASCADE_MANY)], ...]
    validation_policies: tuple[Annotated[Uuid, Ref("policies", OnDelete.CASCADE_MANY)], ...] = ()


async def _fields(run: Run[PromptStage]) -> list[StagePrompt]:
    """The fields as they are shown now."""
    found = (run.call.settings.get(PROMPT, pk) for pk in run.stage.fields)
    prompts = sorted((one for one in found if one), key=lambda one: (one.order, one.name))
    person = None
    if run.user is not None and any(one.placeholder_expression or one.initial_value_expression for one in prompts):
        person = await person_of(run.state, run.user)
    context = seen(run.call, run.context)
    filled = _filled(run)
    request = Request(run.call, person, context)
    names = names_for_mapping(request, prompt_context=filled, context=context)
    return [shown(one, filled, _evaluator(names)) for one in prompts]


def _evaluator(names: Mapping[str, object]) -> Evaluate:
    return lambda source, name: evaluate_mapping(source, name, names)


def _filled(run: Run[PromptStage]) -> dict[str, object]:
    data = run.context.get("prompt_data")
    return dict(data) if isinstance(data, Mapping) else {}


async def ask(run: Run[PromptStage]) -> Challenge:
    """The form."""
    return Challenge(COMPONENT, {"fields": [msgspec.to_builtins(field) for field in await _fields(run)]})


async def answer(run: Run[PromptStage], body: Body) -> Outcome:
    """Every field is taken or complained about; then the policies judge the whole."""
    data: dict[str, object] = {}
    errors: dict[str, list[Error]] = {}
    for field in await _fields(run):
        if field.type in SHOWN_ONLY:
            continue
        data[field.field_key], error = take(field, body.get(field.field_key))
        if error is None and field.type is PromptTypeEnum.USERNAME:
            error = await _taken(run, data[field.field_key])
        if error is not None:
            errors[field.field_key] = [error]
    if {"password", "password_repeat"} <= data.keys() and data["password"] != data["password_repeat"]:
        errors.setdefault("password_repeat", [Error("The two passwords differ.")])
    if errors:
        return Again(errors)
    answered = {**_filled(run), **data}
    if complaints := await _judged(run, answered):
        return Again({GENERAL: complaints})
    return Done({"prompt_data": answered})


async def _taken(run: Run[PromptStage], username: object) -> Error | None:
    holder = await by_username(run.state, str(username)) if username else None
    if holder is None or (run.user is not None and holder.pk == run.user.pk):
        return None
    return Error("This username is taken. Choose another one.", "unique")


async def _judged(run: Run[PromptStage], answered: Mapping[str, object]) -> list[Error]:
    """What the validation policies say against the answers."""
    if not run.stage.validation_policies:
        return []
    person = await person_of(run.state, run.user) if run.user is not None else None
    complaints = []
    for pk in run.stage.validation_policies:
        found = run.call.settings.find("policies", pk)
        context = {**seen(run.call, run.context), "prompt_data": dict(answered)}
        result = await run.ports.engine.ask(run.state, *found, Request(run.call, person, context)) if found else None
        if result is None or not result.passing:
            told = result.messages if result else ()
            complaints += [Error(text) for text in told or ("These answers are not accepted.",)]
    return complaints


class PromptShown(msgspec.Struct):
    """The computed member of a prompt: the stages that show it."""

    prompt_stages_obj: list[Annotated[dict[str, object], msgspec.Meta(title="PromptStage")]]


@steady
async def view_prompts(
    call: Call, state: State, prompts: Sequence[Prompt], _query: Mapping[str, Sequence[str]]
) -> list[PromptShown]:
    """The stages that show each prompt."""
    shown_by = []
    for prompt in prompts:
        found = [
            stage
            for one in call.settings.referrers(PROMPT, prompt.pk)
            if one.kind is PROMPT_STAGE and (stage := call.settings.get(PROMPT_STAGE, one.pk))
        ]
        found.sort(key=lambda stage: stage.name)
        shown_by.append(PromptShown(await render(call, state, PROMPT_STAGE, found, {})))
    return shown_by


class PromptRequest(msgspec.Struct, kw_only=True):
    """A prompt that need not be kept."""

    name: Text
    field_key: Text
    label: Text
    type: PromptTypeEnum
    required: bool = False
    placeholder: str = ""
    initial_value: str = ""
    order: Int32 = 0
    sub_text: str = ""
    placeholder_expression: bool = False
    initial_value_expression: bool = False


class PromptChallenge(Asked, kw_only=True):
    """Asks a form."""

    component: str = COMPONENT
    fields: list[StagePrompt]


class PromptChallengeResponse(Answered, kw_only=True):
    """The answers: one member a field, called as its ``field_key``."""

    component: Text = COMPONENT


async def preview(call: Call, state: State, _obj: None, body: PromptRequest) -> Answer:
    """How a prompt would look to the caller; its expressions run, so whoever asks must be one who may write them."""
    prompt = Prompt(pk="", **msgspec.structs.asdict(body))
    request = Request(call, await person_by_pk(state, call.actor.pk))
    names = names_for_mapping(request, prompt_context={}, context={})
    try:
        return Answer(PromptChallenge(fields=[shown(prompt, {}, _evaluator(names))]))
    except ExpressionError as exc:
        raise invalid({"non_field_errors": [f"An expression fails: {exc}"]}) from None


PROMPT = Kind(
    model=_PROMPT,
    struct=Prompt,
    path="stages/prompt/prompts",
    title=("Prompt", "Prompts"),
    key_name="prompt_uuid",
    shown=PromptShown,
    view=view_prompts,
    search=("name", "field_key", "label", "type"),
    order=("order", "name"),
    filters=("field_key", "label", "name", "placeholder", "type"),
)
PROMPT_STAGE = Kind(
    model="authentik_stages_prompt.promptstage",
    struct=PromptStage,
    path="stages/prompt/stages",
    title=("Prompt Stage", "Prompt Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-prompt-form",
    shown=StageShown,
    view=view,
    filters=("fields", "name", "validation_policies", BY_UUID),
)
STAGE = Stage(
    PROMPT_STAGE, ask, answer, component=COMPONENT, challenge=PromptChallenge, response=PromptChallengeResponse
)
ACTIONS = (
    Action(PROMPT, "POST", "preview/", preview, "preview_create", request=PromptRequest, response=PromptChallenge),
)
