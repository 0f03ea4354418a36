"""Signing out at a client's wish (SECURITY OA-52, OIDC RP-Initiated Logout 1.0)."""

from typing import Any

import pytest

from keystead.flows.ports import Visitor
from keystead.people import session
from keystead.people.brand import BRAND, Brand
from keystead.providers.oidc.end_session import CONFIRMED
from keystead.providers.oidc.wire import Reply
from keystead.providers.pages import Asking, Confirm, ErrorPage, Redirect
from keystead.providers.redirect_uri import RedirectURITypeEnum
from tests.providers.place import VERIFIER, Party, Place, strict
from tests.providers.said import claims, json_reply, ok

PATH = "/application/o/{slug}/end-session/"
TOKEN = "/application/o/token/"
BYE = "https://app.example/bye"
SCOPE = "openid offline_access"


async def signed_in(place: Place, **members: Any) -> tuple[Party, Visitor, dict[str, Any]]:  # noqa: ANN401 - of a provider
    """A client whose invalidation flow signs out, its person's browser, and their tokens."""
    uris = (*strict("https://app.example/cb"), *strict(BYE, use=RedirectURITypeEnum.LOGOUT))
    given = {"redirect_uris": uris, "invalidation_flow": place.flows["sign-out"].pk, **members}
    party = await place.party(("openid", "email", "offline_access"), **given)
    visitor = await place.visit(await place.person())
    return party, visitor, await place.tokens(party, visitor, scope=SCOPE)


async def leave(place: Place, party: Party, visitor: Visitor, method: str = "GET", **fields: str) -> Reply:
    """Ask to be signed out."""
    return await place.send(method, PATH, fields, slug=party.application.slug, visitor=visitor)


async def gone(place: Place, visitor: Visitor) -> bool:
    """Whether the browser's session has ended."""
    return await session.find(place.state, visitor.sid, place.at) is None


async def test_a_hint_signs_out_and_leads_back(place: Place) -> None:
    party, visitor, got = await signed_in(place)
    place.later(days=30)  # the hint has run out long ago
    visitor = await place.visit(visitor.user)
    reply = await leave(place, party, visitor, id_token_hint=got["id_token"], post_logout_redirect_uri=BYE, state="s 1")
    assert isinstance(reply, Redirect)
    assert reply.url == f"{BYE}?state=s+1"
    assert reply.visitor is not None
    assert reply.visitor.sid != visitor.sid
    assert await gone(place, visitor)
    assert len(await place.events("logout")) == 1


async def test_tokens_of_the_session_die_with_it(place: Place) -> None:
    party, visitor, got = await signed_in(place)
    await leave(place, party, visitor, id_token_hint=got["id_token"])
    assert (await place.userinfo(got["access_token"])).status == 401
    assert await place.introspect(party, got["refresh_token"]) == {"active": False}


async def test_a_flow_that_signs_nobody_out_still_ends_the_clients_tokens(place: Place) -> None:
    party, visitor, got = await signed_in(place, invalidation_flow=place.flows["leave"].pk)
    other = await place.party(("openid", "email", "offline_access"))
    kept = await place.tokens(other, visitor, scope=SCOPE)
    reply = await leave(place, party, visitor, id_token_hint=got["id_token"])
    assert isinstance(reply, Asking)
    assert reply.shown.challenge is not None
    assert reply.shown.challenge["component"] == "ak-stage-session-end"
    assert not await gone(place, visitor)
    assert (await place.userinfo(got["access_token"])).status == 401
    assert (await place.userinfo(kept["access_token"])).status == 200


async def test_the_last_page_says_what_is_left(place: Place) -> None:
    brand = Brand(
        brand_uuid="00000000-0000-4000-8000-000000000001",
        domain="id.example",
        branding_title="Example",
        flow_invalidation=place.flows["sign-out"].pk,
    )
    await place.put(brand)
    party, visitor, got = await signed_in(place, invalidation_flow=place.flows["leave"].pk)
    reply = await leave(place, party, visitor, id_token_hint=got["id_token"])
    assert isinstance(reply, Asking)
    challenge = dict(reply.shown.challenge or {})
    assert challenge.pop("flow_info")
    assert str(challenge.pop("pending_user_avatar")).startswith("data:image/svg+xml")
    assert challenge == {
        "component": "ak-stage-session-end",
        "pending_user": "anna",
        "application_name": party.application.name,
        "application_launch_url": "https://app.example",
        "invalidation_flow_url": "/if/flow/sign-out/",
        "brand_name": "Example",
    }
    assert place.state.settings.all(BRAND)


