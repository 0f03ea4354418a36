"""Prompt stage: what a form shows, which answers it takes, and who else may object."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows.ports import Reply
from keystead.flows.prompt import Prompt, PromptTypeEnum, choices_of
from keystead.flows.stages.prompt import ACTIONS, PROMPT, PromptChallenge, PromptRequest
from keystead.kinds.render import render
from keystead.people.actor import actor_of
from tests.flows.parts import PROMPT_COMPONENT, Given, errors, text_field
from tests.flows.support import Browser, Studio, signed_in


async def form(studio: Studio, *fields: Given, **members: Given) -> Browser:
    """A form, and behind it another one whose placeholder shows what the first one gave."""
    shows = text_field("after", placeholder="return str(prompt_context)", placeholder_expression=True)
    return studio.browser(await studio.flow(await studio.prompts(*fields, **members), await studio.prompts(shows)))


async def taken(browser: Browser, **body: object) -> dict[str, Any] | None:
    """What the run keeps of an answer, or None when it is refused."""
    told = await browser.post(**body)
    if "response_errors" in told:
        return None
    (field,) = told["fields"]
    assert field["field_key"] == "after"
    visitor = await browser.visitor()
    course = await browser.studio.executor._approach(  # noqa: SLF001 - what a run knows is nobody else's business
        await browser.call(visitor), browser.studio.state, browser.flow, visitor
    )
    assert not isinstance(course, Reply)
    data: Any = course.course.context["prompt_data"]
    return dict(data)


GOOD: list[tuple[str, object, object]] = [
    ("text", " a word ", "a word"),
    ("text_area", "two\nlines", "two\nlines"),
    ("username", "new.name", "new.name"),
    ("email", "Anna@example.org", "Anna@example.org"),
    ("password", "  spaces count  ", "  spaces count  "),
    ("number", "42", 42),
    ("number", 4.5, 4.5),
    ("number", "-1e3", -1000.0),
    ("checkbox", True, True),
    ("checkbox", "on", True),
    ("checkbox", "true", True),
    ("radio-button-group", "red", "red"),
    ("dropdown", "g", "g"),
    ("date", "2026-08-31", "2026-08-31"),
    ("date-time", "2026-08-31T18:30", "2026-08-31T18:30:00"),
    ("file", "data:text/plain;base64,aGk=", "data:text/plain;base64,aGk="),
    ("ak-locale", "pt-BR", "pt-BR"),
]
BAD: list[tuple[str, object, str]] = [
    ("text", "", "required"),
    ("text", "   ", "required"),
    ("text", None, "required"),
    ("text", ["a"], "required"),
    ("text", {"a": 1}, "required"),
    ("text", "nul\x00", "invalid"),
    ("text", "x" * 70_000, "invalid"),
    ("username", "anna", "unique"),
    ("email", "anna", "invalid"),
    ("email", "anna@", "invalid"),
    ("password", "x" * 1025, "invalid"),
    ("number", "many", "invalid"),
    ("number", "nan", "invalid"),
    ("number", "1e999", "invalid"),
    ("number", "9" * 5000, "invalid"),
    ("checkbox", False, "required"),
    ("checkbox", "maybe", "invalid"),
    ("checkbox", None, "required"),
    ("radio-button-group", "blue", "invalid_choice"),
    ("dropdown", "Green", "invalid_choice"),
    ("date", "31.08.2026", "invalid"),
    ("date", "2026-02-30", "invalid"),
    ("date-time", "yesterday", "invalid"),
    ("file", "/etc/passwd", "invalid"),
    ("file", "data:," + "x" * (1 << 20), "invalid"),
    ("ak-locale", "de; DROP TABLE", "invalid_choice"),
]
PLACEHOLDER = 'return ["red", {"value": "g", "label": "Green"}]'


def a_field(kind: str, **members: Given) -> Prompt:
    if kind in {"radio-button-group", "dropdown"}:
        members |= {"placeholder": PLACEHOLDER, "placeholder_expression": True}
    return text_field("field", kind, **members)


async def test_good_answers(studio: Studio) -> None:
    for kind, given, kept in GOOD:
        browser = await form(studio, a_field(kind, required=True))
        assert await taken(browser, field=given) == {"field": kept}, (kind, given)


async def test_bad_answers(studio: Studio) -> None:
    await studio.stranger("anna")
    for kind, given, code in BAD:
        browser = await form(studio, a_field(kind, required=True))
        told = await browser.post(field=given)
        assert errors(told) == {"field": [code]}, (kind, given)
    assert await studio.runs() == []


async def test_every_type_has_all_members_and_may_be_left_out_if_not_required(studio: Studio) -> None:
    for kind in PromptTypeEnum:
        await one_type(studio, kind.value)


async def one_type(studio: Studio, kind: str) -> None:
    browser = await form(studio, a_field(kind, sub_text="Beneath."))
    (field,) = (await browser.get())["fields"]
    assert set(field) == {
        "field_key",
        "label",
        "type",
        "required",
        "placeholder",
        "initial_value",
        "order",
        "sub_text",
        "choices",
    }
    assert field["type"] == kind
    assert field["sub_text"] == "Beneath."
    assert (field["choices"] is not None) is (kind in {"radio-button-group", "dropdown"})
    if kind in {"radio-button-group", "dropdown"}:
        assert field["choices"] == [{"value": "red", "label": "red"}, {"value": "g", "label": "Green"}]
        assert field["initial_value"] == "red"
    assert await taken(browser) is not None


async def test_what_we_put_there_stays_what_it_was(studio: Studio) -> None:
    """Hidden and read-only fields come back as we sent them, whatever was posted; shown ones give nothing."""
    ours = ("hidden", "text_read_only", "text_area_read_only")
    shown = ("static", "separator", "alert_info", "alert_warning", "alert_danger")
    fields = [text_field(kind.replace("-", "_"), kind, initial_value=f" {kind} ") for kind in (*ours, *shown)]
    browser = await form(studio, *fields)
    forged = {field.field_key: "forged" for field in fields}
    assert await taken(browser, **forged) == {kind: f" {kind} " for kind in ours}


async def test_fields_stand_in_their_order(studio: Studio) -> None:
    browser = await form(studio, text_field("b", order=2), text_field("a", order=1), text_field("c", order=2))
    assert next(one["field_key"] for one in (await browser.get())["fields"]) == "a"


async def test_a_password_and_its_repetition(studio: Studio) -> None:
    fields = (text_field("password", "password"), text_field("password_repeat", "password"))
    browser = await form(studio, *fields)
    assert errors(await browser.post(password="one", password_repeat="two")) == {"password_repeat": ["invalid"]}
    assert errors(await browser.post(password="one")) == {"password_repeat": ["invalid"]}
    told = await browser.post(password="same", password_repeat="same")
    assert "response_errors" not in told


async def test_every_complaint_at_once(studio: Studio) -> None:
    browser = await form(studio, text_field("one", required=True), text_field("two", "email"))
    assert errors(await browser.post(two="x")) == {"one": ["required"], "two": ["invalid"]}


async def test_policies_judge_the_answers(studio: Studio) -> None:
    wise = await studio.policy("", 'ak_message("Choose wisely.")\nreturn context["prompt_data"]["colour"] == "red"')
    silent = await studio.policy("", 'return context["prompt_data"]["colour"] != "black"')
    browser = await form(studio, "colour", validation_policies=(wise.pk, silent.pk))
    told = await browser.post(colour="blue")
    assert told["response_errors"] == {"non_field_errors": [{"string": "Choose wisely.", "code": "invalid"}]}
    assert len(errors(await browser.post(colour="black"))["non_field_errors"]) == 2
    assert await taken(browser, colour="red") == {"colour": "red"}


async def test_a_policy_that_fails_refuses(studio: Studio) -> None:
    policies = [await studio.policy("", one) for one in ("raise ValueError()", "return None", "while True: pass")]
    for policy in policies:
        browser = await form(studio, "colour", validation_policies=(policy.pk,))
        assert errors(await browser.post(colour="red")) == {"non_field_errors": ["invalid"]}
        await studio.remove(policy)
        assert await taken(browser, colour="red") == {"colour": "red"}


async def test_expressions_fill_in(studio: Studio) -> None:
    anna = await studio.person("anna", attributes={"team": "blue"})
    first = text_field("first", initial_value="return user.attributes['team']", initial_value_expression=True)
    second = text_field("second", placeholder="return prompt_context['first'].upper()", placeholder_expression=True)
    flow = await studio.flow(
        await studio.prompts(first), await studio.prompts(second), designation="stage_configuration"
    )
    browser = await signed_in(studio, anna, flow)
    (asked,) = (await browser.get())["fields"]
    assert asked["initial_value"] == "blue"
    (asked,) = (await browser.post(first="green"))["fields"]
    assert asked["placeholder"] == "GREEN"


async def test_an_expression_that_fails_shows_no_form(studio: Studio) -> None:
    browser = await form(studio, text_field("x", initial_value="return 1/0", initial_value_expression=True))
    assert (await browser.get())["component"] == "ak-stage-flow-error"


async def test_a_password_never_travels_back(studio: Studio) -> None:
    field = text_field("password", "password", initial_value="preset")
    browser = await form(studio, field)
    await browser.begin(prompt_data={"password": "known"})
    told = msgspec.json.encode(await browser.get()).decode()
    assert "preset" not in told
    assert "known" not in told


def test_choices() -> None:
    assert choices_of(None) == choices_of("") == choices_of([]) == []
    assert [one.value for one in choices_of("only")] == ["only"]
    assert [(one.value, one.label) for one in choices_of([1, {"value": "b"}])] == [("1", "1"), ("b", "b")]


async def test_preview(studio: Studio) -> None:
    """How a prompt would look, without keeping it; for those who may write expressions."""
    (action,) = ACTIONS
    assert (action.permission, action.path, action.request) == ("change", "preview/", PromptRequest)
    root = await studio.superuser()
    actor = await actor_of(studio.state, root.pk, means="token")
    assert actor is not None
    call = replace(studio.call, actor=actor)
    asked = PromptRequest(
        name="n", field_key="k", label="l", type=PromptTypeEnum.TEXT, initial_value="return user.username"
    )
    answered = await action.run(call, studio.state, None, asked)
    assert isinstance(answered.body, PromptChallenge)
    assert answered.body.component == PROMPT_COMPONENT
    assert answered.body.fields[0].initial_value == "return user.username"
    asked.initial_value_expression = True
    answered = await action.run(call, studio.state, None, asked)
    assert isinstance(answered.body, PromptChallenge)
    assert answered.body.fields[0].initial_value == "root"
    asked.initial_value = "return 1/0"
    with pytest.raises(Problem) as caught:
        await action.run(call, studio.state, None, asked)
    assert caught.value.kind is Fault.INVALID
    assert studio.state.settings.all(PROMPT) == ()


async def test_a_prompt_names_the_stages_that_show_it(studio: Studio) -> None:
    prompt = text_field("shared")
    one = await studio.prompts(prompt)
    flow = await studio.flow(one)
    unused = text_field("unused")
    await studio.put(unused)
    shown, bare = await render(studio.call, studio.state, PROMPT, [prompt, unused], {})
    (stage,) = msgspec.to_builtins(shown["prompt_stages_obj"])
    assert stage["pk"] == one.pk
    assert stage["meta_model_name"] == "authentik_stages_prompt.promptstage"
    assert [found["slug"] for found in stage["flow_set"]] == [flow.slug]
    assert bare["prompt_stages_obj"] == []
