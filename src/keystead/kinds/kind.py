"""``Kind``: one declaration from which storage, REST, validation, filters, OpenAPI, permissions and audit derive."""

import enum
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from keystead.kinds.field import Field, Type, fields
from keystead.kinds.marks import Mark

T = TypeVar("T", bound=msgspec.Struct)


class Verb(enum.StrEnum):
    """The verbs every kind may have; the names are those of the contract's operation ids."""

    LIST = "list"
    CREATE = "create"
    RETRIEVE = "retrieve"
    UPDATE = "update"
    PARTIAL_UPDATE = "partial_update"
    DESTROY = "destroy"
    USED_BY = "used_by"


ALL: Final = frozenset(Verb)
READ: Final = frozenset({Verb.LIST, Verb.RETRIEVE, Verb.USED_BY})
PERMISSION: Final = {
    Verb.LIST: "view",
    Verb.RETRIEVE: "view",
    Verb.USED_BY: "view",
    Verb.CREATE: "add",
    Verb.UPDATE: "change",
    Verb.PARTIAL_UPDATE: "change",
    Verb.DESTROY: "delete",
}
"""Verb -> the word of its permission codename."""


Keys: TypeAlias = Callable[[Any, Any, Any, Mapping[str, Sequence[str]]], Awaitable[Collection[object]]]
"""``(call, state, value, query) -> keys``."""


