"""Each house rule finds what it is for, and leaves its look-alikes alone."""

from pathlib import Path

import pytest

from tools import check_house

Tree = dict[str, str]


def grow(root: Path, tree: Tree) -> None:
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def found(rule: check_house.Rule, root: Path, tree: Tree) -> list[tuple[str, int, bool]]:
    grow(root, tree)
    return [(finding.path.as_posix(), finding.line, finding.fails) for finding in rule(root)]


@pytest.mark.parametrize(
    ("lines", "findings"),
    [(300, []), (301, [("src/a.py", 301, False)]), (500, [("src/a.py", 500, False)]), (501, [("src/a.py", 501, True)])],
)
def test_file_caps(tmp_path: Path, lines: int, findings: list[tuple[str, int, bool]]) -> None:
    assert found(check_house.file_caps, tmp_path, {"src/a.py": "x = 1\n" * lines}) == findings


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S608 - every name in it is ours",
        "# noqa: S608, E501 - every name in it is ours",
        "# type: ignore[arg-type]  # the stub lags behind",
        "# type: ignore[arg-type]  # noqa: PGH003 - the stub lags behind",
        "# fmt: skip - the columns are the point",
    ],
)
def test_an_exemption_with_a_reason_passes(tmp_path: Path, comment: str) -> None:
    assert found(check_house.exemption_reasons, tmp_path, {"src/a.py": f"x = 1  {comment}\n"}) == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: S608",
        "# noqa: S608, E501",
        "# noqa: S608 -",
        "# type: ignore",
        "# type: ignore[arg-type, misc]",
        "# type: ignore[arg-type]  # noqa: PGH003",
        "# fmt: skip",
        "# ruff: noqa: E501",
        "# pragma: no cover",
    ],
)
def test_an_exemption_without_a_reason_fails(tmp_path: Path, comment: str) -> None:
    tree = {"tests/a.py": f"y = '# noqa'\nx = 1  {comment}\n"}
    assert found(check_house.exemption_reasons, tmp_path, tree) == [("tests/a.py", 2, True)]


def test_a_migration_number_stands_for_one_step(tmp_path: Path) -> None:
    folder = "src/keystead/store/migrations"
    tree = {
        f"{folder}/sqlite/0001_records.sql": "",
        f"{folder}/postgres/0001_records.sql": "",
        f"{folder}/0002_events_sqlite.sql": "",
        f"{folder}/0002_events_postgres.sql": "",
        f"{folder}/0003_jobs.up.sql": "",
        f"{folder}/0003_jobs.down.sql": "",
        "src/keystead/elsewhere/0002_other.sql": "",
    }
    assert found(check_house.migration_numbers, tmp_path, tree) == []
    late = {f"{folder}/2_tokens.sql": ""}
    assert found(check_house.migration_numbers, tmp_path, late) == [(f"{folder}/2_tokens.sql", 1, True)]


def test_paths_of_one_machine_fail(tmp_path: Path) -> None:
    grow(tmp_path, {"Makefile": "run:\n"})
    up = "../" + "shared/contract"
    tree = {
        "src/a.py": f'x = "{up}"\n',
        "docs/a.md": "see\n/" + "work/main/x\n",
        "README.md": "https://host/" + "work/with/us is a place for all\n",
    }
    assert found(check_house.machine_paths, tmp_path, tree) == [("src/a.py", 1, True), ("docs/a.md", 2, True)]


def test_links_that_lead_somewhere_pass(tmp_path: Path) -> None:
    tree = {
        "README.md": "# Read me\n[a](docs/a.md) [b](docs/a.md#two-words) [c](#read-me) [d](https://x.invalid/y)\n"
        "`[e](gone.md)`\n```\n[f](gone.md)\n```\n[g]: docs/a.md\n",
        "docs/a.md": "# `Two` words!\n# Two words\n[up](../README.md) [again](#two-words-1)\n",
        "data/notes.md": "[x](gone.md)\n",
    }
    assert found(check_house.links, tmp_path, tree) == []


@pytest.mark.parametrize("target", ["gone.md", "#gone", "a.md#gone", "/docs/a.md", "../../outside.md"])
def test_links_that_lead_nowhere_fail(tmp_path: Path, target: str) -> None:
    tree = {"docs/a.md": "# Here\n", "docs/b.md": f"# There\n\nSee [it]({target}).\n"}
    assert found(check_house.links, tmp_path, tree) == [("docs/b.md", 3, True)]


def test_the_package_tells_the_version_of_its_papers(tmp_path: Path) -> None:
    tree = {"pyproject.toml": '[project]\nversion = "1.2.3"\n', "src/keystead/__init__.py": '__version__ = "1.2.3"\n'}
    assert found(check_house.one_version, tmp_path, tree) == []
    other = {"src/keystead/__init__.py": '"""Keystead."""\n__version__ = "1.2.4"\n'}
    assert found(check_house.one_version, tmp_path, other) == [("src/keystead/__init__.py", 2, True)]


def test_the_lock_names_the_public_registry_only(tmp_path: Path) -> None:
    good = 'source = { registry = "https://pypi.org/simple" }\nurl = "https://files.pythonhosted.org/x.whl"\n'
    assert found(check_house.lock_hosts, tmp_path, {"uv.lock": good}) == []
    mirrored = {"uv.lock": good + 'url = "https://mirror.invalid/x.whl"\n'}
    assert found(check_house.lock_hosts, tmp_path, mirrored) == [("uv.lock", 3, True)]
