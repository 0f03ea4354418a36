"""The user delete stage removes whoever proved who they are, and nobody else."""

from keystead.base import rand
from keystead.flows.stages.user_delete import UserDeleteStage
from keystead.people.finding import by_username
from tests.flows.parts import DENIED, REDIRECT, SECRET, secret, who
from tests.flows.support import Studio, signed_in


def gone() -> UserDeleteStage:
    return UserDeleteStage(pk=rand.uuid4(), name=rand.hex128())


async def test_an_account_goes_with_its_sessions(studio: Studio) -> None:
    anna = await studio.person()
    await studio.person("berta")
    elsewhere = await signed_in(studio, anna, await studio.flow(slug="elsewhere"))
    flow = await studio.flow(await studio.prompts("sure"), gone(), designation="unenrollment")
    browser = await signed_in(studio, anna, flow, query={"next": "/bye"})
    before = browser.sid
    await browser.get()
    assert await by_username(studio.state, "anna") is not None
    assert (await browser.post(sure="yes"))["to"] == "/bye"
    assert await by_username(studio.state, "anna") is None
    assert await by_username(studio.state, "berta") is not None
    assert browser.sid != before
    assert (await elsewhere.visitor()).user is None
    assert await studio.sessions() == set()
    (event,) = await studio.events("model_deleted")
    assert event["model"]["name"] == "Anna"
    assert event["http_request"]["request_id"] == "r1"


async def test_a_name_alone_removes_nobody(studio: Studio) -> None:
    await studio.person()
    browser = studio.browser(await studio.flow(who(), gone()))
    assert (await browser.post(uid_field="anna"))["component"] == DENIED
    assert await by_username(studio.state, "anna") is not None
    assert (await studio.browser(await studio.flow(gone())).get())["component"] == DENIED


async def test_who_proves_who_they_are_in_the_run_itself_may_go(studio: Studio) -> None:
    await studio.person()
    browser = studio.browser(await studio.flow(who(), secret(), gone()))
    await browser.post(uid_field="anna")
    assert (await browser.post(password="wrong"))["component"] == "ak-stage-password"
    assert await by_username(studio.state, "anna") is not None
    assert (await browser.post(password=SECRET))["component"] == REDIRECT
    assert await by_username(studio.state, "anna") is None


async def test_the_run_goes_on_without_the_person(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(gone(), await studio.prompts("why"), designation="unenrollment")
    browser = await signed_in(studio, anna, flow)
    asked = await browser.get()
    assert [one["field_key"] for one in asked["fields"]] == ["why"]
    assert await by_username(studio.state, "anna") is None
    assert (await browser.post(why="because"))["component"] == REDIRECT
