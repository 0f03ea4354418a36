"""Passwords: argon2id in a bounded pool off the loop, and a dummy of the same cost for people who do not exist.

Parameters are OWASP's (m = 19456 KiB, t = 2, p = 1). Hashing releases the GIL, so other requests go on meanwhile.
"""

import asyncio
import contextlib
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from keystead.base import memory, rand
from keystead.base.errors import Kind, Problem

MAX_BYTES: Final = 1024
"""The longest password we look at; longer input is refused before it costs anything."""
MAX_WAITING: Final = 128
"""Hashes that may wait: about two seconds' work for a small machine; one more is refused as busy."""
REST: Final = 10.0
"""Seconds without a hash after which their memory is given back."""
_BEHIND: Final = 10
"""The niceness of a hashing thread."""
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16)

R = TypeVar("R")
_waiting = 0
_rest: asyncio.TimerHandle | None = None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), thread_name_prefix="argon2", initializer=_step_back)


def _cores() -> int:
    """The cores this process may use: more threads than these would only drive each other out of the cache."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return max(1, os.cpu_count() or 1)


def _step_back() -> None:
    """Let this thread stand behind the event loop's where they share a core: a hash can wait, requests should not."""
    with contextlib.suppress(OSError, AttributeError):
        # On Linux a thread's id names the thread alone; elsewhere the call fails or is missing.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND)


@cache
def _dummy() -> str:
    return _HASHER.hash(rand.token())


def normal(given: str) -> str:
    """The password as it is hashed: Unicode NFKC, so every keyboard types the same one (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", given)


def acceptable(given: str) -> bool:
    """Whether ``given`` may be a password at all: not blank and not longer than :data:`MAX_BYTES`."""
    return bool(given) and len(given.encode("utf-8", "surrogatepass")) <= MAX_BYTES


async def _run(work: Callable[..., R], *args: str) -> R:
    global _waiting, _rest  # noqa: PLW0603 - one queue a process, as there is one pool a process
    if _waiting >= MAX_WAITING:
        raise Problem(Kind.BUSY, "Too many sign-ins at once; try again in a moment.", retry_after=2)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool(), work, *args)
    finally:
        _waiting -= 1
        if _rest is not None:
            _rest.cancel()
        _rest = asyncio.get_running_loop().call_later(REST, _pool().submit, memory.give_back)


def _verify(stored: str, given: str) -> bool:
    try:
        return _HASHER.verify(stored, given)
    except (VerificationError, ValueError):  # a mismatch is one of the former; what is no hash, the latter
        return False


def _dummy_verify(given: str) -> bool:
    _verify(_dummy(), given)
    return False


async def verify(stored: str, given: str) -> bool:
    """Whether ``given`` is the password whose hash is ``stored``.

    With ``stored`` empty (nobody, or nobody with a password) the same work is done for nothing and the answer is no.

    :raises Problem: ``BUSY`` when too many wait.
    """
    if not acceptable(given):
        return False
    text = normal(given)
    if not stored:
        return await _run(_dummy_verify, text)
    return await _run(_verify, stored, text)


async def hash_password(given: str) -> str:
    """The hash to store for ``given``.

    :raises Problem: ``INVALID`` for a blank or overlong password, ``BUSY`` when too many wait.
    """
    if not acceptable(given):
        raise Problem(
            Kind.INVALID,
            f"A password has 1 to {MAX_BYTES} bytes.",
            fields={"password": [f"A password has 1 to {MAX_BYTES} bytes."]},
        )
    return await _run(_HASHER.hash, normal(given))


def needs_rehash(stored: str) -> bool:
    """Whether ``stored`` was made with other parameters than today's."""
    try:
        return _HASHER.check_needs_rehash(stored)
    except ValueError:
        return True


_LIMITS: Final = {"memory_cost": 1024 * 1024, "time_cost": 64, "parallelism": 64}
"""KiB, passes and lanes that a hash made elsewhere may ask for: checking a password must not stop the server."""


def foreign(given: str) -> str:
    """A hash that was made elsewhere, as it is kept: argon2 in its usual form, also with a framework's word before it.

    :raises ValueError: it is none, or asks for more work than we are ready to do.
    """
    text = given.strip()
    text = text.removeprefix("argon2$") if text.startswith("argon2$argon2") else text
    text = text if text.startswith("$") else f"${text}"
    try:
        found = extract_parameters(text)
    except (InvalidHashError, ValueError):
        raise ValueError("This is no argon2 hash. Accepted: $argon2id$v=19$m=…,t=…,p=…$salt$hash.") from None
    for name, most in _LIMITS.items():
        if getattr(found, name) > most:
            raise ValueError(f"The hash asks for a {name} above {most}.")
    if found.hash_len < _SHORTEST_HASH:
        raise ValueError(f"The hash is shorter than {_SHORTEST_HASH} bytes.")
    return text


_SHORTEST_HASH: Final = 16


def usable(stored: str) -> bool:
    """Whether a hash is one at all: a person without one signs in by other means."""
    return stored.startswith("$argon2")
