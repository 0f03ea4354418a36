"""The dummy stage asks nothing, or breaks on purpose."""

from keystead.base import rand
from keystead.flows.stages.dummy import DummyStage
from tests.flows.parts import BROKEN, REDIRECT, errors, fields
from tests.flows.support import Studio


async def test_it_shows_its_name_until_it_is_passed(studio: Studio) -> None:
    flow = await studio.flow(DummyStage(pk=rand.uuid4(), name="Nothing to do"), await studio.prompts("bye"))
    browser = studio.browser(flow)
    asked = await browser.get()
    assert (asked["component"], asked["name"]) == ("ak-stage-dummy", "Nothing to do")
    assert errors(await browser.post(component="ak-stage-password")) == {"non_field_errors": ["invalid"]}
    assert fields(await browser.post(component="ak-stage-dummy")) == ["bye"]


async def test_it_breaks_when_it_is_told_to(studio: Studio) -> None:
    stage = DummyStage(pk=rand.uuid4(), name="broken", throw_error=True)
    browser = studio.browser(await studio.flow(stage))
    assert (await browser.get())["component"] == BROKEN
    await studio.change(stage, throw_error=False)
    assert (await browser.get())["component"] == "ak-stage-dummy"
    assert (await browser.post())["component"] == REDIRECT
