from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base import duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("days=1;hours=2;minutes=3;seconds=4", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("milliseconds=5,microseconds=6", timedelta(milliseconds=5, microseconds=6)),
        ("weeks=2", timedelta(weeks=2)),
        (" Hours = 1.5 ; ", timedelta(minutes=90)),
        ("minutes=1;minutes=2", timedelta(minutes=3)),
        ("minutes=-5", timedelta(minutes=-5)),
        ("seconds=0", timedelta()),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, length: timedelta) -> None:
    assert duration.parse(text) == length


@pytest.mark.parametrize(
    "text", ["", ";", "5", "5m", "minutes", "minutes=", "minutes=x", "years=1", "days=1e30", "hours=nan", "hours=inf"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration.parse(text)


@given(amounts=st.dictionaries(st.sampled_from(duration.UNITS), st.integers(0, 10_000), min_size=1))
def test_order_and_separators_do_not_matter(amounts: dict[str, int]) -> None:
    parts = [f"{unit}={amount}" for unit, amount in amounts.items()]
    expected = timedelta(**amounts)
    assert duration.parse(";".join(parts)) == expected
    assert duration.parse(",".join(reversed(parts))) == expected


@given(text=st.text() | st.text("0123456789=;,.-ehoursdayinmtw "))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        length = duration.parse(text)
    except ValueError:
        return
    assert timedelta.min <= length <= timedelta.max
