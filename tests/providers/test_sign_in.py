"""Who is there, and do they agree: sign-in, prompts, consent (SECURITY OA-15, OA-47 to OA-49)."""

from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

from keystead.flows.ports import Reply as Shown
from keystead.flows.ports import Visitor
from keystead.flows.stages.consent import CONSENT_STAGE, ConsentModeEnum, ConsentStage
from keystead.people.user import User
from keystead.providers.oidc.provider import ClientTypeEnum
from keystead.providers.oidc.wire import Reply
from keystead.providers.pages import Asking, ErrorPage, FormPost, Redirect
from tests.providers.place import Party, Place, strict
from tests.providers.said import claims, ok, parameters

PASSWORD = "a good long password"
AUTHORIZE = "/application/o/authorize/"


def away(reply: Reply) -> tuple[str, dict[str, str], Visitor | None]:
    """The path on this server that a reply leads to, its query, and whose cookie the browser gets."""
    assert isinstance(reply, Redirect), reply
    parts = urlsplit(reply.url)
    assert not parts.netloc
    return parts.path, dict(parse_qsl(parts.query)), reply.visitor


async def step(place: Place, slug: str, visitor: Visitor, body: dict[str, object] | None = None) -> Shown:
    """One look at, or answer to, a flow's page."""
    run, flow = place.parts.executor, place.flows[slug]
    if body is None:
        return await run.show(place.call(), place.state, flow, visitor)
    return await run.answer(place.call(), place.state, flow, visitor, body)


async def sign_in(place: Place, username: str, visitor: Visitor, back: str) -> Shown:
    """Go through the login flow."""
    visitor = replace(visitor, query={"next": back})
    shown = await step(place, "login", visitor)
    assert shown.challenge is not None
    if shown.challenge["component"] == "ak-stage-identification":
        shown = await step(place, "login", shown.visitor, {"uid_field": username})
    return await step(place, "login", shown.visitor, {"password": PASSWORD})


async def come_back(place: Place, visitor: Visitor, back: str) -> Reply:
    """Follow the way back to the endpoint."""
    parts = urlsplit(back)
    assert parts.path == AUTHORIZE
    return await place.send("GET", AUTHORIZE, parse_qsl(parts.query), visitor=visitor)


async def test_strangers_sign_in_and_come_back(place: Place) -> None:
    await place.person(secret=PASSWORD)
    party = await place.party()
    path, query, _ = away(await place.authorize(party, await place.visit()))
    assert path == "/if/flow/login/"
    place.later(seconds=5)
    shown = await sign_in(place, "anna", await place.visit(), query["next"])
    shown = await step(place, "login", shown.visitor) if shown.to == "" else shown
    assert shown.to == query["next"]
    assert shown.visitor.user is not None
    code = parameters(await come_back(place, shown.visitor, str(shown.to)))["code"]
    assert claims(ok(await place.redeem(party, code))["id_token"])["amr"] == ["pwd"]


async def test_a_run_half_way_through_is_nobody(place: Place) -> None:
    # OA-49: a password is not asked for yet, so nobody is signed in.
    await place.person(secret=PASSWORD)
    party = await place.party()
    shown = await step(place, "login", await place.visit(), {"uid_field": "anna"})
    said = parameters(await place.authorize(party, shown.visitor, prompt="none"))
    assert said["error"] == "login_required"


