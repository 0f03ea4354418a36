"""Asking for access: which applications may be asked for, by which rules, and what was asked.

It stands beside the protocols because what is asked for are applications and what belongs to them.
"""
