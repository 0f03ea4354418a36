"""The vendors that OAuth sources know: their endpoints as they publish them, and what an administrator may change."""

import enum
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from keystead.kinds.marks import READ_ONLY


class ProviderTypeEnum(enum.StrEnum):
    """The vendors."""

    OPENIDCONNECT = "openidconnect"
    APPLE = "apple"
    DISCORD = "discord"
    ENTRAID = "entraid"
    FACEBOOK = "facebook"
    GITHUB = "github"
    GITLAB = "gitlab"
    GOOGLE = "google"
    MAILCOW = "mailcow"
    OKTA = "okta"
    PATREON = "patreon"
    REDDIT = "reddit"
    SLACK = "slack"
    TWITCH = "twitch"
    TWITTER = "twitter"
    WECHAT = "wechat"


class SourceType(msgspec.Struct, frozen=True):
    """A vendor.

    :param name: the ``provider_type`` of its sources.
    :param urls_customizable: it is run at several places, so a source says where.
    :param request_token_url: for OAuth 1; no vendor here speaks it any more.
    :param profile_url: null: the vendor tells about people in its ID token only, or a source says where.
    """

    name: str
    verbose_name: str
    urls_customizable: bool
    request_token_url: Annotated[str | None, READ_ONLY]
    authorization_url: Annotated[str | None, READ_ONLY]
    access_token_url: Annotated[str | None, READ_ONLY]
    profile_url: Annotated[str | None, READ_ONLY]
    oidc_well_known_url: Annotated[str | None, READ_ONLY]
    oidc_jwks_url: Annotated[str | None, READ_ONLY]


def _vendor(
    type_: ProviderTypeEnum,
    title: str,
    authorize: str | None = None,
    token: str | None = None,
    profile: str | None = None,
    *,
    known: str | None = None,
    jwks: str | None = None,
    custom: bool = False,
) -> SourceType:
    return SourceType(type_.value, title, custom, None, authorize, token, profile, known, jwks)


_ALL: Final = (
    _vendor(ProviderTypeEnum.OPENIDCONNECT, "OpenID Connect", custom=True),
    _vendor(
        ProviderTypeEnum.APPLE,
        "Apple",
        "https://appleid.apple.com/auth/authorize",
        "https://appleid.apple.com/auth/token",
        known="https://appleid.apple.com/.well-known/openid-configuration",
        jwks="https://appleid.apple.com/auth/keys",
    ),
    _vendor(
        ProviderTypeEnum.DISCORD,
        "Discord",
        "https://discord.com/oauth2/authorize",
        "https://discord.com/api/oauth2/token",
        "https://discord.com/api/users/@me",
    ),
    _vendor(
        ProviderTypeEnum.ENTRAID,
        "Entra ID",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://graph.microsoft.com/v1.0/me",
        known="https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
        jwks="https://login.microsoftonline.com/common/discovery/v2.0/keys",
        custom=True,
    ),
    _vendor(
        ProviderTypeEnum.FACEBOOK,
        "Facebook",
        "https://www.facebook.com/dialog/oauth",
        "https://graph.facebook.com/oauth/access_token",
        "https://graph.facebook.com/me?fields=id,name,email",
    ),
    _vendor(
        ProviderTypeEnum.GITHUB,
        "GitHub",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com/user",
        custom=True,
    ),
    _vendor(
        ProviderTypeEnum.GITLAB,
        "GitLab",
        "https://gitlab.com/oauth/authorize",
        "https://gitlab.com/oauth/token",
        "https://gitlab.com/oauth/userinfo",
        known="https://gitlab.com/.well-known/openid-configuration",
        jwks="https://gitlab.com/oauth/discovery/keys",
        custom=True,
    ),
    _vendor(
        ProviderTypeEnum.GOOGLE,
        "Google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://openidconnect.googleapis.com/v1/userinfo",
        known="https://accounts.google.com/.well-known/openid-configuration",
        jwks="https://www.googleapis.com/oauth2/v3/certs",
    ),
    _vendor(ProviderTypeEnum.MAILCOW, "Mailcow", custom=True),
    _vendor(ProviderTypeEnum.OKTA, "Okta", custom=True),
    _vendor(
        ProviderTypeEnum.PATREON,
        "Patreon",
        "https://www.patreon.com/oauth2/authorize",
        "https://www.patreon.com/api/oauth2/token",
        "https://www.patreon.com/api/oauth2/v2/identity",
    ),
    _vendor(
        ProviderTypeEnum.REDDIT,
        "Reddit",
        "https://www.reddit.com/api/v1/authorize",
        "https://www.reddit.com/api/v1/access_token",
        "https://oauth.reddit.com/api/v1/me",
    ),
    _vendor(
        ProviderTypeEnum.SLACK,
        "Slack",
        "https://slack.com/openid/connect/authorize",
        "https://slack.com/api/openid.connect.token",
        "https://slack.com/api/openid.connect.userInfo",
        known="https://slack.com/.well-known/openid-configuration",
        jwks="https://slack.com/openid/connect/keys",
    ),
    _vendor(
        ProviderTypeEnum.TWITCH,
        "Twitch",
        "https://id.twitch.tv/oauth2/authorize",
        "https://id.twitch.tv/oauth2/token",
        "https://id.twitch.tv/oauth2/userinfo",
        known="https://id.twitch.tv/oauth2/.well-known/openid-configuration",
        jwks="https://id.twitch.tv/oauth2/keys",
    ),
    _vendor(
        ProviderTypeEnum.TWITTER,
        "X (Twitter)",
        "https://x.com/i/oauth2/authorize",
        "https://api.x.com/2/oauth2/token",
        "https://api.x.com/2/users/me",
    ),
    _vendor(
        ProviderTypeEnum.WECHAT,
        "WeChat",
        "https://open.weixin.qq.com/connect/qrconnect",
        "https://api.weixin.qq.com/sns/oauth2/access_token",
        "https://api.weixin.qq.com/sns/userinfo",
    ),
)
VENDORS: Final[Mapping[ProviderTypeEnum, SourceType]] = {ProviderTypeEnum(one.name): one for one in _ALL}
"""Every vendor by its type, the general one first."""
VARIANTS: Final = tuple(
    (one.verbose_name, f"People with an account at {one.verbose_name}.")
    if one.name != ProviderTypeEnum.OPENIDCONNECT
    else (one.verbose_name, "People with an account at any provider that speaks OpenID Connect.")
    for one in _ALL
)
"""What an administrator chooses from: names and descriptions."""
ALIASES: Final[Mapping[str, ProviderTypeEnum]] = {"azuread": ProviderTypeEnum.ENTRAID}
"""What clients of earlier releases call vendors."""
