"""Requests at random, shaped by an OpenAPI document: what a client of it could send, and what none should.

Hypothesis draws; each request is a value that can be sent as often as one likes. Of a body some members are as they
should be, so that requests get further than to their first mistake.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.doors.rest.conforms import Json

Body = tuple[str, bytes] | None
JSON: Final = "application/json"
_DEEP: Final = 100_000
_BOUNDARY: Final = "a-boundary"
TEXTS: Final = (
    *("", " ", "\t", "0", "-1", "1", "true", "null", "None", "a", "ä", "\U0001f511", "\u202e", "a\u0301", "\ufeff"),
    *("%", "'", '"', "\\", "{}", "[]", "{{ 1 }}", "<b>", "a\r\nb: c", "../../etc/passwd", "\x00", "a\x00b", "\x7f"),
    *("\ud800", "a\udfff", "x" * 600, "ü" * 70_000, "1e999", "9" * 400, "2026-11-22", "2026-02-30T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "hours=1", "days=99999999999", "hours=-1", "hours=1e9"),
    *("00000000-0000-0000-0000-000000000000", "*", "a,b", "a:b", "http://[", "https://a.example.org:99999999/", "[0]"),
    *("goauthentik.io/a", "name__contains", "-", "-name", "+1", "1_0", "\u0663", "0x10", "NaN", "Infinity"),
)
"""Texts that other programs have tripped over."""
NUMBERS: Final = (
    0,
    -1,
    1,
    2,
    100,
    2**15,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    10**30,
)
_FLOATS: Final = (0.0, -0.0, 0.5, 1e308, -1e308, 5e-324, 1.0)
_PLAIN: Final[SearchStrategy[Any]] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(_FLOATS),
    st.sampled_from(TEXTS),
    st.text(max_size=12),
)
_EMPTY: Final[tuple[Any, ...]] = (
    [],
    [None],
    [[]],
    [[[[]]]],
    ["a", 1],
    {},
    {"a": None},
    {"": {"": []}},
    {"\x00": "\x00"},
    {"pk": "1"},
)
JUNK: Final[SearchStrategy[Any]] = st.one_of(
    _PLAIN,
    st.sampled_from(_EMPTY),
    st.lists(_PLAIN, max_size=3),
    st.dictionaries(st.sampled_from(TEXTS), _PLAIN, max_size=3),
)
"""Any JSON value."""
BROKEN: Final = (
    *(
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b"true",
        b"0",
        b'"text"',
        b"{}{}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b"\xff\xfe{\x00",
    ),
    *(b"\xef\xbb\xbf{}", b'{"name": "\xff"}', b'{"name": 1, "name": 2}', b'{"name": "\\ud800"}', b'{"name": 1e999}'),
    *(b'{"name": ' + b"9" * 5000 + b"}", b'{"name": ' + b"[" * _DEEP + b"]" * _DEEP + b"}", b"[" * _DEEP),
    *(b'{"a":' * 400 + b"1" + b"}" * 400, b"<a/>", b"name=a&pk=1", b'{"name": "' + b"a" * 1_100_000 + b'"}'),
)
"""Bodies that are no JSON objects, or strange ones."""
_MEDIA: Final = (
    *(JSON, "application/json; charset=latin-1", "application/merge-patch+json", "text/plain", "application/xml", ""),
    *("application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=a", "\xff", "a" * 300),
)
_HEADERS: Final[Mapping[str, Sequence[str]]] = {
    "If-Match": ("*", '""', '"a"', 'W/"a"', '"a", "b"', "a", ",", '"', '"\xff"', "," * 2000, '"a" ' * 100),
    "If-None-Match": ("*", '"a"', "a"),
    "Idempotency-Key": ("", "a", '"a"', '"', " ", "a b", "\xe9", "a" * 255, "a" * 256, '""'),
    "Accept": ("*/*", "text/html", "application/xml", "a", "application/json;q=a", ",;,=", "a" * 5000, "\xff/\xff"),
    "Accept-Language": ("de", "*", "x" * 500, ";q=", "\xff"),
    "Range": ("bytes=0-1", "bytes=-", "a"),
    "Cookie": ("a", "authentik_session=a.b.c", "=;=;", "\xff=\xff"),
    "X-Forwarded-For": ("a", "1.2.3.4, ::1", "," * 100),
    "X-Forwarded-Host": ("a/b", "\xff"),
    "User-Agent": ("\xff" * 50, "a" * 5000),
    "X-Authentik-Prevent-Basic": ("true",),
}
_KEYS: Final = (
    *("0", "-1", "999999", str(2**31), str(2**63), "9" * 40, "+3", "3_0", "\u0663", "1.0", "a", "-", ".", "..", "%2e"),
    *(
        "00000000-0000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "0" * 32,
        "a\x00b",
        "\xff",
        "*",
    ),
    *("ä", "\U0001f511", "a b", "a/b", "a?b#c", "'--", "x" * 600, "null"),
)
"""Path parameters that name nothing."""


@dataclass(frozen=True)
class Sent:
    """One request.

    :param existing: whether the path is to name an object that exists.
    :param who: whose: ``admin``, ``user`` (who may nothing) or ``nobody``.
    """

    keys: tuple[str | None, ...]
    query: str
    headers: tuple[tuple[str, str], ...]
    body: Body
    who: str

    def told(self) -> str:
        """The request for people to read, as far as they will."""
        return f"{self.who} {self.keys} ?{self.query[:300]} {self.headers} {str(self.body)[:1500]}"


@dataclass
class Shapes:
    """Values as an OpenAPI document describes them.

    :param document: the document that references lead into.
    """

    document: Json
    _known: dict[str, SearchStrategy[Any]] = field(default_factory=dict)

    def of(self, schema: Json) -> SearchStrategy[Any]:
        """Values that ``schema`` describes, most of them at its bounds, and some just beyond."""
        if "allOf" in schema:
            schema = {**schema, **schema["allOf"][0]}
        if "$ref" in schema:
            found = self._component(schema["$ref"].rpartition("/")[2])
        elif "enum" in schema:
            found = st.sampled_from(schema["enum"])
        elif "oneOf" in schema:
            found = st.one_of([self.of(one) for one in schema["oneOf"]])
        else:
            found = self._typed(schema)
        return st.one_of(found, st.none()) if schema.get("nullable") else found

    def _component(self, name: str) -> SearchStrategy[Any]:
        if name not in self._known:
            schema = self.document["components"]["schemas"][name]
            self._known[name] = st.deferred(lambda: self._made(name, schema))
        return self._known[name]

    def _made(self, name: str, schema: Json) -> SearchStrategy[Any]:
        self._known[name] = self.of(schema)
        return self._known[name]

    def _typed(self, schema: Json) -> SearchStrategy[Any]:
        kind = schema.get("type", "")
        if kind == "array":
            return st.lists(self.of(schema.get("items", {})), max_size=3)
        if "properties" in schema:
            return self.object_of(schema)
        made: Mapping[str, Callable[[], SearchStrategy[Any]]] = {
            "string": lambda: _text(schema),
            "integer": lambda: _integer(schema),
            "number": lambda: st.sampled_from((*_FLOATS, *NUMBERS[:4])),
            "boolean": st.booleans,
            "object": lambda: st.dictionaries(st.sampled_from(TEXTS), _PLAIN, max_size=2),
        }
        return made[kind]() if kind else JUNK

    def object_of(self, schema: Json) -> SearchStrategy[dict[str, Any]]:
        """Objects with every required member, and some of the others."""
        required = set(schema.get("required", ()))
        members = {name: self.of(one) for name, one in schema["properties"].items()}
        must = {name: one for name, one in members.items() if name in required}
        may = sorted(members.keys() - required)

        return _object(must, st.lists(st.sampled_from(may), max_size=4) if may else st.just([]), members)

    def queries(self, parameters: Sequence[Json]) -> SearchStrategy[str]:
        """Query strings of some declared parameters, and of what nobody declared."""
        values: dict[str, SearchStrategy[Any]] = {}
        for one in parameters:
            if one["in"] == "query":
                schema = one["schema"].get("items", one["schema"])
                values[one["name"]] = st.one_of(self.of(schema), _TEXT)
        return _query(st.sampled_from([*values, "unknown"]), values)

    def bodies(self, request: Json, good: Json | None) -> SearchStrategy[Body]:
        """Bodies of an operation: wholly as described, one that is right and then altered, and what is no such thing.

        :param request: its ``requestBody``.
        :param good: a body that it takes.
        """
        ((media, content),) = request["content"].items()
        schema = content["schema"]
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        shaped = self.of(schema)
        altered = self._altered(schema.get("properties", {}), good) if isinstance(good, dict) else shaped
        encoded = _form if media.startswith("multipart") else _json
        strange = st.tuples(st.sampled_from(_MEDIA), st.sampled_from(BROKEN))
        choices = (*[altered.map(encoded)] * 14, shaped.map(encoded), shaped.map(encoded), JUNK.map(encoded), strange)
        return st.sampled_from(choices).flatmap(lambda chosen: chosen)

    def _altered(self, schemas: Json, good: Json) -> SearchStrategy[Any]:
        chosen = st.sampled_from(sorted({*good, *schemas, "unknown", "pk"}))
        shaped = {name: self.of(one) for name, one in schemas.items()}

        return _altered(good, chosen, shaped)

    def requests(self, path: str, operation: Json, good: Json | None) -> SearchStrategy[Sent]:
        """Requests to an operation.

        :param path: the path as the document has it; a key of None stands for an object that exists.
        """
        queries = self.queries(operation.get("parameters", ()))
        keys = [_keys()] * path.count("{")
        bodies: SearchStrategy[Body] = st.none()
        if "requestBody" in operation:
            bodies = self.bodies(operation["requestBody"], good)
        return st.builds(
            Sent, keys=st.tuples(*keys), query=queries, headers=_headers(), body=bodies, who=st.sampled_from(_WHO)
        )


_FEW: Final = st.sampled_from((0, 0, 0, 1, 1, 1, 1, 2, 2, 3))
_MOSTLY: Final = st.sampled_from((True, True, True, True, False))
_SELDOM: Final = st.sampled_from((*[False] * 29, True))
_HOW: Final = st.sampled_from(("gone", "junk", "shaped", "shaped"))
_TEXT: Final = st.sampled_from(TEXTS)
_STRANGE: Final = ("%", "%zz", "%ff=%ff", "a&&=&b", "=", "page=1&page=2", "&" * 3000, "a=%00", "page=%31")
_numbers: Final = itertools.count(1)
_NAMES: Final = ("name", "slug", "username", "identifier", "domain", "schema_name", "key", "field_key")
_WHO: Final = (*["admin"] * 14, "user", "nobody")


def _integer(schema: Json) -> SearchStrategy[int]:
    low, high = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)
    return st.sampled_from((low, high, low - 1, high + 1, max(low, 0), max(low, 1)))


def _text(schema: Json) -> SearchStrategy[str]:
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    if schema.get("format") == "date-time":
        return st.sampled_from(("2026-11-22T00:00:00Z", "2031-01-01T00:00:00.000001+05:30", *TEXTS[-22:-16]))
    if schema.get("format") == "email":
        return st.sampled_from(("a@example.org", "ä@exämple.org", "a" * 300 + "@example.org", "a@", "a@b@c"))
    low, high = schema.get("minLength", 0), schema.get("maxLength", 20)
    edges = st.sampled_from(("x" * low, "x" * high, "ü" * high, "x" * (high + 1)))
    return st.one_of(edges, st.sampled_from(TEXTS), st.text(min_size=low, max_size=max(low, min(high, 12))))


def _keys() -> SearchStrategy[str | None]:
    return st.sampled_from((*[None] * 4 * len(_KEYS), *_KEYS))


@st.composite
def _object(
    draw: DrawFn,
    must: Mapping[str, SearchStrategy[Any]],
    more: SearchStrategy[list[str]],
    members: Mapping[str, SearchStrategy[Any]],
) -> dict[str, Any]:
    found = {name: draw(one) for name, one in must.items()}
    for name in draw(more):
        found[name] = draw(members[name])
    return found


@st.composite
def _altered(
    draw: DrawFn, good: Json, names: SearchStrategy[str], shaped: Mapping[str, SearchStrategy[Any]]
) -> dict[str, Any]:
    found = dict(good)
    if draw(_MOSTLY):  # another object than the one before
        number = next(_numbers)
        found |= {name: f"{good[name]}r{number}" for name in _NAMES if isinstance(good.get(name), str)}
    for _ in range(draw(_FEW)):
        name = draw(names)
        how = draw(_HOW)
        if how == "gone":
            found.pop(name, None)
        else:
            found[name] = draw(shaped.get(name, JUNK) if how == "shaped" else JUNK)
    return found


@st.composite
def _query(draw: DrawFn, names: SearchStrategy[str], values: Mapping[str, SearchStrategy[Any]]) -> str:
    if not values and draw(_MOSTLY):
        return ""
    if draw(_SELDOM):
        return draw(st.sampled_from(_STRANGE))
    chosen = [draw(names) for _ in range(draw(_FEW))]
    pairs = [(name, _word(draw(values.get(name, _TEXT)))) for name in chosen]
    return urlencode(pairs, errors="surrogatepass")


@st.composite
def _headers(draw: DrawFn) -> tuple[tuple[str, str], ...]:
    if draw(_MOSTLY):
        return ()
    name = draw(st.sampled_from(sorted(_HEADERS)))
    return ((name, draw(st.sampled_from(_HEADERS[name]))),)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: object) -> Body:
    return JSON, json.dumps(value).encode()


def _form(value: object) -> Body:
    """A form (RFC 7578): texts as they are, everything else in JSON's words."""
    parts = value.items() if isinstance(value, dict) else [("file", value)]
    lines: list[bytes] = []
    for name, one in parts:
        file = '; filename="a"' if name == "file" else ""
        told = one.encode("utf-8", "surrogatepass") if isinstance(one, str) else json.dumps(one).encode()
        head = f'Content-Disposition: form-data; name="{quote(name, errors="surrogatepass")}"{file}'
        lines.append(f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + told + b"\r\n")
    return f"multipart/form-data; boundary={_BOUNDARY}", b"".join(lines) + f"--{_BOUNDARY}--\r\n".encode()
