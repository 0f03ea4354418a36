"""Kinds, families, actions and operations as path items."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.doors.rest.families import Family
from keystead.doors.rest.openapi.objects import key_schema, name_of, page_of
from keystead.doors.rest.openapi.schemas import Components, Schema, Type, obj, ref
from keystead.doors.rest.openapi.words import told
from keystead.doors.rest.operation import PAGING, Operation
from keystead.kinds.action import Action
from keystead.kinds.kind import PERMISSION, Filter, Kind, Verb
from keystead.kinds.marks import OnDelete
from keystead.people.event import TypeCreate

SCHEME: Final = "authentik"
_JSON: Final = ("application/json",)
_METHOD: Final = {
    Verb.LIST: "get",
    Verb.CREATE: "post",
    Verb.RETRIEVE: "get",
    Verb.UPDATE: "put",
    Verb.PARTIAL_UPDATE: "patch",
    Verb.DESTROY: "delete",
    Verb.USED_BY: "get",
}
_OWN: Final = " What is one's own needs none."
_DOES: Final = {
    Verb.LIST: "A page of the {many} the caller may see.",
    Verb.CREATE: "Make a {one}.",
    Verb.RETRIEVE: "One {one}.",
    Verb.UPDATE: "Change a {one}: every required member must come; optional members left out keep their value.",
    Verb.PARTIAL_UPDATE: "Change the members of a {one} that come.",
    Verb.DESTROY: "Remove a {one}, and do to what refers to it what the references say.",
    Verb.USED_BY: "What refers to a {one}, as far as the caller may see it.",
}


class UsedBy(msgspec.Struct):
    """Something that refers to an object.

    :param action: what becomes of it when the object goes.
    """

    app: str
    model_name: str
    pk: str
    name: str
    action: Annotated[OnDelete, msgspec.Meta(title="UsedByActionEnum")]


def prefix(path: str) -> str:
    """How the ids of the operations below ``path`` begin: ``core/users`` -> ``core_users``."""
    return path.strip("/").replace("/", "_").replace("-", "_")


class Paths:
    """The path items of one document, and what they are made with."""

    def __init__(self, components: Components) -> None:
        self.items: dict[str, Schema] = {}
        self._components = components
        self._errors()

    def _errors(self) -> None:
        messages = {"type": "array", "items": {"type": "string"}}
        text = {"type": "string"}
        self._components.add(
            "ValidationError",
            {
                **obj({"non_field_errors": messages, "code": text}),
                "description": "What is wrong with a request: messages by member.",
                "additionalProperties": {},
            },
        )
        self._components.add(
            "GenericError", obj({"detail": text, "code": text}, ("detail",), "Why a request was refused.")
        )

    def put(  # noqa: PLR0913 - an operation has this many independent parts
        self,
        method: str,
        path: str,
        operation: str,
        *,
        note: str,
        parameters: Sequence[Schema] = (),
        body: Schema | None = None,
        answer: Schema | None = None,
        status: int = 200,
        anonymous: bool = False,
        media: Sequence[str] = _JSON,
        needed: bool = True,
        takes: str = _JSON[0],
        also: Iterable[tuple[int, str]] = (),
    ) -> None:
        """One operation; ``path`` is below ``/api/v3/``."""
        summary, _, more = note.partition("\n\n")
        found: Schema = {"operationId": operation, "tags": [path.partition("/")[0]], "summary": summary}
        if more:
            found["description"] = more
        if parameters:
            found["parameters"] = sorted(parameters, key=lambda one: (one["in"] != "path", str(one["name"])))
        if body is not None:
            found["requestBody"] = {"content": {takes: {"schema": body}}, "required": needed}
        done: Schema = {"description": "Done." if answer is None else "The answer."}
        if answer is not None:
            done["content"] = {kind: {"schema": answer} for kind in media}
        found["responses"] = {
            str(status): done,
            "400": _failure("ValidationError", "The request breaks a rule."),
            "403": _failure("GenericError", "The caller is unknown, or may not."),
        }
        if any(one["in"] == "path" for one in parameters):
            found["responses"]["404"] = _failure("GenericError", "There is no such object, or none the caller may see.")
        found["responses"] |= {str(one): _failure("GenericError", why) for one, why in also}
        found["security"] = [{SCHEME: []}, {}] if anonymous else [{SCHEME: []}]
        self.items.setdefault(f"/{path}", {})[method.lower()] = found

    def parameter(self, item: Filter) -> Schema:
        """A query parameter."""
        schema = self._components.of(item.type, "in")
        return _parameter(item.name, {"type": "array", "items": schema} if item.many else schema, item.note)

    def _filters(self, kind: Kind[Any]) -> list[Schema]:
        members = self._components.members(kind.struct, "out")
        found = [
            _parameter(item, _unnoted(members[item])) if isinstance(item, str) else self.parameter(item)
            for item in kind.filters
        ]
        return [*found, *(self.parameter(item) for item in PAGING)]

    def _key(self, kind: Kind[Any]) -> Schema:
        return _in_path(kind.key_name or kind.key, key_schema(self._components, kind), f"Which {kind.title[0]}.")

    def kind(self, kind: Kind[Any]) -> None:
        """The verbs of ``kind``."""
        if not kind.verbs:
            return
        name = name_of(kind)
        key = self._key(kind)
        base, one = f"{kind.path}/", f"{kind.path}/{{{key['name']}}}/"
        looks = [self.parameter(item) for item in kind.filters if isinstance(item, Filter) and _looks(kind, item)]
        body, patch = ref(f"{name}Request"), ref(f"Patched{name}Request")
        plans: dict[Verb, dict[str, Any]] = {
            Verb.LIST: {"path": base, "parameters": self._filters(kind), "answer": page_of(self._components, name)},
            Verb.CREATE: {"path": base, "body": body, "answer": ref(name), "status": 201},
            Verb.RETRIEVE: {"path": one, "parameters": [key, *looks], "answer": ref(kind.retrieved or name)},
            Verb.UPDATE: {"path": one, "parameters": [key], "body": body, "answer": ref(name)},
            Verb.PARTIAL_UPDATE: {
                "path": one,
                "parameters": [key],
                "body": patch,
                "answer": ref(name),
                "needed": False,
            },
            Verb.DESTROY: {"path": one, "parameters": [key], "status": 204},
            Verb.USED_BY: {"path": f"{one}used_by/", "parameters": [key], "answer": self._used_by()},
        }
        for verb, plan in plans.items():
            if verb in kind.verbs:
                does = _DOES[verb].format(one=kind.title[0], many=kind.title[1])
                tail = "used_by_list" if verb is Verb.USED_BY else verb.value
                owned = verb is not Verb.CREATE and kind.table is not None and kind.table.owner
                note = f"{does}\n\n{_needs(kind.permission(PERMISSION[verb]))}{_OWN if owned else ''}"
                self.put(_METHOD[verb], operation=f"{prefix(kind.path)}_{tail}", note=note, **plan)

    def _used_by(self) -> Schema:
        return {"type": "array", "items": self._components.of(UsedBy, "out")}

    def family(self, family: Family, kinds: Iterable[Kind[Any]]) -> None:
        """The polymorphic operations of ``family``."""
        first = next((kind for kind in kinds if kind.family == family.name), None)
        schema = key_schema(self._components, first) if first else {"type": "string", "format": "uuid"}
        key = _in_path(family.key_name, schema, f"Which {family.schema}.")
        base, one, ids = f"{family.path}/", f"{family.path}/{{{family.key_name}}}/", prefix(family.path)
        name = family.schema
        self.put(
            "get",
            base,
            f"{ids}_list",
            note=f"A page of objects of every type of {name} the caller may see.",
            parameters=[self.parameter(item) for item in (*family.filters, *PAGING)],
            answer=page_of(self._components, name),
        )
        self.put("get", one, f"{ids}_retrieve", note=f"One {name}.", parameters=[key], answer=ref(name))
        self.put("delete", one, f"{ids}_destroy", note=f"Remove a {name}.", parameters=[key], status=204)
        note = f"What refers to a {name}, as far as the caller may see it."
        self.put("get", f"{one}used_by/", f"{ids}_used_by_list", note=note, parameters=[key], answer=self._used_by())
        types: Schema = {"type": "array", "items": self._components.of(TypeCreate, "out")}
        self.put("get", f"{base}types/", f"{ids}_types_list", note=f"The types of {name} there are.", answer=types)

    def action(self, action: Action) -> None:
        """An action beside the verbs."""
        kind = action.kind
        key = self._key(kind)
        parameters = [self.parameter(item) for item in action.query]
        if "{key}" in action.path:
            parameters.append(key)
        permission = action.permission
        if permission and "." not in permission:
            permission = kind.permission(permission)
        note = told(action.run)
        self.put(
            action.method,
            f"{kind.path}/{action.path.replace('{key}', '{' + key['name'] + '}')}",
            f"{prefix(kind.path)}_{action.operation}",
            note=f"{note}\n\n{_needs(permission)}" if permission else note,
            parameters=parameters,
            body=self._body(action.request),
            answer=self._answer(action.response),
            status=action.status,
            anonymous=permission is None,
            also=action.also,
        )

    def operation(self, operation: Operation) -> None:
        """An operation that belongs to no kind."""
        note = told(operation.run)
        types = dict(operation.params)
        names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        keys = [_in_path(name, self._components.of(types.get(name, str), "out"), "") for name in names]
        self.put(
            operation.method,
            operation.path,
            operation.operation,
            note=f"{note}\n\n{_needs(operation.permission)}" if operation.permission else note,
            parameters=[*keys, *(self.parameter(item) for item in operation.query)],
            body=self._body(operation.request),
            answer=self._answer(operation.response),
            status=operation.status,
            anonymous=operation.anonymous,
            media=operation.media,
            takes=operation.takes,
            also=operation.also,
        )

    def _body(self, request: Type) -> Schema | None:
        return None if request is None else self._components.of(request, "in")

    def _answer(self, response: Type) -> Schema | None:
        return None if response is None else self._components.of(response, "out")


def _looks(kind: Kind[Any], item: Filter) -> bool:
    """Whether a parameter filters nothing but is for the view, which also shows single objects."""
    return not (item.test or item.sql or item.keys) and item.name not in kind.fields


def _failure(name: str, note: str) -> Schema:
    return {"description": note, "content": {"application/json": {"schema": ref(name)}}}


def _needs(permission: str) -> str:
    return f"Needs the permission `{permission}`."


def _parameter(name: str, schema: Schema, note: str = "") -> Schema:
    found: Schema = {"name": name, "in": "query", "schema": schema}
    if note:
        found["description"] = note
    return found


def _in_path(name: str, schema: Schema, note: str) -> Schema:
    return {**_parameter(name, schema, note), "in": "path", "required": True}


def _unnoted(schema: Schema) -> Schema:
    """A member's schema as that of a filter: a value to compare with, so never null, and of no bounds."""
    if "allOf" in schema:
        return dict(schema["allOf"][0])
    return {key: value for key, value in schema.items() if key in {"type", "format", "items", "enum", "$ref"}}
