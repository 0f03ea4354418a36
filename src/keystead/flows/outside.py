"""Challenges that no stage of the list asks: how runs end, and what the floors above put into them.

Sources and providers hand their challenges in as plain members; here stands what the API tells of them.
"""

import enum
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.flows.challenge import ACCESS_DENIED, FLOW_ERROR, REDIRECT
from keystead.flows.schema import Answered, Asked, PersonAsked, Unset
from keystead.kinds.marks import Text

APPLE: Final = "ak-source-oauth-apple"
PLEX: Final = "ak-source-plex"
TELEGRAM: Final = "ak-source-telegram"
AUTOSUBMIT: Final = "ak-stage-autosubmit"
FRAME: Final = "xak-flow-frame"
SHELL: Final = "xak-flow-shell"
SESSION_END: Final = "ak-stage-session-end"
IFRAME_LOGOUT: Final = "ak-provider-iframe-logout"
NATIVE_LOGOUT: Final = "ak-provider-saml-native-logout"
DEVICE_CODE: Final = "ak-provider-oauth2-device-code"
DEVICE_CODE_FINISH: Final = "ak-provider-oauth2-device-code-finish"
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class AccessDeniedChallenge(PersonAsked, kw_only=True):
    """No."""

    component: str = ACCESS_DENIED
    error_message: str | Unset = msgspec.UNSET


class FlowErrorChallenge(Asked, kw_only=True):
    """Something of ours broke; only superusers are told what."""

    component: str = FLOW_ERROR
    request_id: str
    error: str | Unset = msgspec.UNSET
    traceback: str | Unset = msgspec.UNSET


class RedirectChallenge(Asked, kw_only=True):
    """Go there."""

    component: str = REDIRECT
    to: str
    final_redirect: bool = False


class RedirectChallengeResponse(Answered, kw_only=True):
    """Went there."""

    component: Text = REDIRECT
    to: Text


class ShellChallenge(Asked, kw_only=True):
    """A page as HTML."""

    component: str = SHELL
    body: str


class FrameChallenge(Asked, kw_only=True):
    """A page of somebody else in a frame."""

    component: str = FRAME
    url: str
    loading_overlay: bool = False
    loading_text: str


class FrameChallengeResponse(Answered, kw_only=True):
    """Go on."""

    component: Text = FRAME


class AutosubmitChallenge(Asked, kw_only=True):
    """A form that the browser posts by itself."""

    component: str = AUTOSUBMIT
    url: str
    attrs: dict[str, str]
    title: str | Unset = msgspec.UNSET


class AutoSubmitChallengeResponse(Answered, kw_only=True):
    """Posted."""

    component: Text = AUTOSUBMIT


class SessionEndChallenge(PersonAsked, kw_only=True):
    """Signed out of an application: asks what now."""

    component: str = SESSION_END
    application_name: str | Unset = msgspec.UNSET
    application_launch_url: str | Unset = msgspec.UNSET
    invalidation_flow_url: str | Unset = msgspec.UNSET
    overview_url: str | Unset = msgspec.UNSET
    brand_name: str


class LogoutURL(msgspec.Struct, kw_only=True):
    """Where one application is told of the end of a session."""

    url: str
    provider_name: str | Unset | None = msgspec.UNSET
    binding: str | Unset | None = msgspec.UNSET
    saml_request: str | Unset | None = msgspec.UNSET
    saml_response: str | Unset | None = msgspec.UNSET
    saml_relay_state: str | Unset | None = msgspec.UNSET


class IframeLogoutChallenge(Asked, kw_only=True):
    """Frames in which applications end their sessions."""

    component: str = IFRAME_LOGOUT
    logout_urls: list[LogoutURL] | Unset = msgspec.UNSET


class IframeLogoutChallengeResponse(Answered, kw_only=True):
    """All of them have."""

    component: Text = IFRAME_LOGOUT


class SAMLBindingsEnum(enum.StrEnum):
    """How a SAML message travels through the browser."""

    REDIRECT = "redirect"
    POST = "post"


