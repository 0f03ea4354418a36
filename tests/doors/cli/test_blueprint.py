"""``keystead blueprint apply``: what it says, what it leaves behind, and what it leaves alone."""

from pathlib import Path

import pytest

from tests.doors.cli.program import command

TEXT = """
version: 1
entries:
- model: authentik_core.group
  identifiers: {name: !Context name}
- model: authentik_core.user
  identifiers: {username: joe}
  attrs: {name: Joe, groups: [!Find [authentik_core.group, [name, !Context name]]]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "b.yaml"
    made.write_text(TEXT)
    return made


def test_a_file_is_applied_once_it_was_rehearsed(file: Path, tmp_path: Path) -> None:
    given = (str(file), "--context", '{"name": "g"}', "--data", str(tmp_path / "data"))
    dry = command("blueprint", "apply", *given, "--dry-run")
    assert (dry.code, dry.out.splitlines()[-1]) == (0, "A dry run; nothing was changed.")
    assert dry.out.startswith("entry 1 authentik_core.group info: g made\n")
    done = command("blueprint", "apply", *given, "--json")
    assert (done.code, done.json["success"], done.err) == (0, True, "")
    assert [line["event"] for line in done.json["logs"]] == ["made", "made"]
    again = command("blueprint", "apply", *given)
    assert again.out.splitlines() == [
        "entry 1 authentik_core.group info: g unchanged",
        "entry 2 authentik_core.user info: Joe unchanged",
        "Applied.",
    ]


def test_what_is_wrong_is_told(file: Path, tmp_path: Path) -> None:
    flags = ("--data", str(tmp_path / "data"))
    failed = command("blueprint", "apply", str(file), *flags)
    assert failed.code == 1
    assert failed.out.splitlines()[-1] == "It cannot be applied; nothing was changed."
    assert "entry 1 authentik_core.group error: name" in failed.out
    assert command("blueprint", "apply", str(tmp_path / "none.yaml"), *flags).code == 2
    assert command("blueprint", "apply", str(file), "--context", "[]", *flags).code == 2
