"""The challenge that sends a browser elsewhere, as the API's documentation tells of it (flows.md §3)."""

import enum

import msgspec

from keystead.people.brand import ThemedUrls


class ErrorDetail(msgspec.Struct):
    """What is wrong with an answer."""

    string: str
    code: str


class ContextualFlowInfoLayoutEnum(enum.StrEnum):
    """Where on the page the form stands."""

    STACKED = "stacked"
    CONTENT_LEFT = "content_left"
    CONTENT_RIGHT = "content_right"
    SIDEBAR_LEFT = "sidebar_left"
    SIDEBAR_RIGHT = "sidebar_right"
    SIDEBAR_LEFT_FRAME_BACKGROUND = "sidebar_left_frame_background"
    SIDEBAR_RIGHT_FRAME_BACKGROUND = "sidebar_right_frame_background"


class ContextualFlowInfo(msgspec.Struct, omit_defaults=True):
    """Which flow asks, and how its page looks."""

    cancel_url: str
    layout: ContextualFlowInfoLayoutEnum
    title: str = ""
    background: str = ""
    background_themed_urls: ThemedUrls | None = None


class RedirectChallenge(msgspec.Struct, omit_defaults=True):
    """Where the browser is to go.

    :param final_redirect: the flow is done.
    """

    to: str
    flow_info: ContextualFlowInfo | msgspec.UnsetType = msgspec.UNSET
    component: str = "xak-flow-redirect"
    response_errors: dict[str, list[ErrorDetail]] = {}
    final_redirect: bool = False
