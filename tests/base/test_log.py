import json
from collections.abc import Iterator

import pytest
import structlog

from keystead.base import log
from keystead.base.secret import Secret

HIDDEN = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _own_configuration() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_level_time_and_room(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.get("providers.oidc.token").info("issued", client="grafana")
    (line,) = lines(capsys)
    assert line["event"] == "issued"
    assert line["level"] == "info"
    assert line["room"] == "providers.oidc.token"
    assert line["client"] == "grafana"
    assert str(line["timestamp"]).endswith("Z")


def test_line_breaks_in_values_do_not_forge_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.get("doors.http").info("denied", username='x\n{"event": "login"}\r\n')
    assert len(lines(capsys)) == 1


def test_values_with_secret_names_are_masked_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.get("x").info(
        "sent",
        client_secret=HIDDEN,
        Authorization=HIDDEN,
        nested={"headers": {"Cookie": HIDDEN}, "attempts": [{"password": HIDDEN}], "count": 2},
        value=Secret(HIDDEN),
    )
    text = capsys.readouterr().err
    assert HIDDEN not in text
    assert json.loads(text)["nested"]["count"] == 2


def test_what_the_caller_logs_is_not_changed_for_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    headers = {"cookie": HIDDEN}
    log.get("x").info("sent", headers=headers)
    assert headers == {"cookie": HIDDEN}
    assert HIDDEN not in capsys.readouterr().err


@pytest.mark.parametrize("level", log.LEVELS)
def test_every_level_can_be_chosen_and_hides_what_is_below(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(level)
    logger = log.get("x")
    for method in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, method)(method)
    shown = [line["level"] for line in lines(capsys)]
    assert shown == list(log.LEVELS[max(log.LEVELS.index(level), 1) :])


def test_exceptions_are_written_whole(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        int("x")
    except ValueError:
        log.get("x").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in str(line["exception"])


def test_a_person_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(human=True)
    log.get("x").info("started", port=9000)
    text = capsys.readouterr().err
    assert "started" in text
    assert not text.startswith("{")
