"""Shared Signals: who is told of security events; nothing is sent yet."""
