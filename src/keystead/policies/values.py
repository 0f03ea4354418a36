"""What expressions see: read-only views of users, groups and the request, and the helpers of the contract.

The names are those of platform.md §4; a helper that is not built yet says so when it is called.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from keystead.people.event import Event
from keystead.people.password import usable
from keystead.people.person import Person
from keystead.people.shown import PartialGroup
from keystead.policies.judge import Question, Request, Wanted
from keystead.policies.sandbox import ExpressionError, View, compile_expression, make_view

_GROUP: Final = make_view(
    "group",
    {name: name for name in ("pk", "num_pk", "name", "is_superuser", "attributes")} | {"group_uuid": "pk"},
    text=lambda group: group.name,
    key=lambda group: ("group", group.pk),
)


def _merged(person: Person) -> dict[str, object]:
    """The attributes of the person's groups, then their own on top."""
    merged: dict[str, object] = {}
    for group in person.all_groups:
        merged.update(group.attributes)
    merged.update(person.user.attributes)
    return merged


def _manager(groups: tuple[PartialGroup, ...]) -> View:
    return _GROUPS(groups)


_GROUPS: Final = make_view(
    "groups",
    {
        "all": lambda groups: lambda: [_GROUP(group) for group in groups],
        "count": lambda groups: lambda: len(groups),
        "exists": lambda groups: lambda: bool(groups),
        "first": lambda groups: lambda: _GROUP(groups[0]) if groups else None,
        "filter": lambda groups: lambda **wanted: _manager(tuple(one for one in groups if _fits(one, wanted))),
    },
    items=lambda groups: [_GROUP(group) for group in groups],
)


_COMPARE: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "iexact": lambda have, want: have.casefold() == want.casefold(),
    "contains": lambda have, want: want in have,
    "icontains": lambda have, want: want.casefold() in have.casefold(),
    "startswith": lambda have, want: have.startswith(want),
    "endswith": lambda have, want: have.endswith(want),
}
_MEMBERS: Final = frozenset(PartialGroup.__struct_fields__)


def _fits(group: PartialGroup, wanted: Mapping[str, object]) -> bool:
    """Whether a group has what an expression filters by, as in ``name__startswith="team-"``.

    :raises ExpressionError: groups have no such member, or cannot be compared so. A slip must not find every group.
    """
    for name, value in wanted.items():
        member, _, how = name.partition("__")
        member = "pk" if member == "group_uuid" else member
        if member not in _MEMBERS:
            raise ExpressionError(f"groups have no member {member!r}")
        actual = getattr(group, member)
        if member == "attributes" and how:
            fits = group.attributes.get(how) == value
        elif how == "in":
            fits = isinstance(value, (list, tuple, set, frozenset)) and actual in value
        elif how in _COMPARE:
            fits = _COMPARE[how](str(actual), str(value))
        elif how in {"", "exact"}:
            fits = actual == value
        else:
            raise ExpressionError(f"groups cannot be filtered by {name!r}")
        if not fits:
            return False
    return True


_USER: Final = make_view(
    "user",
    {
        name: f"user.{name}"
        for name in (
            "pk",
            "username",
            "name",
            "email",
            "is_active",
            "path",
            "uuid",
            "attributes",
            "date_joined",
            "last_login",
            "last_updated",
            "password_change_date",
        )
    }
    | {
        "type": lambda person: person.user.type.value,
        "uid": "uid",
        "is_superuser": "is_superuser",
        "groups": lambda person: _manager(person.groups),
        "ak_groups": lambda person: _manager(person.groups),
        "all_groups": lambda person: lambda: [_GROUP(group) for group in person.all_groups],
        "group_attributes": lambda person: lambda *_request: _merged(person),
        "has_usable_password": lambda person: lambda: usable(person.user.password),
        "is_authenticated": lambda _person: True,
    },
    text=lambda person: person.user.username,
    key=lambda person: ("user", person.user.pk),
)

_HTTP_NAME: Final = "http_request"
_HTTP: Final = make_view(
    "http_request",
    {
        "method": "origin.method",
        "path": "origin.path",
        "GET": "origin.query",
        "query_params": "origin.query",
        "request_id": "request_id",
        "user_agent": "origin.user_agent",
    },
)


def user_view(person: Person) -> View:
    """A person as expressions see them."""
    return _USER(person)


def group_view(group: PartialGroup) -> View:
    """A group as expressions see it."""
    return _GROUP(group)


