"""Challenges and answers as the API tells of them: what all have in common, and what stages share.

The executor sends plain members (:class:`keystead.flows.stage.Challenge`); these structs are what they add up to. What
has the default ``UNSET`` may be absent.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.flows.flow import FlowLayoutEnum
from keystead.people.brand import ThemedUrls

Unset: TypeAlias = msgspec.UnsetType
CAPTCHA: Final = "ak-stage-captcha"


class ErrorDetail(msgspec.Struct):
    """One complaint about a member of an answer."""

    string: str
    code: str


class ContextualFlowInfo(msgspec.Struct, kw_only=True):
    """The flow that asks."""

    title: str | Unset = msgspec.UNSET
    background: str | Unset = msgspec.UNSET
    background_themed_urls: ThemedUrls | Unset | None = msgspec.UNSET
    cancel_url: str
    layout: Annotated[FlowLayoutEnum, msgspec.Meta(title="ContextualFlowInfoLayoutEnum")]


class Asked(msgspec.Struct, kw_only=True):
    """What every challenge has.

    :param response_errors: complaints about the last answer, by member.
    """

    flow_info: ContextualFlowInfo | Unset = msgspec.UNSET
    response_errors: dict[str, list[ErrorDetail]] | Unset = msgspec.UNSET


class PersonAsked(Asked, kw_only=True):
    """What every challenge has that is about a person."""

    pending_user: str
    pending_user_avatar: str


class Answered(msgspec.Struct, kw_only=True):
    """What every answer has: nothing but its ``component``, which may be left out."""


class CaptchaChallenge(PersonAsked, kw_only=True):
    """Asks for proof of being a person."""

    component: str = CAPTCHA
    site_key: str
    js_url: str
    interactive: bool
