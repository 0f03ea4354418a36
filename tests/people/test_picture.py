"""Pictures: what their members may hold, and where browsers find them."""

import pytest

from keystead.people import picture


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", None),
        ("https://cdn.example.org/a.png", "https://cdn.example.org/a.png"),
        ("/static/dist/a.svg", "/static/dist/a.svg"),
        ("fa://fa-user", "fa://fa-user"),
        ("logos/a-%(theme)s.svg", "/files/media/public/logos/a-%(theme)s.svg"),
    ],
)
def test_where_a_picture_is(given: str, found: str | None) -> None:
    assert picture.address(given) == found


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " java\tscript:alert(1)", "data:text/html,x", "a\nb", "FILE:///x"]
)
def test_what_would_run_script_is_refused(url: str) -> None:
    assert picture.fault(url) is not None


@pytest.mark.parametrize("url", ["", "logo.svg", "/a", "https://example.org/a?b=c:d"])
def test_what_may_stand_on_a_page(url: str) -> None:
    assert picture.fault(url) is None
