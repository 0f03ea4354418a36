"""Keystead: an identity provider for people who host their own."""

__version__ = "0.1.0"