@pytest.mark.parametrize(
    ("more", "again"),
    [
        ({"prompt": "login"}, True),
        ({"prompt": "select_account"}, True),
        ({"max_age": "0"}, True),
        ({"max_age": "59"}, True),
        ({"max_age": "3600"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_oa_48_signing_in_again_is_really_asked_for(place: Place, more: dict[str, str], *, again: bool) -> None:
    anna = await place.person(secret=PASSWORD)
    party = await place.party()
    visitor = await place.visit(anna)
    place.later(seconds=60)
    reply = await place.authorize(party, visitor, **more)
    if not again:
        assert parameters(reply)["code"]
        return
    path, query, cookie = away(reply)
    assert path == "/if/flow/login/"
    # Coming straight back does not help, nor does a stamp of one's own making.
    held = cookie or visitor
    assert away(await come_back(place, held, query["next"]))[0] == path
    forged = query["next"].replace("ks_since=", "ks_since=1")
    assert away(await come_back(place, held, forged))[0] == path
    assert away(await come_back(place, held, query["next"].replace("state=s-1", "state=s-2")))[0] == path

    place.later(seconds=5)
    shown = await sign_in(place, "anna", held, query["next"])
    shown = await step(place, "login", shown.visitor) if shown.to == "" else shown
    assert shown.visitor.session is not None
    answer = parameters(await come_back(place, shown.visitor, str(shown.to)))
    said = claims(ok(await place.redeem(party, answer["code"]))["id_token"])
    assert said["auth_time"] == shown.visitor.session.auth["auth_time"]
    assert said["iat"] - said["auth_time"] < 5
    # The stamp is for this request only, and not for ever.
    place.later(hours=1)
    assert away(await come_back(place, shown.visitor, str(shown.to)))[0] == path


@pytest.mark.parametrize(("more", "code"), [({"max_age": "1"}, "login_required"), ({"max_age": "3600"}, "")], ids=str)
async def test_prompt_none_never_asks(place: Place, more: dict[str, str], code: str) -> None:
    party = await place.party()
    visitor = await place.visit(await place.person())
    place.later(seconds=60)
    assert parameters(await place.authorize(party, await place.visit(), prompt="none"))["error"] == "login_required"
    assert parameters(await place.authorize(party, visitor, prompt="none", **more)).get("error", "") == code


async def test_a_hint_about_somebody_else_is_no_hint_about_this_person(place: Place) -> None:
    anna, berta = await place.person(), await place.person("berta")
    party = await place.party()
    hint = (await place.tokens(party, await place.visit(anna)))["id_token"]
    place.later(days=2)
    mine = await place.authorize(party, await place.visit(anna), prompt="none", id_token_hint=hint)
    theirs = await place.authorize(party, await place.visit(berta), prompt="none", id_token_hint=hint)
    assert parameters(mine)["code"]
    assert parameters(theirs)["error"] == "login_required"
    assert away(await place.authorize(party, await place.visit(berta), id_token_hint=hint))[0] == "/if/flow/login/"


async def test_a_login_hint_fills_in_the_name(place: Place) -> None:
    await place.person(secret=PASSWORD)
    party = await place.party()
    path, query, visitor = away(await place.authorize(party, await place.visit(), login_hint="anna"))
    assert path == "/if/flow/login/"
    assert visitor is not None
    shown = await step(place, "login", replace(visitor, query=query))
    assert shown.challenge is not None
    assert shown.challenge["pending_user_identifier"] == "anna"


async def test_the_providers_own_login_flow_goes_first(place: Place) -> None:
    party = await place.party(authentication_flow=place.flows["sign-out"].pk)
    assert away(await place.authorize(party, await place.visit()))[0] == "/if/flow/sign-out/"


async def test_oa_15_policies_decide_who_gets_a_code(place: Place) -> None:
    anna, berta = await place.person(), await place.person("berta")
    party = await place.party()
    await place.only(party.application, await place.group("staff", anna))
    assert parameters(await place.authorize(party, await place.visit(anna)))["code"]
    page = await place.authorize(party, await place.visit(berta))
    assert isinstance(page, ErrorPage)
    assert (page.status, page.code) == (403, "access_denied")
    quiet = parameters(await place.authorize(party, await place.visit(berta), prompt="none"))
    assert (quiet["error"], quiet["state"]) == ("access_denied", "s-1")
    assert await place.rows("SELECT count(*) FROM oauth_codes") == [(1,)]


async def consenting(place: Place, **members: Any) -> Party:  # noqa: ANN401 - members of a provider
    """A client whose people are asked."""
    return await place.party(authorization_flow=place.flows["explicit"].pk, **members)


async def asked(place: Place, visitor: Visitor, reply: Reply) -> dict[str, Any]:
    """The consent page that a reply leads to."""
    path, _, _ = away(reply)
    assert path == "/if/flow/explicit/"
    shown = await step(place, "explicit", visitor)
    assert shown.challenge is not None
    assert shown.challenge["component"] == "ak-stage-consent"
    return shown.challenge


def ids(challenge: dict[str, Any]) -> list[str]:
    """What a consent page asks for."""
    return [one["id"] for one in (*challenge["permissions"], *challenge["additional_permissions"])]


async def agree(place: Place, visitor: Visitor, challenge: dict[str, Any]) -> Shown:
    """Allow what a page asks for, to the end of the flow."""
    shown = await step(place, "explicit", visitor, {"token": challenge["token"]})
    return await step(place, "explicit", shown.visitor) if shown.to == "" else shown


async def consented(place: Place, party: Party, user: User, **more: str) -> Visitor:
    """A browser whose person has allowed the client what it asked for."""
    visitor = await place.visit(user)
    page = await asked(place, visitor, await place.authorize(party, visitor, **more))
    assert str((await agree(place, visitor, page)).to).startswith(party.uri)
    return visitor


async def test_oa_47_consent_is_asked_once_and_remembered(place: Place) -> None:
    anna = await place.person()
    party = await consenting(place)
    visitor = await place.visit(anna)
    page = await asked(place, visitor, await place.authorize(party, visitor))
    assert ids(page) == ["email", "profile"]
    assert (await step(place, "explicit", visitor, {"token": "guessed"})).to is None
    assert await place.rows("SELECT count(*) FROM oauth_codes") == [(0,)]
    shown = await agree(place, visitor, page)
    said = dict(parse_qsl(urlsplit(str(shown.to)).query))
    assert (said["state"], said["iss"]) == ("s-1", f"https://id.example/application/o/{party.application.slug}/")
    assert ok(await place.redeem(party, said["code"]))["scope"] == "openid email profile"
    assert parameters(await place.authorize(party, visitor))["code"]
    assert parameters(await place.authorize(party, visitor, prompt="none"))["code"]


async def test_oa_47_prompt_none_without_consent_is_an_error(place: Place) -> None:
    anna = await place.person()
    party = await consenting(place)
    visitor = await place.visit(anna)
    assert parameters(await place.authorize(party, visitor, prompt="none"))["error"] == "consent_required"
    visitor = await consented(place, party, anna, scope="openid email")
    assert parameters(await place.authorize(party, visitor, prompt="none", scope="openid email"))["code"]
    more = await place.authorize(party, visitor, prompt="none")
    assert parameters(more)["error"] == "consent_required"
    consent = await place.rows("SELECT id FROM consents")
    assert len(consent) == 1


async def test_prompt_consent_asks_again(place: Place) -> None:
    party = await consenting(place)
    visitor = await consented(place, party, await place.person())
    for _ in range(2):
        page = await asked(place, visitor, await place.authorize(party, visitor, prompt="consent"))
        assert "once" in ids(page)
        await agree(place, visitor, page)
    assert await place.rows("SELECT permissions FROM consents") == [("email profile",)]


@pytest.mark.parametrize(
    ("uri", "always"),
    [("com.example.app:/cb", True), ("http://127.0.0.1:8123/cb", True), ("https://app.example/cb", False)],
)
async def test_oa_47_public_clients_on_peoples_own_machines_always_ask(place: Place, uri: str, *, always: bool) -> None:
    party = await consenting(place, client_type=ClientTypeEnum.PUBLIC, redirect_uris=strict(uri))
    visitor = await consented(place, party, await place.person())
    quiet = parameters(await place.authorize(party, visitor, prompt="none"))
    assert ("code" in quiet) is not always
    if always:
        assert quiet["error"] == "consent_required"
        await asked(place, visitor, await place.authorize(party, visitor))


async def test_consent_that_always_is_required_is_never_silent(place: Place) -> None:
    stage: ConsentStage = place.state.settings.all(CONSENT_STAGE)[0]
    await place.change(CONSENT_STAGE, stage, mode=ConsentModeEnum.ALWAYS_REQUIRE)
    party = await consenting(place)
    visitor = await consented(place, party, await place.person())
    assert parameters(await place.authorize(party, visitor, prompt="none"))["error"] == "consent_required"
    assert await place.rows("SELECT count(*) FROM consents") == [(0,)]


async def test_a_code_goes_to_nobody_who_came_between(place: Place) -> None:
    anna, berta = await place.person(), await place.person("berta")
    party = await consenting(place)
    visitor = await place.visit(anna)
    page = await asked(place, visitor, await place.authorize(party, visitor))
    other = replace(visitor, user=berta)
    assert not str((await step(place, "explicit", other, {"token": page["token"]})).to).startswith(party.uri)
    assert await place.rows("SELECT count(*) FROM oauth_codes") == [(0,)]


async def test_form_post_at_the_end_of_a_flow_submits_itself(place: Place) -> None:
    party = await consenting(place)
    visitor = await place.visit(await place.person())
    page = await asked(place, visitor, await place.authorize(party, visitor, response_mode="form_post"))
    shown = await agree(place, visitor, page)
    assert shown.challenge is not None
    assert (shown.challenge["component"], shown.challenge["url"]) == ("ak-stage-autosubmit", party.uri)
    attrs = cast("dict[str, str]", shown.challenge["attrs"])
    assert attrs["code"].startswith("ksc_")
    silent = await place.authorize(party, visitor, response_mode="form_post", prompt="none")
    assert isinstance(silent, (Asking, FormPost))
