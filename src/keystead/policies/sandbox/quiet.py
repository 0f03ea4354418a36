"""Keeping Python from warning about the texts it reads here: an administrator's slip is no bug of ours."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ONE_AT_A_TIME: Final = threading.Lock()
"""The filters belong to the process: two threads that put them back in the wrong order would leave them changed."""


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings are dropped inside."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
