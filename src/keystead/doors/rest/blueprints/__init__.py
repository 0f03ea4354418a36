"""Blueprints: objects described in YAML, made, changed and removed in one unit with the power of whoever asks.

Only ``operations`` is imported at start; the rest, and with it YAML, when the first blueprint comes.
"""
