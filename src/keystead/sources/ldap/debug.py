"""The operation that looks into a directory with what a source has set, and what it says when it cannot."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from keystead.base import log
from keystead.base.errors import Kind, Problem, invalid
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.kinds.sync import SyncStatus
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.source import LDAP_SOURCE, LDAPSource

_LOG: Final = log.get("sources.ldap")
WITHIN: Final = 30.0
"""Seconds for all that is asked."""
AT_ONCE: Final = 4
"""Directories that are looked into at the same time."""
_UNTOLD: Final = "The directory could not be reached, or may not be. Somebody with all rights is told why."
_places: Final = threading.BoundedSemaphore(AT_ONCE)


class LDAPDebug(msgspec.Struct):
    """What the directory holds: some users, groups and memberships as they came, each a ``dn`` and ``attributes``."""

    user: list[dict[str, object]]
    group: list[dict[str, object]]
    membership: list[dict[str, object]]


async def debug(call: Call, state: State, source: LDAPSource, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Ask the directory for a few objects of each sort, to see whether the source is set up rightly."""
    if not _places.acquire(blocking=False):
        raise Problem(Kind.BUSY, "Too many directories are being looked into; try again shortly.", retry_after=5)
    try:
        async with asyncio.timeout(WITHIN):
            from keystead.sources.ldap.look import look  # noqa: PLC0415 - rare, and a client and its codec

            return Answer(LDAPDebug(*await look(state, call.settings, source)))
    except TimeoutError:
        exc = DirectoryError(f"All in all it took longer than {WITHIN:g} seconds.", on_the_way=True)
    except DirectoryError as failure:
        exc = failure
    finally:
        _places.release()
    _LOG.info("a directory could not be looked into", source=source.slug, reason=exc.reason)
    # What can be reached from here is for those who may know it (decision 13).
    raise invalid({exc.member: [exc.reason if call.actor.is_superuser or not exc.on_the_way else _UNTOLD]})


async def sync_status(_call: Call, _state: State, _source: LDAPSource, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Whether the directory is being read. It is not: that is not built yet, so none has ended either."""
    return Answer(SyncStatus(is_running=False))


ACTIONS: Final = (
    Action(
        LDAP_SOURCE,
        "GET",
        "{key}/sync/status/",
        sync_status,
        "sync_status_retrieve",
        permission="view",
        response=SyncStatus,
    ),
    Action(
        LDAP_SOURCE,
        "GET",
        "{key}/debug/",
        debug,
        "debug_retrieve",
        response=LDAPDebug,
    ),
)
