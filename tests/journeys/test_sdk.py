"""The contract's own Python SDK against two servers on one database: what one node did, the other knows."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.journeys import sdk
from tests.journeys.sdk import Sdk, model, refused
from tests.journeys.server import Node

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


def test_every_other_reading_operation_is_understood(both: tuple[Sdk, Sdk]) -> None:
    one = both[1]
    document = json.loads(one.raw("/schema/?format=json").read())
    asked = []
    for path, methods in document["paths"].items():
        operation = methods.get("get", {}).get("operationId", "")
        if re.search(r"\{|^/tenants/", path) or not one.knows(operation) or sdk.required(getattr(one, operation)):
            continue  # tenants have a key of their own
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
