"""What is kept of a run: sealed, for a day, for one browser and one person; and what moves it."""

import asyncio
from datetime import timedelta

import pytest

from keystead.flows.plan import keep, load, sweep
from keystead.store import GuardFailed, Unit
from tests.flows.parts import PROMPT_COMPONENT, REDIRECT, errors, fields, secret, text_field, who
from tests.flows.support import Studio, signed_in


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
        assert reply.challenge["component"] == PROMPT_COMPONENT


async def test_a_version_is_of_one_row_only(studio: Studio) -> None:
    """Who saw a run that ended does not move the one that took its place, though neither was ever moved."""
    browser = studio.browser(await studio.flow(await studio.prompts("one")))
    visitor = await browser.visitor()
    await browser.begin()
    seen = await load(studio.call, studio.state, browser.flow, visitor)
    assert seen is not None
    assert seen.plan is not None
    await browser.post(one="1")
    await browser.begin(prompt_data={"one": "newer"})
    _, writes = keep(studio.call, studio.state, browser.flow, browser.sid, seen.plan, seen, timedelta(days=1))
    with pytest.raises(GuardFailed):
        await studio.state.store.commit(Unit(writes))
    (asked,) = (await browser.get())["fields"]
    assert asked["initial_value"] == "newer"


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
