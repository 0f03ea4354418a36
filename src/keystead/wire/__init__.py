"""Codecs: bytes in, typed values out, and back. No I/O, no clock, no randomness, nothing of Keystead's but this floor.

Everything that strangers send us in a format of its own is read here, strictly: what is not well formed raises a
``ValueError`` whose text is safe to show. Codecs know no keys and no settings: signatures are checked in ``trust``.
"""
