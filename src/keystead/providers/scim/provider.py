"""SCIMProvider: a system that keeps users and groups of its own and is told of ours (RFC 7644)."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers.application import Assigned, assigned
from keystead.providers.forms import WebAddress
from keystead.providers.outgoing.links import SCHEDULED

_MAPPINGS: Final = Ref("propertymappings", OnDelete.CASCADE_MANY)


class SCIMAuthenticationModeEnum(enum.StrEnum):
    """How we prove towards the other system who we are."""

    TOKEN = "token"  # noqa: S105 - a word of the contract
    OAUTH = "oauth"
    OAUTH_INTERACTIVE = "oauth_interactive"


class CompatibilityModeEnum(enum.StrEnum):
    """Whose reading of the standard the other system follows."""

    DEFAULT = "default"
    AWS = "aws"
    SLACK = "slack"
    SALESFORCE = "sfdc"
    GITLAB = "gitlab"
    WEBEX = "webex"
    VCENTER = "vcenter"


class SCIMProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A system that is told of users and groups.

    :param property_mappings: what it is told of a user.
    :param property_mappings_group: what it is told of a group.
    :param url: the base of its endpoints.
    :param token: the bearer token it gave us.
    :param auth_oauth: the source whose client gets us tokens.
    :param auth_oauth_params: further parameters of the request for a token.
    :param service_provider_config_cache_timeout: how long its description of itself is remembered.
    :param exclude_users_service_account: leave service accounts out.
    :param sync_page_size: objects a step of a run.
    :param sync_page_timeout: how long a step may take.
    :param discovery_enabled: look for objects that are there already, before making new ones.
    :param group_filters: only these groups; empty: all. Users are told of by what they may use.
    :param dry_run: tell what would be written, and write nothing.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    property_mappings: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    property_mappings_group: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    url: Annotated[WebAddress, msgspec.Meta(min_length=1)]
    verify_certificates: bool = True
    auth_mode: SCIMAuthenticationModeEnum = SCIMAuthenticationModeEnum.TOKEN
    token: Secret = Secret("")
    auth_oauth: Annotated[Uuid, Ref("authentik_sources_oauth.oauthsource", OnDelete.SET_NULL)] | None = None
    auth_oauth_params: Json = {}
    compatibility_mode: CompatibilityModeEnum = CompatibilityModeEnum.DEFAULT
    service_provider_config_cache_timeout: Duration = "hours=1"
    exclude_users_service_account: bool = False
    sync_page_size: Annotated[int, msgspec.Meta(ge=1, le=2147483647)] = 100
    sync_page_timeout: Duration = "minutes=30"
    discovery_enabled: bool = True
    group_filters: tuple[Annotated[Uuid, Ref("authentik_core.group", OnDelete.CASCADE_MANY, gives=False)], ...] = ()
    dry_run: bool = False


class SCIMProviderShown(Assigned):
    """The computed members of a SCIM provider; tokens of OAuth are kept in memory only, so nothing is told of them."""

    auth_oauth_token_last_updated: datetime | None
    auth_oauth_token_expires: datetime | None
    auth_oauth_url_callback: str | None
    auth_oauth_url_start: str | None


@steady
async def view(
    call: Call, _state: State, providers: Sequence[SCIMProvider], _query: Mapping[str, Sequence[str]]
) -> list[SCIMProviderShown]:
    """For which applications they work."""
    return [
        SCIMProviderShown(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            auth_oauth_token_last_updated=None,
            auth_oauth_token_expires=None,
            auth_oauth_url_callback=None,
            auth_oauth_url_start=None,
        )
        for one in providers
    ]


SCIM_PROVIDER: Kind[SCIMProvider] = Kind(
    model="authentik_providers_scim.scimprovider",
    struct=SCIMProvider,
    path="providers/scim",
    title=("SCIM Provider", "SCIM Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-scim-form",
    shown=SCIMProviderShown,
    view=view,
    filters=("exclude_users_service_account", "group_filters", "name", "url"),
    stored_only=SCHEDULED,
)