_EVENT: Final = make_view(
    "event",
    {name: name for name in ("pk", "user", "action", "app", "context", "client_ip", "created", "brand")}
    | {"event_uuid": "pk"},
    text=lambda event: event.action,
    key=lambda event: ("event", event.pk),
)


def event_view(event: Event) -> View:
    """An event as expressions see it."""
    return _EVENT(event)


def http_view(request: Request) -> View:
    """The HTTP request as expressions see it."""
    return _HTTP(request.call)


def _http_of(request: Request) -> View:
    request.beside.append(_HTTP_NAME)
    return http_view(request)


RESULT: Final = make_view(
    "policy result",
    {"passing": "passing", "messages": "messages", "raw_result": lambda result: str(result.raw)},
)
_REQUEST: Final = make_view(
    "request",
    {
        "user": lambda request: user_view(request.person) if request.person else None,
        _HTTP_NAME: _http_of,
        "context": "context",
        "obj": "subject",
        "debug": lambda _request: False,
    },
)


def _unbuilt(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_named: object) -> NoReturn:
        raise ExpressionError(f"{name}() is not built yet in this version of Keystead.")

    return refuse


_UNBUILT: Final = {
    name: _unbuilt(name)
    for name in (
        "ak_user_has_authenticator",
        "ak_create_event",
        "ak_create_jwt",
        "ak_create_jwt_raw",
        "ak_send_email",
        "resolve_dns",
        "reverse_dns",
    )
}


_UNBUILT_IN_MAPPINGS: Final = {name: _unbuilt(name) for name in ("ak_user_by", "ak_call_policy")}


def _is_group_member(user: View, **wanted: object) -> bool:
    groups = user.all_groups
    found = groups() if callable(groups) else []
    if unknown := sorted(wanted.keys() - _MEMBERS - {"group_uuid"}):
        raise ExpressionError(f"groups have no member {unknown[0]!r}")
    return any(all(getattr(group, name) == value for name, value in wanted.items()) for group in found)


def _plain(value: object) -> object:
    """An argument as part of a question's name."""
    return value if isinstance(value, (str, int, float)) or value is None else str(value)


def _looked_up(request: Request, name: str) -> Callable[..., object]:
    """A helper whose answer only the store knows. Until it is known the run is broken off, and run again with it."""

    def ask(*args: object, **wanted: object) -> object:
        question: Question = (name, (*map(_plain, args), *((key, _plain(wanted[key])) for key in sorted(wanted))))
        if question in request.known:
            return request.known[question]
        request.wanted.append(question)
        raise Wanted

    return ask


def names_for_policy(request: Request, messages: list[str]) -> dict[str, object]:
    """The names an expression policy runs with; what it tells the person is gathered in ``messages``."""

    def ak_message(text: object) -> bool:
        messages.append(str(text)[:1000])
        return False

    person = request.person
    return {
        **_UNBUILT,
        "request": _REQUEST(request),
        "http_request": http_view(request),
        "user": user_view(person) if person else None,
        "context": request.context,
        "ak_client_ip": request.call.peer,
        "ak_is_sso_flow": bool(request.context.get("is_sso")),
        "ak_is_group_member": _is_group_member,
        "ak_message": ak_message,
        "ak_user_by": _looked_up(request, "ak_user_by"),
        "ak_call_policy": _looked_up(request, "ak_call_policy"),
    }


def names_for_mapping(request: Request, **extra: object) -> dict[str, object]:
    """The names a property mapping runs with; ``extra`` is what its protocol adds (``provider``, ``token`` …)."""
    return {
        **_UNBUILT,
        **_UNBUILT_IN_MAPPINGS,
        "request": _REQUEST(request),
        "http_request": http_view(request),
        "user": user_view(request.person) if request.person else None,
        "ak_is_group_member": _is_group_member,
        **extra,
    }


def looks_beside(source: str, name: str, request: Request) -> bool:
    """Whether a mapping's expression, which was run for ``request``, depends on more than the person.

    Expressions know neither time nor chance, so what does not is the same each time.
    """
    return bool(request.beside) or _HTTP_NAME in compile_expression(source, name=name).names


def evaluate_mapping(source: str, name: str, names: Mapping[str, Any]) -> object:
    """What a mapping's expression gives back.

    :raises ExpressionError: it does not compile, raised, or used up what it may use.
    """
    return compile_expression(source, name=name).run(names)
