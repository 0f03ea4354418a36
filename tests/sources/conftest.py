"""An installation for each test."""

from tests.house import house

__all__ = ["house"]
