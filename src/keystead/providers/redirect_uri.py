"""RedirectURI: where an answer may go, as it is registered; how they are compared is OIDC's business."""

import enum
from typing import Annotated

import msgspec


class MatchingModeEnum(enum.StrEnum):
    """How a given URI is compared with a registered one."""

    STRICT = "strict"
    REGEX = "regex"


class RedirectURITypeEnum(enum.StrEnum):
    """What a registered URI is for."""

    AUTHORIZATION = "authorization"
    LOGOUT = "logout"


class RedirectURI(msgspec.Struct, frozen=True, kw_only=True):
    """One registered URI.

    :param url: the URI itself, or a regular expression that the whole of a given one must match.
    """

    matching_mode: MatchingModeEnum
    url: Annotated[str, msgspec.Meta(min_length=1)]
    redirect_uri_type: RedirectURITypeEnum = RedirectURITypeEnum.AUTHORIZATION
