from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from keystead.base import clock

INSTANTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


def test_the_system_clock_goes_forward_and_is_in_utc() -> None:
    system = clock.SystemClock()
    first, second = system.now(), system.now()
    assert first.tzinfo is UTC
    assert timedelta() <= second - first < timedelta(seconds=10)


@given(moment=INSTANTS)
def test_an_instant_survives_being_kept_as_microseconds(moment: datetime) -> None:
    assert clock.instant(clock.micros(moment)) == moment


@given(early=INSTANTS, late=INSTANTS)
def test_microseconds_are_in_the_order_of_time(early: datetime, late: datetime) -> None:
    assert (early < late) == (clock.micros(early) < clock.micros(late))


def test_unix_seconds_are_whole_and_cut_off() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
    assert clock.unix(moment) == 1767323045
    assert clock.unix(clock.EPOCH) == 0
