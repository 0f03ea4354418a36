"""The calls that the documents this product was ordered from spell out, in their order, as far as their kinds exist.

Notifications, enrollment and mail have no kinds yet.
"""

from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.engines import Engine
from tests.journeys import furnish, server
from tests.journeys.furnish import Client
from tests.journeys.person import Person, redemption
from tests.journeys.server import PASSWORD, Api, Node

CALLBACK: Final = "http://localhost:3000/auth/callback"
SET_UP: Final = "/api/v3/flows/executor/initial-setup/"


async def set_up(http: httpx.AsyncClient) -> None:
    """Choose the first administrator's password, and be signed in; further calls bring the session's CSRF token."""
    asked = (await http.get(SET_UP)).json()
    assert asked["component"] == "ak-stage-prompt", asked
    answers = {"email": "boss@example.org", "password": PASSWORD, "password_repeat": PASSWORD}
    done = await http.post(SET_UP, json=answers, follow_redirects=True)
    assert done.json()["component"] == "xak-flow-redirect", done.text
    http.headers["X-authentik-CSRF"] = http.cookies["authentik_csrf"]


async def example(api: Api) -> Client:
    """The application "Example" with a public client, implicit consent, and ``offline_access`` among its scopes."""
    provider = await api.make(
        "providers/oauth2/",
        name="Example",
        client_type="public",
        authentication_flow=await furnish.flow(api, "default-authentication-flow"),
        authorization_flow=await furnish.flow(api, "default-provider-authorization-implicit-consent"),
        invalidation_flow=await furnish.flow(api, "default-provider-invalidation-flow"),
        redirect_uris=[{"matching_mode": "strict", "url": CALLBACK}],
        property_mappings=await furnish.mappings(api),
        signing_key=(await api.one("crypto/certificatekeypairs/?name=authentik Self-signed Certificate"))["pk"],
    )
    await api.make("core/applications/", name="Example", slug="example", provider=provider["pk"])
    urls = await api.get(f"providers/oauth2/{provider['pk']}/setup_urls/")
    return Client("example", provider["client_id"], "", CALLBACK, provider["pk"], urls["issuer"])


async def backend(api: Api) -> tuple[int, str]:
    """The service account ``backend``, an administrator; its key is its password, whose intent was changed."""
    made = await api.ask(
        "POST", "core/users/service_account/", {"name": "backend", "create_group": False, "expiring": False}
    )
    assert "group_pk" not in made
    password = await api.one("core/tokens/?user__username=backend")
    assert (password["intent"], password["expiring"]) == ("app_password", False)
    await api.ask("PATCH", f"core/tokens/{password['identifier']}/", {"intent": "api"})
    key = (await api.get(f"core/tokens/{password['identifier']}/view_key/"))["key"]
    assert key == made["token"]
    admins = await api.one("core/groups/?name=authentik Admins")
    await api.ask("POST", f"core/groups/{admins['pk']}/add_user/", {"pk": made["user_pk"]}, status=204)
    return made["user_pk"], key


async def test_an_event_sourced_application_is_set_up(engine: Engine) -> None:
    async with server.fresh_node(engine, server.FRESH) as node, node.client("") as api:
        del api.http.headers["Authorization"]
        await set_up(api.http)
        client = await example(api)
        pk, key = await backend(api)

        async with node.client(key) as machine:
            assert (await machine.get("core/users/me/"))["user"]["is_superuser"] is True
            person = await machine.make("core/users/", username="dora", name="Dora Stein", email="dora@example.org")
            await machine.ask("POST", f"core/users/{person['pk']}/set_password/", {"password": PASSWORD}, status=204)
            found = await machine.get(f"core/users/{person['pk']}/")
            assert (found["username"], found["email"]) == ("dora", "dora@example.org")
            assert (await machine.get(f"core/users/{pk}/"))["type"] == "service_account"

        async with Person(node.url) as dora:
            await dora.sign_in("dora")
            answered = await dora.http.post(
                "/application/o/token/",
                data=redemption(client, await dora.code(client)) | {"client_id": client.client_id},
            )
            tokens = answered.json()
            assert answered.status_code == 200, tokens
            assert tokens["refresh_token"]
            # What the application's backend does with an access token that a browser brings.
            keys = KeySet.import_key_set((await dora.http.get(f"{client.issuer}jwks/")).json())
            claims = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
            assert claims["iss"] == client.issuer == f"{node.url}/application/o/example/"
            assert claims["aud"] == client.client_id
            assert claims["preferred_username"] == "dora"