class NativeLogoutChallenge(Asked, kw_only=True):
    """A SAML logout that the browser carries to an application."""

    component: str = NATIVE_LOGOUT
    provider_name: str | Unset = msgspec.UNSET
    is_complete: bool = False
    post_url: str | Unset = msgspec.UNSET
    redirect_url: str | Unset = msgspec.UNSET
    saml_binding: SAMLBindingsEnum | Unset = msgspec.UNSET
    saml_request: str | Unset = msgspec.UNSET
    saml_response: str | Unset = msgspec.UNSET
    saml_relay_state: str | Unset = msgspec.UNSET


class NativeLogoutChallengeResponse(Answered, kw_only=True):
    """Carried."""

    component: Text = NATIVE_LOGOUT


class OAuthDeviceCodeChallenge(Asked, kw_only=True):
    """Asks for the code that a device shows (RFC 8628 §3.3)."""

    component: str = DEVICE_CODE


class OAuthDeviceCodeChallengeResponse(Answered, kw_only=True):
    """The code."""

    component: Text = DEVICE_CODE
    code: Text


class OAuthDeviceCodeFinishChallenge(Asked, kw_only=True):
    """The device may go on."""

    component: str = DEVICE_CODE_FINISH


class OAuthDeviceCodeFinishChallengeResponse(Answered, kw_only=True):
    """Seen."""

    component: Text = DEVICE_CODE_FINISH


class AppleLoginChallenge(Asked, kw_only=True):
    """Sign in with Apple."""

    component: str = APPLE
    client_id: str
    scope: str
    redirect_uri: str
    state: str


class AppleChallengeResponse(Answered, kw_only=True):
    """Signed in."""

    component: Text = APPLE


class PlexAuthenticationChallenge(Asked, kw_only=True):
    """Sign in with Plex."""

    component: str = PLEX
    client_id: str
    slug: str


class PlexAuthenticationChallengeResponse(Answered, kw_only=True):
    """Signed in."""

    component: Text = PLEX


class TelegramLoginChallenge(Asked, kw_only=True):
    """Sign in with Telegram."""

    component: str = TELEGRAM
    bot_username: str
    request_message_access: bool


class TelegramChallengeResponse(Answered, kw_only=True):
    """What Telegram says of the person, signed with ``hash``."""

    component: Text = TELEGRAM
    id: int
    first_name: _Name | Unset = msgspec.UNSET
    last_name: _Name | Unset = msgspec.UNSET
    username: _Name | Unset = msgspec.UNSET
    photo_url: Text | Unset = msgspec.UNSET
    auth_date: int
    hash: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


LoginChallengeTypes: TypeAlias = Annotated[
    AppleLoginChallenge | PlexAuthenticationChallenge | RedirectChallenge | TelegramLoginChallenge,
    msgspec.Meta(title="LoginChallengeTypes"),
]
"""What follows when a source's button is pressed."""


class LoginSource(msgspec.Struct, kw_only=True):
    """A source's button (:class:`keystead.flows.ports.LoginOption`)."""

    name: str
    icon_url: str | Unset | None = msgspec.UNSET
    promoted: bool = False
    challenge: LoginChallengeTypes


CHALLENGES: Final[tuple[type[msgspec.Struct], ...]] = (
    AccessDeniedChallenge,
    FlowErrorChallenge,
    RedirectChallenge,
    ShellChallenge,
    FrameChallenge,
    AutosubmitChallenge,
    SessionEndChallenge,
    IframeLogoutChallenge,
    NativeLogoutChallenge,
    OAuthDeviceCodeChallenge,
    OAuthDeviceCodeFinishChallenge,
    AppleLoginChallenge,
    PlexAuthenticationChallenge,
    TelegramLoginChallenge,
)
RESPONSES: Final[tuple[type[msgspec.Struct], ...]] = (
    RedirectChallengeResponse,
    FrameChallengeResponse,
    AutoSubmitChallengeResponse,
    IframeLogoutChallengeResponse,
    NativeLogoutChallengeResponse,
    OAuthDeviceCodeChallengeResponse,
    OAuthDeviceCodeFinishChallengeResponse,
    AppleChallengeResponse,
    PlexAuthenticationChallengeResponse,
    TelegramChallengeResponse,
)
