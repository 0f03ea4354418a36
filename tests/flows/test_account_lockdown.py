"""The account lockdown stage: an account is locked in one go, by whoever may, and nobody else's."""

from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.errors import Problem
from keystead.flows import lockdown
from keystead.flows.flow import Flow
from keystead.flows.lockdown import LIFE, PARAMETER, Asked, UserAccountLockdownRequest, lock_down
from keystead.flows.stages.account_lockdown import AccountLockdownStage
from keystead.kinds import records
from keystead.people import token
from keystead.people.actor import actor_of
from keystead.people.brand import BRAND
from keystead.people.finding import by_pk
from keystead.people.role import Role
from keystead.people.token import TOKEN
from keystead.people.user import USER, User
from keystead.store import Statement
from tests.flows.parts import DENIED, REDIRECT, SECRET, Given, secret, who
from tests.flows.support import Browser, Studio, signed_in


def locks(**members: Given) -> AccountLockdownStage:
    return AccountLockdownStage(pk=rand.uuid4(), name=rand.hex128(), **members)


def link(studio: Studio, target: User, by: User) -> dict[str, str]:
    asked = Asked(target.pk, by.pk, micros(studio.clock.now() + LIFE))
    return {PARAMETER: studio.state.vault.seal(msgspec.json.encode(asked).decode(), "lockdown")}


async def brand(studio: Studio, flow: Flow) -> None:
    (found,) = studio.state.settings.all(BRAND)
    await studio.change(found, flow_lockdown=flow.pk)


async def issued(studio: Studio, user: User) -> None:
    made, _ = token.issue(studio.state, identifier=rand.hex128(), user=user.pk, intent=token.IntentEnum.API)
    await studio.put(made)


async def now(studio: Studio, user: User) -> User:
    found = await by_pk(studio.state, user.pk)
    assert found is not None
    return found


async def left(studio: Studio, user: User) -> tuple[int, int]:
    """How many tokens and sessions somebody has."""
    tokens = await records.load(studio.state.store, TOKEN, "user_id", [user.pk])
    count = Statement("test.count", "SELECT count(*) FROM sessions WHERE user_id = $1")
    row = await studio.state.store.fetch_one(count, user.pk)
    assert row is not None
    return len(tokens), int(str(row[0]))


