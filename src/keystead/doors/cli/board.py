"""The board: memory that the processes of one server share, on which each leaves its numbers for the others.

So whichever of them is asked for metrics tells of all. A process that takes the place of one that died goes on from the
numbers it left, since counters must not fall.
"""

import mmap
import zlib
from collections.abc import Iterator
from struct import Struct
from typing import Final

import msgspec

from keystead.base import log
from keystead.base.metrics import METRICS, Dump, merged

_LOG = log.get("cli.board")
PLACE: Final = 256 * 1024
"""Bytes of one process; memory is used only as far as it is written."""
_HEAD: Final = Struct("<II")
_decode: Final = msgspec.json.Decoder(dict[str, list[tuple[tuple[str, ...], list[float]]]]).decode


class Board:
    """Shared memory with a place for each of ``places`` processes; made before they are."""

    def __init__(self, places: int) -> None:
        self._memory = mmap.mmap(-1, places * PLACE)
        self._places = places
        self._mine = 0
        self._before: Dump = {}
        self._last: dict[int, Dump] = {}

    def take(self, place: int) -> None:
        """Make ``place`` this process's own, and go on from the numbers that its former holder left."""
        self._mine = place
        self._before = METRICS.lasting(self._read(place) or {})

    def put(self) -> None:
        """Leave the numbers of this process for the others."""
        text = msgspec.json.encode(merged(self._before, METRICS.dump()))
        if len(text) > PLACE - _HEAD.size:
            _LOG.warning("too many metrics to share with the other processes", bytes=len(text))
            return
        start = self._mine * PLACE
        self._memory[start + _HEAD.size : start + _HEAD.size + len(text)] = text
        self._memory[start : start + _HEAD.size] = _HEAD.pack(len(text), zlib.crc32(text))

    def others(self) -> Iterator[Dump]:
        """What the other processes left, and what the former holders of our place did."""
        yield self._before
        for place in range(self._places):
            if place != self._mine:
                found = self._read(place)
                if found is not None:
                    self._last[place] = found
                # Caught in the middle of writing: what it said before will do.
                yield self._last.get(place, {})

    def _read(self, place: int) -> Dump | None:
        start = place * PLACE
        length, check = _HEAD.unpack(self._memory[start : start + _HEAD.size])
        text = self._memory[start + _HEAD.size : start + _HEAD.size + min(length, PLACE)]
        if not length or zlib.crc32(text) != check:
            return None
        return _decode(text)
