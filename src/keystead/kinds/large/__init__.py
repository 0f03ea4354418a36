"""Lists of large tables: work that is bounded however many rows there are (docs/decisions/0009-large-lists.md)."""

from keystead.kinds.large.ask import Asked
from keystead.kinds.large.lists import FROM, Large

__all__ = ["FROM", "Asked", "Large"]
