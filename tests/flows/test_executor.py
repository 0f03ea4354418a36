"""The executor: who enters, which stages a run passes, where it ends, what is kept, and what happens when it breaks."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows.binding import InvalidResponseActionEnum
from keystead.flows.flow import AuthenticationEnum
from keystead.flows.plan import sweep
from keystead.flows.stage import Challenge, Run
from keystead.flows.stages.deny import DENY_STAGE, DenyStage
from keystead.policies.binding import PolicyBinding
from keystead.providers.application import Application
from keystead.store import Unit
from tests.flows.support import SECRET, Studio, enter, errors, secret, signed_in, text_field, who

REDIRECT = "xak-flow-redirect"
DENIED = "ak-stage-access-denied"
BROKEN = "ak-stage-flow-error"
PROMPT = "ak-stage-prompt"


def fields(challenge: dict[str, Any]) -> list[str]:
    assert challenge["component"] == PROMPT, challenge
    return [one["field_key"] for one in challenge["fields"]]


# Who may enter

VISITORS = ("nobody", "user", "superuser", "outpost", "redirected", "token")
ADMITTED = {
    "none": set(VISITORS),
    "require_authenticated": {"user", "superuser"},
    "require_unauthenticated": {"nobody", "outpost", "redirected", "token"},
    "require_superuser": {"superuser"},
    "require_redirect": {"redirected"},
    "require_outpost": {"outpost"},
    "require_token": {"token"},
}


@pytest.mark.parametrize("wanted", [one.value for one in AuthenticationEnum])
async def test_what_a_flow_requires_of_its_visitors(studio: Studio, wanted: str) -> None:
    stage = await studio.prompts("question")
    flow = await studio.flow(stage, authentication=wanted, designation="stage_configuration")
    anna, root = await studio.person(), await studio.superuser()
    for name in VISITORS:
        browser = studio.browser(flow, outpost=name == "outpost")
        if name in {"user", "superuser"}:
            browser = await signed_in(studio, anna if name == "user" else root, flow)
        given = {"redirected": {"is_redirected": True}, "token": {"is_restored": True}}.get(name)
        asked = await browser.begin(**given) if given else await browser.get()
        assert (asked["component"] == PROMPT) is (name in ADMITTED[wanted]), name
        # What may not be seen may not be answered either.
        answered = await browser.twin().post(question="42")
        assert (answered["component"] == REDIRECT) is (name in ADMITTED[wanted]), name


@pytest.mark.parametrize(
    ("action", "onward", "to"),
    [
        ("message_continue", None, None),
        ("message_continue", "/next", "/next"),
        ("message", None, None),
        ("message", "/next", None),
        ("continue", None, "/"),
        ("continue", "/next", "/next"),
        ("continue", "https://evil.example", None),
        ("message_continue", "//evil.example", None),
    ],
)
async def test_what_those_see_who_may_not_enter(
    studio: Studio, action: str, onward: str | None, to: str | None
) -> None:
    flow = await studio.flow(denied_action=action, designation="authorization")
    await studio.policy(flow.pk, 'ak_message("Members only.")\nreturn False')
    browser = studio.browser(flow, query={"next": onward} if onward else {})
    told = await browser.get()
    assert (told["component"], told.get("to")) == ((REDIRECT, to) if to else (DENIED, None))
    if to is None and (onward is None or onward == "/next"):
        assert told["error_message"] == "Members only."
    assert browser.reply is not None
    assert browser.reply.ended


async def test_enrolment_is_for_those_who_have_no_account(studio: Studio) -> None:
    """FL-08."""
    anna = await studio.person()
    flow = await studio.flow(await studio.prompts("username"), designation="enrollment")
    assert (await studio.browser(flow).get())["component"] == PROMPT
    assert (await (await signed_in(studio, anna, flow)).get())["component"] == DENIED


async def test_authentication_for_those_signed_in_ends_at_once(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(who(), authentication="require_unauthenticated")
    browser = await signed_in(studio, anna, flow, query={"next": "/app"})
    assert (await browser.get())["to"] == "/app"
    assert (await browser.post(uid_field="root"))["to"] == "/app"


# Which stages a run passes

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
    assert told["component"] == (PROMPT if wanted == "in" else DENIED)


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
    for name, wanted in (("root", PROMPT), ("anna", REDIRECT)):
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


# Where it ends

STAYS = ["/", "/a", "/a?b=c#d", "/%0d%0aSet-Cookie:%20x=1", "/if/user/#/library", "/a//b", "/@evil.example", "/\u00fc"]
LEAVES = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "HTTPS:/evil.example",
    "https://id.example.org@evil.example",
    "https://id.example.org/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\r\nLocation: https://evil.example",
    "/a\nb",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    " /a",
    "/a b",
    "/\x00",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e/%2E%2e//evil.example",
    "/a\\..\\\\evil",
    "evil.example",
    "?next=/",
    "a/b",
]


async def test_next_leads_to_paths_of_ours(studio: Studio) -> None:
    flow = await studio.flow(await studio.prompts("question"))
    for onward in STAYS:
        browser = studio.browser(flow, query={"next": onward})
        assert fields(await browser.get()) == ["question"]
        assert (await browser.post(question="42"))["to"] == onward


async def test_next_leads_nowhere_else(studio: Studio) -> None:
    """PX-11, WB-10: refused before anything happens, at every step, and in the middle of a run too."""
    flow, bare = await studio.flow(await studio.prompts("question"), await studio.prompts("more")), await studio.flow()
    for onward in LEAVES:
        browser = studio.browser(flow, query={"next": onward})
        assert (await browser.get())["component"] == DENIED, onward
        assert (await browser.post(question="42"))["component"] == DENIED, onward
        assert await studio.runs() == []
        assert (await studio.browser(bare, query={"next": onward}).get())["component"] == DENIED, onward
    honest = studio.browser(flow)
    await honest.post(question="42")
    for onward in LEAVES:
        turned = studio.browser(flow, sid=honest.sid, query={"next": onward})
        assert (await turned.post(more="1"))["component"] == DENIED, onward


async def test_the_end_of_a_run(studio: Studio) -> None:
    """``redirect`` of the context, else ``next``, else the root; a finisher of above goes before them."""
    flow = await studio.flow(await studio.prompts("question"))
    for given, query, to in (
        ({}, {}, "/"),
        ({}, {"next": "/app"}, "/app"),
        ({"redirect": "/there"}, {"next": "/app"}, "/there"),
        ({"finish": {"by": "test", "to": "https://rp.example.org/cb?code=1"}}, {"next": "/app"}, None),
    ):
        browser = studio.browser(flow, query=query)
        await browser.begin(**given)
        ended = await browser.post(question="42")
        assert ended["component"] == REDIRECT
        assert ended["to"] == (to or "https://rp.example.org/cb?code=1")
        assert browser.reply is not None
        assert browser.reply.to == ended["to"]
        assert browser.reply.ended
    assert await studio.runs() == []
    assert (await studio.browser(await studio.flow(), query={"next": "/at-once"}).get())["to"] == "/at-once"


async def test_the_floor_above_finishes_in_the_same_commit(studio: Studio) -> None:
    await studio.person()
    flow = await studio.flow(who(), secret(), enter())
    browser = studio.browser(flow)
    await browser.begin(finish={"by": "test", "form": True})
    await browser.post(uid_field="anna")
    ended = await browser.post(password=SECRET)
    assert ended["component"] == "ak-stage-autosubmit"
    assert ended["flow_info"]["title"] == "Welcome"
    assert browser.reply is not None
    assert browser.reply.ended
    assert [one["who"] for one in await studio.events("custom_finished")] == ["anna"]
    # One that fails takes everything of its step back: nobody is signed in, and the run can be tried again.
    broken = studio.browser(flow)
    await broken.begin(finish={"by": "test", "fails": True})
    await broken.post(uid_field="anna")
    before = await studio.sessions()
    assert (await broken.post(password=SECRET))["component"] == BROKEN
    assert await studio.sessions() == before
    assert (await broken.get())["component"] == "ak-stage-password"
    assert len(await studio.events("custom_finished")) == 1
    assert (await studio.browser(await studio.flow()).begin(finish={"by": "nobody"}))["component"] == BROKEN


# What is kept


async def test_an_untouched_run_is_not_kept(studio: Studio) -> None:
    flow = await studio.flow(who(), secret())
    browsers = [studio.browser(flow) for _ in range(3)]
    for browser in browsers:
        assert (await browser.get())["component"] == "ak-stage-identification"
        assert errors(await browser.post()) == {"non_field_errors": ["required"]}
    assert await studio.runs() == []
    await browsers[0].post(uid_field="anna")
    assert [slug for slug, _ in await studio.runs()] == [flow.slug]


async def test_what_is_kept_is_sealed(studio: Studio) -> None:
    """OP-05: answers hold passwords until a stage writes them; a dump of the database does not show them."""
    stage = await studio.prompts(text_field("password", "password"))
    browser = studio.browser(await studio.flow(stage, await studio.prompts("more")))
    await browser.post(password="canary-in-the-form")
    ((_, state),) = await studio.runs()
    assert "canary" not in state
    assert "password" not in state
    # Moved under another browser's key it opens for nobody.
    other = studio.browser(browser.flow)
    await other.post(password="x")
    await studio.sql("UPDATE flow_runs SET state = $1", state)
    assert fields(await other.get()) == ["password"]
    await studio.sql("UPDATE flow_runs SET state = 'rubbish'")
    assert fields(await browser.get()) == ["password"]


async def test_a_run_rests_a_day_at_most(studio: Studio) -> None:
    """OP-03: what is expired counts for nothing, whether or not it was cleared away."""
    browser = studio.browser(await studio.flow(await studio.prompts("one"), await studio.prompts("two")))
    await browser.post(one="1")
    studio.clock.move(hours=24, microseconds=-1)
    assert fields(await browser.get()) == ["two"]
    studio.clock.move(microseconds=1)
    assert fields(await browser.get()) == ["one"]
    assert len(await studio.runs()) == 1
    await studio.state.store.commit(Unit((sweep(studio.clock.now()),)))
    assert await studio.runs() == []


async def test_one_run_at_a_time_a_browser(studio: Studio) -> None:
    first = studio.browser(await studio.flow(await studio.prompts("one"), await studio.prompts("two")))
    await first.post(one="1")
    flow = await studio.flow(await studio.prompts("uno"), await studio.prompts("due"))
    second = studio.browser(flow, sid=first.sid)
    assert fields(await second.get()) == ["uno"]
    assert fields(await first.get()) == ["two"]  # only looked at, the other flow took nothing
    assert fields(await second.post(uno="1")) == ["due"]
    assert fields(await first.get()) == ["one"]
    assert len(await studio.runs()) == 1


async def test_a_run_does_not_go_over_to_somebody_else(studio: Studio) -> None:
    """FL-04, FL-08: whoever signs out, is deactivated, or was never signed in starts anew."""
    anna = await studio.person()
    flow = await studio.flow(await studio.prompts("one"), await studio.prompts("two"), designation="authorization")
    browser = await signed_in(studio, anna, flow)
    assert fields(await browser.post(one="1")) == ["two"]
    await studio.sql("UPDATE users SET is_active = false WHERE username = 'anna'")
    assert fields(await browser.get()) == ["one"]
    await studio.sql("UPDATE users SET is_active = true WHERE username = 'anna'")
    assert fields(await browser.get()) == ["two"]
    await studio.sql("DELETE FROM sessions")
    assert fields(await browser.get()) == ["one"]


async def test_cancelling_drops_the_run(studio: Studio) -> None:
    browser = studio.browser(await studio.flow(await studio.prompts("one"), await studio.prompts("two")))
    await browser.post(one="1")
    visitor = await browser.visitor()
    for _ in range(2):
        await studio.executor.cancel(await browser.call(visitor), studio.state, visitor)
        assert await studio.runs() == []
    assert fields(await browser.get()) == ["one"]


async def test_beginning_replaces_what_was_there(studio: Studio) -> None:
    flow = await studio.flow(await studio.prompts("one"), await studio.prompts("two"))
    browser = studio.browser(flow)
    await browser.post(one="1")
    assert fields(await browser.begin(prompt_data={"one": "known"})) == ["one"]
    (asked,) = (await browser.get())["fields"]
    assert asked["initial_value"] == "known"
    assert len(await studio.runs()) == 1
    visitor = await browser.visitor()
    call = await browser.call(visitor)
    many = (studio.executor.begin(call, studio.state, flow, visitor, {"prompt_data": {"one": n}}) for n in "abcd")
    for reply in await asyncio.gather(*many):
        assert reply.challenge is not None
        assert reply.challenge["component"] == PROMPT


async def test_parallel_answers_move_a_run_once(studio: Studio) -> None:
    flow = await studio.flow(*[await studio.prompts(text_field(key, required=True)) for key in ("one", "two", "three")])
    for browser in (studio.browser(flow), studio.browser(flow)):
        if await studio.runs():
            await browser.begin()
        told = await asyncio.gather(*(browser.twin().post(one=str(n)) for n in range(20)))
        assert {tuple(fields(one)) for one in told} == {("two",)}
        assert fields(await browser.get()) == ["two"]


async def test_an_administrator_may_change_the_flow_meanwhile(studio: Studio) -> None:
    flow = await studio.flow()
    bindings = [
        await studio.bind(flow, await studio.prompts(key), order=n) for n, key in enumerate(("one", "two", "three"))
    ]
    browser = studio.browser(flow)
    await browser.post(one="1")
    await studio.remove(bindings[1])
    assert fields(await browser.get()) == ["one"]
    await browser.post(one="1")
    await studio.bind(flow, await studio.prompts("four"), order=9)
    assert fields(await browser.get()) == ["three"]
    assert (await browser.post(three="3"))["component"] == REDIRECT


# Refused answers


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


# What a challenge carries


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


# Faults of ours


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
