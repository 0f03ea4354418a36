"""What all connectors share: a key that is drawn here and never changes."""

from typing import Annotated, Final, TypeVar

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.marks import OnDelete, Ref, Uuid
from keystead.kinds.state import State

T = TypeVar("T", bound=msgspec.Struct)
FAMILY: Final = "connectors"
GroupRef = Annotated[Uuid, Ref("authentik_endpoints.deviceaccessgroup", OnDelete.SET_NULL)]


def same_key(old: T | None, new: T, member: str) -> T:
    """``new`` with the key it has: the contract lets clients send one, and it changes nothing."""
    return new if old is None else msgspec.structs.replace(new, **{member: getattr(old, member)})


async def rules(_call: Call, _state: State, old: T | None, new: T) -> T:
    """The key stays."""
    return same_key(old, new, "connector_uuid")


NAME: Final[tuple[str | Filter, ...]] = ("name",)
