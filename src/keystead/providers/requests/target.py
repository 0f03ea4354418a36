"""What can be asked for: applications, and what belongs to them."""

from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.providers.application import APPLICATION

REQUESTABLE: Final = frozenset({"authentik_core.application", "authentik_core.applicationentitlement"})
"""Models of what can be asked for."""


class RelatedTarget(msgspec.Struct):
    """Something that is given together with something else."""

    verbose_name: str
    verbose_name_plural: str
    meta_model_name: str
    pbm_uuid: str
    label: str


class RequestableTarget(msgspec.Struct):
    """Something that can be asked for.

    :param parent: the application it belongs to.
    """

    verbose_name: str
    verbose_name_plural: str
    meta_model_name: str
    pbm_uuid: str
    label: str
    parent: Annotated[dict[str, object] | None, msgspec.Meta(title="Application")]


def _found(call: Call, pk: str) -> tuple[Kind[Any], Any] | None:
    found = call.settings.find("bindable", pk)
    return found if found is not None and found[0].model in REQUESTABLE else None


def check_target(call: Call, pk: str) -> None:
    """Refuse what nobody can ask for.

    :raises Problem: ``INVALID`` on ``target``.
    """
    if _found(call, pk) is None:
        raise invalid({"target": ["Name an application or an entitlement of one."]})


def related(call: Call, pk: str) -> RelatedTarget | None:
    """A target in short."""
    if (found := _found(call, pk)) is None:
        return None
    kind, obj = found
    return RelatedTarget(kind.title[0], kind.title[1], kind.model, pk, str(obj.name))


async def requestable(call: Call, state: State, pk: str) -> RequestableTarget | None:
    """A target in short, with the application it belongs to."""
    if (short := related(call, pk)) is None:
        return None
    found = _found(call, pk)
    owner = call.settings.get(APPLICATION, getattr(found[1], "app", None)) if found else None
    parent = (await render(call, state, APPLICATION, [owner], {}))[0] if owner else None
    return RequestableTarget(**msgspec.structs.asdict(short), parent=parent)
