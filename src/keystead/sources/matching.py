"""Who somebody is here whom a source names for the first time: a user with the same e-mail address or name, or nobody.

A source's word about an address counts only where it says that it has checked it: else whoever writes somebody's
address into an account elsewhere would be them here (SECURITY FE-05). With names there is nothing to check: who
chooses to match by them trusts the source's.
"""

from collections.abc import Mapping
from typing import Final

from keystead.base.errors import denied
from keystead.kinds.state import State
from keystead.people.finding import alike
from keystead.people.user import User, UserTypeEnum
from keystead.sources.source import Source, UserMatchingModeEnum

_MEMBER: Final = {
    UserMatchingModeEnum.EMAIL_LINK: ("email", "e-mail address"),
    UserMatchingModeEnum.EMAIL_DENY: ("email", "e-mail address"),
    UserMatchingModeEnum.USERNAME_LINK: ("username", "username"),
    UserMatchingModeEnum.USERNAME_DENY: ("username", "username"),
}
_LINKS: Final = frozenset({UserMatchingModeEnum.EMAIL_LINK, UserMatchingModeEnum.USERNAME_LINK})
_PEOPLE: Final = frozenset({UserTypeEnum.INTERNAL, UserTypeEnum.EXTERNAL})


async def matched(state: State, source: Source, told: Mapping[str, object], *, verified: bool) -> User | None:
    """The user with whom the source's matching mode connects somebody; None for somebody new.

    :param told: what the source tells of them, as members of a user.
    :param verified: the source has checked that the e-mail address is theirs.
    :raises Problem: ``DENIED``, with a text for the person.
    """
    mode = source.user_matching_mode
    if mode not in _MEMBER:
        return None
    member, words = _MEMBER[mode]
    value = told.get(member)
    if not isinstance(value, str) or not value:
        raise denied(f"{source.name} does not tell your {words}, which is needed here.")
    if mode is UserMatchingModeEnum.EMAIL_LINK and not verified:
        raise denied(f"{source.name} has not confirmed your e-mail address. Confirm it there, then come again.")
    found = await alike(state, member, value)
    if not found:
        return None
    if mode not in _LINKS:
        raise denied(f"Somebody with your {words} is known here. Sign in as them, then connect {source.name} there.")
    user = found[0]
    # Names that differ in case only may be two people at the source; there are no two such addresses.
    if len(found) > 1 or (member == "username" and user.username != value) or user.type not in _PEOPLE:
        raise denied(
            f"It is not clear who you are here: ask whoever looks after this service to connect {source.name}."
        )
    return user
