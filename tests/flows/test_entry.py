"""Who may enter a flow, what the others see, and where a run leads in the end."""

import pytest

from keystead.flows.flow import AuthenticationEnum
from tests.flows.parts import BROKEN, DENIED, PROMPT_COMPONENT, REDIRECT, SECRET, enter, fields, secret, who
from tests.flows.support import Studio, signed_in

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
        assert (asked["component"] == PROMPT_COMPONENT) is (name in ADMITTED[wanted]), name
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
    assert (await studio.browser(flow).get())["component"] == PROMPT_COMPONENT
    assert (await (await signed_in(studio, anna, flow)).get())["component"] == DENIED


async def test_authentication_for_those_signed_in_ends_at_once(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(who(), authentication="require_unauthenticated")
    browser = await signed_in(studio, anna, flow, query={"next": "/app"})
    assert (await browser.get())["to"] == "/app"
    assert (await browser.post(uid_field="root"))["to"] == "/app"


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
