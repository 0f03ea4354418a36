"""The authorization endpoint: where answers go, and which requests get none (SECURITY OA-01 to OA-06, OA-12)."""

from typing import Any

import msgspec
import pytest

from keystead.base.errors import Kind, Problem
from keystead.providers.oidc.provider import (
    OAUTH2_PROVIDER,
    ClientTypeEnum,
    GrantTypeEnum,
    IssuerModeEnum,
    OAuth2Provider,
    rules,
)
from keystead.providers.pages import ErrorPage, FormPost, Redirect
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI
from tests.providers.place import ROOT, VERIFIER, Place, strict
from tests.providers.said import parameters

REGISTERED = "https://a.example/cb"
NEAR = (
    "https://a.example/cb/",
    "https://a.example/cb?x=1",
    "https://a.example/cb;p=1",
    "https://a.example/cb#",
    "https://a.example/cb#x",
    "https://a.example/CB",
    "https://A.example/cb",
    "HTTPS://a.example/cb",
    "http://a.example/cb",
    "//a.example/cb",
    "https://a.example.evil.tld/cb",
    "https://aXexample/cb",
    "https://a.example@evil.tld/cb",
    "https://user@a.example/cb",
    "https://a.example\\@evil.tld/cb",
    "https://a%2eexample/cb",
    "https://a.example/%63b",
    "https://a.example/x/../cb",
    "https://a.example:443/cb",
    "https://a.example:8443/cb",
    "https://a.example/cb\t",
    "https://a.example/cb\n",
    " https://a.example/cb",
    "https://a.example/cb ",
    "https://а.example/cb",  # noqa: RUF001 - the Cyrillic letter is the attack
    "https://a.example./cb",
    "javascript:alert(1)//https://a.example/cb",
    "",
)


@pytest.mark.parametrize("uri", NEAR)
async def test_oa_01_only_the_very_uri_is_answered(place: Place, uri: str) -> None:
    party = await place.party(redirect_uris=strict(REGISTERED))
    visitor = await place.visit(await place.person())
    reply = await place.authorize(party, visitor, redirect_uri=uri)
    assert isinstance(reply, ErrorPage)
    assert reply.status == 400
    assert uri not in {reply.title, reply.message}
    assert isinstance(await place.authorize(party, visitor, redirect_uri=REGISTERED), Redirect)


async def test_oa_02_an_empty_list_adopts_nothing(place: Place) -> None:
    party = await place.party(redirect_uris=())
    reply = await place.authorize(party, await place.visit(await place.person()), redirect_uri=REGISTERED)
    assert isinstance(reply, ErrorPage)
    kept = place.state.settings.get(OAUTH2_PROVIDER, party.provider.pk)
    assert kept is not None
    assert kept.redirect_uris == ()


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "nonsense"},
        {"response_type": "token"},
        {"response_type": ""},
        {"prompt": "none"},
        {"request": "e30."},
        {"request_uri": "https://a.example/r"},
        {"response_mode": "bogus"},
        {"max_age": "-1"},
        {"code_challenge_method": "S512"},
    ],
    ids=str,
)
@pytest.mark.parametrize("bad", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}], ids=str)
async def test_oa_03_no_other_fault_makes_us_answer_elsewhere(
    place: Place, bad: dict[str, str], more: dict[str, str]
) -> None:
    party = await place.party()
    assert isinstance(await place.authorize(party, await place.visit(), **bad, **more), ErrorPage)


async def test_regular_expressions_match_the_whole(place: Place) -> None:
    pattern = RedirectURI(matching_mode=MatchingModeEnum.REGEX, url=r"https://[a-z]+\.a\.example/cb")
    party = await place.party(redirect_uris=(pattern,))
    visitor = await place.visit(await place.person())
    for uri, good in (
        ("https://one.a.example/cb", True),
        ("https://one.a.example/cb/x", False),
        ("https://one.a.example/cb\n", False),
        ("x https://one.a.example/cb", False),
        ("https://evil.example/?https://one.a.example/cb", False),
    ):
        assert isinstance(await place.authorize(party, visitor, redirect_uri=uri), Redirect) is good, uri


async def test_a_lax_expression_still_runs_no_script(place: Place) -> None:
    party = await place.party(redirect_uris=(RedirectURI(matching_mode=MatchingModeEnum.REGEX, url=".*"),))
    visitor = await place.visit(await place.person())
    for uri in ("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"):
        assert isinstance(await place.authorize(party, visitor, redirect_uri=uri), ErrorPage), uri
    assert isinstance(await place.authorize(party, visitor, redirect_uri="com.example.app:/cb"), Redirect)


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "code token", "response_mode": "query"}, "unsupported_response_type"),
    ({"response_type": ""}, "invalid_request"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"scope": "nonsense more"}, "invalid_scope"),
    ({"request": "e30."}, "request_not_supported"),
    ({"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge_method": "S512"}, "invalid_request"),
    ({"code_challenge": ""}, "invalid_request"),
    ({"id_token_hint": "not.a.token"}, "invalid_request"),
]


