"""Client authentication and client_credentials (SECURITY OA-16, OA-31, OA-33, OA-61)."""

import asyncio
import base64
from typing import Any

import pytest

from keystead.base.secret import Secret
from keystead.people import token
from keystead.people.finding import by_username
from keystead.people.user import USER, UserTypeEnum
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, ClientTypeEnum, GrantTypeEnum
from tests.providers.place import Party, Place
from tests.providers.said import basic, claims, error, json_reply, ok

TOKEN = "/application/o/token/"


async def machine(place: Place, party: Party, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Ask as a machine."""
    return await place.token(party, grant_type="client_credentials", **more)


async def test_a_client_asks_for_itself(place: Place) -> None:
    party = await place.party()
    got = ok(await machine(place, party, scope="openid profile"))
    assert set(got) == {"access_token", "token_type", "scope", "expires_in", "id_token"}
    said = claims(got["access_token"])
    name = f"ak-{party.provider.name}-client_credentials"
    assert said["preferred_username"] == name
    assert {"auth_time", "amr", "sid", "nonce"} & set(said) == set()
    user = await by_username(place.state, name)
    assert user is not None
    assert (user.type, user.password) == (UserTypeEnum.SERVICE_ACCOUNT, "")
    assert ok(await place.userinfo(got["access_token"]))["sub"] == said["sub"]
    assert (await place.introspect(party, got["access_token"]))["active"] is True


async def test_the_account_is_made_once_however_many_ask(place: Place) -> None:
    party = await place.party()
    answers = await asyncio.gather(*(machine(place, party) for _ in range(20)))
    subjects = {claims(ok(answer)["access_token"])["sub"] for answer in answers}
    assert len(subjects) == 1
    assert await place.rows("SELECT count(*) FROM users") == [(1,)]
    assert await place.rows("SELECT count(*) FROM oauth_grants") == [(1,)]
    assert len(await place.events("model_created")) == 1
    for answer in answers:
        assert (await place.introspect(party, ok(answer)["access_token"]))["active"] is True


async def test_an_account_that_is_there_costs_no_write(place: Place) -> None:
    party = await place.party()
    ok(await machine(place, party))
    before = await place.rows("SELECT count(*) FROM events")
    jtis = {claims(ok(await machine(place, party))["access_token"])["jti"] for _ in range(5)}
    assert len(jtis) == 5
    assert await place.rows("SELECT count(*) FROM events") == before


async def test_a_person_who_took_the_accounts_name_is_not_it(place: Place) -> None:
    party = await place.party()
    await place.person(f"ak-{party.provider.name}-client_credentials", type=UserTypeEnum.INTERNAL)
    assert error(await machine(place, party)) == "invalid_grant"


async def test_long_names_fit_an_account(place: Place) -> None:
    one, other = await place.party(name="x" * 200), await place.party(name="x" * 201)
    found = {claims(ok(await machine(place, party))["access_token"])["preferred_username"] for party in (one, other)}
    assert len(found) == 2
    assert all(len(name) <= 150 for name in found)


@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        ("", "openid email profile"),
        ("openid email", "openid email"),
        ("email nonsense", "email"),
        ("email offline_access", "email"),
        ("email goauthentik.io/api", "email"),
    ],
)
async def test_oa_16_machines_get_what_the_provider_has(place: Place, asked: str, scope: str) -> None:
    party = await place.party(("openid", "email", "profile", "offline_access"))
    got = ok(await machine(place, party, **({"scope": asked} if asked else {})))
    assert got["scope"] == claims(got["access_token"])["scope"] == scope
    assert "refresh_token" not in got


@pytest.mark.parametrize("asked", ["nonsense", "offline_access", "goauthentik.io/api other"])
async def test_oa_16_nothing_is_no_scope(place: Place, asked: str) -> None:
    party = await place.party(("openid", "email", "profile", "offline_access"))
    assert error(await machine(place, party, scope=asked)) == "invalid_scope"


async def test_oa_15_policies_judge_machines(place: Place) -> None:
    party = await place.party()
    await place.only(party.application, await place.group("insiders"))
    assert error(await machine(place, party)) == "invalid_grant"


async def test_oa_17_a_deactivated_account_gets_and_keeps_nothing(place: Place) -> None:
    party = await place.party()
    got = ok(await machine(place, party))
    user = await by_username(place.state, f"ak-{party.provider.name}-client_credentials")
    await place.change(USER, user, is_active=False)
    assert error(await machine(place, party)) == "invalid_grant"
    assert await place.introspect(party, got["access_token"]) == {"active": False}
    assert (await place.userinfo(got["access_token"])).status == 401


async def test_an_application_password_stands_for_its_user(place: Place) -> None:
    robot = await place.person("robot", type=UserTypeEnum.SERVICE_ACCOUNT)
    key, party = await place.app_password(robot), await place.party()
    pair = base64.b64encode(f"robot:{key}".encode()).decode()
    ways: list[dict[str, str]] = [
        {"authorization": "", "client_id": party.id, "username": "robot", "password": key},
        {"username": "robot", "password": key},
        {"authorization": "", "client_id": party.id, "client_secret": pair},
        {"authorization": basic(party.id, pair)},
    ]
    for way in ways:
        got = ok(await machine(place, party, **way))
        assert claims(got["access_token"])["preferred_username"] == "robot", way
        assert (await place.introspect(party, got["access_token"]))["active"] is True
    assert await place.rows("SELECT count(*) FROM oauth_grants") == [(1,)]


async def test_what_is_no_application_password_of_that_user_is_refused(place: Place) -> None:
    robot, other = await place.person("robot"), await place.person("other", secret="a real password")
    key, party = await place.app_password(robot), await place.party()
    api = await place.app_password(robot, token.IntentEnum.API)
    anonymous = {"authorization": "", "client_id": party.id}
    for username, value in (
        ("other", key),
        ("robot", key[:-1]),
        ("robot", api),
        ("other", "a real password"),
        ("nobody", key),
        ("robot", " "),
    ):
        answer = await machine(place, party, username=username, password=value, **anonymous)
        assert error(answer) == "invalid_grant", username
    await place.change(USER, robot, is_active=False)
    assert error(await machine(place, party, username="robot", password=key, **anonymous)) == "invalid_grant"
    assert error(await machine(place, party, username="robot", **anonymous)) == "invalid_grant"
    assert other.pk != robot.pk


async def test_a_wrong_secret_beside_a_right_password_is_refused(place: Place) -> None:
    key, party = await place.app_password(await place.person("robot")), await place.party()
    answer = await machine(place, party, authorization=basic(party.id, "wrong"), username="robot", password=key)
    assert error(answer) == "invalid_client"


async def test_a_public_client_has_nothing_to_ask_for_itself_with(place: Place) -> None:
    party = await place.party(client_type=ClientTypeEnum.PUBLIC)
    answer = await machine(place, party, authorization="", client_id=party.id)
    assert error(answer) == "invalid_client"


WRONG: dict[str, dict[str, Any]] = {
    "no credentials": {"authorization": ""},
    "no secret": {"authorization": "", "client_id": "{id}"},
    "wrong secret": {"authorization": "", "client_id": "{id}", "client_secret": "wrong"},
    "prefix of the secret": {"authorization": "", "client_id": "{id}", "client_secret": "{half}"},
    "wrong secret in the header": {"basic": ("{id}", "wrong")},
    "unknown client": {"basic": ("nobody", "{secret}")},
    "other case": {"basic": ("{ID}", "{secret}")},
    "assertion": {"authorization": "", "client_id": "{id}", "client_assertion": "x", "client_assertion_type": "y"},
    "bearer": {"authorization": "Bearer {secret}"},
    "broken base64": {"authorization": "Basic !!!"},
    "no colon": {"authorization": "Basic " + base64.b64encode(b"nothing").decode()},
}


@pytest.mark.parametrize("grant", ["client_credentials", "authorization_code", "refresh_token", "password"])
@pytest.mark.parametrize("how", list(WRONG))
async def test_oa_33_clients_prove_who_they_are(place: Place, how: str, grant: str) -> None:
    party = await place.party()
    words = {"id": party.id, "ID": party.id.swapcase(), "secret": party.secret, "half": party.secret[:64]}
    fields = dict(WRONG[how])
    if pair := fields.pop("basic", None):
        fields["authorization"] = basic(*(one.format(**words) for one in pair))
    fields = {name: str(value).format(**words) for name, value in fields.items()}
    answer = await place.token(party, grant_type=grant, **fields)
    assert error(answer) == "invalid_client"
    header = bool(fields["authorization"])
    assert answer.status == (401 if header else 400)
    assert any(name == "WWW-Authenticate" for name, _ in answer.headers) is header


async def test_oa_33_two_ways_at_once_are_one_too_many(place: Place) -> None:
    party = await place.party()
    assert error(await machine(place, party, client_secret=party.secret)) == "invalid_request"
    assert error(await machine(place, party, client_id="another")) == "invalid_request"
    assert ok(await machine(place, party, client_id=party.id))
    post = {"client_id": party.id, "client_secret": party.secret}
    assert ok(await machine(place, party, authorization="", **post))


@pytest.mark.parametrize("name", ["client_secret", "client_id", "code", "refresh_token", "password", "grant_type"])
async def test_oa_33_nothing_secret_stands_in_the_address(place: Place, name: str) -> None:
    party = await place.party()
    fields = {"grant_type": "client_credentials"}
    answer = await place.send("POST", TOKEN, fields, query=f"{name}=x", authorization=party.basic)
    assert error(json_reply(answer)) == "invalid_request"


@pytest.mark.parametrize("name", ["grant_type", "scope", "client_id", "client_secret", "code", "username"])
async def test_oa_61_repeated_parameters_are_refused(place: Place, name: str) -> None:
    party = await place.party()
    fields = [
        ("grant_type", "client_credentials"),
        ("scope", "openid"),
        ("client_id", party.id),
        (name, "x"),
        (name, "x"),
    ]
    answer = await place.send("POST", TOKEN, fields, authorization=party.basic)
    assert error(json_reply(answer)) == "invalid_request"


@pytest.mark.parametrize("secret", ["", " ", "\t"])
async def test_oa_31_a_blank_secret_opens_nothing(place: Place, secret: str) -> None:
    party = await place.party(client_secret=Secret(secret))
    for fields in (
        {"authorization": basic(party.id, secret)},
        {"authorization": "", "client_id": party.id, "client_secret": secret},
        {"authorization": "", "client_id": party.id},
    ):
        answer = await place.token(party, grant_type="client_credentials", **fields)
        assert answer.status >= 400, fields


async def test_secrets_may_hold_anything_whether_encoded_or_not(place: Place) -> None:
    secret = "a+b%20c:d/é&="
    party = await place.party(client_secret=Secret(secret))
    raw = "Basic " + base64.b64encode(f"{party.id}:{secret}".encode()).decode()
    for fields in (
        {"authorization": basic(party.id, secret)},
        {"authorization": raw},
        {"authorization": "", "client_id": party.id, "client_secret": secret},
    ):
        assert ok(await machine(place, party, **fields)), fields


async def test_grants_are_those_the_client_may_use(place: Place) -> None:
    party = await place.party(grant_types=(GrantTypeEnum.AUTHORIZATION_CODE,))
    assert error(await machine(place, party)) == "unauthorized_client"
    assert error(await place.token(party, grant_type="password")) == "unsupported_grant_type"
    assert error(await place.token(party)) == "invalid_request"


async def test_a_client_without_an_application_is_no_client(place: Place) -> None:
    party = await place.party()
    await place.put(await _orphan(place, party))
    orphan = place.state.settings.by(OAUTH2_PROVIDER, "client_id", "orphan")
    assert orphan is not None
    assert error(await machine(place, party, authorization=basic("orphan", party.secret))) == "invalid_client"


async def _orphan(place: Place, party: Party) -> Any:  # noqa: ANN401 - a provider
    pk = await place.state.store.reserve("providers", 1)
    kept = {name: getattr(party.provider, name) for name in party.provider.__struct_fields__}
    return type(party.provider)(**{**kept, "pk": pk, "name": "orphan", "client_id": "orphan"})
