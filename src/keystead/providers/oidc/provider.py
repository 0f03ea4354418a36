"""OAuth2Provider: a client as OAuth calls it - who it is, where answers may go, what its tokens are like."""

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import READ_ONLY, SECRET_SHOWN, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.providers.application import APPLICATION, Assigned, assigned
from keystead.providers.oidc import redirects
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI, RedirectURITypeEnum
from keystead.trust.keypair import signer_for

MAX_SECRET: Final = 255
_FLOW: Final = "authentik_flows.flow"
_KEYPAIR: Final = "authentik_crypto.certificatekeypair"
_MODEL: Final = "authentik_providers_oauth2.oauth2provider"


class ClientTypeEnum(enum.StrEnum):
    """Whether the client can keep a secret (RFC 6749 §2.1)."""

    CONFIDENTIAL = "confidential"
    PUBLIC = "public"


class GrantTypeEnum(enum.StrEnum):
    """What a client may trade for tokens."""

    AUTHORIZATION_CODE = "authorization_code"
    IMPLICIT = "implicit"
    HYBRID = "hybrid"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a word of RFC 6749
    CLIENT_CREDENTIALS = "client_credentials"
    PASSWORD = "password"  # noqa: S105 - as above
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a word of RFC 8693


DEFAULT_GRANTS: Final = (
    GrantTypeEnum.AUTHORIZATION_CODE,
    GrantTypeEnum.REFRESH_TOKEN,
    GrantTypeEnum.CLIENT_CREDENTIALS,
)
"""For clients that send no ``grant_types``: what every client could do before the member existed, without the two
grants that put tokens or passwords where they leak (RFC 9700 §2.1.2, §2.4)."""


class SubModeEnum(enum.StrEnum):
    """What ``sub`` says of a person."""

    HASHED_USER_ID = "hashed_user_id"
    USER_ID = "user_id"
    USER_UUID = "user_uuid"
    USER_USERNAME = "user_username"
    USER_EMAIL = "user_email"
    USER_UPN = "user_upn"


class IssuerModeEnum(enum.StrEnum):
    """Whether all providers share one issuer."""

    GLOBAL = "global"
    PER_PROVIDER = "per_provider"


class OAuth2ProviderLogoutMethodEnum(enum.StrEnum):
    """How the client learns of a logout."""

    BACKCHANNEL = "backchannel"
    FRONTCHANNEL = "frontchannel"


def _client_id() -> str:
    return rand.alphanumeric(40)


def _client_secret() -> Secret:
    return Secret(rand.alphanumeric(128))


class OAuth2Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A client.

    :param grant_types: what it may trade for tokens; see :data:`DEFAULT_GRANTS`.
    :param access_code_validity: how long a code may be redeemed.
    :param refresh_token_threshold: a refresh token with at least this much life left is not replaced; ``seconds=0``
        replaces it every time.
    :param include_claims_in_id_token: put the claims of scopes into tokens, not only into userinfo.
    :param signing_key: a certificate with its private key; without one, the client secret signs tokens (HS256).
    :param encryption_key: tokens are encrypted for this key. Not built yet, so it is refused.
    :param redirect_uris: where answers may go. An empty list means nowhere: the first one used is not adopted.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    client_type: ClientTypeEnum = ClientTypeEnum.CONFIDENTIAL
    grant_types: tuple[GrantTypeEnum, ...] = DEFAULT_GRANTS
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=255), UNIQUE] = msgspec.field(
        default_factory=_client_id
    )
    client_secret: Annotated[Secret, SECRET_SHOWN, msgspec.Meta(extra_json_schema={"maxLength": 255})] = msgspec.field(
        default_factory=_client_secret
    )
    access_code_validity: Duration = "minutes=1"
    access_token_validity: Duration = "hours=1"  # noqa: S105 - a length of time
    refresh_token_validity: Duration = "days=30"  # noqa: S105 - as above
    refresh_token_threshold: Duration = "seconds=0"  # noqa: S105 - as above
    include_claims_in_id_token: bool = True
    signing_key: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    encryption_key: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    redirect_uris: tuple[RedirectURI, ...]
    logout_uri: str = ""
    logout_method: OAuth2ProviderLogoutMethodEnum = OAuth2ProviderLogoutMethodEnum.BACKCHANNEL
    sub_mode: SubModeEnum = SubModeEnum.HASHED_USER_ID
    issuer_mode: IssuerModeEnum = IssuerModeEnum.PER_PROVIDER
    jwt_federation_sources: tuple[Annotated[Uuid, Ref("sources", OnDelete.CASCADE_MANY)], ...] = ()
    jwt_federation_providers: tuple[Annotated[int, Ref(_MODEL, OnDelete.CASCADE_MANY)], ...] = ()

    @property
    def public(self) -> bool:
        """Whether the client keeps no secret."""
        return self.client_type is ClientTypeEnum.PUBLIC

    @property
    def launch_url(self) -> str:
        """Where the application is opened when it says nothing itself: the origin of its first redirect URI."""
        strict = (
            one.url
            for one in self.redirect_uris
            if one.matching_mode is MatchingModeEnum.STRICT
            and one.redirect_uri_type is RedirectURITypeEnum.AUTHORIZATION
        )
        return next((found for url in strict if (found := redirects.origin(url))), "")


