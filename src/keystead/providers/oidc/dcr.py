"""OAuth2DynamicClientRegistration: how clients may register themselves with a provider (RFC 7591)."""

from typing import Annotated, Final

import msgspec

from keystead.flows.flow import PolicyEngineMode
from keystead.kinds.kind import ALL, Kind, Verb
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Uuid
from keystead.providers.oidc.provider import GrantTypeEnum

_FLOW: Final = "authentik_flows.flow"


class OAuth2DynamicClientRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """Registration by clients themselves; policies bound to it say whose.

    :param provider: after whose model clients are made.
    :param default_application_group: the group that applications of new clients stand in.
    :param override_authorization_flow: in place of the provider's.
    :param override_invalidation_flow: in place of the provider's.
    :param override_property_mappings: in place of the provider's, if there are any.
    :param allowed_grant_types: what clients may trade for tokens.
    """

    pbm_uuid: Annotated[Uuid, READ_ONLY]
    provider: Annotated[int, UNIQUE, Ref("authentik_providers_oauth2.oauth2provider")]
    default_application_group: str = ""
    override_authorization_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    override_invalidation_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    override_property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    access_token_validity: Duration = "hours=1"  # noqa: S105 - a length of time
    refresh_token_validity: Duration = "days=30"  # noqa: S105 - as above
    allowed_grant_types: tuple[GrantTypeEnum, ...] = (
        GrantTypeEnum.AUTHORIZATION_CODE,
        GrantTypeEnum.REFRESH_TOKEN,
    )
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY


DCR: Kind[OAuth2DynamicClientRegistration] = Kind(
    model="authentik_providers_oauth2.oauth2dynamicclientregistration",
    struct=OAuth2DynamicClientRegistration,
    path="providers/oauth2-dcr",
    title=("OAuth2 Dynamic Client Registration", "OAuth2 Dynamic Client Registrations"),
    key="pbm_uuid",
    key_name="pbm_uuid",
    verbs=ALL - {Verb.USED_BY},
    search=("default_application_group",),
    order=("provider",),
    filters=("provider",),
    bindable=True,
    stored_only="Clients cannot register themselves yet.",
)
