"""Object attribute: a member that an administrator adds to users, groups and the like, kept in their ``attributes``."""

import enum
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.clock import EPOCH
from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, Filter, Kind, Verb
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State

_LONGEST: Final = 2048
"""Characters of a pattern: everybody waits while one is read."""


class ObjectAttributeTypeEnum(enum.StrEnum):
    """What an attribute holds."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


class ObjectAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """A member that objects of one model have.

    :param object_type: the model, such as ``authentik_core.user``.
    :param key: its name within ``attributes``.
    :param regex: what a text must match, whole; blank for any.
    :param group: the heading under which forms show it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    object_type: Text
    enabled: Annotated[bool, msgspec.Meta(extra_json_schema={"default": True})] = True
    created: Annotated[datetime, READ_ONLY] = EPOCH
    key: Text
    label: Text
    last_updated: Annotated[datetime, READ_ONLY] = EPOCH
    regex: str = ""
    type: ObjectAttributeTypeEnum
    group: str = ""
    managed: Annotated[Text | None, UNIQUE] = None
    is_unique: bool = False
    is_required: bool = False


class ContentType(msgspec.Struct):
    """A model."""

    id: int
    app_label: str
    model: str
    verbose_name_plural: str
    fully_qualified_model: str


class ObjectAttributeShown(msgspec.Struct):
    """The computed members of an object attribute."""

    object_type_obj: ContentType


async def view(
    _call: Call, state: State, attributes: Sequence[ObjectAttribute], _query: Mapping[str, Sequence[str]]
) -> list[ObjectAttributeShown]:
    """The models in full."""
    shown = []
    for one in attributes:
        app, _, name = one.object_type.partition(".")
        kind = state.kinds.get(one.object_type)
        number = zlib.crc32(one.object_type.encode()) & 0x7FFFFFFF
        found = ContentType(number, app, name, kind.title[1] if kind else name, one.object_type)
        shown.append(ObjectAttributeShown(found))
    return shown


async def rules(call: Call, state: State, old: ObjectAttribute | None, new: ObjectAttribute) -> ObjectAttribute:
    """A model with attributes, a name that is free there, and a pattern that can be read."""
    able = sorted(model for model, kind in state.kinds.items() if "attributes" in kind.fields)
    if new.object_type not in able:
        raise invalid({"object_type": [f"“{new.object_type}” has no attributes. Accepted: {', '.join(able)}."]})
    for other in call.settings.all(OBJECT_ATTRIBUTE):
        if other.pk != new.pk and (other.object_type, other.key) == (new.object_type, new.key):
            raise invalid({"key": ["Objects of this type have an attribute with this key already."]})
    if len(new.regex) > _LONGEST:
        raise invalid({"regex": [f"Write at most {_LONGEST} characters."]})
    try:
        re.compile(new.regex)
    except (re.error, RecursionError, OverflowError) as exc:
        raise invalid({"regex": [f"This is no regular expression: {exc}."]}) from None
    if old is None:
        return msgspec.structs.replace(new, created=call.at, last_updated=call.at)
    return msgspec.structs.replace(new, last_updated=call.at) if new != old else new


def _app(one: ObjectAttribute, app: str) -> bool:
    return one.object_type.partition(".")[0] == app


def _model(one: ObjectAttribute, model: str) -> bool:
    return one.object_type.partition(".")[2] == model


OBJECT_ATTRIBUTE: Kind[ObjectAttribute] = Kind(
    model="authentik_core.objectattribute",
    struct=ObjectAttribute,
    path="core/object_attributes",
    title=("Object Attribute", "Object Attributes"),
    key_name="attribute_id",
    verbs=ALL - {Verb.USED_BY},
    shown=ObjectAttributeShown,
    view=view,
    rules=rules,
    search=("key", "label", "group"),
    order=("key",),
    filters=(
        "enabled",
        Filter("object_type__app_label", str, test=_app),
        Filter("object_type__model", str, test=_model),
    ),
    stored_only="What objects hold is not checked against it yet.",
)
