"""The contract's own Python SDK against two servers on one database: what one node did, the other knows."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from keystead import app
from keystead.kinds.kind import Kind, Verb
from keystead.wire import b64
from tests.doors.rest.source_furniture import furnish_sources
from tests.journeys import furnish, furnish_providers, sdk
from tests.journeys.person import Person
from tests.journeys.sdk import Sdk, model, refused
from tests.journeys.server import Api, Node

REDIRECT: Final = "https://sdk.example/callback"
UNMADE: Final = frozenset({"connectiontoken", "stream", "authorizationcode", "refreshtoken"})
"""What nothing makes yet, or only a client's own request does: there may be none to read."""


@pytest.fixture(scope="module")
def both(pair: tuple[Node, Node]) -> Iterator[tuple[Sdk, Sdk]]:
    """The SDK, speaking to each node."""
    first, second = (Sdk(node) for node in pair)
    yield first, second
    for one in (first, second):
        one.client.rest_client.pool_manager.clear()


def keys(page: Any) -> list[object]:  # noqa: ANN401 - pages of every kind
    """The primary keys on a page of a list."""
    return [one.pk for one in page.results]


def test_people_and_groups(both: tuple[Sdk, Sdk]) -> None:
    here, there = both
    group = here.core_groups_create(model("GroupRequest", {"name": "climbers"}))
    assert there.core_groups_retrieve(group.pk).name == "climbers"
    wanted = {"username": "sdk.anna", "name": "Anna Berg", "email": "anna@example.org", "groups": [group.pk]}
    user = here.core_users_create(model("UserRequest", wanted))
    found = there.core_users_retrieve(user.pk)
    assert (found.username, found.email, found.groups) == ("sdk.anna", "anna@example.org", [group.pk])
    assert keys(there.core_users_list(search="sdk.ann")) == [user.pk]
    assert there.core_groups_retrieve(group.pk).users == [user.pk]

    there.core_users_update(user.pk, model("UserRequest", wanted | {"name": "Anna Tal"}))
    assert here.core_users_retrieve(user.pk).name == "Anna Tal"
    here.core_users_partial_update(user.pk, model("PatchedUserRequest", {"is_active": False}))
    assert there.core_users_retrieve(user.pk).is_active is False
    assert keys(there.core_users_list(username="sdk.anna", is_active=True)) == []

    there.core_groups_remove_user_create(group.pk, model("UserAccountRequest", {"pk": user.pk}))
    assert here.core_users_retrieve(user.pk).groups == []
    here.core_users_destroy(user.pk)
    with refused(404):
        there.core_users_retrieve(user.pk)
    there.core_groups_destroy(group.pk)
    with refused(404):
        here.core_groups_retrieve(group.pk)


def _provider(one: Sdk, name: str) -> Any:  # noqa: ANN401 - an object of the SDK's
    """A provider as a script asks for it."""
    flows = {flow.slug: flow.pk for flow in one.flows_instances_list(page_size=100).results}
    scopes = one.propertymappings_provider_scope_list(managed=["goauthentik.io/providers/oauth2/scope-openid"]).results
    return model(
        "OAuth2ProviderRequest",
        {
            "name": name,
            "authorization_flow": flows["default-provider-authorization-implicit-consent"],
            "invalidation_flow": flows["default-provider-invalidation-flow"],
            "property_mappings": [scope.pk for scope in scopes],
            "redirect_uris": [model("RedirectURIRequest", {"matching_mode": "strict", "url": REDIRECT})],
        },
    )


def test_applications_and_providers(both: tuple[Sdk, Sdk]) -> None:
    here, there = both
    provider = here.providers_oauth2_create(_provider(here, "sdk provider"))
    assert there.providers_oauth2_retrieve(provider.pk).client_id == provider.client_id
    assert there.providers_all_retrieve(provider.pk).meta_model_name == "authentik_providers_oauth2.oauth2provider"
    made = here.core_applications_create(
        model("ApplicationRequest", {"name": "By SDK", "slug": "by-sdk", "provider": provider.pk})
    )
    assert there.core_applications_retrieve("by-sdk").provider_obj.pk == provider.pk
    assert there.providers_oauth2_setup_urls_retrieve(provider.pk).issuer.endswith("/application/o/by-sdk/")

    there.core_applications_partial_update("by-sdk", model("PatchedApplicationRequest", {"slug": "by-the-sdk"}))
    with refused(404):
        here.core_applications_retrieve("by-sdk")
    assert here.core_applications_retrieve("by-the-sdk").pk == made.pk
    here.providers_oauth2_update(provider.pk, _provider(here, "sdk provider, renamed"))
    assert there.providers_oauth2_retrieve(provider.pk).name == "sdk provider, renamed"
    used = there.providers_oauth2_used_by_list(provider.pk)
    assert [(one.model_name, one.name) for one in used] == [("application", "By SDK")]

    there.providers_oauth2_destroy(provider.pk)
    assert here.core_applications_retrieve("by-the-sdk").provider is None
    here.core_applications_destroy("by-the-sdk")
    with refused(404):
        there.core_applications_retrieve("by-the-sdk")


def test_settings_are_never_stale_on_the_other_node(both: tuple[Sdk, Sdk]) -> None:
    nodes = list(both)
    nodes[0].core_applications_create(model("ApplicationRequest", {"name": "Round 0", "slug": "rounds"}))
    for number in range(1, 31):
        here, there = nodes
        name = f"Round {number}"
        here.core_applications_partial_update("rounds", model("PatchedApplicationRequest", {"name": name}))
        assert there.core_applications_retrieve("rounds").name == name
        assert name in {
            one.name for one in there.core_applications_list(superuser_full_list=True, page_size=100).results
        }
        nodes.reverse()
    nodes[0].core_applications_destroy("rounds")


