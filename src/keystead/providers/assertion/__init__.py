"""Assertions: what SAML and WS-Federation say about a person alike (saml.md §3); they do not know each other."""
