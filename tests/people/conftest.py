"""An installation for each test."""

from tests.house import house as house
