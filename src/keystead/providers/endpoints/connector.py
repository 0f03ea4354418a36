"""What all connectors share."""

from typing import Annotated, Final

from keystead.kinds.kind import Filter
from keystead.kinds.marks import OnDelete, Ref, Uuid

FAMILY: Final = "connectors"
GroupRef = Annotated[Uuid, Ref("authentik_endpoints.deviceaccessgroup", OnDelete.SET_NULL)]
NAME: Final[tuple[str | Filter, ...]] = ("name",)
