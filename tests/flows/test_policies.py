"""Which stages a run passes: their order, and what the policies bound to them say."""

import pytest

from keystead.base import rand
from keystead.flows.binding import InvalidResponseActionEnum
from keystead.policies.binding import PolicyBinding
from keystead.providers.application import Application
from tests.flows.parts import DENIED, PROMPT_COMPONENT, REDIRECT, SECRET, enter, fields, secret, text_field, who
from tests.flows.support import Studio

OUTCOMES = {
    "return True": "in",
    "return False": "out",
    "return None": "denied",
    "": "denied",
    "raise ValueError('no')": "denied",
    "return undefined_name": "denied",
    "while True: pass": "denied",
    "return ak_user_has_authenticator(request.user)": "denied",
    "return ak_user_by(username='nobody') is None": "in",
    "return ak_user_by(username='nobody') is not None": "out",
}


@pytest.mark.parametrize("expression", list(OUTCOMES))
@pytest.mark.parametrize("when", ["on_plan", "when_reached", "both", "never"])
async def test_a_stage_is_passed_as_its_policies_say_and_never_by_their_failure(
    studio: Studio, expression: str, when: str
) -> None:
    """FL-07: a policy that raises, returns nothing or does not end denies; the stage behind it is not skipped."""
    guarded, last = await studio.prompts("guarded"), await studio.prompts("last")
    flags = {"evaluate_on_plan": when in {"on_plan", "both"}, "re_evaluate_policies": when in {"when_reached", "both"}}
    flow = await studio.flow((guarded, {"policies": (expression,), **flags}), last)
    browser = studio.browser(flow)
    told = await browser.get()
    wanted = "in" if when == "never" else OUTCOMES[expression]
    if wanted == "denied":
        assert told["component"] == DENIED
        assert (await browser.post(guarded="1", last="1"))["component"] == DENIED
        assert (await studio.events("policy_exception")) or "None" in expression or not expression
    else:
        assert fields(told) == (["guarded"] if wanted == "in" else ["last"])


@pytest.mark.parametrize(
    ("mode", "failing", "others", "wanted"),
    [
        ("any", False, ["return True"], "in"),
        ("any", False, ["return False"], "denied"),
        ("all", False, ["return True"], "denied"),
        ("any", True, [], "in"),
        ("all", True, ["return True"], "in"),
    ],
)
async def test_doubt_among_several_policies(
    studio: Studio, mode: str, *, failing: bool, others: list[str], wanted: str
) -> None:
    """An administrator who says that a failure counts as yes (``failure_result``) has said so."""
    flow = await studio.flow()
    binding = await studio.bind(flow, await studio.prompts("guarded"))
    await studio.change(binding, policy_engine_mode=type(binding.policy_engine_mode)(mode))
    await studio.policy(binding.pk, "raise ValueError()", failure_result=failing)
    for one in others:
        await studio.policy(binding.pk, one)
    told = await studio.browser(flow).get()
    assert told["component"] == (PROMPT_COMPONENT if wanted == "in" else DENIED)


async def test_policies_see_the_run(studio: Studio) -> None:
    """The pending user, the answers, the application and the query, as platform.md §4.2 names them."""
    anna = await studio.person("anna", attributes={"team": "blue"})
    application = Application(pk=rand.uuid4(), name="Wiki", slug="wiki")
    await studio.put(application)
    expression = """
return (
    context["pending_user"].username == "anna" and context["pending_user"].attributes["team"] == "blue"
    and context["prompt_data"]["colour"] == "red" and context["application"].slug == "wiki"
    and request.http_request.GET["theme"] == "dark" and request.context["auth_method"] == "password"
    and ak_client_ip == "203.0.113.7" and not ak_is_sso_flow and "finish" not in context
)
"""
    stages = (who(), secret(), await studio.prompts("colour"))
    flow = await studio.flow(*stages, (await studio.prompts("reached"), {"policies": (expression,)}))
    browser = studio.browser(flow, query={"theme": "dark"})
    await browser.begin(application=application.pk, finish={"by": "test"})
    await browser.post(uid_field=anna.username)
    await browser.post(password=SECRET)
    assert fields(await browser.post(colour="red")) == ["reached"]


async def test_a_group_decides_for_the_pending_user(studio: Studio) -> None:
    """A stage bound to a group asks those whom the run is about, before they have a session."""
    root = await studio.superuser()
    await studio.person()
    flow = await studio.flow(who(), secret())
    binding = await studio.bind(flow, await studio.prompts("code"), order=5)
    await studio.bind(flow, enter(), order=9)
    await studio.put(PolicyBinding(pk=rand.uuid4(), group=root.groups[0], target=binding.pk, order=0))
    for name, wanted in (("root", PROMPT_COMPONENT), ("anna", REDIRECT)):
        browser = studio.browser(flow)
        await browser.post(uid_field=name)
        assert (await browser.post(password=SECRET))["component"] == wanted


async def test_stages_stand_in_their_order(studio: Studio) -> None:
    flow = await studio.flow()
    for key, order in (("third", 30), ("first", -1), ("second", 5)):
        await studio.bind(flow, await studio.prompts(key), order=order)
    browser = studio.browser(flow)
    assert fields(await browser.get()) == ["first"]
    assert fields(await browser.post(first="1")) == ["second"]
    assert fields(await browser.post(second="2")) == ["third"]


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (InvalidResponseActionEnum.RESTART, DENIED),
        (InvalidResponseActionEnum.RESTART_WITH_CONTEXT, PROMPT_COMPONENT),
    ],
)
async def test_who_starts_again_is_let_in_anew(studio: Studio, action: InvalidResponseActionEnum, wanted: str) -> None:
    """What let somebody in is forgotten with the rest of the run."""
    asked = await studio.prompts(text_field("name", required=True))
    flow = await studio.flow((asked, {"invalid_response_action": action}), enter())
    await studio.policy(flow.pk, "return ak_is_sso_flow")
    browser = studio.browser(flow)
    assert (await browser.begin(is_sso=True))["component"] == PROMPT_COMPONENT
    assert (await browser.post(name=""))["component"] == wanted
    assert (await browser.get())["component"] == wanted
