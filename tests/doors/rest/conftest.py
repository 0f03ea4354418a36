"""An installation for each test."""

from tests.family.every import pytest_collection_modifyitems
from tests.house import house

__all__ = ["house", "pytest_collection_modifyitems"]
