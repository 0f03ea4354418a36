"""Signing in: the name, the password, and the session that follows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keystead.base import rand
from keystead.flows.ports import LoginOption
from keystead.flows.stages.consent import ConsentStage
from keystead.flows.stages.identification import UserFieldsEnum
from keystead.people import session
from keystead.people.brand import BRAND
from keystead.store import Statement
from tests.flows.parts import DENIED, REDIRECT, SECRET, enter, errors, secret, who
from tests.flows.support import Studio, one_step, signed_in, two_steps


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


async def test_what_one_person_proved_does_not_count_for_another(studio: Studio) -> None:
    """FL-04: whoever is named later has proved nothing; naming nobody's name leaves nobody to sign in."""
    await studio.person()
    await studio.person("bert")
    consent = ConsentStage(pk=rand.uuid4(), name="consent")
    twice = await studio.flow(who(), secret(), who(), enter())
    agrees = await studio.flow(who(), secret(), who(), consent)
    for flow, name in ((twice, "not there"), (agrees, "bert"), (agrees, "not there")):
        browser = studio.browser(flow)
        await browser.post(uid_field="anna")
        assert (await browser.post(password=SECRET))["component"] == "ak-stage-identification"
        assert (await browser.post(uid_field=name))["component"] == DENIED
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


async def test_logins_leave_a_score(studio: Studio) -> None:
    await studio.person()
    browser = await one_step(studio)
    for name in ("anna", "ANNA@example.org", "nobody", "with\0null"):
        await browser.post(uid_field=name, password="wrong")
    await (await one_step(studio)).post(uid_field="anna", password=SECRET)
    rows = await studio.state.store.fetch(
        Statement("test.scores", "SELECT identifier, score FROM reputation_scores ORDER BY identifier")
    )
    assert [tuple(row) for row in rows] == [("anna", -1), ("nobody", -1), ("with\ufffdnull", -1)]


async def test_a_name_nobody_goes_by_leaves_a_score_of_its_own(studio: Studio) -> None:
    await studio.person()
    stage = who(pretend_user_exists=False)
    browser = studio.browser(await studio.flow(stage, secret(), enter()))
    await browser.post(uid_field="anna")
    await browser.post(password="wrong")
    browser = studio.browser(await studio.flow(who(pretend_user_exists=False), enter()))
    await browser.post(uid_field="nobody")
    rows = await studio.state.store.fetch(
        Statement("test.scores", "SELECT identifier, score FROM reputation_scores ORDER BY identifier")
    )
    assert [tuple(row) for row in rows] == [("anna", -1), ("nobody", -1)]
