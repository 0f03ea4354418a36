"""Passwords: wrong ones are counted and traced, right ones renewed, and strangers learn nothing from either."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from argon2 import PasswordHasher

from keystead.flows.password_check import BackendsEnum
from keystead.flows.ports import Reply
from keystead.people import password, token
from keystead.people.finding import by_pk
from tests.flows.parts import DENIED, REDIRECT, SECRET, Given, errors
from tests.flows.support import Studio, one_step, two_steps


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


async def test_strangers_cost_as_much_whoever_they_name(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """FL-11: whoever is named, one hash is made; without it the answer would come a hundred times faster."""
    await studio.person("real")
    await studio.person("idle", is_active=False)
    await studio.stranger("bare")
    made: list[str] = []
    real = password._verify  # noqa: SLF001 - what is done is what is counted

    def counted(stored: str, given: str) -> bool:
        made.append(stored.rpartition("$")[0].rpartition("$")[0])
        return real(stored, given)

    monkeypatch.setattr(password, "_verify", counted)
    for name in ("real", "none", "idle", "bare"):
        browser = await two_steps(studio)
        await browser.post(uid_field=name)
        made.clear()
        await browser.post(password="wrong")
        assert made == ["$argon2id$v=19$m=19456,t=2,p=1"], name


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
