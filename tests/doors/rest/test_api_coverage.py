"""``docs/api-coverage.md`` is true."""

from tools import api_coverage


def test_the_page_says_what_each_operation_does() -> None:
    told = api_coverage.PAGE.read_text("utf-8")
    assert told == api_coverage.page(), "run: python tools/api_coverage.py"
