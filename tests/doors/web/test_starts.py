"""Sources in a challenge get the addresses that a page without scripts needs; everything else stays as it is."""

from typing import Any

import pytest

from keystead.doors.web.starts import startable

PLEX = {"component": "ak-source-plex", "client_id": "c", "slug": "my plex/../?"}
START = "/source/plex/my%20plex%2F..%2F%3F/"


def test_a_button() -> None:
    other = {"name": "O", "challenge": {"component": "xak-flow-redirect", "to": "/elsewhere"}}
    asked: dict[str, Any] = {
        "component": "ak-stage-identification",
        "sources": [{"name": "P", "challenge": PLEX}, other],
    }
    shown: Any = startable(asked, "/if/user/#x")
    assert shown["sources"] == [{"name": "P", "challenge": {**PLEX, "to": f"{START}?next=%2Fif%2Fuser%2F%23x"}}, other]
    assert "to" not in PLEX
    assert {**shown, "sources": None} == {**asked, "sources": None}


def test_the_only_way() -> None:
    shown = startable({**PLEX, "flow_info": {"title": "t"}}, "")
    assert shown == {"flow_info": {"title": "t"}, "component": "xak-flow-redirect", "to": START}


def test_below_a_sub_path() -> None:
    assert startable(dict(PLEX), "", "/sso")["to"] == f"/sso{START}"


@pytest.mark.parametrize("there", ["https://evil.example", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_away(there: str) -> None:
    assert startable(dict(PLEX), there)["to"] == START


@pytest.mark.parametrize("challenge", [{"component": "ak-stage-password"}, {"component": "x", "sources": None}, {}])
def test_what_names_no_source_stays(challenge: dict[str, object]) -> None:
    assert startable(challenge, "/a/") is challenge
