"""The first run: the first administrator's password is set once, by one person; then the page is gone (FL-09)."""

import asyncio

import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows import setup
from keystead.flows.flow import Flow
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from keystead.people import password
from keystead.people.finding import by_pk
from keystead.people.user import User
from keystead.store import Unit
from tests.flows.parts import enter, errors, text_field
from tests.flows.support import Studio

GOOD = "a good first password"


async def installation(studio: Studio, **members: object) -> tuple[User, Flow]:
    fields = [
        text_field("email", "email", required=True),
        text_field("password", "password", required=True),
        text_field("password_repeat", "password", required=True),
    ]
    write = UserWriteStage(pk=rand.uuid4(), name="write", user_creation_mode=UserCreationModeEnum.NEVER_CREATE)
    flow = await studio.flow(
        await studio.prompts(*fields), write, enter(), slug=setup.SLUG, designation="stage_configuration"
    )
    return await studio.stranger(setup.ADMINISTRATOR, **members), flow


def answer(given: str = GOOD) -> dict[str, object]:
    return {"email": "root@example.org", "password": given, "password_repeat": given}


async def is_gone(studio: Studio, flow: Flow) -> bool:
    """Whether looking, answering and beginning are all answered as if there were no such page."""
    for what in ("get", "post", "begin"):
        with pytest.raises(Problem) as caught:
            await getattr(studio.browser(flow), what)()
        if caught.value.kind is not Fault.NOT_FOUND:
            return False
    return not await setup.setup_open(studio.state)


async def test_the_first_run(studio: Studio) -> None:
    first, flow = await installation(studio)
    assert await setup.setup_open(studio.state)
    browser = studio.browser(flow)
    assert (await browser.get())["component"] == "ak-stage-prompt"
    assert errors(await browser.post(**{**answer(), "password_repeat": "other"})) == {"password_repeat": ["invalid"]}
    assert (await browser.post(**answer()))["to"] == "/"
    done = await by_pk(studio.state, first.pk)
    assert done is not None
    assert done.email == "root@example.org"
    assert await password.verify(done.password, GOOD)
    visitor = await browser.visitor()
    assert visitor.user is not None
    assert visitor.user.pk == first.pk
    assert await is_gone(studio, flow)


async def test_it_stays_gone(studio: Studio) -> None:
    """Without a password, without an administrator, after a restart: the page does not come back."""
    _, flow = await installation(studio)
    await studio.browser(flow).post(**answer())
    await studio.sql("UPDATE users SET password = ''")
    assert await is_gone(studio, flow)
    assert await is_gone(await studio.restarted(), flow)
    await studio.sql("DELETE FROM users")
    assert await is_gone(studio, flow)


async def test_one_of_many_is_the_first(studio: Studio) -> None:
    first, flow = await installation(studio)
    browsers = [studio.browser(flow) for _ in range(20)]
    told = await asyncio.gather(
        *(browser.post(**answer(f"the password of {n}")) for n, browser in enumerate(browsers)), return_exceptions=True
    )
    winners = [n for n, one in enumerate(told) if isinstance(one, dict) and one["component"] == "xak-flow-redirect"]
    losers = [one for one in told if isinstance(one, Problem) and one.kind is Fault.NOT_FOUND]
    assert (len(winners), len(losers)) == (1, 19)
    done = await by_pk(studio.state, first.pk)
    assert done is not None
    assert await password.verify(done.password, f"the password of {winners[0]}")
    assert len(await studio.sessions()) == 1
    assert len(await studio.events("login")) == 1


async def test_it_is_not_there_where_the_administrator_has_a_password(studio: Studio) -> None:
    _, flow = await installation(studio, password=await password.hash_password(GOOD))
    assert await is_gone(studio, flow)


async def test_it_is_not_there_without_the_administrator(studio: Studio) -> None:
    _, flow = await installation(studio, is_active=False)
    assert await is_gone(studio, flow)


async def test_a_first_start_that_set_the_password_closes_it(studio: Studio) -> None:
    _, flow = await installation(studio)
    await studio.state.store.commit(Unit((setup.close(),)))
    assert await is_gone(studio, flow)


async def test_a_half_finished_run_is_over_too(studio: Studio) -> None:
    """Somebody who stood in the middle of it when another one finished gets nowhere."""
    first, flow = await installation(studio)
    late = studio.browser(flow)
    await late.begin()
    await studio.browser(flow).post(**answer())
    with pytest.raises(Problem):
        await late.post(**answer("the password of a latecomer"))
    done = await by_pk(studio.state, first.pk)
    assert done is not None
    assert await password.verify(done.password, GOOD)