class Filter(msgspec.Struct, frozen=True):
    """A query parameter of a list.

    :param name: the parameter.
    :param type: the type of one value (``str``, ``int``, ``bool``, ``datetime``, ``Uuid`` or an enum).
    :param many: the parameter may be repeated; any of its values matches.
    :param test: for settings: whether an object passes, given the value (or the tuple of values).
    :param sql: for records: a condition over the table with ``{}`` for the parameter; lists arrive as one array.
    :param each: for records: the same as ``sql`` for a row at hand, where it can be told faster than for all rows.
    :param few: for records: the same as ``sql`` where PostgreSQL should look up few rows and would not see it.
    :param alone: for records: a SELECT of the numbers ``n`` of all that meets this condition (:attr:`Table.number`).
    :param column: for records: the only column that ``sql`` looks at.
    :param keys: for settings: an async function ``(call, state, value, query)`` that gives the keys of the objects that
        pass, where only the store knows them.
    :param note: what it does, for the API's documentation.
    :param known: for records: turns ``(call, value)`` into what ``sql`` compares with, where only settings know that
        (the key of what has this slug).

    One that has none of ``test``, ``sql`` and ``keys`` filters nothing: the kind's view looks at it.
    """

    name: str
    type: Type
    many: bool = False
    test: Callable[[Any, Any], bool] | None = None
    sql: str = ""
    each: str = ""
    few: str = ""
    alone: str = ""
    column: str = ""
    keys: Keys | None = None
    note: str = ""
    known: Callable[[Any, Any], object] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of a kind are kept.

    :param name: the table.
    :param key: its primary key's column.
    :param counted: the table's rows are counted by triggers (``row_counts``).
    :param owner: the column that holds the owning user's id; owners see and end what is theirs.
    :param self_made: whoever is signed in may make records of their own; the kind's rules see to it that they are.
    :param number: the column that numbers the rows in the indexes of texts and of attributes (migration 0009).
    :param census: a table that counts the rows by its columns, ``n`` of each sort.
    :param sorts: those columns; an index over the kind's own order holds them too.
    :param narrow: a condition that hides rows from everybody, such as what has expired (``{}``: the call's instant) or
        the rows of other kinds, where several share the table.
    """

    name: str
    key: str = "id"
    counted: bool = False
    owner: str = ""
    self_made: bool = False
    narrow: str = ""
    number: str = ""
    census: str = ""
    sorts: tuple[str, ...] = ()


View: TypeAlias = Callable[[Any, Any, Sequence[Any], Mapping[str, Sequence[str]]], Awaitable[Sequence[msgspec.Struct]]]
"""``(call, state, objects, query) -> one struct of computed members an object``."""
Viewed = TypeVar("Viewed", bound=Callable[..., Awaitable[Any]])


def steady(view: Viewed) -> Viewed:
    """Marks a view that looks at nothing but objects, settings and our own address: what it shows is kept with them."""
    view.__dict__["steady"] = True
    return view


Rules: TypeAlias = Callable[[Any, Any, Any, Any], Awaitable[Any]]
"""``(call, state, old or None, new) -> new``."""
Leaving: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""``(call, state, object)``."""
Along: TypeAlias = Callable[[Any, Any, Any, Any], Awaitable[Any]]
"""``(call, state, old or None, new or None) -> Changes``."""
Admits: TypeAlias = Callable[[Any, Any, dict[str, object]], Awaitable[dict[str, object]]]
"""``(call, state, body) -> body``."""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[T]):
    """One kind of object.

    :param model: ``app_label.modelname``, the name on the wire and in the database.
    :param struct: its fields; the class name is the schema's name in OpenAPI.
    :param path: below ``/api/v3/``, without slashes at the ends.
    :param title: singular and plural, as people read it.
    :param key: the member that names an object in a URL.
    :param key_name: what the contract calls that path parameter.
    :param family: the polymorphic family (``stages``), whose names are unique together.
    :param component: the ``component`` member, for kinds that have one.
    :param table: where records are kept; None for settings.
    :param verbs: which verbs it has.
    :param shown: the struct of the computed, read-only members.
    :param retrieved: what the contract calls the schema of an object read alone, where it is another than in lists.
    :param ignored: computed members that the contract lets clients send too, where they change nothing, and the schema
        of each as it is sent.
    :param view: computes those members for some objects at once (see :func:`steady`).
    :param filters: names of fields matched exactly, and :class:`Filter` values.
    :param search: fields searched for a substring.
    :param order: the default order; a leading ``-`` turns it round.
    :param rules: looks at ``(call, state, old or None, new)`` inside the write and returns ``new``, perhaps completed;
        raises ``Problem`` when a rule is broken.
    :param leaving: looks at an object that a caller wants removed; raises ``Problem`` when it must stay.
    :param along: what is written in the same unit when an object is made (``old`` is None), changed, or removed
        (``new`` is None), such as the account of a machine.
    :param admits: turns what older or looser clients send into the members of today, before validation.
    :param bindable: policies may be bound to it.
    :param permissions: codenames of permissions on its objects beside add, change, delete and view, and what each lets
        one do, as in ``("view_token_key", "Can view a token's key")``.
    :param stored_only: for kinds that are kept and shown in full while nothing acts on them yet: what does not happen,
        in one sentence; empty for kinds that act.
    """

    model: str
    struct: type[T]
    path: str
    title: tuple[str, str]
    key: str = "pk"
    key_name: str = ""
    family: str = ""
    component: str = ""
    table: Table | None = None
    verbs: frozenset[Verb] = ALL
    shown: type[msgspec.Struct] | None = None
    retrieved: str = ""
    ignored: tuple[tuple[str, str], ...] = ()
    view: View | None = None
    filters: tuple[str | Filter, ...] = ()
    search: tuple[str, ...] = ("name",)
    order: tuple[str, ...] = ("name",)
    rules: Rules | None = None
    leaving: Leaving | None = None
    along: Along | None = None
    admits: Admits | None = None
    bindable: bool = False
    permissions: tuple[tuple[str, str], ...] = ()
    stored_only: str = ""

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The stored members by name."""
        return fields(self.struct)

    @cached_property
    def app(self) -> str:
        """The app label, such as ``authentik_core``."""
        return self.model.partition(".")[0]

    @cached_property
    def name(self) -> str:
        """The model's name, such as ``application``."""
        return self.model.partition(".")[2]

    @cached_property
    def readable(self) -> tuple[str, ...]:
        """Names of the stored members that every viewer sees."""
        return tuple(item.name for item in self.fields.values() if item.readable)

    @cached_property
    def steady(self) -> bool:
        """Whether what it shows of an object depends on settings and on our own address only, and may be kept."""
        return self.table is None and (self.view is None or getattr(self.view, "steady", False))

    @cached_property
    def sought(self) -> frozenset[str]:
        """Names of the filters that only the store can answer (:attr:`Filter.keys`)."""
        return frozenset(item.name for item in self.filters if isinstance(item, Filter) and item.keys is not None)

    @cached_property
    def shown_secrets(self) -> tuple[str, ...]:
        """Names of the secrets that those who may change an object may read."""
        return tuple(item.name for item in self.fields.values() if item.secret and Mark.SECRET_SHOWN in item.marks)

    @cached_property
    def unique(self) -> tuple[str, ...]:
        """Names of the members no two objects share."""
        return tuple(item.name for item in self.fields.values() if Mark.UNIQUE in item.marks)

    @cached_property
    def references(self) -> tuple[Field, ...]:
        """The members that hold references."""
        return tuple(item for item in self.fields.values() if item.ref)

    def twin(self, path: str, verbs: frozenset[Verb]) -> "Kind[T]":
        """The same objects under a second path, for those who hold the permissions: owners are nobody special there.

        It stands among the routes only; the installation knows the kind once (``app.py: TWINS``).
        """
        table = replace(self.table, owner="", self_made=False) if self.table else None
        return replace(self, path=path, verbs=verbs, table=table)

    def permission(self, word: str) -> str:
        """The full name of a permission on this kind, such as ``authentik_core.view_application``."""
        return f"{self.app}.{word}_{self.name}"

    @cached_property
    def codenames(self) -> frozenset[str]:
        """The full names of all permissions on its objects."""
        own = {f"{self.app}.{codename}" for codename, _ in self.permissions}
        return frozenset(own | {self.permission(word) for word in PERMISSION.values()})

    def id_of(self, pk: object) -> str:
        """A setting's id in the store: its uuid, or, where the key is a number, family and number."""
        return pk if isinstance(pk, str) else f"{self.family or self.model}/{pk}"

    @cached_property
    def pk(self) -> str:
        """The name of the member that is the primary key: ``pk``, or what the contract calls it instead."""
        return self.struct.__struct_fields__[0]

    def __hash__(self) -> int:
        return hash(self.model)

    def __eq__(self, other: object) -> bool:
        return self is other
