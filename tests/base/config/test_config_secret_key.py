import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keystead.base import rand
from keystead.base.config import ConfigError, load, secret_key
from keystead.base.secret import Secret


def test_a_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert secret_key(load({"AUTHENTIK_SECRET_KEY": "k" * 40}), tmp_path) == Secret("k" * 40)
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_shape_makes_one_key_and_keeps_it(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    made = secret_key(load({}), data)
    assert len(made.reveal()) == 60
    assert made.reveal().isalnum()
    assert [path.name for path in data.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert secret_key(load({}), data) == made
    assert secret_key(load({}), tmp_path / "other") != made


def test_a_wide_umask_does_not_widen_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret_key(load({}), tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from keystead.base.config import load, secret_key\n"
        "print(flush=True); sys.stdin.readline(); print(secret_key(load({}), Path(sys.argv[1])).reveal())"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in starters:
        assert process.stdout is not None
        process.stdout.readline()  # it has come as far as to wait for a word
    for process in starters:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0] for process in starters}
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 60
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_key_made_meanwhile_by_another_process_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_is_first(length: int) -> str:
        (tmp_path / "secret_key").write_text("theirs" * 10)
        return "o" * length

    monkeypatch.setattr(rand, "alphanumeric", other_is_first)
    assert secret_key(load({}), tmp_path) == Secret("theirs" * 10)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_with_postgresql_a_missing_key_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    config = load({"AUTHENTIK_POSTGRESQL__HOST": "db"})
    with pytest.raises(ConfigError, match=r"AUTHENTIK_SECRET_KEY is not set.*openssl rand"):
        secret_key(config, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_key_file_is_not_quietly_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        secret_key(load({}), tmp_path)
    assert (tmp_path / "secret_key").read_text() == "\n"


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match=r"data/secret_key cannot be read or made: (Not a directory|File exists)"):
        secret_key(load({}), tmp_path / "data")
    (tmp_path / "secret_key").write_bytes(b"\xff" * 60)
    with pytest.raises(ConfigError, match="it is not text"):
        secret_key(load({}), tmp_path)
