"""Memory: as the C library hands it out, and as Python looks through it for garbage.

It is kept between password hashes and given back when there are none. A hash works on 19 MiB. By default glibc takes
them from the kernel and gives them back each time, and making the pages anew costs a fifth of the hash (measured: 40
against 50 hashes a second).
"""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from functools import cache
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""Numbers of glibc's ``malloc.h``."""
KEPT: Final = 64 * 1024 * 1024
"""Bytes of freed memory that are kept for the next use."""
LARGE: Final = 32 * 1024 * 1024
"""Bytes from which on a block comes from the kernel and goes back there; the most that glibc takes."""


@cache
def library() -> ctypes.CDLL | None:
    """The C library, if it is one that knows these calls (glibc)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        loaded = ctypes.CDLL(None)
    except OSError:
        return None
    return loaded if hasattr(loaded, "mallopt") and hasattr(loaded, "malloc_trim") else None


def keep_freed() -> None:
    """Keep freed memory for the next use, in one arena for all threads; call it before threads are started."""
    found = library()
    if found is not None:
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, KEPT)):
            found.mallopt(option, value)


def give_back() -> None:
    """Give memory that is not used back to the system."""
    found = library()
    if found is not None:
        found.malloc_trim(0)


@contextlib.contextmanager
def building() -> Iterator[None]:
    """Make what stays: garbage is not looked for meanwhile, and what is there at the end is never looked through again.

    The collector would go through all of it time after time and find next to nothing; that was a fifth of the start.
    Processes forked afterwards share the memory, too, since nobody writes marks into it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
