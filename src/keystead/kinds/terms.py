"""Conditions of lists as terms, each in the forms that small and large tables are asked in; two that indexes serve.

Texts are indexed by groups of three letters, attributes by words (migration 0009). What a store has of them it says by
``Store.indexing``.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.linked import kept_in
from keystead.store import Value

_FOLDED: Final = 3
"""How many letters beyond ASCII a search looks for in both cases."""
FTS5: Final = "fts5"
GRAMS: Final = "grams"
INDEXES: Final = (FTS5, GRAMS, "")
"""How a store may index what lists are searched for (``Store.indexing``): SQLite's way, PostgreSQL's, not at all."""
_GRAM: Final = 3
"""Letters that the index of texts keeps together."""
_ROUNDED: Final = 10**15
"""Numbers of this size and more are left out of the index of attributes."""
_WORD: Final = 100
"""Letters of a member's name, and of its value, that the index of attributes keeps."""

_WORDS: Final = 100
"""How many words the index of attributes is asked for at once; what it finds is looked at in full."""


class Fragment(NamedTuple):
    """SQL with ``{}`` for each value; a single value stands wherever ``{}`` does."""

    text: str
    values: tuple[Value, ...] = ()


class Term(NamedTuple):
    """One condition over the table ``t``, and the other forms in which a large table may be asked.

    :param each: the form for rows met one after the other.
    :param near: the form that finds few rows by an index, for each way of indexing that a store may have.
    :param alone: the SELECT of the numbers ``n`` of what meets this condition alone, likewise.
    :param column: the only column it looks at, or empty.
    :param others: the condition that all other rows meet.
    """

    plain: Fragment
    each: Fragment | None = None
    near: Mapping[str, Fragment] = {}
    alone: Mapping[str, Fragment] = {}
    column: str = ""
    others: "Term | None" = None


def numbered(fragments: Iterable[Fragment], first: int = 1) -> tuple[list[str], list[Value]]:
    """``fragments`` with ``$first`` and so on for their values, and the values."""
    texts: list[str] = []
    values: list[Value] = []
    for fragment in fragments:
        text = fragment.text
        marks = [f"${first + len(values) + index}" for index in range(len(fragment.values))]
        if len(marks) == 1:
            text = text.replace("{}", marks[0])
        else:
            for mark in marks:
                text = text.replace("{}", mark, 1)
        texts.append(text)
        values.extend(fragment.values)
    return texts, values


def attributes(kind: Kind[Any], path: str) -> Term:
    """That the attributes hold the JSON object ``path``."""
    plain = Fragment("keystead_contains(t.attributes, {}::jsonb)", (path,))
    spec = kept_in(kind)
    words = " AND ".join(sorted(set(_facts(msgspec.json.decode(path))))[:_WORDS])
    if not spec.number or not words:
        return Term(plain, plain)
    found = f"t.{spec.number} IN (SELECT rowid FROM {spec.name}_facts WHERE {spec.name}_facts MATCH {{}})"  # noqa: S608 - declared names
    held = _extracted(msgspec.json.decode(path)) or plain
    return Term(plain, plain, {FTS5: Fragment(f"({found} AND {held.text})", (words, *held.values))})


def _extracted(value: object) -> Fragment | None:
    """On SQLite, that the attributes hold one scalar at one place; None where that is not all that is asked.

    Its own functions tell that several times faster than ours, and without Python, for which the loop would wait.
    """
    place = "$"
    while isinstance(value, dict) and len(value) == 1:
        ((name, value),) = value.items()
        if not name or not name.isprintable() or not {'"', "\\"}.isdisjoint(name):
            return None
        place += f'."{name}"'
    if isinstance(value, (dict, list)) or place == "$":
        return None
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        sorts = "= 'text'" if isinstance(value, str) else "IN ('integer', 'real')"
        text = f"(json_type(t.attributes, {{}}) {sorts} AND json_extract(t.attributes, {{}}) = {{}})"
        return Fragment(text, (place, place, value))
    return Fragment("json_type(t.attributes, {}) = {}", (place, msgspec.json.encode(value).decode()))


