"""The board: what processes leave for each other, however it is cut off."""

import pytest

from keystead.base.metrics import METRICS, counter, gauge
from keystead.doors.cli import board
from keystead.doors.cli.board import Board

TESTS = counter("keystead_tests_board_total", "Bumped by tests of the board.")
NOW = gauge("keystead_tests_board_now", "Set by tests of the board.")


def told(one: Board) -> float:
    """The sum of the counter over the other processes."""
    return sum(cell[0] for dump in one.others() for _, cell in dump.get("keystead_tests_board_total", ()))


def mine() -> float:
    """The count of this process."""
    return TESTS.cells[()][0] if TESTS.cells else 0.0


def test_a_process_hears_of_the_others_and_not_of_itself() -> None:
    TESTS.inc(by=3)
    one = Board(2)
    one.take(0)
    one.put()
    assert told(one) == 0
    one.take(1)
    assert told(one) == mine(), "seen from the other place, it is somebody else's"


def test_who_takes_a_place_goes_on_from_what_was_left_there() -> None:
    TESTS.inc()
    NOW.set(7)
    one = Board(1)
    one.take(0)
    one.put()
    one.take(0)
    assert told(one) == mine()
    assert not [name for dump in one.others() for name in dump if name == "keystead_tests_board_now"], "it is over"
    one.put()
    one.take(0)
    assert told(one) == 2 * mine(), "what both counted"


def test_what_is_cut_off_in_the_middle_is_told_as_it_was_before() -> None:
    TESTS.inc()
    one = Board(2)
    one.take(0)
    one.put()
    one.take(1)
    before = told(one)
    one._memory[20:24] = b"\x00\xff\x00\xff"  # noqa: SLF001 - as if another process were writing just now
    assert told(one) == before


def test_too_much_is_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Board(2)
    one.take(0)
    monkeypatch.setattr(board, "PLACE", 64)
    one.put()
    monkeypatch.undo()
    one.take(1)
    assert told(one) == 0
    assert METRICS.text(one.others())