def by_client_id(settings: Snapshot, client_id: str) -> OAuth2Provider | None:
    """The client with this id; ids differ by case."""
    return settings.by(OAUTH2_PROVIDER, "client_id", client_id)


@steady
async def view(
    call: Call, _state: State, providers: Sequence[OAuth2Provider], _query: Mapping[str, Sequence[str]]
) -> list[Assigned]:
    """For which applications the providers speak."""
    return [assigned(call.settings, one.pk) for one in providers]


async def rules(call: Call, _state: State, old: OAuth2Provider | None, new: OAuth2Provider) -> OAuth2Provider:
    """What a client must be to be safe to serve."""
    if faults := [fault for one in new.redirect_uris if (fault := redirects.fault(one))]:
        raise invalid({"redirect_uris": faults})
    if new.logout_uri and (fault := redirects.uri_fault(new.logout_uri)):
        raise invalid({"logout_uri": [fault]})
    if len(new.client_secret.reveal()) > MAX_SECRET:
        raise invalid({"client_secret": [f"Ensure this field has no more than {MAX_SECRET} characters."]})
    if not new.client_secret.reveal().strip():
        if not new.public:
            raise invalid({"client_secret": ["A confidential client has a secret; it may not be blank."]})
        if new.signing_key is None:
            raise invalid({"signing_key": ["Without a client secret, tokens need a signing key to be signed with."]})
    if new.signing_key is not None and (fault := _key_fault(call.settings, new.signing_key)):
        raise invalid({"signing_key": [fault]})
    if new.encryption_key is not None and (old is None or old.encryption_key != new.encryption_key):
        raise invalid({"encryption_key": ["This version does not encrypt tokens yet; leave the member out."]})
    return new


def _key_fault(settings: Snapshot, pk: str) -> str | None:
    try:
        return None if signer_for(settings, pk) else "Choose a certificate whose private key is stored here."
    except ValueError as exc:
        return str(exc)


async def _speaking_for(call: Call, _state: State, pk: str, _query: Mapping[str, Sequence[str]]) -> Collection[object]:
    application = call.settings.get(APPLICATION, pk)
    return {application.provider} if application else ()


OAUTH2_PROVIDER: Kind[OAuth2Provider] = Kind(
    model=_MODEL,
    struct=OAuth2Provider,
    path="providers/oauth2",
    title=("OAuth2/OpenID Provider", "OAuth2/OpenID Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-oauth2-form",
    shown=Assigned,
    view=view,
    rules=rules,
    filters=(
        Filter("application", Uuid, keys=_speaking_for, note="Speaks for this application."),
        "access_code_validity",
        "access_token_validity",
        "authorization_flow",
        "client_id",
        "client_type",
        "include_claims_in_id_token",
        "issuer_mode",
        "name",
        "property_mappings",
        "refresh_token_validity",
        "signing_key",
        "sub_mode",
    ),
)
