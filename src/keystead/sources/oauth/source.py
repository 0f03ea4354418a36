"""OAuth source: a vendor or OpenID provider whose accounts people sign in with."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from keystead.base.clock import EPOCH
from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import WRITE_ONLY, Column, Json, Text
from keystead.kinds.state import State
from keystead.people.brand import ThemedUrls
from keystead.sources import mapping
from keystead.sources.connection import UserSourceConnection, group_kind, sealing, user_kind
from keystead.sources.forms import WebUrl
from keystead.sources.oauth.vendors import ALIASES, VENDORS, ProviderTypeEnum, SourceType
from keystead.sources.source import LATER, PBM_UUID, GroupMatchingModeEnum, Source, check, icon

_NEEDED: Final = ("authorization_url", "access_token_url", "profile_url")
"""Without these (or a document that tells them) nobody can be asked for."""


class PKCEMethodEnum(enum.StrEnum):
    """How codes are bound to who asked for them (RFC 7636)."""

    NONE = "none"
    PLAIN = "plain"
    S256 = "S256"


class AuthorizationCodeAuthMethodEnum(enum.StrEnum):
    """How we prove ourselves at the token endpoint (RFC 6749 §2.3.1)."""

    BASIC_AUTH = "basic_auth"
    POST_BODY = "post_body"


class OAuthSource(Source, frozen=True, kw_only=True):
    """People with an account at a vendor or OpenID provider.

    :param provider_type: the vendor; ``openidconnect`` for any other.
    :param authorization_url: instead of the vendor's, where that may be changed; so with the other addresses.
    :param consumer_key: our client id there.
    :param consumer_secret: our client secret there.
    :param additional_scopes: asked for beside the usual ones, parted by spaces.
    :param oidc_well_known_url: the document that tells the other addresses.
    :param oidc_jwks: the provider's keys, where no address tells them.
    """

    group_matching_mode: GroupMatchingModeEnum = GroupMatchingModeEnum.IDENTIFIER
    provider_type: ProviderTypeEnum
    request_token_url: WebUrl | None = None
    authorization_url: WebUrl | None = None
    access_token_url: WebUrl | None = None
    profile_url: WebUrl | None = None
    pkce: PKCEMethodEnum = PKCEMethodEnum.NONE
    consumer_key: Text
    consumer_secret: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    additional_scopes: str = ""
    oidc_well_known_url: WebUrl = ""
    oidc_jwks_url: WebUrl = ""
    oidc_jwks: Json = msgspec.field(default_factory=dict)
    authorization_code_auth_method: AuthorizationCodeAuthMethodEnum = AuthorizationCodeAuthMethodEnum.BASIC_AUTH

    @property
    def vendor(self) -> SourceType:
        """What is known of the vendor."""
        return VENDORS[self.provider_type]

    @property
    def has_jwks(self) -> bool:
        """Whether the provider's keys are known, or where they are."""
        return bool(self.oidc_jwks or self.oidc_jwks_url)


class OAuthSourceShown(msgspec.Struct):
    """The computed members of an OAuth source.

    :param callback_url: what the vendor must allow as redirect URI.
    """

    icon_url: str | None
    icon_themed_urls: ThemedUrls | None
    callback_url: str
    type: SourceType


class OAuthSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What an OAuth vendor tells about a user or group."""


class UserOAuthConnection(UserSourceConnection, frozen=True, kw_only=True):
    """Which user of ours somebody at an OAuth vendor is.

    :param access_token: their token there; kept sealed.
    :param expires: until when it is good; left out: it counts as expired.
    """

    access_token: Annotated[str | None, WRITE_ONLY, Column("secret")] = None
    expires: datetime = EPOCH


async def admits(_call: Call, _state: State, body: dict[str, object]) -> dict[str, object]:
    """Accept what earlier releases called vendors."""
    given = body.get("provider_type")
    return {**body, "provider_type": ALIASES[given].value} if isinstance(given, str) and given in ALIASES else body


@steady
async def view(
    call: Call, _state: State, sources: Sequence[OAuthSource], _query: Mapping[str, Sequence[str]]
) -> list[OAuthSourceShown]:
    """Pictures, the address to come back to, and the vendor."""
    root = call.origin.root
    return [OAuthSourceShown(*icon(one), f"{root}/source/oauth/callback/{one.slug}/", one.vendor) for one in sources]


async def rules(_call: Call, _state: State, _old: OAuthSource | None, new: OAuthSource) -> OAuthSource:
    """It says where to send people, where the vendor does not."""
    check(new)
    if not new.consumer_secret.reveal().strip():
        raise invalid({"consumer_secret": ["May not be blank."]})
    if new.oidc_jwks and not _is_key_set(new.oidc_jwks):
        raise invalid({"oidc_jwks": ['Write a key set as RFC 7517 has it: {"keys": [{"kty": …}]}.']})
    vendor = new.vendor
    if vendor.urls_customizable and not (new.oidc_well_known_url or vendor.oidc_well_known_url):
        missing = [name for name in _NEEDED if not (getattr(new, name) or getattr(vendor, name))]
        if missing:
            why = f"{vendor.verbose_name} needs this address, or oidc_well_known_url in place of all."
            raise invalid({name: [why] for name in missing})
    return new


def _is_key_set(given: Json) -> bool:
    keys = given.get("keys")
    return isinstance(keys, list) and all(isinstance(one, dict) and "kty" in one for one in keys)


async def source_types(_call: Call, _state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The vendors, with the addresses that they publish."""
    wanted = next(iter(query.get("name", ())), "")
    return Answer([one for one in VENDORS.values() if not wanted or one.name == wanted])


async def _expiring(call: Call, state: State, old: Any | None, new: Any) -> Any:  # noqa: ANN401 - as rules of every kind
    """Seal the token; one whose end nobody told counts as expired."""
    new = await _SEALING["rules"](call, state, old, new)
    return msgspec.structs.replace(new, expires=call.at) if old is None and new.expires == EPOCH else new


OAUTH_SOURCE: Kind[OAuthSource] = Kind(
    model="authentik_sources_oauth.oauthsource",
    struct=OAuthSource,
    path="sources/oauth",
    title=("OAuth Source", "OAuth Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-oauth-form",
    shown=OAuthSourceShown,
    view=view,
    rules=rules,
    admits=admits,
    search=("name", "slug", "consumer_key"),
    filters=(
        "access_token_url",
        "additional_scopes",
        "authentication_flow",
        "authorization_url",
        "consumer_key",
        "enabled",
        "enrollment_flow",
        "group_matching_mode",
        Filter("has_jwks", bool, test=lambda one, value: one.has_jwks is value, note="Whether its keys are known."),
        "name",
        PBM_UUID,
        "policy_engine_mode",
        "profile_url",
        Filter("provider_type", str, test=lambda one, value: one.provider_type == value, note="The vendor."),
        "request_token_url",
        "slug",
        "user_matching_mode",
    ),
    bindable=True,
    stored_only=LATER,
)
_SEALING: Final = sealing("access_token", "oauth")
USER_OAUTH: Final = user_kind(OAUTH_SOURCE, "oauth", "OAuth", struct=UserOAuthConnection, rules=_expiring)
KINDS: Final = (
    OAUTH_SOURCE,
    mapping.kind(OAuthSourcePropertyMapping, "oauth", "OAuth"),
    USER_OAUTH,
    group_kind(OAUTH_SOURCE, "oauth", "OAuth"),
)
ACTIONS: Final = (
    Action(
        OAUTH_SOURCE,
        "GET",
        "source_types/",
        source_types,
        "source_types_list",
        permission="",
        response=list[SourceType],
        query=(Filter("name", str, note="Only the vendor of this type."),),
    ),
)