async def test_oa_52_without_a_hint_the_person_is_asked(place: Place) -> None:
    party, visitor, _ = await signed_in(place)
    page = await leave(place, party, visitor, post_logout_redirect_uri=BYE, state="s")
    assert isinstance(page, Confirm)
    assert (page.fields["post_logout_redirect_uri"], page.fields["state"]) == (BYE, "s")
    assert not await gone(place, visitor)

    proof = page.fields[CONFIRMED]
    elsewhere = await place.visit(await place.person("berta"))
    for who, fields in (
        (visitor, {**page.fields, CONFIRMED: "guessed"}),
        (visitor, {**page.fields, CONFIRMED: ""}),
        (visitor, {CONFIRMED: proof}),  # made for another destination
        (elsewhere, page.fields),  # made for another browser
    ):
        assert isinstance(await leave(place, party, who, "POST", **fields), Confirm)
    # A link can carry the proof, but a link is no button.
    assert isinstance(await leave(place, party, visitor, **page.fields), Confirm)
    assert not await gone(place, visitor)

    reply = await leave(place, party, visitor, "POST", **page.fields)
    assert isinstance(reply, Redirect)
    assert reply.url == f"{BYE}?state=s"
    assert await gone(place, visitor)


async def test_oa_52_a_hint_about_somebody_else_asks(place: Place) -> None:
    party, visitor, got = await signed_in(place)
    berta = await place.visit(await place.person("berta"))
    assert isinstance(await leave(place, party, berta, id_token_hint=got["id_token"]), Confirm)
    assert not await gone(place, berta)
    assert not await gone(place, visitor)


BAD: dict[str, dict[str, str]] = {
    "unregistered": {"post_logout_redirect_uri": "https://evil.example/"},
    "near": {"post_logout_redirect_uri": BYE + "/"},
    "with a query": {"post_logout_redirect_uri": BYE + "?x=1"},
    "registered for answers": {"post_logout_redirect_uri": "https://app.example/cb"},
    "script": {"post_logout_redirect_uri": "javascript:alert(1)"},
    "another client": {"client_id": "somebody"},
    "broken hint": {"id_token_hint": "rubbish"},
    "altered hint": {"id_token_hint": "{id}x"},
    "access token as hint": {"id_token_hint": "{access}"},
}


@pytest.mark.parametrize("how", list(BAD))
async def test_oa_52_what_is_not_right_leads_nowhere(place: Place, how: str) -> None:
    party, visitor, got = await signed_in(place)
    words = {"id": got["id_token"], "access": got["access_token"]}
    fields = {name: value.format(**words) for name, value in BAD[how].items()}
    for who in (visitor, await place.visit()):
        page = await leave(place, party, who, **fields)
        assert isinstance(page, ErrorPage)
        assert page.status == 400
    assert not await gone(place, visitor)


async def test_oa_52_another_issuers_hint_is_no_hint(place: Place) -> None:
    party, visitor, _ = await signed_in(place)
    code = await place.code(party, visitor, scope=SCOPE)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": party.uri,
        "code_verifier": VERIFIER,
    }
    reply = await place.send("POST", TOKEN, fields, authorization=party.basic, root="https://other.example")
    foreign = ok(json_reply(reply))["id_token"]
    assert claims(foreign)["iss"].startswith("https://other.example/")
    assert isinstance(await leave(place, party, visitor, id_token_hint=foreign), ErrorPage)


async def test_oa_61_repeated_parameters_lead_nowhere(place: Place) -> None:
    party, visitor, _ = await signed_in(place)
    twice = [("post_logout_redirect_uri", BYE), ("post_logout_redirect_uri", BYE)]
    page = await place.send("GET", PATH, twice, slug=party.application.slug, visitor=visitor)
    assert isinstance(page, ErrorPage)


async def test_whoever_is_not_signed_in_is_just_sent_on(place: Place) -> None:
    party, _, _ = await signed_in(place)
    reply = await leave(place, party, await place.visit(), post_logout_redirect_uri=BYE)
    assert reply == Redirect(BYE)
    assert isinstance(await leave(place, party, await place.visit()), Asking)


async def test_clients_from_before_types_go_back_to_any_registered_address(place: Place) -> None:
    party, visitor, got = await signed_in(place, redirect_uris=strict("https://app.example/cb", BYE))
    reply = await leave(place, party, visitor, id_token_hint=got["id_token"], post_logout_redirect_uri=BYE)
    assert isinstance(reply, Redirect)
    assert reply.url == BYE


async def test_an_address_for_logout_takes_no_codes(place: Place) -> None:
    party, visitor, _ = await signed_in(place)
    assert isinstance(await place.authorize(party, visitor, redirect_uri=BYE), ErrorPage)


async def test_unknown_applications_have_no_end(place: Place) -> None:
    page = await place.send("GET", PATH, slug="unknown", visitor=await place.visit())
    assert isinstance(page, ErrorPage)
    assert page.status == 404
