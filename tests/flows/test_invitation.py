"""The invitation stage: who was invited comes in, with what the invitation says, and once if it says so."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.flows.flow import Flow
from keystead.flows.stages.invitation import INVITATION, Invitation, InvitationStage, rules
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from keystead.kinds import records
from keystead.kinds.render import render
from keystead.people.finding import by_username
from keystead.people.user import User
from tests.flows.lists import BEGIN
from tests.flows.parts import DENIED, REDIRECT, fields
from tests.flows.support import Studio


def stage(**members: Any) -> InvitationStage:  # noqa: ANN401 - members of a stage
    return InvitationStage(pk=rand.uuid4(), name=rand.hex128(), **members)


async def invited(studio: Studio, by: User | None = None, **members: Any) -> Invitation:  # noqa: ANN401 - of an invitation
    who = by or await studio.stranger(f"host{rand.hex128()[:8]}")
    made = Invitation(pk=rand.uuid4(), name="come in", created_by=who.pk, **members)
    await studio.put(made)
    return made


async def left(studio: Studio) -> set[object]:
    found = await records.load(studio.state.store, INVITATION, "name", ["come in"])
    return {one.pk for one in found}


async def enrolling(studio: Studio, **members: Any) -> Flow:  # noqa: ANN401 - members of a stage
    write = UserWriteStage(pk=rand.uuid4(), name="w", user_creation_mode=UserCreationModeEnum.ALWAYS_CREATE)
    return await studio.flow(stage(**members), await studio.prompts("username"), write, designation="enrollment")


async def test_what_it_says_is_known_to_the_stages_behind(studio: Studio) -> None:
    flow = await enrolling(studio)
    invitation = await invited(studio, fixed_data={"username": "anna", "email": "anna@example.org"})
    browser = studio.browser(flow, query={"itoken": invitation.pk})
    asked = await browser.get()
    assert [one["initial_value"] for one in asked["fields"]] == ["anna"]
    assert (await browser.post(username="anna"))["component"] == REDIRECT
    anna = await by_username(studio.state, "anna")
    assert anna is not None
    assert anna.email == "anna@example.org"
    (event,) = await studio.events("invitation_used")
    assert event["model"]["pk"] == invitation.pk.replace("-", "")
    assert await left(studio) == {invitation.pk}


async def test_policies_see_that_somebody_was_invited(studio: Studio) -> None:
    flow = await studio.flow(
        stage(continue_flow_without_invitation=True),
        (await studio.prompts("guest"), {"policies": ("return context.get('invitation_in_effect', False)",)}),
        await studio.prompts("everybody"),
    )
    invitation = await invited(studio)
    assert fields(await studio.browser(flow, query={"itoken": invitation.pk}).get()) == ["guest"]
    assert fields(await studio.browser(flow).get()) == ["everybody"]


@pytest.mark.parametrize("given", [None, "", "none", "x" * 5000, "00000000-0000-4000-8000-000000000000", "'; --"])
async def test_nobody_comes_in_uninvited(studio: Studio, given: str | None) -> None:
    flow = await enrolling(studio)
    await invited(studio)
    query = {} if given is None else {"itoken": given}
    browser = studio.browser(flow, query=query)
    assert (await browser.get())["component"] == DENIED
    assert (await browser.post(username="anna"))["component"] == DENIED
    assert await studio.events("invitation_used") == []


async def test_it_may_let_everybody_on(studio: Studio) -> None:
    flow = await enrolling(studio, continue_flow_without_invitation=True)
    assert fields(await studio.browser(flow).get()) == ["username"]
    assert fields(await studio.browser(flow, query={"itoken": rand.uuid4()}).get()) == ["username"]


async def test_it_counts_until_it_expires_and_in_its_flow(studio: Studio) -> None:
    flow, other = await enrolling(studio), await studio.flow(stage(), await studio.prompts("x"))
    invitation = await invited(studio, expires=BEGIN + timedelta(hours=1), flow=flow.pk)
    query = {"itoken": invitation.pk}
    assert (await studio.browser(other, query=query).get())["component"] == DENIED
    assert fields(await studio.browser(flow, query=query).get()) == ["username"]
    studio.clock.move(hours=1)
    assert (await studio.browser(flow, query=query).get())["component"] == DENIED


async def test_single_use_is_used_up_by_the_first(studio: Studio) -> None:
    flow = await enrolling(studio)
    invitation = await invited(studio, single_use=True)
    query = {"itoken": invitation.pk}
    first, second = studio.browser(flow, query=query), studio.browser(flow, query=query)
    assert fields(await first.get()) == ["username"]
    assert await left(studio) == set()
    assert (await second.get())["component"] == DENIED
    assert fields(await first.get()) == ["username"]
    assert (await first.post(username="anna"))["component"] == REDIRECT


async def test_of_many_at_once_one_comes_in(studio: Studio) -> None:
    flow = await enrolling(studio)
    invitation = await invited(studio, single_use=True)
    browsers = [studio.browser(flow, query={"itoken": invitation.pk}) for _ in range(8)]
    answers = await asyncio.gather(*(browser.get() for browser in browsers))
    assert sorted(one["component"] for one in answers) == [*[DENIED] * 7, "ak-stage-prompt"]
    assert len(await studio.events("invitation_used")) == 1
    assert len(await studio.runs()) == 1


async def test_it_goes_with_its_flow(studio: Studio) -> None:
    flow = await enrolling(studio)
    bound, free = await invited(studio, flow=flow.pk), await invited(studio)
    await studio.remove(flow)
    assert await left(studio) == {free.pk}
    assert bound.pk not in await left(studio)


async def test_rules(studio: Studio) -> None:
    host = await studio.superuser()
    browser = await studio.browser(await studio.flow()).visitor()
    assert browser.user is None
    call = studio.call
    asked = Invitation(pk=rand.uuid4(), name="x", expires=call.at)
    with pytest.raises(Problem) as caught:
        await rules(call, studio.state, None, asked)
    assert list(caught.value.fields or {}) == ["expires"]
    kept = await invited(studio, by=host, expires=BEGIN + timedelta(days=1))
    assert await rules(call, studio.state, kept, kept) == kept


async def test_one_that_counts_everywhere_shows_a_flow_it_can_be_used_in(studio: Studio) -> None:
    invitation = await invited(studio)

    async def shown() -> object:
        (body,) = await render(studio.call, studio.state, INVITATION, [invitation], {})
        assert body["flow"] is None
        return msgspec.to_builtins(body["flow_obj"]).get("slug")

    assert await shown() is None
    await studio.flow(slug="a")
    assert await shown() == "a"
    await studio.flow(slug="b", designation="enrollment")
    assert await shown() == "b"
    await studio.flow(stage(), slug="c", designation="authentication")
    assert await shown() == "c"
    asking = await studio.flow(stage(), slug="d", designation="enrollment")
    assert await shown() == "d"
    invitation = msgspec.structs.replace(invitation, flow=asking.pk)
    (body,) = await render(studio.call, studio.state, INVITATION, [invitation], {})
    assert msgspec.to_builtins(body["flow_obj"])["slug"] == "d"
