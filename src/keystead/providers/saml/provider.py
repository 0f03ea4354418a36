"""SAMLProvider: a service provider as SAML calls it - where answers go, what they say, how they are signed."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
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
_LONGEST: Final = 1024
"""Characters in an entity's name (SAML core §8.3.6)."""
_NOWHERE: Final = "-"
"""What stands for an address while the provider speaks for no application (saml.md §1)."""


class SAMLLogoutMethods(enum.StrEnum):
    """How the application learns of a logout."""

    IFRAME = "frontchannel_iframe"
    NATIVE = "frontchannel_native"
    BACKCHANNEL = "backchannel"


class SAMLProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A service provider.

    :param acs_url: where answers are sent, and the only place they may go.
    :param sls_url: where logouts are told.
    :param audience: for whom an assertion is; empty: it does not say.
    :param issuer_override: what we call ourselves; empty: by an address of the application's own.
    :param assertion_valid_not_before: from when an assertion counts, reckoned from now.
    :param name_id_mapping: what names a person, in place of the form that is asked for.
    :param authn_context_class_ref_mapping: what tells how the person signed in.
    :param signing_kp: what answers are signed with; needs its private key.
    :param verification_kp: what requests must be signed with.
    :param encryption_kp: for whom assertions are encrypted.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    acs_url: Annotated[WebAddress, msgspec.Meta(min_length=1)]
    sls_url: WebAddress = ""
    audience: str = ""
    issuer_override: str = ""
    assertion_valid_not_before: Duration = "minutes=-5"
    assertion_valid_not_on_or_after: Duration = "minutes=5"
    session_valid_not_on_or_after: Duration = "minutes=86400"
    name_id_mapping: Annotated[Uuid, Ref(_MAPPING, OnDelete.SET_NULL)] | None = None
    authn_context_class_ref_mapping: Annotated[Uuid, Ref(_MAPPING, OnDelete.SET_NULL)] | None = None
    digest_algorithm: DigestAlgorithmEnum = DigestAlgorithmEnum.SHA256
    signature_algorithm: SignatureAlgorithmEnum = SignatureAlgorithmEnum.RSA_SHA256
    signing_kp: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    verification_kp: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    encryption_kp: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    sign_assertion: bool = True
    sign_response: bool = False
    sign_logout_request: bool = False
    sign_logout_response: bool = False
    sp_binding: SAMLBindingsEnum = SAMLBindingsEnum.REDIRECT
    sls_binding: SAMLBindingsEnum = SAMLBindingsEnum.REDIRECT
    logout_method: SAMLLogoutMethods = SAMLLogoutMethods.IFRAME
    default_relay_state: str = ""
    default_name_id_policy: SAMLNameIDPolicyEnum = SAMLNameIDPolicyEnum.UNSPECIFIED


class SAMLProviderShown(Assigned):
    """The computed members of a SAML provider: for whom it speaks, and where its endpoints are to be.

    :param issuer: what we call ourselves; the name of ``issuer_override`` for clients of 2026.2.
    """

    issuer: str
    url_download_metadata: str
    url_issuer: str
    url_unified: str
    url_unified_init: str
    url_sso_post: str
    url_sso_redirect: str
    url_sso_init: str
    url_slo_post: str
    url_slo_redirect: str


_BELOW: Final = {
    "url_issuer": "metadata/",
    "url_unified": "",
    "url_unified_init": "init/",
    "url_sso_post": "sso/binding/post/",
    "url_sso_redirect": "sso/binding/redirect/",
    "url_sso_init": "sso/binding/init/",
    "url_slo_post": "slo/binding/post/",
    "url_slo_redirect": "slo/binding/redirect/",
}
"""Member -> the path below ``/application/saml/<slug>/`` (saml.md §1)."""


@steady
async def view(
    call: Call, _state: State, providers: Sequence[SAMLProvider], _query: Mapping[str, Sequence[str]]
) -> list[SAMLProviderShown]:
    """For whom they speak, and the addresses under the name the caller reaches us by."""
    return [shown(call, one) for one in providers]


def shown(call: Call, provider: SAMLProvider) -> SAMLProviderShown:
    """What is computed of one."""
    whose = assigned(call.settings, provider.pk)
    root = call.origin.root
    slug = whose.assigned_application_slug
    urls = {name: f"{root}/application/saml/{slug}/{tail}" if slug else _NOWHERE for name, tail in _BELOW.items()}
    download = f"{root}/api/v3/providers/saml/{provider.pk}/metadata/?download" if slug else _NOWHERE
    return SAMLProviderShown(
        **msgspec.structs.asdict(whose),
        issuer=provider.issuer_override or urls["url_issuer"],
        url_download_metadata=download,
        **urls,
    )


async def admits(_call: Call, _state: State, body: dict[str, object]) -> dict[str, object]:
    """Clients of 2026.2 call ``issuer_override`` ``issuer``."""
    if "issuer" in body and "issuer_override" not in body:
        return {**body, "issuer_override": body["issuer"]}
    return body


async def rules(call: Call, _state: State, _old: SAMLProvider | None, new: SAMLProvider) -> SAMLProvider:
    """What is to sign can sign, and an assertion counts for a while."""
    check_signing_key(call.settings, "signing_kp", new.signing_kp)
    if len(new.issuer_override) > _LONGEST or not new.issuer_override.isprintable():
        raise invalid({"issuer_override": [f"At most {_LONGEST} characters, and no control characters."]})
    if new.issuer_override == _NOWHERE:
        raise invalid({"issuer_override": ["This stands for an address that is not known yet; leave it empty."]})
    return new


SAML_PROVIDER: Kind[SAMLProvider] = Kind(
    model="authentik_providers_saml.samlprovider",
    struct=SAMLProvider,
    path="providers/saml",
    title=("SAML Provider", "SAML Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-saml-form",
    shown=SAMLProviderShown,
    view=view,
    rules=rules,
    admits=admits,
    filters=(
        "acs_url",
        "assertion_valid_not_before",
        "assertion_valid_not_on_or_after",
        "audience",
        "authentication_flow",
        "authn_context_class_ref_mapping",
        "authorization_flow",
        filters.BEHIND,
        "default_name_id_policy",
        "default_relay_state",
        "digest_algorithm",
        "encryption_kp",
        "invalidation_flow",
        Filter("is_backchannel", bool, test=lambda _one, value: not value, note="None of these is."),
        "issuer_override",
        "logout_method",
        "name",
        "name_id_mapping",
        "property_mappings",
        "session_valid_not_on_or_after",
        "sign_assertion",
        "sign_logout_request",
        "sign_logout_response",
        "sign_response",
        "signature_algorithm",
        "signing_kp",
        "sls_binding",
        "sls_url",
        "sp_binding",
        "verification_kp",
    ),
    stored_only="Nobody signs in with SAML yet; only metadata are handed out.",
)