async def _something_of_everything(api: Api, node: Node) -> None:
    """Objects of the kinds that a fresh installation has none of."""
    if (await api.get("core/applications/?slug=everything"))["results"]:
        return
    client = await furnish.application(api, "everything", REDIRECT, consent=True)
    application = (await api.get("core/applications/everything/"))["pk"]
    policy = await api.make("policies/expression/", name="everything", expression="return True")
    await api.make("policies/bindings/", policy=policy["pk"], target=application, order=0)
    await api.make("stages/deny/", name="everything")
    role = (await api.make("rbac/roles/", name="everything"))["pk"]
    await api.make("rbac/initial_permissions/", name="everything", role=role, permissions=[])
    me = (await api.get("core/users/me/"))["user"]
    await api.make("core/tokens/", identifier="everything", intent="api", user=me["pk"])
    await _platform(api, application, me["pk"])
    group = (await api.get("core/groups/"))["results"][0]["pk"]
    flow = await furnish.flow(api, "default-authentication-flow")
    pair = await furnish.signing_key(api, "ES256")
    await furnish_sources(api.make, flow=flow, pair=pair, user=me["pk"], group=group)
    await furnish_providers.providers(api, client)
    async with Person(node.url) as person:
        await person.sign_in()
        code = await person.consents(client)
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
        owner = (client.client_id, client.client_secret)
        redeemed = await person.http.post("/application/o/token/", data=given, auth=owner)
        assert redeemed.status_code == 200, redeemed.text


MADE_BY_JOBS: Final = {
    "authentik_endpoints.device",
    "authentik_endpoints.deviceuserbinding",
    "authentik_tasks.task",
    "authentik_tasks_schedules.schedule",
}
"""Kinds of which no client makes the first object."""


async def _platform(api: Api, application: str, user: int) -> None:
    """Outposts' places, devices' connectors, and what belongs to the installation."""
    await api.make("agents/agents/", label="everything")
    await api.make("core/application_entitlements/", name="everything", app=application)
    await api.make(
        "core/object_attributes/", object_type="authentik_core.user", key="everything", label="E", type="text"
    )
    claims = (b'{"alg":"none"}', b'{"name":"everything","exp":4102444800}', b"signature")
    await api.make("enterprise/license/", key=".".join(b64.encode(part) for part in claims))
    await api.make("managed/blueprints/", name="everything", content="version: 1\nentries: []")
    await api.make("outposts/service_connections/docker/", name="everything", url="tcp://docker.example.org:2376")
    await api.make("outposts/service_connections/kubernetes/", name="in here", local=True)
    agents = await api.make("endpoints/agents/connectors/", name="everything")
    await api.make("endpoints/agents/enrollment_tokens/", name="everything", connector=agents["connector_uuid"])
    await api.make("endpoints/device_access_groups/", name="everything")
    await api.make("endpoints/fleet/connectors/", name="fleet", url="https://fleet.example.org", token="everything")
    await api.make("endpoints/google_chrome/connectors/", name="chrome", credentials={"every": "thing"})
    key = {"apple_secure_enclave_key": "key", "apple_enclave_key_id": "id", "device_type": "mac"}
    await api.make("endpoints/agents/psso/ise/", user=user, **key)


def _kinds() -> list[Kind[Any]]:
    return [kind for kind in app.KINDS if Verb.LIST in kind.verbs and kind.model not in app.OPENED]


@pytest.fixture
async def _furnished(pair: tuple[Node, Node]) -> None:
    async with pair[0].client() as api:
        await _something_of_everything(api, pair[0])


@pytest.mark.usefixtures("_furnished")
@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.model)
def test_every_kind_can_be_read(both: tuple[Sdk, Sdk], kind: Kind[Any]) -> None:
    one = both[1]
    operation = kind.path.replace("/", "_").replace("-", "_")
    if not one.knows(f"{operation}_list"):
        return  # newer than the SDK
    page = getattr(one, f"{operation}_list")()
    unmade = kind.model in MADE_BY_JOBS or kind.name in UNMADE
    assert page.results or unmade, f"there is no {kind.model} to read"
    assert page.pagination.count >= len(page.results)
    for found in page.results[:3]:
        key = getattr(found, kind.key)
        assert getattr(one, f"{operation}_retrieve")(key) == found
        if one.knows(f"{operation}_used_by_list"):
            getattr(one, f"{operation}_used_by_list")(key)


@pytest.mark.usefixtures("_furnished")
def test_every_other_reading_operation_is_understood(both: tuple[Sdk, Sdk]) -> None:
    one = both[1]
    document = json.loads(one.raw("/schema/?format=json").read())
    asked = []
    for path, methods in document["paths"].items():
        operation = methods.get("get", {}).get("operationId", "")
        if re.search(r"\{|^/tenants/", path) or not one.knows(operation) or sdk.required(getattr(one, operation)):
            continue
        try:
            getattr(one, operation)()
        except sdk.library().exceptions.ServiceException as exc:
            assert exc.status == 501, operation  # noqa: PT017 - any other is a failure, and there may be none
        asked.append(operation)
    expected = {"root_config_retrieve", "admin_version_retrieve", "core_users_me_retrieve", "stages_all_types_list"}
    assert expected <= set(asked)
    assert len(asked) > 40, asked


def test_challenges_are_read_raw(both: tuple[Sdk, Sdk]) -> None:
    challenge = json.loads(both[0].raw("/flows/executor/default-authentication-flow/").read())
    assert challenge["component"] == "ak-stage-identification"
