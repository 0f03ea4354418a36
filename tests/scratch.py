"""Where tests write: in the machine's memory where it has enough; otherwise thousands of commits wait for a disk.

The engines run as ever and ask for every commit to be flushed; memory is only quick to say that it is. No test cuts the
power, and what the death of a process leaves behind is the same on both.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - everything made there has an unforeseeable name and its own folder
_ENOUGH: Final = 4 * 2**30
"""Bytes: what the databases of all workers take together, and room to work."""


def use() -> None:
    """Let this process and those it starts write to memory; whoever names ``TMPDIR`` has chosen another place."""
    if "TMPDIR" not in os.environ and _has_room():
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # to be looked up anew


def _has_room() -> bool:
    if not os.access(_MEMORY, os.W_OK | os.X_OK):
        return False
    return min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available) >= _ENOUGH
