"""What the API has for users and this version does not do: it says so."""

import enum

import msgspec

from keystead.kinds.action import Action
from keystead.kinds.kind import Filter
from keystead.kinds.pending import Pending
from keystead.people.user import USER


class UserSwitchActionEnum(enum.StrEnum):
    """What to do with the other account."""

    ADD = "add"
    SWITCH = "switch"


class UserSwitchRequest(msgspec.Struct):
    """To whom to switch, in a browser in which several people are signed in."""

    action: UserSwitchActionEnum = UserSwitchActionEnum.SWITCH
    user_pk: int | msgspec.UnsetType = msgspec.UNSET


class UserSwitchResponse(msgspec.Struct):
    """Where to go on."""

    redirect: str


ACTIONS = (
    Action(
        USER,
        "POST",
        "switch/",
        Pending("One browser holds one person at a time; sign out to become somebody else."),
        "switch_create",
        permission="",
        request=UserSwitchRequest,
        response=UserSwitchResponse,
        query=(Filter("next", str, note="Where to go on."),),
    ),
)
