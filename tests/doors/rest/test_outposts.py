"""Outposts: their accounts come and go with them, what they are told is checked, and each sees itself alone."""

import pytest

from keystead.kinds import records
from keystead.people import token
from keystead.people.finding import by_username
from keystead.providers.outpost import account
from keystead.providers.outpost.config import DEFAULTS
from keystead.providers.outpost.instance import EMBEDDED, PROVIDERS, OutpostTypeEnum
from tests.client import Client
from tests.family.bodies import Maker
from tests.house import House

OUTPOSTS = "/api/v3/outposts/instances/"


async def made(house: House, name: str = "edge", **members: object) -> dict[str, object]:
    """A new outpost, with a provider of its type where one can be made."""
    provider = await Maker(house).target(PROVIDERS[OutpostTypeEnum.PROXY])
    body = {"name": name, "type": "proxy", "providers": [provider] if provider else [], "config": {}, **members}
    answered = await house.admin.post(OUTPOSTS, body)
    assert answered.status == 201, answered.text
    found: dict[str, object] = answered.json
    return found


async def test_an_outpost_comes_and_goes_with_its_account(house: House) -> None:
    outpost = await made(house)
    pk = str(outpost["pk"])
    assert outpost["token_identifier"] == f"ak-outpost-{pk}-api"
    user = await by_username(house.state, account.username(pk))
    assert user is not None
    assert (user.type, user.path, user.name) == (
        "internal_service_account",
        "goauthentik.io/outposts",
        "Outpost edge Service-Account",
    )
    (key,) = await records.load(house.state.store, token.TOKEN, "user_id", [user.pk])
    assert (key.identifier, key.intent, key.expiring) == (outpost["token_identifier"], "api", False)
    assert key.managed == f"goauthentik.io/outpost/{key.identifier}"
    await house.admin.patch(f"{OUTPOSTS}{pk}/", {"name": "core"})
    renamed = await by_username(house.state, account.username(pk))
    assert renamed is not None
    assert renamed.name == "Outpost core Service-Account"
    assert (await house.admin.delete(f"{OUTPOSTS}{pk}/")).status == 204
    assert await by_username(house.state, account.username(pk)) is None
    assert not await records.load(house.state.store, token.TOKEN, "user_id", [user.pk])
    roles = (await house.admin.get("/api/v3/rbac/roles/")).json["results"]
    assert account.username(pk) not in [role["name"] for role in roles]


async def test_an_outpost_sees_itself_alone(house: House) -> None:
    first, second = await made(house, "one"), await made(house, "two")
    shown = (await house.admin.get(f"/api/v3/core/tokens/{first['token_identifier']}/view_key/")).json
    client = Client(house.app, shown["key"])
    (seen,) = (await client.get(OUTPOSTS)).json["results"]
    assert seen["pk"] == first["pk"]
    assert isinstance(seen["config"]["authentik_host"], str)
    assert (await client.get(f"{OUTPOSTS}{second['pk']}/")).status == 404
    told = await client.post("/api/v3/events/events/", {"action": "configuration_error", "app": "a", "context": {}})
    assert told.status == 201, told.text
    assert (await client.get("/api/v3/core/users/")).status == 403
    assert (await house.user.get(OUTPOSTS)).json["results"] == []


async def test_what_it_is_told_is_whole_and_known(house: House) -> None:
    outpost = await made(house, config={"log_level": "trace", "refresh_interval": "minutes=1"})
    assert outpost["config"] == {**DEFAULTS, "log_level": "trace", "refresh_interval": "minutes=1"}
    assert outpost["refresh_interval_s"] == 60
    settings = (await house.admin.get(f"{OUTPOSTS}default_settings/")).json["config"]
    assert settings == {**DEFAULTS, "authentik_host": "http://localhost:9000/"}
    assert (await house.admin.get(f"{OUTPOSTS}{outpost['pk']}/health/")).json == []


@pytest.mark.parametrize(
    "config",
    [
        {"no_such_key": 1},
        {"log_level": "loud"},
        {"docker_map_ports": "perhaps"},
        {"refresh_interval": "often"},
        {"object_naming_template": "outpost"},
        {"kubernetes_replicas": "two"},
    ],
)
async def test_what_it_cannot_be_told_is_refused(house: House, config: dict[str, object]) -> None:
    refused = await house.admin.post(OUTPOSTS, {"name": "x", "type": "proxy", "providers": [], "config": config})
    assert refused.status == 400
    assert "config" in refused.json


async def test_providers_are_of_its_type(house: House) -> None:
    maker = Maker(house)
    other = await maker.target("authentik_providers_oauth2.oauth2provider")
    refused = await house.admin.post(OUTPOSTS, {"name": "x", "type": "proxy", "providers": [other], "config": {}})
    assert refused.status == 400
    assert "providers" in refused.json


async def test_the_embedded_one_stays(house: House) -> None:
    outpost = await made(house, managed=EMBEDDED, providers=[])
    one = f"{OUTPOSTS}{outpost['pk']}/"
    assert "name" in (await house.admin.patch(one, {"name": "other"})).json
    assert "managed" in (await house.admin.patch(one, {"managed": None})).json
    assert (await house.admin.delete(one)).status == 403
    assert (await house.admin.patch(one, {"config": {"log_level": "debug"}})).status == 200
    assert (await house.admin.get("/api/v3/admin/system/")).json["embedded_outpost_disabled"] is False


async def test_outposts_are_found(house: House) -> None:
    place = (
        await house.admin.post("/api/v3/outposts/service_connections/docker/", {"name": "Box", "url": "tcp://b:1"})
    ).json
    await made(house, "Edge", service_connection=place["pk"])
    await made(house, "Core")
    for query, names in (
        ({"name__iexact": "edge"}, ["Edge"]),
        ({"name__icontains": "CO"}, ["Core"]),
        ({"service_connection__name__icontains": "bo"}, ["Edge"]),
        ({"service_connection__name__iexact": "box"}, ["Edge"]),
        ({"service_connection__name__iexact": "bo"}, []),
        ({"managed__icontains": "embedded"}, []),
    ):
        found = (await house.admin.get(OUTPOSTS, query=query)).json["results"]
        assert [one["name"] for one in found] == names, query
    (edge,) = (await house.admin.get(OUTPOSTS, query={"name__iexact": "edge"})).json["results"]
    assert edge["service_connection_obj"]["name"] == "Box"
    assert edge["service_connection_obj"]["meta_model_name"] == "authentik_outposts.dockerserviceconnection"
    state = await house.admin.get(f"/api/v3/outposts/service_connections/all/{place['pk']}/state/")
    assert state.status == 501
    assert (await house.nobody.get(f"/api/v3/outposts/service_connections/all/{place['pk']}/state/")).status == 403


async def test_places_that_cannot_be_are_refused(house: House) -> None:
    docker, cluster = "/api/v3/outposts/service_connections/docker/", "/api/v3/outposts/service_connections/kubernetes/"
    assert "url" in (await house.admin.post(docker, {"name": "d", "url": "ftp://x"})).json
    assert "kubeconfig" in (await house.admin.post(cluster, {"name": "k"})).json
    assert "kubeconfig" in (await house.admin.post(cluster, {"name": "k", "kubeconfig": {"users": []}})).json
    whole: dict[str, list[str]] = {"contexts": [], "clusters": [], "users": []}
    assert (await house.admin.post(cluster, {"name": "k", "kubeconfig": whole})).status == 201
