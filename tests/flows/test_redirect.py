"""The redirect stage ends the run: towards an address, or into another flow."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.flows.stages.redirect import RedirectStage, RedirectStageModeEnum, rules
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from tests.flows.parts import DENIED, PROMPT_COMPONENT, REDIRECT, SECRET, enter, fields, secret, who
from tests.flows.support import Studio, signed_in

STATIC, FLOW = RedirectStageModeEnum.STATIC, RedirectStageModeEnum.FLOW


def to(**members: Any) -> RedirectStage:  # noqa: ANN401 - members of a stage
    return RedirectStage(pk=rand.uuid4(), name=rand.hex128(), **members)


@pytest.mark.parametrize("target", ["https://example.org/page?a=b", "http://[::1]:8080/", "/if/user/"])
async def test_an_address_ends_the_run(studio: Studio, target: str) -> None:
    flow = await studio.flow(await studio.prompts("first"), to(mode=STATIC, target_static=target), enter())
    browser = studio.browser(flow, query={"next": "/elsewhere"})
    left = await browser.post(first="x")
    assert (left["component"], left["to"]) == (REDIRECT, target)
    assert await studio.runs() == []
    assert fields(await browser.get()) == ["first"]


async def test_what_happened_before_is_kept(studio: Studio) -> None:
    anna = await studio.person()
    write = UserWriteStage(pk=rand.uuid4(), name="w", user_creation_mode=UserCreationModeEnum.NEVER_CREATE)
    flow = await studio.flow(
        await studio.prompts("name"), write, to(mode=STATIC, target_static="/"), designation="stage_configuration"
    )
    browser = await signed_in(studio, anna, flow)
    assert (await browser.post(name="Anna Berg"))["to"] == "/"
    assert len(await studio.events("user_write")) == 1
    assert (await browser.visitor()).user is not None
    assert await studio.runs() == []


async def test_another_flow_begins_with_what_this_one_found_out(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour", "shape"), authentication="require_redirect")
    first = await studio.flow(await studio.prompts("colour"), to(mode=FLOW, target_flow=second.pk, keep_context=True))
    assert (await studio.browser(second).get())["component"] == DENIED
    browser = studio.browser(first, query={"next": "/bye"})
    left = await browser.post(colour="red")
    assert (left["component"], left["to"]) == (REDIRECT, f"/if/flow/{second.slug}/?next=%2Fbye")
    (run,) = await studio.runs()
    assert run[0] == second.slug
    there = studio.browser(second, sid=browser.sid, query={"next": "/bye"})
    asked = await there.get()
    assert {one["field_key"]: one["initial_value"] for one in asked["fields"]} == {"colour": "red", "shape": ""}
    assert (await there.post(colour="red", shape="round"))["to"] == "/bye"


async def test_another_flow_may_begin_at_nothing(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour"))
    first = await studio.flow(await studio.prompts("colour"), to(mode=FLOW, target_flow=second.pk, keep_context=False))
    browser = studio.browser(first)
    await browser.post(colour="red")
    asked = await studio.browser(second, sid=browser.sid).get()
    assert [one["initial_value"] for one in asked["fields"]] == [""]


async def test_who_signs_in_before_is_signed_in_after(studio: Studio) -> None:
    """The session key changes within the same step; the new run stands under the new one."""
    await studio.person()
    second = await studio.flow(await studio.prompts("colour"), designation="stage_configuration")
    first = await studio.flow(who(), secret(), enter(), to(mode=FLOW, target_flow=second.pk))
    browser = studio.browser(first)
    before = browser.sid
    await browser.post(uid_field="anna")
    assert (await browser.post(password=SECRET))["to"] == f"/if/flow/{second.slug}/"
    assert browser.sid != before
    assert len(await studio.sessions()) == 1
    there = studio.browser(second, sid=browser.sid)
    assert (await there.visitor()).user is not None
    assert fields(await there.get()) == ["colour"]
    assert (await there.post(colour="x"))["component"] == REDIRECT
    assert await studio.runs() == []


async def test_a_flow_that_does_not_let_in_says_no(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour"), authentication="require_authenticated")
    first = await studio.flow(await studio.prompts("x"), to(mode=FLOW, target_flow=second.pk))
    browser = studio.browser(first)
    assert (await browser.post(x="y"))["component"] == DENIED
    assert await studio.runs() == []


async def test_the_context_goes_before_the_settings(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour"))
    flow = await studio.flow(to(mode=STATIC, target_static="/own"))
    browser = studio.browser(flow)
    assert (await browser.begin(redirect_stage_target="https://example.org/"))["to"] == "https://example.org/"
    assert (await browser.begin(redirect_stage_target=f"ak-flow://{second.slug}"))["to"] == f"/if/flow/{second.slug}/"
    assert (await browser.begin(redirect_stage_target=""))["to"] == "/own"


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//evil.example.org", "/\\evil", "data:text/html,x", "ak-flow://none", "https://"]
)
async def test_what_leads_nowhere_ends_the_run_with_a_no(studio: Studio, target: str) -> None:
    browser = studio.browser(await studio.flow(await studio.prompts("x"), to(mode=STATIC, target_static=target)))
    assert (await browser.post(x="y"))["component"] == DENIED
    other = studio.browser(await studio.flow(to(mode=STATIC, target_static="/own")))
    assert (await other.begin(redirect_stage_target=target))["component"] == DENIED


async def test_a_flow_that_is_gone_ends_the_run_with_a_no(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour"))
    flow = await studio.flow(to(mode=FLOW, target_flow=second.pk))
    await studio.remove(second)
    assert (await studio.browser(flow).get())["component"] == DENIED


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"mode": STATIC}, "target_static"),
        ({"mode": FLOW}, "target_flow"),
        ({"mode": STATIC, "target_static": "javascript:alert(1)"}, "target_static"),
        ({"mode": STATIC, "target_static": "//evil.example.org"}, "target_static"),
    ],
)
async def test_a_target_of_the_wrong_sort_is_refused(studio: Studio, members: dict[str, Any], named: str) -> None:
    with pytest.raises(Problem) as caught:
        await rules(studio.call, studio.state, None, to(**members))
    assert list(caught.value.fields or {}) == [named]


async def test_two_tabs_leave_once(studio: Studio) -> None:
    second = await studio.flow(await studio.prompts("colour"))
    first = await studio.flow(await studio.prompts("x"), to(mode=FLOW, target_flow=second.pk))
    browser = studio.browser(first)
    await browser.get()
    twin = browser.twin()
    await browser.post(x="y")
    assert (await twin.post(x="y"))["component"] in {REDIRECT, PROMPT_COMPONENT}
    assert len(await studio.runs()) == 1