def _facts(value: object, member: str = "") -> Iterator[str]:
    """The words by which the index knows an object that holds ``value`` (migration 0009)."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from _facts(inside, name)
    elif isinstance(value, list):
        for inside in value:
            yield from _facts(inside)
    elif (spelled := _spelled(value)) is not None:
        yield f"{_sort(value)}{member[:_WORD]}={spelled}".encode().hex().upper()


def _sort(value: object) -> str:
    if isinstance(value, bool):
        return "b"
    return "0" if value is None else "t" if isinstance(value, str) else "n"


def _spelled(value: object) -> str | None:
    """None for a number that the database would perhaps round another way."""
    if not isinstance(value, (int, float)):
        return str(value or "")[:_WORD]
    text = f"{value:.15g}" if abs(value) < _ROUNDED else ""
    return text if text and float(text) == value else None


def search(kind: Kind[Any], needle: str) -> Term:
    """That one of the members that are searched holds ``needle``, which is in lower case."""
    spellings = tuple(_spellings(needle))
    patterns = [f"%{escaped(one)}%" for one in spellings]
    columns = [kind.fields[name].column if name in kind.fields else name for name in kind.search]
    alike = " OR ".join(f"lower(t.{column}) LIKE {{}} ESCAPE '\\'" for column in columns for _ in patterns)
    plain = Fragment(f"({alike})", tuple(pattern for _ in columns for pattern in patterns))
    spec = kept_in(kind)
    if not spec.number:
        return Term(plain, plain)
    near, alone = {}, {}
    if all(_steady(char) for char in needle):
        matched = _fts5(spec.name, needle)
        near[FTS5] = Fragment(f"t.{spec.number} IN (SELECT rowid {matched.text})", matched.values)
        alone[FTS5] = Fragment(f"SELECT rowid AS n {matched.text}", matched.values)
    cut = Fragment(
        f"keystead_grams({', '.join(f't.{one}' for one in columns)}) @@ {{}}::tsquery", (_tsquery(spellings),)
    )
    near[GRAMS] = Fragment(f"({cut.text} AND {plain.text})", (*cut.values, *plain.values))
    return Term(plain, plain, near, alone)


def _steady(char: str) -> bool:
    """Whether every way of telling letters alike that differ in case only finds the same others for ``char``.

    Not those of several forms (``ς``, ``ß``), nor a line end, which parts the texts of an object in the index.
    """
    return char != "\n" and char.isprintable() and char.upper().lower() == char and len(char.upper()) == 1


def _fts5(table: str, needle: str) -> Fragment:
    """FROM and WHERE of what holds ``needle``, in SQLite's index."""
    start = f"FROM {table}_grams WHERE {table}_grams MATCH"
    if len(needle) >= _GRAM:
        return Fragment(f"{start} {{}}", (f'"{needle.replace(chr(34), chr(34) * 2)}"',))
    quoted = "'\"' || replace(term, '\"', '\"\"') || '\"'"
    none = "'\"' || char(1, 1, 1) || '\"'"
    terms = (
        f"SELECT coalesce(group_concat({quoted}, ' OR '), {none})"  # noqa: S608 - declared names
        f" FROM {table}_gram_terms WHERE term >= {{}} AND term < {{}}"
    )
    return Fragment(f"{start} ({terms})", (needle, needle[:-1] + chr(ord(needle[-1]) + 1)))


def _tsquery(spellings: Sequence[str]) -> str:
    """What asks PostgreSQL's index for texts that hold one of ``spellings``, and perhaps for a few more."""
    return " | ".join(f"({_gram_query(one)})" for one in spellings)


def _gram_query(text: str) -> str:
    if len(text) < _GRAM:
        return f"{_quoted(text)}:*"
    return " & ".join(dict.fromkeys(_quoted(text[at : at + _GRAM]) for at in range(len(text) - _GRAM + 1)))


def _quoted(gram: str) -> str:
    inside = gram.replace("\\", "\\\\").replace("'", "''")
    return f"'{inside}'"


def escaped(text: str) -> str:
    """``text`` as LIKE takes it literally, with a backslash as the escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _spellings(needle: str) -> Iterator[str]:
    """``needle`` with its letters beyond ASCII in either case: a database's ``lower()`` may know ASCII only."""
    cased = [index for index, char in enumerate(needle) if not char.isascii() and char.upper() != char][:_FOLDED]
    for raised in itertools.product((False, True), repeat=len(cased)):
        chars = list(needle)
        for index, up in zip(cased, raised, strict=True):
            chars[index] = chars[index].upper() if up else chars[index]
        yield "".join(chars)
