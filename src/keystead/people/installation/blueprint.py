"""Blueprint instance: objects described in YAML, from a file, a registry or the database."""

import enum
import re
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.clock import EPOCH
from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.logged import LogEvent
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, Text, Uuid
from keystead.kinds.state import State

_FILE: Final = re.compile(r"(?!/)(?!.*\.\.)[A-Za-z0-9._/-]+\.ya?ml")
REGISTRY: Final = "oci://"
"""What paths begin with that lead to a registry."""
_MOST: Final = 20
"""Complaints about one blueprint."""


class BlueprintInstanceStatusEnum(enum.StrEnum):
    """How the last application went."""

    SUCCESSFUL = "successful"
    WARNING = "warning"
    ERROR = "error"
    ORPHANED = "orphaned"
    UNKNOWN = "unknown"


class BlueprintInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A blueprint that is to be applied here.

    :param path: a file below the folder of blueprints, or ``oci://`` and a registry's address; blank with ``content``.
    :param context: values for the blueprint's ``!Context``.
    :param content: the blueprint itself, where it is kept here.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    path: Annotated[str, msgspec.Meta(extra_json_schema={"default": ""})] = ""
    context: Json = {}
    last_applied: Annotated[datetime, READ_ONLY] = EPOCH
    last_applied_hash: Annotated[str, READ_ONLY] = ""
    status: Annotated[BlueprintInstanceStatusEnum, READ_ONLY] = BlueprintInstanceStatusEnum.UNKNOWN
    enabled: bool = True
    managed_models: Annotated[tuple[str, ...], READ_ONLY] = ()
    metadata: Annotated[Json, READ_ONLY] = {}
    content: str = ""


class Metadata(msgspec.Struct):
    """What a blueprint says of itself."""

    name: str
    labels: dict[str, object]


class BlueprintFile(msgspec.Struct):
    """A blueprint in the folder of blueprints."""

    path: str
    last_m: datetime
    hash: str
    meta: Metadata


class BlueprintImportResult(msgspec.Struct):
    """How an import went."""

    logs: list[LogEvent]
    success: bool


class BlueprintImport(msgspec.Struct):
    """A blueprint to apply once.

    :param context: values for its ``!Context``, as JSON.
    """

    file: bytes = b""
    path: str | None = None
    context: str | None = None


async def rules(_call: Call, state: State, _old: BlueprintInstance | None, new: BlueprintInstance) -> BlueprintInstance:
    """One place to take the blueprint from, and a blueprint where it is given here."""
    if not new.path and not new.content:
        raise invalid({"path": ["Name a file or registry, or give the content."]})
    if new.path and not new.path.startswith(REGISTRY) and not _FILE.fullmatch(new.path):
        raise invalid({"path": ["Write a path like default/flow.yaml below the folder of blueprints, or oci://…"]})
    if not new.content:
        return new
    from keystead.people.installation.blueprint_text import META, parse  # noqa: PLC0415 - YAML loads slowly

    try:
        found = parse(new.content)
    except ValueError as exc:
        raise invalid({"content": [str(exc)]}) from None
    named = ((entry.place, entry.model.lower()) for entry in found.entries if isinstance(entry.model, str))
    if unknown := [f"Entry {n}: there is no model “{m[:100]}”." for n, m in named if m not in {*state.kinds, *META}]:
        raise invalid({"content": unknown[:_MOST]})
    return msgspec.structs.replace(new, metadata={"name": found.name, "labels": found.labels})


BLUEPRINT: Kind[BlueprintInstance] = Kind(
    model="authentik_blueprints.blueprintinstance",
    struct=BlueprintInstance,
    path="managed/blueprints",
    title=("Blueprint Instance", "Blueprint Instances"),
    key_name="instance_uuid",
    rules=rules,
    search=("name", "path"),
    filters=("name", "path"),
)
