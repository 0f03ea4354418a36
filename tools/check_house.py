"""House rules that ruff, mypy and import-linter cannot state. Run from the checkout: ``python tools/check_house.py``.

Prints ``file:line: text`` for each finding and exits 1 if any of them is more than a warning.
"""

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

SOFT_CAP: Final = 300
HARD_CAP: Final = 500
CODE_FOLDERS: Final = ("src", "tests", "tools", "bench", "examples")
MADE_FOLDERS: Final = frozenset({"build", "data", "dist"})
TEXT_SUFFIXES: Final = frozenset(
    {".py", ".md", ".html", ".css", ".js", ".json", ".sh", ".sql", ".toml", ".yaml", ".yml"}
)
LOCK_HOSTS: Final = frozenset({"pypi.org", "files.pythonhosted.org"})

_EXEMPTION = re.compile(r"#\s*(?:(?:ruff|flake8):\s*)?(noqa|type:\s*ignore|fmt:\s*(?:off|skip)|pragma:\s*no cover)\b")
_RULE_LIST = re.compile(
    r"(?:(?:ruff|flake8):\s*)?noqa(?::\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?"
    r"|type:\s*ignore(?:\[[^\]]*\])?|fmt:\s*\w+|pragma:\s*no cover"
)
_REASON = re.compile(r"[^\W\d_]{2,}.*[^\W\d_]{2,}")
_MIGRATION = re.compile(r"(?P<number>\d+)[_.-](?P<rest>.*)")
_VARIANT = re.compile(r"[_.-](?:sqlite|postgres|postgresql|up|down)(?=[_.-]|$)")
_MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:work|root)/|\.\./shared\b")
_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$")
_LINK = re.compile(r"\]\(\s*<?(?P<inline>[^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s+<?(?P<reference>[^\s>]+)")
_URL = re.compile(r"https?://(?P<host>[^/\"]+)")


class Finding(NamedTuple):
    """One thing to mend: where it is (path relative to the checkout, line from 1), what it is, and whether it fails."""

    path: Path
    line: int
    text: str
    fails: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'' if self.fails else 'warning: '}{self.text}"


Rule = Callable[[Path], Iterator[Finding]]


def files(root: Path, *folders: str) -> Iterator[Path]:
    """The text files under ``folders`` (the whole checkout if none is named) but for what is hidden or made by make."""
    for start in [root / folder for folder in folders] or [root]:
        for path in sorted(start.rglob("*")):
            parts = path.relative_to(root).parts
            kept = parts[0] not in MADE_FOLDERS and not any(part.startswith(".") for part in parts)
            if path.suffix in TEXT_SUFFIXES and kept and path.is_file():
                yield path


def file_caps(root: Path) -> Iterator[Finding]:
    """Python files past the soft cap are warned about, past the hard cap refused (docs: Kind, a room file)."""
    for path in files(root, *CODE_FOLDERS):
        if path.suffix != ".py":
            continue
        count = len(path.read_text("utf-8").splitlines())
        if count > SOFT_CAP:
            fails = count > HARD_CAP
            cap = f"the {'hard' if fails else 'soft'} cap is {HARD_CAP if fails else SOFT_CAP}"
            yield Finding(path.relative_to(root), count, f"{count} lines; {cap}: make it a folder of rooms", fails)


def exemption_reasons(root: Path) -> Iterator[Finding]:
    """Whoever switches a rule off for a line says why on that line."""
    for path in files(root, *CODE_FOLDERS):
        if path.suffix != ".py":
            continue
        for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
            if token.type == tokenize.COMMENT and _EXEMPTION.search(token.string):
                reason = _RULE_LIST.sub("", token.string)
                if not _REASON.search(reason):
                    text = f"'{token.string}' gives no reason: write '# noqa: X123 - why' or '# type: ignore[x]  # why'"
                    yield Finding(path.relative_to(root), token.start[0], text)


