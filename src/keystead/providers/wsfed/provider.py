"""WSFederationProvider: a relying party as WS-Federation calls it (WS-Federation 1.2 §13)."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.field import Type
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers import filters
from keystead.providers.application import Assigned, assigned
from keystead.providers.forms import WebAddress
from keystead.providers.signing import check_signing_key
from keystead.trust.assertion_terms import (
    DigestAlgorithmEnum,
    SAMLBindingsEnum,
    SAMLNameIDPolicyEnum,
    SignatureAlgorithmEnum,
)

_FLOW: Final = "authentik_flows.flow"
_KEYPAIR: Final = "authentik_crypto.certificatekeypair"
_MAPPING: Final = "authentik_providers_saml.samlpropertymapping"


class SamlVersionEnum(enum.StrEnum):
    """The version of SAML that assertions are written in."""

    V1_1 = "1.1"
    V2_0 = "2.0"


class WSFederationProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A relying party.

    :param reply_url: where answers are sent, and the only place they may go.
    :param wtrealm: what the relying party calls itself.
    :param assertion_valid_not_before: from when an assertion counts, reckoned from now.
    :param name_id_mapping: what names a person, in place of ``default_name_id_policy``.
    :param authn_context_class_ref_mapping: what tells how the person signed in.
    :param signing_kp: what answers are signed with; needs its private key.
    :param encryption_kp: for whom assertions are encrypted.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    reply_url: Annotated[WebAddress, msgspec.Meta(min_length=1)]
    wtrealm: Text
    assertion_valid_not_before: Duration = "minutes=-5"
    assertion_valid_not_on_or_after: Duration = "minutes=5"
    session_valid_not_on_or_after: Duration = "minutes=86400"
    name_id_mapping: Annotated[Uuid, Ref(_MAPPING, OnDelete.SET_NULL)] | None = None
    authn_context_class_ref_mapping: Annotated[Uuid, Ref(_MAPPING, OnDelete.SET_NULL)] | None = None
    saml_version: SamlVersionEnum = SamlVersionEnum.V2_0
    digest_algorithm: DigestAlgorithmEnum = DigestAlgorithmEnum.SHA256
    signature_algorithm: SignatureAlgorithmEnum = SignatureAlgorithmEnum.RSA_SHA256
    signing_kp: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    encryption_kp: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    sign_assertion: bool = True
    sign_logout_request: bool = False
    default_name_id_policy: SAMLNameIDPolicyEnum = SAMLNameIDPolicyEnum.UNSPECIFIED


class WSFederationProviderShown(Assigned):
    """The computed members of a WS-Federation provider: for whom it speaks, and where its endpoints are to be."""

    url_download_metadata: str
    url_wsfed: str
    url_issuer: str


@steady
async def view(
    call: Call, _state: State, providers: Sequence[WSFederationProvider], _query: Mapping[str, Sequence[str]]
) -> list[WSFederationProviderShown]:
    """For whom they speak, and the addresses under the name the caller reaches us by; ``-`` without an application."""
    return [shown(call, one) for one in providers]


def shown(call: Call, provider: WSFederationProvider) -> WSFederationProviderShown:
    """What is computed of one."""
    whose = assigned(call.settings, provider.pk)
    slug = whose.assigned_application_slug
    root = call.origin.root
    return WSFederationProviderShown(
        **msgspec.structs.asdict(whose),
        url_download_metadata=f"{root}/api/v3/providers/wsfed/{provider.pk}/metadata/?download" if slug else "-",
        url_wsfed=f"{root}/application/wsfed/" if slug else "-",
        url_issuer=f"{root}/application/wsfed/{slug}/metadata/" if slug else "-",
    )


async def rules(
    call: Call, _state: State, _old: WSFederationProvider | None, new: WSFederationProvider
) -> WSFederationProvider:
    """What is to sign can sign."""
    check_signing_key(call.settings, "signing_kp", new.signing_kp)
    return new


def _fixed(name: str, type_: Type, value: object) -> Filter:
    """A filter by a member that only SAML providers have; here it would always have this value."""
    return Filter(name, type_, test=lambda _one, wanted: wanted == value)


WSFED_PROVIDER: Kind[WSFederationProvider] = Kind(
    model="authentik_providers_ws_federation.wsfederationprovider",
    struct=WSFederationProvider,
    path="providers/wsfed",
    title=("WS-Federation Provider", "WS-Federation Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-wsfed-form",
    shown=WSFederationProviderShown,
    view=view,
    rules=rules,
    filters=(
        Filter("acs_url", str, test=lambda one, value: one.reply_url == value, note="The same as `reply_url`."),
        "assertion_valid_not_before",
        "assertion_valid_not_on_or_after",
        Filter("audience", str, test=lambda one, value: one.wtrealm == value, note="The same as `wtrealm`."),
        "authentication_flow",
        "authn_context_class_ref_mapping",
        "authorization_flow",
        filters.BEHIND,
        "default_name_id_policy",
        _fixed("default_relay_state", str, ""),
        "digest_algorithm",
        "encryption_kp",
        "invalidation_flow",
        _fixed("is_backchannel", bool, value=False),
        _fixed("issuer_override", str, ""),
        _fixed("logout_method", str, "frontchannel_iframe"),
        "name",
        "name_id_mapping",
        "property_mappings",
        "saml_version",
        "session_valid_not_on_or_after",
        "sign_assertion",
        "sign_logout_request",
        _fixed("sign_logout_response", bool, value=False),
        _fixed("sign_response", bool, value=False),
        "signature_algorithm",
        "signing_kp",
        _fixed("sls_binding", SAMLBindingsEnum, SAMLBindingsEnum.REDIRECT),
        _fixed("sls_url", str, ""),
        _fixed("sp_binding", SAMLBindingsEnum, SAMLBindingsEnum.POST),
        _fixed("verification_kp", Uuid, None),
    ),
    stored_only="Nobody signs in with WS-Federation yet; only metadata are handed out.",
)