async def test_an_administrator_locks_somebody_in_one_go(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    elsewhere = await signed_in(studio, anna, await studio.flow(slug="elsewhere"))
    await issued(studio, anna)
    flow = await studio.flow(await studio.prompts("reason"), secret(), locks(), designation="stage_configuration")
    browser = await signed_in(studio, root, flow, query=link(studio, anna, root))
    before = browser.sid
    await browser.get()
    assert (await browser.post(reason="stolen"))["component"] == "ak-stage-password"
    assert (await now(studio, anna)).is_active
    assert (await browser.post(password=SECRET))["component"] == REDIRECT
    locked = await now(studio, anna)
    assert (locked.is_active, locked.password) == (False, "")
    assert await left(studio, anna) == (0, 0)
    assert (await elsewhere.visitor()).user is None
    assert browser.sid == before
    assert (await browser.visitor()).user == await now(studio, root)
    (told,) = [one for one in await studio.events("user_write") if "account_lockdown" in one]
    assert told["model"]["pk"] == anna.pk
    assert told["account_lockdown"]["revoke_tokens"] is True
    assert await studio.events("model_updated")


async def test_one_locks_ones_own_account_and_is_told_so(studio: Studio) -> None:
    anna = await studio.person()
    after = await studio.flow(await studio.prompts("bye"), slug="locked")
    flow = await studio.flow(locks(self_service_completion_flow=after.pk), designation="stage_configuration")
    browser = await signed_in(studio, anna, flow, query=link(studio, anna, anna))
    before = browser.sid
    gone = await browser.get()
    assert (gone["component"], gone["to"]) == (REDIRECT, "/if/flow/locked/")
    assert not (await now(studio, anna)).is_active
    assert browser.sid != before
    assert await studio.sessions() == set()


async def test_a_stage_does_what_it_is_set_to(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    await signed_in(studio, anna, await studio.flow(slug="elsewhere"))
    await issued(studio, anna)
    quiet = locks(deactivate_user=False, set_unusable_password=False, delete_sessions=False)
    browser = await signed_in(studio, root, await studio.flow(quiet), query=link(studio, anna, root))
    browser.flow = await studio.flow(quiet, designation="invalidation")
    assert (await browser.get())["component"] == REDIRECT
    same = await now(studio, anna)
    assert (same.is_active, same.password) == (True, anna.password)
    assert await left(studio, anna) == (0, 1)


async def denied(browser: Browser, user: User) -> None:
    assert (await browser.get())["component"] == DENIED
    assert (await now(browser.studio, user)).is_active


async def test_only_the_link_of_ones_own_locks_and_only_for_a_while(studio: Studio) -> None:
    anna, root, other = await studio.person(), await studio.superuser(), await studio.superuser("other")
    flow = await studio.flow(locks(), designation="stage_configuration")
    for query in ({}, {PARAMETER: "x"}, link(studio, anna, other), link(studio, root, other)):
        await denied(await signed_in(studio, root, flow, query=query), root)
    assert (await now(studio, anna)).is_active
    await denied(studio.browser(flow, query=link(studio, anna, root)), anna)
    late = await signed_in(studio, root, flow, query=link(studio, anna, root))
    studio.clock.move(minutes=31)
    await denied(late, anna)


async def test_who_proves_in_the_run_that_the_account_is_theirs_needs_no_link(studio: Studio) -> None:
    anna = await studio.person()
    browser = studio.browser(await studio.flow(who(), secret(), locks(), designation="recovery"))
    await browser.post(uid_field="anna")
    assert (await browser.post(password=SECRET))["component"] == REDIRECT
    assert not (await now(studio, anna)).is_active


async def test_a_name_alone_locks_nobody(studio: Studio) -> None:
    anna = await studio.person()
    browser = studio.browser(await studio.flow(who(), locks(), designation="recovery"))
    assert (await browser.post(uid_field="anna"))["component"] == DENIED
    assert (await now(studio, anna)).is_active


async def test_nobody_locks_somebody_stronger_nor_without_the_right(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    role = Role(pk=rand.uuid4(), name="desk", permissions=(USER.permission("change"), USER.permission("view")))
    await studio.put(role)
    desk, plain = await studio.person("desk", roles=(role.pk,)), await studio.person("plain")
    flow = await studio.flow(locks(), designation="stage_configuration")
    await denied(await signed_in(studio, desk, flow, query=link(studio, root, desk)), root)
    await denied(await signed_in(studio, plain, flow, query=link(studio, anna, plain)), anna)
    browser = await signed_in(studio, desk, flow, query=link(studio, anna, desk))
    assert (await browser.get())["component"] == REDIRECT
    assert not (await now(studio, anna)).is_active


async def asked(studio: Studio, by: User, body: dict[str, Any]) -> str:
    actor = await actor_of(studio.state, by.pk, means="token")
    assert actor is not None
    call = msgspec.structs.replace(studio.call, actor=actor)
    call = msgspec.structs.replace(call, origin=msgspec.structs.replace(call.origin, root="https://id.example.org/sub"))
    answer = await lock_down(call, studio.state, None, msgspec.convert(body, UserAccountLockdownRequest))
    return str(msgspec.structs.asdict(answer.body)["link"])  # type: ignore[arg-type]  # a struct


async def test_the_api_gives_a_link_to_the_brands_flow(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    with pytest.raises(Problem) as refused:
        await asked(studio, root, {"user": anna.pk})
    assert "flow_lockdown" in str(refused.value.fields)
    await brand(studio, await studio.flow(locks(), slug="panic", designation="stage_configuration"))
    url = await asked(studio, root, {"user": anna.pk})
    assert url.startswith("https://id.example.org/sub/if/flow/panic/?lockdown=")
    assert (await asked(studio, anna, {})).startswith("https://id.example.org/sub/if/flow/panic/?lockdown=")
    with pytest.raises(Problem):
        await asked(studio, anna, {"user": root.pk})
    with pytest.raises(Problem) as refused:
        await asked(studio, root, {"user": 4711})
    assert refused.value.fields is not None
    assert "user" in refused.value.fields
    assert (await now(studio, anna)).is_active


async def test_a_link_says_nothing_that_others_could_change(studio: Studio) -> None:
    anna, root = await studio.person(), await studio.superuser()
    text = link(studio, anna, root)[PARAMETER]
    assert lockdown.opened(studio.state, studio.call, text) is not None
    for broken in (text[:-1], text[:-2] + "AA", "", "v1." + text):
        assert lockdown.opened(studio.state, studio.call, broken) is None
