import ctypes
import gc

import pytest

from keystead.base import memory


def test_memory_is_kept_and_given_back_where_the_c_library_knows_how() -> None:
    memory.keep_freed()
    block = bytearray(8 * 1024 * 1024)
    del block
    memory.give_back()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    memory.library.cache_clear()
    try:
        assert memory.library() is None
        memory.keep_freed()
        memory.give_back()
    finally:
        memory.library.cache_clear()


def test_what_stays_is_made_without_looking_for_garbage() -> None:
    before = gc.get_freeze_count()
    try:
        with memory.building():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
