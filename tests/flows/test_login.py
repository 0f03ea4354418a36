"""Signing in: the name, the password, the session - and what strangers learn from it."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from argon2 import PasswordHasher

from keystead.base import rand
from keystead.flows.password_check import BackendsEnum
from keystead.flows.ports import LoginOption, Reply
from keystead.flows.stages.identification import UserFieldsEnum
from keystead.people import password, session, token
from keystead.people.brand import BRAND
from keystead.people.user import by_pk
from tests.flows.support import (
    SECRET,
    Browser,
    Given,
    Studio,
    enter,
    errors,
    secret,
    signed_in,
    who,
)

REDIRECT = "xak-flow-redirect"
DENIED = "ak-stage-access-denied"


async def two_steps(studio: Studio, **members: Given) -> Browser:
    return studio.browser(await studio.flow(who(), secret(**members), enter()))


async def one_step(studio: Studio, **members: Given) -> Browser:
    asked = secret(**members)
    await studio.put(asked)
    return studio.browser(await studio.flow(who(password_stage=asked.pk), enter()))


async def test_name_then_password(studio: Studio) -> None:
    anna = await studio.person()
    browser = await two_steps(studio)
    asked = await browser.get()
    assert asked["component"] == "ak-stage-identification"
    assert asked["user_fields"] == ["username", "email"]
    assert asked["password_fields"] is False
    assert asked["primary_action"] == "Log in"
    asked = await browser.post(component="ak-stage-identification", uid_field="ANNA@example.org")
    assert asked["component"] == "ak-stage-password"
    gone = await browser.post(component="ak-stage-password", password=SECRET)
    assert (gone["component"], gone["to"]) == (REDIRECT, "/")
    assert browser.reply is not None
    assert browser.reply.ended
    visitor = await browser.visitor()
    assert visitor.user is not None
    assert visitor.user.pk == anna.pk
    assert visitor.user.last_login == studio.clock.now()
    assert visitor.session is not None
    assert visitor.session.auth["method"] == "password"
    assert visitor.session.auth["amr"] == ["pwd"]
    assert await studio.runs() == []
    (login,) = await studio.events("login")
    assert login["auth_method"] == "password"


async def test_name_and_password_on_one_page(studio: Studio) -> None:
    await studio.person()
    browser = await one_step(studio, allow_show_password=True)
    asked = await browser.get()
    assert asked["password_fields"] is True
    assert asked["allow_show_password"] is True
    assert errors(await browser.post(uid_field="anna", password="wrong")) == {"non_field_errors": ["invalid"]}
    assert errors(await browser.post(uid_field="anna")) == {"password": ["required"]}
    assert (await browser.post(uid_field="anna", password=SECRET))["component"] == REDIRECT
    assert (await browser.visitor()).user is not None


async def test_every_kind_of_name(studio: Studio) -> None:
    await studio.person("björn.berg", email="B.Berg@example.org", attributes={"upn": "bb@corp"})
    for typed in ("björn.berg", "b.berg@example.org", "BB@CORP", "  björn.berg  "):
        stage = who(user_fields=tuple(UserFieldsEnum))
        browser = studio.browser(await studio.flow(stage, secret(), enter()))
        await browser.post(uid_field=typed)
        assert (await browser.post(password=SECRET))["component"] == REDIRECT, typed


async def test_case_counts_where_the_stage_says_so(studio: Studio) -> None:
    await studio.person()
    stage = who(case_insensitive_matching=False)
    browser = studio.browser(await studio.flow(stage, secret(), enter()))
    await browser.post(uid_field="Anna")
    assert errors(await browser.post(password=SECRET)) == {"password": ["invalid"]}


async def test_a_name_that_two_people_share_is_nobodys(studio: Studio) -> None:
    await studio.person("one", email="shared@example.org")
    await studio.person("two", email="shared@example.org")
    browser = await two_steps(studio)
    await browser.post(uid_field="shared@example.org")
    assert errors(await browser.post(password=SECRET)) == {"password": ["invalid"]}


async def test_an_unknown_name_is_told_only_without_pretence(studio: Studio) -> None:
    flow = await studio.flow(who(pretend_user_exists=False), secret(), enter())
    browser = studio.browser(flow)
    asked = await browser.post(uid_field="nobody")
    assert asked["component"] == "ak-stage-identification"
    assert errors(asked) == {"non_field_errors": ["invalid"]}
    (event,) = await studio.events("login_failed")
    assert event["username"] == "nobody"
    assert event["stage"]["model_name"] == "identificationstage"
    assert errors(await browser.post(uid_field="  ")) == {"non_field_errors": ["required"]}


async def test_the_matched_user_is_shown_where_nothing_is_pretended(studio: Studio) -> None:
    await studio.person("anna", name="Anna Berg")
    stage = who(pretend_user_exists=False, show_matched_user=True)
    asked = await studio.browser(await studio.flow(stage, secret())).post(uid_field="anna@example.org")
    assert asked["pending_user"] == "anna"
    stage = who(pretend_user_exists=False, show_matched_user=False)
    asked = await studio.browser(await studio.flow(stage, secret())).post(uid_field="anna@example.org")
    assert asked["pending_user"] == "anna@example.org"


async def test_strangers_see_the_same_whoever_they_name(studio: Studio) -> None:
    """FL-10: known, unknown, inactive and without a password: byte for byte the same, at every step."""
    await studio.person("real", name="Real Person")
    await studio.person("idle", is_active=False)
    await studio.stranger("bare")
    for make in (two_steps, one_step):
        seen = []
        for name in ("real", "none", "idle", "bare"):
            browser = await make(studio)
            steps = [await browser.post(uid_field=name, password="wrong")]
            steps += [await browser.post(password="wrong") for _ in range(5)] if make is two_steps else []
            told = msgspec.json.encode(steps).decode()
            seen.append(told.replace(name, "NAME"))
        # Pictures are drawn from what was typed, so they differ with the name alone.
        bare = [without_pictures(text) for text in seen]
        assert bare[0] == bare[1] == bare[2] == bare[3]


def without_pictures(text: str) -> str:
    return "".join(part for part in text.split('"') if not part.startswith("data:image"))


async def test_the_picture_does_not_tell_either(studio: Studio) -> None:
    browser = await two_steps(studio)
    before = await browser.post(uid_field="carla")
    await studio.person("carla", name="Zoe Zimmer")
    after = await (await two_steps(studio)).post(uid_field="carla")
    for challenge in (before, after):
        del challenge["flow_info"]
    assert before == after


async def test_strangers_wait_as_long_whoever_they_name(studio: Studio) -> None:
    """FL-11: whoever is named, the work of a hash is done; without it the answer would come a hundred times faster."""
    await studio.person("real")
    await studio.person("idle", is_active=False)
    await studio.stranger("bare")
    await password.verify("", "warm up")
    fastest = {}
    for name in ("real", "none", "idle", "bare"):
        taken = []
        for _ in range(3):
            browser = await two_steps(studio)
            await browser.post(uid_field=name)
            start = time.perf_counter()
            await browser.post(password="wrong")
            taken.append(time.perf_counter() - start)
        fastest[name] = min(taken)
    assert min(fastest.values()) > fastest["real"] / 2


async def test_wrong_passwords_leave_a_trace_without_the_password(studio: Studio) -> None:
    await studio.person()
    browser = await two_steps(studio)
    await browser.post(uid_field="anna")
    asked = await browser.post(password="wrong-but-secret")
    assert errors(asked) == {"password": ["invalid"]}
    (event,) = await studio.events("login_failed")
    assert event["username"] == "anna"
    assert event["stage"]["model_name"] == "passwordstage"
    assert "wrong-but-secret" not in str(event)
    assert set(event["password"]) == {"*"}


@pytest.mark.parametrize("make", [two_steps, one_step])
async def test_too_many_wrong_passwords_end_the_run(studio: Studio, make: Given) -> None:
    await studio.person()
    browser = await make(studio, failed_attempts_before_cancel=3)
    await browser.post(uid_field="anna")
    for _ in range(2):
        assert errors(await browser.post(uid_field="anna", password="wrong"))
    denied = await browser.post(uid_field="anna", password="wrong")
    assert denied["component"] == DENIED
    assert browser.reply is not None
    assert browser.reply.ended
    assert await studio.runs() == []
    assert len(await studio.events("login_failed")) == 3
    # An empty answer is none, so it is not counted.
    again = await make(studio, failed_attempts_before_cancel=1)
    await again.post(uid_field="anna")
    for _ in range(3):
        assert errors(await again.post(uid_field="anna", password="")) == {"password": ["required"]}


async def test_parallel_guesses_count_each(studio: Studio) -> None:
    """FL-12 within a run: of 20 guesses at once no more are looked at than the stage allows, each leaves a trace."""
    await studio.person()
    browser = await two_steps(studio, failed_attempts_before_cancel=3)
    await browser.post(uid_field="anna")
    tabs = [browser.twin() for _ in range(20)]
    told = await asyncio.gather(*(tab.post(password=f"guess {n}") for n, tab in enumerate(tabs)))
    evaluated = len(await studio.events("login_failed"))
    assert 1 <= evaluated <= 3
    assert sum("response_errors" in one or one["component"] == DENIED for one in told) >= evaluated
    while await studio.runs():  # one after the other the rest of the tries go, and no more
        await browser.twin().post(password="one more guess")
    assert len(await studio.events("login_failed")) == 3


async def test_the_right_password_does_not_help_once_the_tries_are_spent(studio: Studio) -> None:
    """A run whose last try was counted, and never judged because the process died, takes no other answer."""
    await studio.person()
    browser = await two_steps(studio, failed_attempts_before_cancel=1)
    await browser.post(uid_field="anna")
    visitor = await browser.visitor()
    call = await browser.call(visitor)
    arrived = await studio.executor._approach(call, studio.state, browser.flow, visitor)  # noqa: SLF001 - a crash
    assert not isinstance(arrived, Reply)
    await studio.executor._count(studio.state, arrived.course)  # noqa: SLF001 - in between has no public name
    assert (await browser.post(password=SECRET))["component"] == DENIED
    assert await studio.sessions() == set()
    await studio.executor.cancel(call, studio.state, visitor)
    assert (await browser.get())["component"] == "ak-stage-identification"


async def test_the_right_guess_among_many_at_once_opens_at_most_one_session(studio: Studio) -> None:
    await studio.person()
    browser = await two_steps(studio)
    await browser.post(uid_field="anna")
    await asyncio.gather(*(browser.twin().post(password=SECRET) for _ in range(20)))
    assert len(await studio.sessions()) == 1
    assert len(await studio.events("login")) == 1


async def test_an_application_password_signs_in(studio: Studio) -> None:
    anna = await studio.person()
    made, key = token.issue(
        studio.state, identifier="phone", user=anna.pk, intent=token.IntentEnum.APP_PASSWORD, expires=None
    )
    other, other_key = token.issue(studio.state, identifier="api", user=anna.pk, intent=token.IntentEnum.API)
    late = studio.clock.now() - timedelta(seconds=1)
    dead, dead_key = token.issue(
        studio.state, identifier="old", user=anna.pk, intent=token.IntentEnum.APP_PASSWORD, expires=late
    )
    await studio.put(made, other, dead)
    bert = await studio.person("bert", "another long password")
    for name, given, right in (
        ("anna", key, True),
        ("anna", other_key, False),
        ("anna", dead_key, False),
        (bert.username, key, False),
    ):
        browser = await two_steps(studio)
        await browser.post(uid_field=name)
        await browser.post(password=given.reveal())
        assert ((await browser.visitor()).user is not None) is right
    (login,) = await studio.events("login")
    assert (login["auth_method"], login["auth_method_args"]) == ("token", {"identifier": "phone"})


async def test_backends_are_asked_as_listed(studio: Studio) -> None:
    await studio.person()
    for backends in ((BackendsEnum.TOKEN,), (BackendsEnum.LDAP, BackendsEnum.KERBEROS), ()):
        browser = await two_steps(studio, backends=backends)
        await browser.post(uid_field="anna")
        assert errors(await browser.post(password=SECRET)) == {"password": ["invalid"]}


async def test_a_hash_with_other_parameters_is_renewed(studio: Studio) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(password.normal(SECRET))
    anna = await studio.stranger("anna", password=weak)
    browser = await two_steps(studio)
    await browser.post(uid_field="anna")
    assert (await browser.post(password=SECRET))["component"] == REDIRECT
    renewed = await by_pk(studio.state, anna.pk)
    assert renewed is not None
    assert renewed.password != weak
    assert not password.needs_rehash(renewed.password)
    assert renewed.password_change_date == anna.password_change_date
    assert await password.verify(renewed.password, SECRET)


async def test_the_session_key_is_new_at_login_and_at_logout(studio: Studio) -> None:
    """FL-06: a key set before login is worth nothing afterwards."""
    anna = await studio.person()
    browser = await two_steps(studio)
    planted = browser.sid
    await browser.post(uid_field="anna")
    assert browser.sid == planted
    await browser.post(password=SECRET)
    first = browser.sid
    assert first != planted
    at = studio.clock.now()
    assert await session.find(studio.state, planted, at) is None
    again = await signed_in(studio, anna, browser.flow)
    assert again.sid not in {planted, first}
    assert len(await studio.sessions()) == 2


async def test_signing_in_again_ends_the_session_before(studio: Studio) -> None:
    anna = await studio.person()
    bert = await studio.person("bert")
    flow = await studio.flow(who(), secret(), enter())
    browser = await signed_in(studio, anna, flow)
    before = await studio.sessions()
    assert (await browser.get())["component"] == REDIRECT
    asked = await browser.begin(reauthenticate=True)
    assert asked["component"] == "ak-stage-identification"
    await browser.post(uid_field="bert")
    await browser.post(password=SECRET)
    visitor = await browser.visitor()
    assert visitor.user is not None
    assert visitor.user.pk == bert.pk
    assert not before & await studio.sessions()


@pytest.mark.parametrize(
    ("members", "remember", "lasting", "browser_long"),
    [
        ({}, None, timedelta(days=1), True),
        ({"session_duration": "hours=8"}, None, timedelta(hours=8), False),
        ({"session_duration": "hours=8", "remember_me_offset": "days=30"}, False, timedelta(hours=8), False),
        ({"session_duration": "hours=8", "remember_me_offset": "days=30"}, True, timedelta(days=30, hours=8), False),
        ({"remember_me_offset": "days=30"}, "true", timedelta(days=30), False),
        ({"remember_me_offset": "days=30"}, "false", timedelta(days=1), True),
        ({"session_duration": "weeks=100"}, None, session.LONGEST, False),
    ],
)
async def test_how_long_a_session_lasts(
    studio: Studio, members: dict[str, str], remember: object, lasting: timedelta, *, browser_long: bool
) -> None:
    await studio.person()
    browser = studio.browser(await studio.flow(who(), secret(), enter(**members)))
    await browser.post(uid_field="anna")
    asked = await browser.post(password=SECRET)
    if remember is not None:
        assert asked["component"] == "ak-stage-user-login"
        assert asked["pending_user"] == "anna"
        assert asked["pending_user_avatar"].startswith("data:image/")
        assert errors(await browser.post(remember_me="perhaps")) == {"remember_me": ["required"]}
        await browser.post(remember_me=remember)
    found = (await browser.visitor()).session
    assert found is not None
    assert found.expires - studio.clock.now() == lasting
    assert found.auth["browser"] is browser_long
    studio.clock.move(seconds=lasting.total_seconds())
    assert (await browser.visitor()).session is None


async def test_other_sessions_end_where_the_stage_says_so(studio: Studio) -> None:
    anna = await studio.person()
    stay = await studio.flow()
    for _ in range(3):
        await signed_in(studio, anna, stay)
    assert len(await studio.sessions()) == 3
    flow = await studio.flow(who(), secret(), enter(terminate_other_sessions=True))
    browser = studio.browser(flow)
    await browser.post(uid_field="anna")
    await browser.post(password=SECRET)
    assert len(await studio.sessions()) == 1
    assert (await browser.visitor()).session is not None


async def test_inactive_people_are_not_signed_in(studio: Studio) -> None:
    """Neither by their password, nor when they are deactivated between two steps, nor within the last one."""
    anna = await studio.person()
    browser = await two_steps(studio)
    await browser.post(uid_field="anna")
    await studio.sql("UPDATE users SET is_active = false WHERE username = 'anna'")
    assert errors(await browser.post(password=SECRET)) == {"password": ["invalid"]}
    flow = await studio.flow(enter(remember_me_offset="days=1"), designation="recovery")
    late = studio.browser(flow)
    assert (await late.begin(pending_user=anna.pk))["component"] == DENIED
    await studio.sql("UPDATE users SET is_active = true WHERE username = 'anna'")
    assert (await late.begin(pending_user=anna.pk))["component"] == "ak-stage-user-login"
    await studio.sql("UPDATE users SET is_active = false WHERE username = 'anna'")
    assert (await late.post(remember_me=True))["component"] == DENIED
    assert await studio.sessions() == set()


async def test_a_login_without_anybody_is_denied(studio: Studio) -> None:
    """A stage order that skips the proof signs nobody in: neither nobody nor somebody who is not there."""
    assert (await studio.browser(await studio.flow(enter())).get())["component"] == DENIED
    browser = studio.browser(await studio.flow(who(), enter()))
    assert (await browser.post(uid_field="not there"))["component"] == DENIED
    assert (await studio.browser(await studio.flow(secret())).get())["component"] == DENIED
    assert await studio.sessions() == set()


async def test_links_lead_to_flows_with_the_query(studio: Studio) -> None:
    other = await studio.flow(designation="enrollment", slug="join")
    stage = who(enrollment_flow=other.pk, recovery_flow=other.pk, passwordless_flow=other.pk)
    browser = studio.browser(await studio.flow(stage, secret()), query={"next": "/a?b=c&d=e"})
    asked = await browser.get()
    link = "/if/flow/join/?next=%2Fa%3Fb%3Dc%26d%3De"
    assert asked["enroll_url"] == asked["recovery_url"] == asked["passwordless_url"] == link
    assert asked["flow_info"]["cancel_url"] == "/flows/-/cancel/?next=%2Fa%3Fb%3Dc%26d%3De"
    assert "recovery_url" not in await browser.post(uid_field="anna")
    (brand,) = studio.state.settings.all(BRAND)
    await studio.change(brand, flow_recovery=other.pk)
    assert (await browser.get())["recovery_url"] == link


async def test_one_source_and_no_names_leads_there_at_once(studio: Studio) -> None:
    challenge: dict[str, object] = {"component": REDIRECT, "to": "/source/oauth/login/forge/"}

    async def options(_call: object, _state: object, sources: object) -> list[LoginOption]:
        assert sources == (source,)
        return [LoginOption(name="Forge", challenge=challenge)]

    source = rand.uuid4()
    executor = replace(studio.executor, ports=replace(studio.executor.ports, options=options))
    only = await studio.flow(who(user_fields=(), sources=(source,)), enter())
    browser = replace(studio, executor=executor).browser(only)
    assert (await browser.get())["to"] == "/source/oauth/login/forge/"
    assert browser.reply is not None
    assert browser.reply.to == "/source/oauth/login/forge/"
    assert (await browser.post(component=REDIRECT, to="/", uid_field="anna"))["to"] == "/source/oauth/login/forge/"
    both = await studio.flow(who(sources=(source,)), enter())
    asked = await replace(studio, executor=executor).browser(both).get()
    assert asked["sources"] == [{"name": "Forge", "challenge": challenge}]