def migration_numbers(root: Path) -> Iterator[Finding]:
    """In one folder of migrations a number stands for one step; engines and directions of that step share it."""
    seen: dict[tuple[Path, int], tuple[str, Path]] = {}
    for path in files(root, "src"):
        match = _MIGRATION.fullmatch(path.stem)
        if "migrations" not in path.parts or match is None:
            continue
        step = _VARIANT.sub("", f"_{match['rest']}").strip("_.-")
        first, where = seen.setdefault((path.parent, int(match["number"])), (step, path))
        if step != first:
            text = f"migration number {match['number']} is taken by {where.relative_to(root)}"
            yield Finding(path.relative_to(root), 1, text)


def machine_paths(root: Path) -> Iterator[Finding]:
    """Nothing in the checkout points to a place that only its authors' machines have."""
    for path in [*files(root, *CODE_FOLDERS, "docs"), *root.glob("*.md"), root / "Makefile"]:
        for number, line in enumerate(_lines(path), 1):
            match = _MACHINE_PATH.search(line)
            if match:
                yield Finding(path.relative_to(root), number, f"{match[0]!r} is not part of this checkout")


def links(root: Path) -> Iterator[Finding]:
    """Relative links in Markdown lead to a file of this checkout and, after ``#``, to a heading in it."""
    for path in files(root):
        if path.suffix == ".md":
            for number, line in _prose(path):
                for match in _LINK.finditer(line):
                    target = match["inline"] or match["reference"]
                    if fault := _link_fault(root, path, target):
                        yield Finding(path.relative_to(root), number, f"link {target!r} {fault}")


def one_version(root: Path) -> Iterator[Finding]:
    """The package and its papers tell the same version."""
    papers = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    path = root / "src/keystead/__init__.py"
    for number, line in enumerate(_lines(path), 1):
        if line.startswith("__version__") and line != f'__version__ = "{papers}"':
            yield Finding(path.relative_to(root), number, f"pyproject.toml says version {papers}")


def lock_hosts(root: Path) -> Iterator[Finding]:
    """The lock names the public registry and no mirror, so it holds on every machine."""
    path = root / "uv.lock"
    for number, line in enumerate(_lines(path), 1):
        for match in _URL.finditer(line):
            if match["host"] not in LOCK_HOSTS:
                text = f"{match['host']} is not the public registry: run 'make lock'"
                yield Finding(path.relative_to(root), number, text)


RULES: Final[tuple[Rule, ...]] = (
    file_caps,
    exemption_reasons,
    migration_numbers,
    machine_paths,
    links,
    one_version,
    lock_hosts,
)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines of a Markdown file without code, in which brackets are no links and ``#`` no headings."""
    fenced = False
    for number, line in enumerate(_lines(path), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", lambda code: "x" * len(code[0]), line)


def _anchors(path: Path) -> set[str]:
    """The names that code hosts give to the headings of a page: lower case, hyphens, numbered when repeated."""
    names: set[str] = set()
    fenced = False
    for line in _lines(path):
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["text"])
            name = base = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = 0
            while name in names:
                count += 1
                name = f"{base}-{count}"
            names.add(name)
    return names


def _link_fault(root: Path, page: Path, target: str) -> str:
    """What is wrong with a link, or an empty text."""
    if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE):
        return ""
    if target.startswith("/"):
        return "starts at the root: make it relative to the page"
    place, _, anchor = target.partition("#")
    file = (page.parent / place).resolve() if place else page
    if not file.is_relative_to(root.resolve()):
        return "leaves the checkout"
    if not file.exists():
        return "leads nowhere"
    if anchor and file.suffix == ".md" and anchor not in _anchors(file):
        return "names a heading that is not there"
    return ""


def check(root: Path) -> list[Finding]:
    """Every finding of every rule in the checkout at ``root``."""
    return [finding for rule in RULES for finding in rule(root)]


def main() -> int:
    """Print the findings; 0 if there is none but warnings, else 1."""
    findings = check(Path(__file__).resolve().parent.parent)
    for finding in findings:
        print(finding)
    failures = sum(finding.fails for finding in findings)
    print(f"House rules: {failures} broken, {len(findings) - failures} warnings.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