async def _walked(api: Api, path: str) -> list[Any]:
    """All pages of a list, two at a time."""
    found: list[Any] = []
    page = 1
    while page:
        answered = await api.get(f"{path}{'&' if '?' in path else '?'}page={page}&page_size=2")
        found += answered["results"]
        page = answered["pagination"]["next"]
    return found


async def test_a_monitoring_client_reads(pair: tuple[Node, Node]) -> None:
    node = pair[0]
    async with node.client() as api, Person(node.url) as person, Person(node.url) as guesser:
        me = (await api.get("core/users/me/"))["user"]
        assert me["username"] == "akadmin"
        await person.sign_in()
        await guesser.ask(uid_field="akadmin")
        refused = await guesser.ask(password="a guess")
        assert refused["response_errors"]["password"][0]["code"] == "invalid"
        sessions = await _walked(api, "core/sessions/")
        assert {one["uuid"] for one in sessions} == {
            one["uuid"] for one in await _walked(api, "core/authenticated_sessions/")
        }
        assert any(one["user"] == me["pk"] for one in sessions)
        assert (await _walked(api, "events/events/?action=login&ordering=-created"))[0]["user"]["username"] == "akadmin"
        failed = (await _walked(api, "events/events/?action=login_failed&ordering=-created"))[0]
        assert failed["client_ip"] == "127.0.0.1"
        users = await _walked(api, "core/users/")
        assert len(users) == (await api.get("core/users/"))["pagination"]["count"]
        assert any(one["name"] == "authentik Admins" for one in await _walked(api, "core/groups/"))


async def test_a_management_client_writes(pair: tuple[Node, Node]) -> None:
    async with pair[0].client() as api:
        await api.make("core/groups/", name="gardeners")
        body = {"username": "mia", "email": "mia@example.org", "first_name": "Mia", "last_name": "Meyer"}
        mia = await api.make("core/users/", **body, is_active=True, groups=["gardeners"])
        assert mia["name"] == "Mia Meyer"
        assert [one["name"] for one in mia["groups_obj"]] == ["gardeners"]
        assert (await api.one("core/users/?search=mia@"))["pk"] == mia["pk"]
        garden = await api.make(
            "core/applications/",
            name="Garden",
            slug="garden",
            provider=None,
            group="Outside",
            policy_engine_mode="any",
            meta_description="What grows where",
        )
        assert (await api.one("core/applications/?slug=garden&superuser_full_list=true"))["pk"] == garden["pk"]


async def test_a_diagnosis_reads(pair: tuple[Node, Node]) -> None:
    async with pair[0].client() as api:
        for path in ("/-/health/live/", "/-/health/ready/"):
            answered = await api.http.get(path)
            assert answered.status_code == 200
            assert float(answered.headers["X-Response-Time"]) >= 0
        assert (await api.get("admin/version/"))["version_current"]
        metrics = (await api.http.get("/-/metrics/")).text
        for name in ("logins", "failed_logins", "policy_executions", "flow_executions"):
            assert f"\nauthentik_{name}_total " in metrics, name
        assert "\nauthentik_active_sessions " in metrics
        for path in ("core/applications", "flows/instances", "stages/all", "policies/all", "providers/all"):
            assert (await api.get(f"{path}/"))["pagination"]["count"] >= 0
        assert len((await api.get("events/events/?ordering=-created&page_size=100"))["results"]) <= 100
        await api.get("outposts/")


async def test_a_login_is_tried(pair: tuple[Node, Node]) -> None:
    async with Person(pair[0].url) as person:
        assert (await person.ask())["component"] == "ak-stage-identification"
        assert (await person.ask(uid_field="akadmin"))["component"] == "ak-stage-password"
