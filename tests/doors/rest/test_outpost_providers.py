"""What outposts read: an outpost its own providers, with what they need; and whether somebody may in."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest

from keystead import app
from keystead.base import rand
from keystead.base.errors import Problem
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, OnDelete, Ref, Text, Uuid
from keystead.people.user import UserTypeEnum
from keystead.policies.binding import PolicyBinding
from keystead.providers.ldap.provider import LDAP_PROVIDER
from keystead.providers.outposts import concern
from tests.engines import Engine
from tests.house import House, fresh_house
from tests.providers import asked


@pytest.fixture
def engine() -> str:
    """One engine: these answers come from settings."""
    return "sqlite"


async def provider(house: House, room: str, slug: str, **more: object) -> Any:  # noqa: ANN401 - JSON
    """A new provider with its application."""
    made = await asked.made(house, f"providers/{room}", name=slug, **more)
    await asked.application(house, slug, made["pk"])
    return made


async def test_how_to_serve_a_directory(house: House) -> None:
    key = await asked.pair(house)
    made = await provider(house, "ldap", "tree", certificate=key, search_mode="cached")
    await asked.made(house, "providers/ldap", name="idle")
    (told,) = await asked.listed(house.admin, "outposts/ldap")
    flow = await asked.shown(house, "flows/instances", told["bind_flow_slug"])
    assert flow["pk"] == made["authorization_flow"]
    assert told["unbind_flow_slug"].startswith("leave-")
    assert {name: told[name] for name in told if not name.endswith("flow_slug")} == {
        "pk": made["pk"],
        "name": "tree",
        "base_dn": "DC=ldap,DC=goauthentik,DC=io",
        "application_slug": "tree",
        "certificate": key,
        "tls_server_name": "",
        "uid_start_number": 2000,
        "gid_start_number": 4000,
        "search_mode": "cached",
        "bind_mode": "direct",
        "mfa_support": True,
    }
    await asked.application(house, "behind", None, made["pk"])
    (told,) = await asked.listed(house.admin, "outposts/ldap")
    assert told["application_slug"] == "behind"


async def test_how_to_serve_network_devices(house: House) -> None:
    made = await provider(house, "radius", "wifi", shared_secret="between us", client_networks="10.0.0.0/8")
    (told,) = await asked.listed(house.admin, "outposts/radius")
    assert told.pop("auth_flow_slug").startswith("go-")
    assert told == {
        "pk": made["pk"],
        "name": "wifi",
        "application_slug": "wifi",
        "client_networks": "10.0.0.0/8",
        "shared_secret": "between us",
        "mfa_support": True,
        "certificate": None,
    }


async def test_how_to_stand_in_front_of_an_application(house: House) -> None:
    made = await provider(
        house, "proxy", "wiki", external_host="https://wiki.example.org", internal_host="http://wiki:8080"
    )
    (told,) = await asked.listed(house.admin, "outposts/proxy")
    assert (len(told["client_secret"]), len(told["cookie_secret"])) == (128, 32)
    assert (told["client_id"], told["access_token_validity"]) == (made["client_id"], 3600.0)
    assert told["scopes_to_request"] == ["openid", "profile", "email", "ak_proxy", "entitlements"]
    oidc = told["oidc_configuration"]
    assert oidc["issuer"] == "http://localhost:9000/application/o/wiki/"
    assert oidc["authorization_endpoint"] == "http://localhost:9000/application/o/authorize/"
    assert oidc["id_token_signing_alg_values_supported"] == ["HS256"]
    assert all(value is not None for name, value in told.items() if name != "certificate")
    scope = await asked.made(house, "propertymappings/provider/scope", scope_name="own", expression="return {}")
    await house.admin.patch(f"{asked.API}/providers/proxy/{made['pk']}/", {"property_mappings": [scope["pk"]]})
    (told,) = await asked.listed(house.admin, "outposts/proxy")
    assert told["scopes_to_request"] == ["own"]


async def test_lists_are_searched_ordered_and_paged(house: House) -> None:
    for slug in ("b-tree", "a-tree", "c-bush"):
        await provider(house, "ldap", slug)
    names = [one["name"] for one in await asked.listed(house.admin, "outposts/ldap")]
    assert names == ["a-tree", "b-tree", "c-bush"]
    for query, found in (
        ({"ordering": "-name"}, names[::-1]),
        ({"ordering": "pk"}, ["b-tree", "a-tree", "c-bush"]),
        ({"ordering": "no_such"}, names),
        ({"search": "TREE"}, names[:2]),
        ({"name": "c-bush"}, names[2:]),
        ({"name": "bush"}, []),
        ({"page": "2", "page_size": "2"}, names[2:]),
    ):
        assert [one["name"] for one in await asked.listed(house.admin, "outposts/ldap", **query)] == found
    assert (await house.admin.get(f"{asked.API}/outposts/ldap/", query={"page": "9"})).status == 404


async def test_secrets_are_for_those_who_could_change_them(house: House) -> None:
    await provider(house, "radius", "wifi")
    await provider(house, "ldap", "tree")
    for room, model in (("radius", "radiusprovider"), ("ldap", "ldapprovider")):
        url = f"{asked.API}/outposts/{room}/"
        assert (await house.nobody.get(url)).status == 403
        assert (await house.user.get(url)).status == 403
        viewer = await house.client_with(f"authentik_providers_{room}.view_{model}")
        assert (await viewer.get(url)).status == (200 if room == "ldap" else 403)
        editor = await house.client_with(f"authentik_providers_{room}.change_{model}")
        assert (await editor.get(url)).status == (403 if room == "ldap" else 200)


@pytest.mark.parametrize("room", ["ldap", "radius"])
async def test_whoever_was_signed_in_may_or_may_not_in(house: House, room: str) -> None:
    made = await provider(house, room, "app")
    other = await provider(house, room, "other")
    group = PolicyBinding(pk=rand.uuid4(), target=(await asked.shown(house, "core/applications", "app"))["pk"], order=0)
    await house.put(msgspec.structs.replace(group, group=house.admins.pk))
    url = f"{asked.API}/outposts/{room}/{made['pk']}/check_access/"
    inside = await house.admin.get(url, query={"app_slug": "app"})
    assert (inside.status, inside.json["access"]["passing"]) == (200, True)
    outside = await house.user.get(url, query={"app_slug": "app"})
    assert (outside.status, outside.json["access"]["passing"]) == (200, False)
    assert (await house.nobody.get(url, query={"app_slug": "app"})).status == 403
    for slug in ("other", "none", ""):
        assert (await house.admin.get(url, query={"app_slug": slug})).status == 404
    for pk in (other["pk"] + 100, "x"):
        lost = f"{asked.API}/outposts/{room}/{pk}/check_access/"
        assert (await house.admin.get(lost, query={"app_slug": "app"})).status == 404


async def test_who_may_search_the_whole_directory(house: House) -> None:
    made = await provider(house, "ldap", "tree")
    url = f"{asked.API}/outposts/ldap/{made['pk']}/check_access/"
    searcher = await house.client_with("authentik_providers_ldap.search_full_directory")
    for client, may in ((searcher, True), (house.user, False), (house.admin, True)):
        answered = await client.get(url, query={"app_slug": "tree"})
        assert (answered.json["has_search_permission"], answered.json["access"]["passing"]) == (may, True)


async def test_attributes_that_are_not_made_are_not_left_out_in_silence(house: House) -> None:
    mapping = await asked.made(house, "propertymappings/provider/radius", expression="return None")
    made = await provider(house, "radius", "wifi", property_mappings=[mapping["pk"]])
    url = f"{asked.API}/outposts/radius/{made['pk']}/check_access/"
    assert (await house.user.get(url, query={"app_slug": "wifi"})).status == 501


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """An outpost, as far as it matters here: what it works for."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Text
    providers: tuple[Annotated[int, Ref("providers", OnDelete.CASCADE_MANY)], ...] = ()


