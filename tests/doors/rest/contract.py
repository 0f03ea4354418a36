"""The compatibility contract, and what our own document says differently from it."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

Json = dict[str, Any]
Way = Literal["in", "out"]
CONTRACT: Final = Path(__file__).parents[2] / "contract" / "openapi-2026.8.json.gz"
_REF: Final = "#/components/schemas/"
_LIMITS: Final = ("minLength", "maxLength", "minimum", "maximum", "maxItems")


@cache
def contract() -> Json:
    """The contract's OpenAPI document."""
    found: Json = json.loads(gzip.decompress(CONTRACT.read_bytes()))
    return found


class Seen(NamedTuple):
    """A schema, its references followed."""

    name: str
    schema: Json
    nullable: bool


@dataclass
class Comparison:
    """Everything ``ours`` says that is no pure addition to ``theirs``.

    A client made for ``theirs`` must be able to send what it sends and read what it is sent: what goes in may be taken
    more widely, what comes out may be promised more narrowly, and no name may differ.
    """

    theirs: Json
    ours: Json
    found: list[str] = field(default_factory=list)
    _done: set[tuple[str, Way]] = field(default_factory=set)

    def run(self) -> Sequence[str]:
        """The differences of every operation and component that both documents have."""
        for path, methods in self.ours["paths"].items():
            for method, ours in methods.items():
                theirs = self.theirs["paths"].get(path, {}).get(method)
                if theirs is not None:
                    self._operation(theirs, ours)
        for name in self.ours["components"]["schemas"]:
            if not {(name, "in"), (name, "out")} & self._done:
                self._component(name, "in" if name.endswith("Request") else "out")
        return self.found

    def missing(self, roots: Sequence[str]) -> Iterator[str]:
        """The ids of the contract's operations below ``roots`` (``/core/users/``) that we do not have."""
        for path, methods in self.theirs["paths"].items():
            if any(path.startswith(root) for root in roots):
                for method, operation in methods.items():
                    if method not in self.ours["paths"].get(path, {}):
                        yield operation["operationId"]

    def _say(self, where: str, text: str) -> None:
        self.found.append(f"{where}: {text}")

    def _operation(self, theirs: Json, ours: Json) -> None:
        where = theirs["operationId"]
        if ours["operationId"] != where:
            self._say(where, f"is called {ours['operationId']}")
        if ours["tags"] != theirs["tags"]:
            self._say(where, f"has the tags {ours['tags']}, not {theirs['tags']}")
        if {"authentik": []} in theirs["security"] and {"authentik": []} not in ours["security"]:
            self._say(where, "does not take the API's tokens")
        self._parameters(where, theirs.get("parameters", []), ours.get("parameters", []))
        self._body(where, theirs.get("requestBody"), ours.get("requestBody"))
        for status, answer in theirs["responses"].items():
            if status not in ours["responses"]:
                self._say(where, f"never answers {status}")
                continue
            schema = _content(answer)
            mine = _content(ours["responses"][status])
            if schema is not None and mine is None:
                self._say(where, f"answers {status} without a body")
            elif schema is not None and mine is not None:
                self._schema(f"{where} {status}", schema, mine, "out")

    def _parameters(self, where: str, theirs: Sequence[Json], ours: Sequence[Json]) -> None:
        mine = {(one["in"], one["name"]): one for one in ours}
        for one in theirs:
            match = mine.pop((one["in"], one["name"]), None)
            if match is None:
                self._say(where, f"lacks the {one['in']} parameter {one['name']}")
            else:
                self._schema(f"{where} {one['in']} {one['name']}", one["schema"], match["schema"], "in")
        for (place, name), one in mine.items():
            if one.get("required"):
                self._say(where, f"requires the {place} parameter {name}")

    def _body(self, where: str, theirs: Json | None, ours: Json | None) -> None:
        if ours is None or theirs is None:
            if ours is not theirs:
                self._say(where, "takes no body" if ours is None else "takes a body")
            return
        mine = _content(ours)
        wanted = _content(theirs)
        if mine is None or wanted is None:
            if theirs["content"].keys() != ours["content"].keys():
                self._say(where, "takes another type of body")
            return
        name = mine.get("$ref", "").removeprefix(_REF)
        # The contract writes the bodies of POST and PUT out, and there calls nullable whatever may be left out. Its
        # components of the same operations tell the two apart.
        if "properties" in wanted and name in self.theirs["components"]["schemas"]:
            wanted = {"$ref": _REF + name}
        elif "properties" in wanted:
            wanted = {**wanted, "properties": {key: _not_null(one) for key, one in wanted["properties"].items()}}
        else:
            wanted = _not_null(wanted)
        self._schema(f"{where} body", wanted, mine, "in")

    def _schema(self, where: str, theirs: Json, ours: Json, way: Way) -> None:
        wanted = _resolved(self.theirs, theirs)
        mine = _resolved(self.ours, ours)
        if way == "out" and mine.nullable and not wanted.nullable and wanted.schema:
            self._say(where, "may be null")
        if way == "in" and wanted.nullable and not mine.nullable and mine.schema:
            self._say(where, "may not be null")
        if wanted.name and wanted.name != mine.name:
            self._say(where, f"is {mine.name or 'nameless'}, not {wanted.name}")
        elif wanted.name:
            self._component(wanted.name, way)
        elif wanted.schema and (mine.schema or way == "out"):
            self._shape(where, wanted.schema, mine.schema, way)

    def _component(self, name: str, way: Way) -> None:
        theirs = self.theirs["components"]["schemas"].get(name)
        ours = self.ours["components"]["schemas"].get(name)
        if (name, way) not in self._done and theirs is not None and ours is not None:
            self._done.add((name, way))
            self._shape(f"{name} ({way})", theirs, ours, way)

    def _shape(self, where: str, theirs: Json, ours: Json, way: Way) -> None:
        for word in ("type", "format"):
            if word in theirs and ours.get(word) != theirs[word]:
                self._say(where, f"has the {word} {ours.get(word)}, not {theirs[word]}")
        self._choices(where, theirs.get("enum"), ours.get("enum"), way)
        for word in _LIMITS:
            limit, wanted = ours.get(word), theirs.get(word)
            # What we promise may be bounded where the contract says nothing; what we take may not.
            if limit != wanted and not (way == "out" and (wanted is None or word == "minLength")):
                self._say(where, f"has the {word} {limit}, not {wanted}")
        if way == "in" and "default" in theirs and ours.get("default") != theirs["default"]:
            self._say(where, f"has the default {ours.get('default')}, not {theirs['default']}")
        if "items" in theirs and "items" in ours:
            self._schema(f"{where}[]", theirs["items"], ours["items"], way)
        if "properties" in theirs and ours.get("type") == "object":
            self._members(where, theirs, ours, way)

    def _choices(self, where: str, theirs: list[Any] | None, ours: list[Any] | None, way: Way) -> None:
        if theirs is None and ours is not None and way == "in":
            self._say(where, f"takes only {ours}")
        elif theirs is not None and ours is None:
            self._say(where, "is no choice")
        elif theirs is not None and ours is not None and set(theirs) != set(ours):
            lacks, more = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
            self._say(where, f"lacks the choices {lacks}" if lacks else f"has more choices: {more}")

    def _members(self, where: str, theirs: Json, ours: Json, way: Way) -> None:
        mine = ours.get("properties", {})
        for name, schema in theirs["properties"].items():
            if name not in mine:
                self._say(where, f"lacks {name}")
            else:
                self._schema(f"{where}.{name}", schema, mine[name], way)
        wanted, given = set(theirs.get("required", ())), set(ours.get("required", ()))
        if way == "out":
            for name in sorted(wanted - given):
                self._say(where, f"does not promise {name}")
        else:
            for name in sorted(given - wanted):
                self._say(where, f"requires {name}")
            for name in sorted(wanted - given):
                self._say(where, f"does not require {name}")


def _content(part: Json) -> Json | None:
    found: Json | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def _not_null(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "nullable"}


def _resolved(document: Json, schema: Json) -> Seen:
    nullable = bool(schema.get("nullable"))
    if "allOf" in schema and len(schema["allOf"]) == 1:
        schema = {**schema["allOf"][0], **{key: value for key, value in schema.items() if key != "allOf"}}
    name = schema.get("$ref", "").removeprefix(_REF)
    if name:
        schema = document["components"]["schemas"][name]
    return Seen(name, {key: value for key, value in schema.items() if key != "nullable"}, nullable)
