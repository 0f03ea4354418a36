"""The pure helpers of platform.md §4.1: ``regex_match``, ``regex_replace``, ``list_flatten``; and ``slugify``."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from keystead.policies.sandbox.budget import MAX_TEXT, Budget
from keystead.policies.sandbox.pattern import MAX_PATTERN, MAX_SUBJECT, examine
from keystead.policies.sandbox.render import show


def _prepared(budget: Budget, subject: str, regex: str, *, everywhere: bool) -> re.Pattern[str]:
    if type(regex) is not str:
        raise TypeError("a regular expression must be text")
    # Reading a pattern for the first time costs about a step a character; the clock is looked at before and after.
    budget.spend(4 + len(regex) + (len(subject) >> 6))
    examined = examine(regex)
    examined.check(len(subject), everywhere=everywhere)
    budget.look()
    return examined.compiled


def regex_match(budget: Budget, value: object, regex: str) -> bool:
    """Whether the text of ``value`` matches ``regex`` from its first character on.

    :raises ValueError: the pattern is malformed or could take too long.
    """
    subject = show(budget, value)
    matched = _prepared(budget, subject, regex, everywhere=False).match(subject) is not None
    budget.look()
    return matched


def regex_replace(budget: Budget, value: object, regex: str, repl: str) -> str:
    r"""The text of ``value`` with all that matches ``regex`` replaced by ``repl``, in which ``\1`` is the first group.

    :raises ValueError: the pattern or the replacement is malformed, or the pattern could take too long.
    """
    subject = show(budget, value)
    compiled = _prepared(budget, subject, regex, everywhere=True)
    if type(repl) is not str or len(repl) > MAX_PATTERN:
        raise ValueError(f"the replacement must be a text of at most {MAX_PATTERN} characters")
    made = len(subject)

    def replaced(match: re.Match[str]) -> str:
        nonlocal made
        budget.spend(2)
        # Each group named in the replacement may be as long as the match.
        budget.text(min(repl.count("\\") * len(match[0]), MAX_TEXT + 1))
        text = match.expand(repl)
        made += len(text)
        budget.text(made) if made > MAX_TEXT else None
        return text

    try:
        text = compiled.sub(replaced, subject)
    except (re.error, IndexError) as exc:
        raise ValueError(f"the replacement is malformed: {exc}") from None
    budget.look()
    return text


def list_flatten(_budget: Budget, value: object) -> object:
    """The first item of a list, None if it is empty; what is no list stays as it is."""
    if type(value) is list or type(value) is tuple:
        return value[0] if value else None
    return value


def slugify(budget: Budget, value: object) -> str:
    """The text of ``value`` in lower-case ASCII letters, digits, hyphens and underscores.

    :raises ValueError: the text is too long.
    """
    text = show(budget, value)
    if len(text) > MAX_SUBJECT:
        raise ValueError(f"slugify takes at most {MAX_SUBJECT} characters")
    budget.text(4 * len(text))
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")


HELPERS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {"list_flatten": list_flatten, "regex_match": regex_match, "regex_replace": regex_replace, "slugify": slugify}
)
