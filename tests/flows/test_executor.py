"""The executor beside the straight way: refused answers, what challenges carry, and faults of ours."""

from dataclasses import replace

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows.binding import InvalidResponseActionEnum
from keystead.flows.plan import at_hand
from keystead.flows.stage import Body, Challenge, Done, Run, Stage
from keystead.flows.stages.deny import DENY_STAGE, DenyStage
from keystead.providers.application import Application
from tests.flows.parts import BROKEN, DENIED, enter, errors, fields, secret, text_field, who
from tests.flows.support import Studio, signed_in


@pytest.mark.parametrize("action", list(InvalidResponseActionEnum))
async def test_what_a_refused_answer_leads_to(studio: Studio, action: InvalidResponseActionEnum) -> None:
    first = await studio.prompts("one")
    second = await studio.prompts(text_field("two", required=True))
    flow = await studio.flow(first, (second, {"invalid_response_action": action}))
    browser = studio.browser(flow)
    await browser.post(one="kept")
    told = await browser.post(two="")
    if action is InvalidResponseActionEnum.RETRY:
        assert errors(told) == {"two": ["required"]}
        return
    assert fields(told) == ["one"]
    with_context = action is InvalidResponseActionEnum.RESTART_WITH_CONTEXT
    assert told["fields"][0]["initial_value"] == ("kept" if with_context else "")


@pytest.mark.parametrize("action", list(InvalidResponseActionEnum))
async def test_starting_again_is_no_way_round_the_limit(studio: Studio, action: InvalidResponseActionEnum) -> None:
    await studio.person()
    asked = secret(failed_attempts_before_cancel=3)
    flow = await studio.flow(who(), (asked, {"invalid_response_action": action}), enter())
    browser = studio.browser(flow)
    seen = []
    for _ in range(3):
        if (await browser.get())["component"] == "ak-stage-identification":
            await browser.post(uid_field="anna")
        seen.append((await browser.post(password="wrong"))["component"])
    assert seen[-1] == DENIED
    assert DENIED not in seen[:-1]
    assert len(await studio.events("login_failed")) == 3


async def test_what_asking_began_is_kept_before_the_challenge_is_shown(studio: Studio) -> None:
    await studio.person()
    stage = DenyStage(pk=rand.uuid4(), name="asks")
    begun: list[int] = []

    async def ask(run: Run[DenyStage]) -> Challenge:
        number = run.context.get("begun")
        if number is not None:
            return Challenge("ak-stage-dummy", {"number": number})
        begun.append(len(begun))
        return Challenge("ak-stage-dummy", {"number": begun[-1]}, keep={"begun": begun[-1]})

    async def answer(run: Run[DenyStage], _body: Body) -> Done:
        return Done({"answered": run.context["begun"]}, forget=("begun",))

    asking = Stage(DENY_STAGE, ask, answer, component="ak-stage-dummy")
    executor = replace(studio.executor, stages={**studio.executor.stages, DENY_STAGE.model: asking})
    studio = replace(studio, executor=executor)
    last = await studio.prompts("last")
    for flow in (await studio.flow(stage, last), await studio.flow(who(), stage, last)):
        browser = studio.browser(flow)
        begun.clear()
        asked = await browser.get()
        if asked["component"] != "ak-stage-dummy":
            asked = await browser.post(uid_field="anna")
        assert asked["number"] == 0
        for _ in range(2):
            assert (await browser.get())["number"] == 0
        assert fields(await browser.post()) == ["last"]
        assert begun == [0]
        plan = await at_hand(studio.call, studio.state, await browser.visitor())
        assert plan is not None
        assert plan.context["answered"] == 0
        assert "begun" not in plan.context
    unasked = studio.browser(await studio.flow(stage, last))
    # An answer to what nobody was asked is none.
    assert (await unasked.post())["number"] == 1
    assert await at_hand(studio.call, studio.state, await studio.browser(unasked.flow).visitor()) is None


async def test_flow_info(studio: Studio) -> None:
    application = Application(pk=rand.uuid4(), name="Wiki %(user)s {{7*7}}", slug="wiki")
    await studio.put(application)
    flow = await studio.flow(who(), secret(), title="%(app)s for %(user)s: 100 % %s", background="bg.png")
    browser = studio.browser(flow, query={"next": "/x"})
    browser.studio = replace(
        studio,
        executor=replace(studio.executor, ports=replace(studio.executor.ports, destination=lambda *_: application.pk)),
    )
    asked = await browser.get()
    assert asked["flow_info"] == {
        "title": "Wiki  {{7*7}} for : 100 % %s",
        "background": "/files/media/public/bg.png",
        "background_themed_urls": None,
        "cancel_url": "/flows/-/cancel/?next=%2Fx",
        "layout": "stacked",
    }
    assert asked["application_pre"] == application.name
    asked = await browser.post(uid_field="anna")
    assert asked["flow_info"]["title"] == "Wiki anna {{7*7}} for anna: 100 % %s"
    plain = await studio.browser(await studio.flow(who(), background="/static/%(theme)s.jpg")).get()
    assert plain["flow_info"]["background"] == "/static/light.jpg"
    assert plain["flow_info"]["background_themed_urls"] == {"light": "/static/light.jpg", "dark": "/static/dark.jpg"}
    assert plain["flow_info"]["cancel_url"] == "/flows/-/cancel/"


async def test_only_superusers_see_what_broke(studio: Studio) -> None:
    async def stumble(_run: Run[DenyStage]) -> Challenge:
        raise ZeroDivisionError("secret detail")

    broken = replace(studio.executor.stages[DENY_STAGE.model], ask=stumble)
    executor = replace(studio.executor, stages={**studio.executor.stages, DENY_STAGE.model: broken})
    studio = replace(studio, executor=executor)
    flow = await studio.flow(DenyStage(pk=rand.uuid4(), name="broken"), designation="authorization")
    anna, root = await studio.person(), await studio.superuser()
    for browser, told in (
        (studio.browser(flow), False),
        (await signed_in(studio, anna, flow), False),
        (await signed_in(studio, root, flow), True),
    ):
        challenge = await browser.get()
        assert challenge["component"] == BROKEN
        assert challenge["request_id"] == "r1"
        assert ("secret detail" in msgspec.json.encode(challenge).decode()) is told
        assert ("traceback" in challenge) is told


async def test_a_stage_nobody_knows_is_not_skipped(studio: Studio) -> None:
    stages = {model: one for model, one in studio.executor.stages.items() if model != DENY_STAGE.model}
    studio = replace(studio, executor=replace(studio.executor, stages=stages))
    flow = await studio.flow(DenyStage(pk=rand.uuid4(), name="unknown"), await studio.prompts("after"))
    assert (await studio.browser(flow).get())["component"] == DENIED


async def test_a_busy_server_says_so(studio: Studio) -> None:
    async def busy(_run: Run[DenyStage]) -> Challenge:
        raise Problem(Fault.BUSY, "Too many sign-ins at once.", retry_after=2)

    stage = replace(studio.executor.stages[DENY_STAGE.model], ask=busy)
    executor = replace(studio.executor, stages={DENY_STAGE.model: stage})
    flow = await studio.flow(DenyStage(pk=rand.uuid4(), name="busy"))
    with pytest.raises(Problem) as caught:
        await replace(studio, executor=executor).browser(flow).get()
    assert caught.value.kind is Fault.BUSY
