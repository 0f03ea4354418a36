"""Consent stage: asked for when new, remembered as long as the mode says, allowed only for what was shown."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.flows.ports import ConsentRequest, Permission
from keystead.flows.stages.consent import ConsentModeEnum, ConsentStage
from keystead.people.user import User
from keystead.providers.application import Application
from tests.flows.parts import REDIRECT, Given, errors, who
from tests.flows.support import Browser, Studio, signed_in

Mode = ConsentModeEnum
CONSENT = "ak-stage-consent"


async def scene(studio: Studio, mode: Mode, **members: Given) -> tuple[User, Application, Browser]:
    anna = await studio.person()
    application = Application(pk=rand.uuid4(), name="Wiki", slug="wiki")
    await studio.put(application)
    stage = ConsentStage(pk=rand.uuid4(), name="consent", mode=mode, **members)
    flow = await studio.flow(stage, designation="authorization", authentication="require_authenticated")
    return anna, application, await signed_in(studio, anna, flow)


async def ask(browser: Browser, application: Application, *ids: str) -> dict[str, Any]:
    request = ConsentRequest(application.pk, tuple(Permission(one, f"Your {one}") for one in ids))
    return await browser.begin(consent=msgspec.to_builtins(request), application=application.pk)


async def test_what_is_asked(studio: Studio) -> None:
    anna, application, browser = await scene(studio, Mode.ALWAYS_REQUIRE)
    asked = await ask(browser, application, "email", "profile")
    assert asked["component"] == CONSENT
    assert asked["header_text"] == "Wiki asks for access to your account"
    assert asked["permissions"] == [{"id": "email", "name": "Your email"}, {"id": "profile", "name": "Your profile"}]
    assert asked["additional_permissions"] == []
    assert (asked["pending_user"], asked["pending_user_avatar"][:11]) == (anna.username, "data:image/")
    request = ConsentRequest(application.pk, header="Wiki wants more.")
    assert (await browser.begin(consent=msgspec.to_builtins(request)))["header_text"] == "Wiki wants more."


async def test_always_means_always(studio: Studio) -> None:
    _, application, browser = await scene(studio, Mode.ALWAYS_REQUIRE)
    for _ in range(2):
        asked = await ask(browser, application, "email")
        assert asked["component"] == CONSENT
        assert (await browser.post(token=asked["token"]))["component"] == REDIRECT


@pytest.mark.parametrize("mode", [Mode.PERMANENT, Mode.EXPIRING])
async def test_what_was_allowed_is_not_asked_again(studio: Studio, mode: Mode) -> None:
    _, application, browser = await scene(studio, mode, consent_expire_in="days=7")
    asked = await ask(browser, application, "email")
    await browser.post(token=asked["token"])
    assert (await ask(browser, application, "email"))["component"] == REDIRECT
    assert (await ask(browser, application))["component"] == REDIRECT
    # Only what is new is set apart, and agreeing to it does not withdraw the rest.
    asked = await ask(browser, application, "email", "groups")
    assert [one["id"] for one in asked["permissions"]] == ["email"]
    assert [one["id"] for one in asked["additional_permissions"]] == ["groups"]
    await browser.post(token=asked["token"])
    assert (await ask(browser, application, "groups"))["component"] == REDIRECT
    assert (await ask(browser, application, "email"))["component"] == REDIRECT
    # Another application and another person have to ask for themselves.
    other = Application(pk=rand.uuid4(), name="Mail", slug="mail")
    await studio.put(other)
    assert (await ask(browser, other, "email"))["component"] == CONSENT
    bert = await signed_in(studio, await studio.person("bert"), browser.flow)
    assert (await ask(bert, application, "email"))["component"] == CONSENT


async def test_a_consent_expires_to_the_instant(studio: Studio) -> None:
    anna, application, browser = await scene(studio, Mode.EXPIRING, consent_expire_in="days=7")
    asked = await ask(browser, application, "email")
    await browser.post(token=asked["token"])
    studio.clock.move(days=7, microseconds=-1)
    browser = await signed_in(studio, anna, browser.flow)
    assert (await ask(browser, application, "email"))["component"] == REDIRECT
    studio.clock.move(microseconds=1)
    asked = await ask(browser, application, "email")
    assert asked["component"] == CONSENT
    assert [one["id"] for one in asked["permissions"]] == ["email"]


async def test_only_the_token_of_this_page_counts(studio: Studio) -> None:
    """A token is good for this browser, this person and this very list."""
    anna, application, browser = await scene(studio, Mode.PERMANENT)
    other = await signed_in(studio, anna, browser.flow)
    foreign = (await ask(other, application, "email"))["token"]
    smaller = (await ask(browser, application, "email"))["token"]
    asked = await ask(browser, application, "email", "groups")
    for token in ("", "x", foreign, smaller, asked["token"][:-1], None, True, [asked["token"]]):
        told = await browser.post(token=token)
        assert told["component"] == CONSENT
        assert errors(told) == {"token": ["invalid"]}
        assert told["token"] == asked["token"]
    assert (await browser.post(token=asked["token"]))["component"] == REDIRECT


async def test_strangers_are_not_asked(studio: Studio) -> None:
    """Somebody who was named, and has proved nothing, cannot agree for the one they named."""
    await studio.person()
    stage = ConsentStage(pk=rand.uuid4(), name="consent")
    browser = studio.browser(await studio.flow(who(), stage))
    assert (await browser.post(uid_field="anna"))["component"] == "ak-stage-access-denied"
    assert (await studio.browser(await studio.flow(stage)).get())["component"] == "ak-stage-access-denied"


async def test_without_a_store_nothing_is_remembered(studio: Studio) -> None:
    executor = replace(studio.executor, ports=replace(studio.executor.ports, consents=None))
    _, application, browser = await scene(replace(studio, executor=executor), Mode.PERMANENT)
    for _ in range(2):
        asked = await ask(browser, application, "email")
        assert (await browser.post(token=asked["token"]))["component"] == REDIRECT
