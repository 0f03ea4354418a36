"""Tables as comma-separated values: quoted, and never carried out."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import sheet

WIDE = "\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("begin", [*"=+-@\t\r\n", *WIDE, " =", "  @"])
def test_a_formula_is_text(begin: str) -> None:
    (row,) = csv.reader(io.StringIO(sheet.line([f"{begin}cmd|' /C calc'!A0", "a"]), newline=""))
    assert row == [f"'{begin}cmd|' /C calc'!A0", "a"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_what_was_written_is_read(values: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(sheet.line(values), newline=""))
    assert [cell.removeprefix("'") for cell in row] == [value.removeprefix("'") for value in values]
    assert not any(cell.lstrip()[:1] in {*"=+-@", *WIDE} for cell in row if cell.strip())
