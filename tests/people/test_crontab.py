"""When cron's times come."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.people.installation.crontab import PARTS, following, is_crontab

AT = datetime(2026, 11, 22, 10, 30, 15, 5, UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", (2026, 11, 22, 10, 31)),
        ("*/15 * * * *", (2026, 11, 22, 10, 45)),
        ("30 * * * *", (2026, 11, 22, 11, 30)),
        ("5/20 * * * *", (2026, 11, 22, 10, 45)),
        ("0 0 * * *", (2026, 11, 23, 0, 0)),
        ("0 9-17/4 * * 1-5", (2026, 11, 23, 9, 0)),
        ("0 12 * * 0", (2026, 11, 22, 12, 0)),
        ("0 12 * * 7", (2026, 11, 22, 12, 0)),
        ("0 0 1 1 *", (2027, 1, 1, 0, 0)),
        ("0 0 29 2 *", (2028, 2, 29, 0, 0)),
        ("0 0 13 * 5", (2026, 11, 27, 0, 0)),
        ("59 23 31 12 *", (2026, 12, 31, 23, 59)),
    ],
)
def test_the_next_time(text: str, expected: tuple[int, ...]) -> None:
    assert is_crontab(text)
    assert following(text, AT) == datetime(*expected, tzinfo=UTC)  # type: ignore[misc, arg-type]  # parts of an instant


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_what_never_comes(text: str) -> None:
    assert is_crontab(text)
    assert following(text, AT) is None


def part(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    return st.one_of(st.just("*"), number.map(str), st.lists(number, min_size=1, max_size=3).map(_listed))


def _listed(found: list[int]) -> str:
    return ",".join(map(str, found))


@given(st.tuples(*(part(*ends) for ends in PARTS)), st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)))  # noqa: DTZ001 - made aware below
def test_it_is_later_and_fits(parts: tuple[str, ...], at: datetime) -> None:
    found = following(" ".join(parts), at.replace(tzinfo=UTC))
    if found is not None:
        assert found > at.replace(tzinfo=UTC)
        assert parts[0] == "*" or str(found.minute) in parts[0].split(",")
        assert parts[3] == "*" or str(found.month) in parts[3].split(",")