MODEL = "authentik_outposts.outpost"
REAL = next((kind for kind in app.KINDS if kind.model == MODEL), None)
OUTPOST: Kind[Any] = REAL or Kind(model=MODEL, struct=StandIn, path="outposts/instances", title=("Outpost", "Outposts"))


def outpost(name: str, provider: int) -> Any:  # noqa: ANN401 - of the kind there is
    """A new outpost that works for one provider."""
    given: dict[str, Any] = {"type": "ldap", "config": {}}
    more = {member: value for member, value in given.items() if member in OUTPOST.fields}
    return OUTPOST.struct(pk=rand.uuid4(), name=name, providers=(provider,), **more)


@pytest.fixture
async def station(engine: Engine) -> AsyncIterator[House]:
    """An installation with outposts."""
    async with fresh_house(engine, extra=() if REAL else (OUTPOST,)) as made:
        yield made


async def test_a_provider_names_its_outposts(station: House) -> None:
    made = await asked.made(station, "providers/ldap", name="tree")
    assert made["outpost_set"] == []
    for name in ("b", "a"):
        await station.put(outpost(name, made["pk"]))
    assert (await asked.shown(station, "providers/ldap", made["pk"]))["outpost_set"] == ["a", "b"]


async def test_an_outpost_learns_of_its_own_providers_only(station: House) -> None:
    mine = await asked.made(station, "providers/ldap", name="mine")
    await asked.made(station, "providers/ldap", name="other")
    edge = outpost("edge", mine["pk"])
    await station.put(edge)
    name = f"ak-outpost-{edge.pk.replace('-', '')}"
    machine = await station.person(name, type=UserTypeEnum.INTERNAL_SERVICE_ACCOUNT)
    # However much its account may see besides.
    for user in (machine, await station.person("x", groups=(station.admins.pk,))):
        found = [one.name for one in concern(await station.call_of(user), LDAP_PROVIDER, "view")]
        assert found == (["mine"] if user is machine else ["mine", "other"])
    posing = await station.person("ak-outpost-" + "0" * 32, type=UserTypeEnum.SERVICE_ACCOUNT)
    with pytest.raises(Problem):
        concern(await station.call_of(posing), LDAP_PROVIDER, "view")
