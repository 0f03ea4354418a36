"""Random records of the tests' own kind, as both engines can keep them."""

from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from tests.kinds.toys import Colour, Point, Sample

KEYS: Final = tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in range(4))
TEXT: Final = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
WORD: Final = st.sampled_from(["", "a", "A", "ab", "aB", "Ä", "ä", "äb", "100%", "a_b", "a\\b", "é", "Straße", " x "])
INSTANT: Final = st.datetimes(datetime(1600, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
SMALL: Final = st.integers(0, 3)
NUMBER: Final = st.integers(-(2**63), 2**63 - 1)
ATOM: Final = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
# PostgreSQL's JSON keeps decimal numbers, not floats: a large one comes back as the whole number it was written as.
JSON: Final = st.recursive(
    ATOM | st.floats(-1e6, 1e6, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT: Final[st.SearchStrategy[dict[str, Any]]] = st.dictionaries(TEXT, JSON, max_size=3)
KEY: Final = st.sampled_from(KEYS)


def samples(
    words: st.SearchStrategy[str], attributes: st.SearchStrategy[dict[str, object]]
) -> st.SearchStrategy[Sample]:
    """Records whose texts are ``words``; key and code are the caller's to give."""
    return st.builds(
        Sample,
        pk=st.just(0),
        code=st.just("code"),
        text=words,
        title=words,
        uuid=KEY,
        mail=st.sampled_from(["", "a@b.example"]),
        note=st.none() | words,
        count=SMALL | st.integers(-(2**31), 2**31 - 1),
        big=st.none() | SMALL | NUMBER,
        ratio=st.floats(allow_nan=False, allow_infinity=False),
        yes=st.booleans(),
        maybe=st.none() | st.booleans(),
        colour=st.sampled_from(Colour),
        hue=st.none() | st.sampled_from(Colour),
        at=st.none() | INSTANT,
        attributes=attributes,
        anything=JSON,
        words=st.lists(words, max_size=3).map(tuple),
        point=st.none() | st.builds(Point, x=NUMBER, name=words),
        hidden=words,
        typed=words,
        box=st.none() | KEY,
        spare=st.none() | KEY,
        shelf=st.none() | KEY,
        boxes=st.sets(KEY).map(lambda keys: tuple(sorted(keys))),
    )