@pytest.mark.parametrize(("more", "code"), REFUSED, ids=str)
async def test_other_faults_go_back_to_the_client(place: Place, more: dict[str, str], code: str) -> None:
    party = await place.party()
    said = parameters(await place.authorize(party, await place.visit(await place.person()), **more))
    # OA-50: iss stands in every answer.
    issuer = f"{ROOT}/application/o/{party.application.slug}/"
    assert (said["error"], said["state"], said["iss"]) == (code, "s-1", issuer)
    assert "code" not in said
    assert await place.rows("SELECT count(*) FROM oauth_codes") == [(0,)]


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "scope", "state", "response_type", "nonce", "code_challenge"]
)
async def test_oa_61_a_repeated_parameter_is_neither_first_nor_last(place: Place, name: str) -> None:
    party = await place.party()
    fields = {
        "client_id": party.id,
        "redirect_uri": party.uri,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": VERIFIER[:43],
    }
    twice = [*fields.items(), (name, fields[name])]
    reply = await place.send("GET", "/application/o/authorize/", twice, visitor=await place.visit(await place.person()))
    if name in {"client_id", "redirect_uri"}:
        assert isinstance(reply, ErrorPage)
    else:
        assert parameters(reply)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
    ],
    ids=str,
)
async def test_oa_12_public_clients_prove_possession_by_s256(place: Place, more: dict[str, str]) -> None:
    party = await place.party(client_type=ClientTypeEnum.PUBLIC)
    visitor = await place.visit(await place.person())
    assert parameters(await place.authorize(party, visitor, **more))["error"] == "invalid_request"
    assert parameters(await place.authorize(party, visitor))["code"]


async def test_a_client_without_the_grant_gets_no_code(place: Place) -> None:
    party = await place.party(grant_types=(GrantTypeEnum.CLIENT_CREDENTIALS,))
    visitor = await place.visit(await place.person())
    assert parameters(await place.authorize(party, visitor))["error"] == "unauthorized_client"


@pytest.mark.parametrize("asked", ["", "openid email nonsense"])
async def test_scopes_are_those_that_there_are(place: Place, asked: str) -> None:
    party = await place.party()
    got = await place.tokens(party, await place.visit(await place.person()), scope=asked)
    assert got["scope"] == ("openid email profile" if not asked else "openid email")


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_answers_take_the_way_they_were_asked_to(place: Place, mode: str) -> None:
    uri = "https://a.example/cb?keep=1"
    party = await place.party(redirect_uris=strict(uri))
    state = "\"><script>alert('x')</script>&=#"
    reply = await place.authorize(party, await place.visit(await place.person()), response_mode=mode, state=state)
    said = parameters(reply)
    assert said["state"] == state
    assert said["code"].startswith("ksc_")
    if mode == "form_post":
        assert isinstance(reply, FormPost)
        assert reply.url == uri
    else:
        assert isinstance(reply, Redirect)
        assert reply.url.startswith(uri + {"query": "&", "fragment": "#"}[mode])
        assert not set("\"<>' ") & set(reply.url)


async def test_a_post_is_answered_like_a_get(place: Place) -> None:
    party = await place.party()
    fields = {"client_id": party.id, "redirect_uri": party.uri, "response_type": "code", "scope": "openid"}
    visitor = await place.visit(await place.person())
    assert parameters(await place.send("POST", "/application/o/authorize/", fields, visitor=visitor))["code"]
    asked = await place.send("POST", "/application/o/authorize/", fields, visitor=await place.visit())
    assert isinstance(asked, Redirect)
    assert asked.url.startswith("/if/flow/login/?next=%2Fapplication%2Fo%2Fauthorize%2F%3Fclient_id%3D")


async def test_a_global_issuer_names_itself(place: Place) -> None:
    party = await place.party(issuer_mode=IssuerModeEnum.GLOBAL)
    said = parameters(await place.authorize(party, await place.visit(await place.person())))
    assert said["iss"] == f"{ROOT}/"


BAD_URIS = (
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "https://a.example/cb#fragment",
    "https://a.example/a b",
    "https://user@a.example/",
    "https:///path",
    "https://a.example:port/",
    "/relative",
    "a.example/cb",
    "https://a.example\\@evil",
    "about:blank",
    "x:",
)


@pytest.mark.parametrize("uri", BAD_URIS)
@pytest.mark.parametrize("member", ["redirect_uris", "logout_uri"])
async def test_oa_04_dangerous_uris_are_not_registered(place: Place, uri: str, member: str) -> None:
    party = await place.party()
    value: Any = strict(uri) if member == "redirect_uris" else uri
    await refused(place, party.provider, {member: value}, member)


@pytest.mark.parametrize("pattern", ["(", "[", "*x", "^javascript:.*", "data:.*", "^java script:.*"])
async def test_oa_04_expressions_are_looked_at_too(place: Place, pattern: str) -> None:
    uris = (RedirectURI(matching_mode=MatchingModeEnum.REGEX, url=pattern),)
    await refused(place, (await place.party()).provider, {"redirect_uris": uris}, "redirect_uris")


async def refused(place: Place, provider: OAuth2Provider, members: dict[str, Any], member: str) -> None:
    """Make sure that a change is refused with a complaint about ``member``."""
    new = msgspec.structs.replace(provider, **members)
    with pytest.raises(Problem) as caught:
        await rules(place.call(), place.state, provider, new)
    assert caught.value.kind is Kind.INVALID
    assert list(caught.value.fields or {}) == [member]
