"""YAML with tags: what is read, what is refused before it costs anything, what is written."""

import pytest

from keystead.wire.tagged_yaml import MOST_BYTES, Tag, read, write

DEEP = "[" * 60 + "]" * 60
WIDE = "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
MERGED = "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: 1\nb: 1.5\nc: off\nd: ~\ne: '1'", {"a": 1, "b": 1.5, "c": False, "d": None, "e": "1"}),
        ("at: 2026-01-02", {"at": "2026-01-02"}),
        ("1: a\ntrue: b", {"1": "a", "true": "b"}),
        ("!KeyOf x", Tag("KeyOf", "x", 1)),
        ("- !Index 0\n- !Index '0'", [Tag("Index", 0, 1), Tag("Index", "0", 2)]),
        ("!Find [a, [b, !Context c]]", Tag("Find", ["a", ["b", Tag("Context", "c", 1)]], 1)),
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
    ],
)
def test_what_is_read(text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [b", "no YAML"),
        ("a: \x00", "no YAML"),
        ("a: 1\n---\nb: 2", "no YAML"),
        ("a: 1\na: 2", "Line 2"),
        ("{[a]: b}", "plain texts"),
        ("x: !!python/object/apply:os.system [ls]", "python/object/apply:os.system"),
        ("x: !!binary aGk=", "binary"),
        ("x: !!int y", "no int"),
        ("x: !!bool often", "no bool"),
        ("x: !!str [a]", "type str"),
        ("x: !!seq a", "type seq"),
        ("x: .nan", "no number"),
        ("y: {<<: 1}", "only mappings"),
        (DEEP, "nested"),
        ("&a [*a]", "nested"),
        (f"a0: &a0 [x]\n{WIDE}", "at most"),
        (f"a0: &a0 {{x: 1}}\n{MERGED}", "at most"),
        ("- x\n" * 30_000, "at most"),
        ("x" * (MOST_BYTES + 1), "KiB"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(text)


def test_what_is_written_is_read_again() -> None:
    same = ["a"]
    value = {
        "text": "two\nlines\n",
        "like": "yes",
        "number": "007",
        "nothing": None,
        "tags": [Tag("KeyOf", "0"), Tag("Find", ["m", ["slug", "x: y"]])],
        "one": same,
        "again": same,
        "ümlaut": {"#": "-"},
    }
    text = write(value)
    assert "&" not in text
    found = read(text)
    assert isinstance(found, dict)
    assert [(tag.name, tag.value) for tag in found.pop("tags")] == [("KeyOf", "0"), ("Find", ["m", ["slug", "x: y"]])]
    assert found == {name: one for name, one in value.items() if name != "tags"}
