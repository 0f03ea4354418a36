"""Taking values from requests: what the annotations say, and a sentence for everything else."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.secret import Secret
from keystead.kinds.field import Field, fields, scalar, unstorable
from keystead.kinds.marks import HIDDEN, READ_ONLY, VERBATIM, WRITE_ONLY, Json, Text, Uuid
from tests.kinds.toys import Colour, Point, Sample, Shelf

FIELDS = fields(Sample)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
UUID = "0b6a3c1e-9d55-4c3a-8a53-1b8a1f0c2d3e"


class Odd(msgspec.Struct):
    """Members that the toys have not."""

    pem: Annotated[str, VERBATIM] = ""
    key: Secret = Secret("")
    shown: Annotated[Secret, READ_ONLY] = Secret("")
    points: tuple[Point, ...] = ()
    keys: tuple[Annotated[int, msgspec.Meta(ge=0)], ...] = ()
    kept: Annotated[str, HIDDEN] = ""
    typed: Annotated[str, WRITE_ONLY] = ""


ODD = fields(Odd)


def tried(field: Field, value: object) -> tuple[object, str]:
    """What was taken, or the complaint."""
    try:
        return field.take(value), ""
    except ValueError as exc:
        return None, str(exc)


@given(value=JSON, name=st.sampled_from(sorted(FIELDS)))
def test_what_is_taken_is_of_the_declared_type_and_taken_again_unchanged(value: object, name: str) -> None:
    field = FIELDS[name]
    taken, complaint = tried(field, value)
    if complaint:
        assert complaint.endswith((".", ")")), f"no sentence: {complaint}"
        assert "`" not in complaint
        return
    again = msgspec.to_builtins(taken)
    assert field.take(again) == taken
    if field.core is not object:
        assert msgspec.convert(again, field.type, dec_hook=lambda _type, inner: inner) == taken
    assert unstorable(again) == ""


@given(text=st.text(max_size=20))
def test_texts_are_trimmed_and_never_blank_where_they_may_not_be(text: str) -> None:
    taken, complaint = tried(FIELDS["title"], text)
    assert bool(complaint) == (not text.strip() or "\x00" in text)
    assert complaint or taken == text.strip()
    if "\x00" not in text:
        assert FIELDS["text"].take(text) == text.strip()
        assert ODD["pem"].take(text) == text
        assert FIELDS["attributes"].take({"a": text}) == {"a": text}, "free JSON is left alone"
        assert FIELDS["words"].take([text]) == (text.strip(),)
        assert ODD["points"].take([{"x": 1, "name": text}]) == (Point(1, text.strip()),)


@given(value=JSON)
def test_no_value_holds_a_null_character_however_deep(value: object) -> None:
    holds = "\\u0000" in msgspec.json.encode(value).decode()
    assert bool(unstorable(value)) == holds
    with pytest.raises(ValueError, match="null character"):
        FIELDS["attributes"].take({"deep": [{"key": [value, "a\x00b"]}]})
    with pytest.raises(ValueError, match="null character"):
        FIELDS["attributes"].take({"in the n\x00me": 1})


@pytest.mark.parametrize(
    ("given_text", "taken"),
    [
        ("2026-09-01T12:00:00Z", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        ("2026-09-01T14:00:00+02:00", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        ("2026-09-01T12:00:00", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        ("2026-09-01T12:00:00.123456789Z", datetime(2026, 9, 1, 12, 0, 0, 123457, UTC)),
    ],
)
def test_instants_are_kept_in_utc(given_text: str, taken: datetime) -> None:
    found = FIELDS["at"].take(given_text)
    assert found == taken
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", "now"]
)
def test_an_instant_that_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        FIELDS["at"].take(text)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("title", "  ", "May not be blank."),
        ("title", "x" * 41, "Expected str of length <= 40."),
        ("title", 5, "Expected str, got int."),
        ("code", "a b", "Enter a slug consisting of letters, numbers, underscores or hyphens."),
        ("uuid", "x", "“x” is not a valid UUID."),
        ("mail", "nobody", "“nobody” is not an e-mail address: write it like name@example.org."),
        ("life", "5 minutes", "'5 minutes' is not a duration"),
        ("count", 2**31, "Expected int <= 2147483647."),
        ("big", 2**63, "This number is out of range."),
        ("big", True, "Expected int | null, got bool."),
        ("colour", "pink", "Not one of the accepted choices: 'pink'."),
        ("words", ["a", 5], "Expected str, got int. (at [1])"),
        ("point", {"x": "1"}, "Expected int, got str. (at x)"),
        ("point", {}, "Object missing required field x."),
        ("boxes", ["x"], "“x” is not a valid UUID."),
        ("yes", "true", "Expected bool, got str."),
    ],
)
def test_complaints_are_sentences_for_people(name: str, value: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".") as found:
        FIELDS[name].take(value)
    assert str(found.value).startswith(complaint)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (UUID.upper(), UUID),
        (UUID.replace("-", ""), UUID),
        (f"{{{UUID}}}", UUID),
        (f" {UUID} ", UUID),
    ],
)
def test_uuids_are_kept_in_one_form(value: str, taken: str) -> None:
    assert FIELDS["uuid"].take(value) == taken
    assert FIELDS["boxes"].take([value]) == (taken,)


def test_a_number_in_a_list_is_bounded_too() -> None:
    with pytest.raises(ValueError, match="out of range"):
        ODD["keys"].take([1, 2**64])
    with pytest.raises(ValueError, match="Expected int >= 0"):
        ODD["keys"].take([-1])


def test_secrets_are_taken_as_secrets_and_are_never_readable() -> None:
    taken = ODD["key"].take(" s3cret ")
    assert isinstance(taken, Secret)
    assert taken.reveal() == "s3cret"
    with pytest.raises(ValueError, match=r"Expected str\."):
        ODD["key"].take(5)
    assert not ODD["key"].readable
    assert not ODD["shown"].readable
    assert not ODD["shown"].writable
    assert not ODD["kept"].writable
    assert not ODD["kept"].readable
    assert ODD["typed"].writable
    assert not ODD["typed"].readable


@pytest.mark.parametrize(
    ("field", "core", "many", "nullable"),
    [
        (FIELDS["pk"], int, False, False),
        (FIELDS["title"], str, False, False),
        (FIELDS["big"], int, False, True),
        (FIELDS["hue"], Colour, False, True),
        (FIELDS["attributes"], dict, False, False),
        (FIELDS["anything"], object, False, False),
        (FIELDS["boxes"], str, True, False),
        (FIELDS["at"], datetime, False, True),
        (FIELDS["point"], Point, False, True),
        (ODD["keys"], int, True, False),
        (fields(Shelf)["keeper"], int, False, True),
    ],
)
def test_a_field_knows_what_its_values_are(field: Field, core: object, many: bool, nullable: bool) -> None:  # noqa: FBT001 - a table's columns
    assert (field.core, field.many, field.nullable) == (core, many, nullable)


def test_references_and_columns_are_read_from_inside_unions_and_tuples() -> None:
    assert FIELDS["boxes"].ref
    assert FIELDS["boxes"].ref.target == "boxes"
    assert FIELDS["boxes"].link
    assert FIELDS["pk"].column == "id"
    assert fields(Shelf)["below"].ref


def test_a_type_expression_alone_tells_core_and_formats() -> None:
    assert scalar(int) == (int, ())
    assert scalar(Uuid)[0] is str
    assert [form.name for form in scalar(Uuid)[1]] == ["uuid"]
    assert scalar(Text)[0] is str
    assert scalar(Annotated[Colour, msgspec.Meta(title="x")])[0] is Colour
    assert scalar(Json)[0] == dict[str, object]
