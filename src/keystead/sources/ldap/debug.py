"""Looking into a directory with what a source has set: some users, groups and memberships, as they are there."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from keystead.base import log
from keystead.base.errors import Kind, Problem, invalid
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.kinds.sync import SyncStatus
from keystead.sources.ldap import shown, tls
from keystead.sources.ldap.client import Directory, Session, opened
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.line import Limits
from keystead.sources.ldap.servers import servers
from keystead.sources.ldap.source import LDAP_SOURCE, LDAPSource
from keystead.trust.keypair import KEYPAIR
from keystead.wire import ldapfilter, ldapname
from keystead.wire.ldap import ALL_USER_ATTRIBUTES
from keystead.wire.ldapfilter import And, Filter, Present

_LOG: Final = log.get("sources.ldap")
SOME: Final = 10
"""Objects of each sort that are shown."""
WITHIN: Final = 30.0
"""Seconds for all that is asked."""
LIMITS: Final = Limits(message=4 * 1024 * 1024, total=16 * 1024 * 1024)
AT_ONCE: Final = 4
"""Directories that are looked into at the same time."""
_UNTOLD: Final = "The directory could not be reached, or may not be. Somebody with all rights is told why."
_places: Final = threading.BoundedSemaphore(AT_ONCE)


class LDAPDebug(msgspec.Struct):
    """What the directory holds: some users, groups and memberships as they came, each a ``dn`` and ``attributes``."""

    user: list[dict[str, object]]
    group: list[dict[str, object]]
    membership: list[dict[str, object]]


def directory_of(settings: Snapshot, source: LDAPSource) -> Directory:
    """The directory that a source tells of.

    :raises DirectoryError: a server's address is none.
    """
    authority = settings.get(KEYPAIR, source.peer_certificate) if source.peer_certificate else None
    own = settings.get(KEYPAIR, source.client_certificate) if source.client_certificate else None
    return Directory(
        servers(source.server_uri),
        source.bind_cn,
        source.bind_password,
        source.start_tls,
        partial(
            tls.context,
            authority.certificate_data if authority else None,
            (own.certificate_data, own.key_data) if own else None,
        ),
    )


async def debug(call: Call, state: State, source: LDAPSource, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Ask the directory for a few objects of each sort, to see whether the source is set up rightly."""
    if not _places.acquire(blocking=False):
        raise Problem(Kind.BUSY, "Too many directories are being looked into; try again shortly.", retry_after=5)
    try:
        async with asyncio.timeout(WITHIN):
            return Answer(await _look(state, call.settings, source))
    except TimeoutError:
        exc = DirectoryError(f"All in all it took longer than {WITHIN:g} seconds.", on_the_way=True)
    except DirectoryError as failure:
        exc = failure
    finally:
        _places.release()
    _LOG.info("a directory could not be looked into", source=source.slug, reason=exc.reason)
    # What can be reached from here is for those who may know it (decision 13).
    raise invalid({exc.member: [exc.reason if call.actor.is_superuser or not exc.on_the_way else _UNTOLD]})


async def _look(state: State, settings: Snapshot, source: LDAPSource) -> LDAPDebug:
    users = ldapname.below(source.additional_user_dn, source.base_dn)
    groups = ldapname.below(source.additional_group_dn, source.base_dn)
    a_user, a_group = ldapfilter.parse(source.user_object_filter), ldapfilter.parse(source.group_object_filter)
    by_users, field = source.lookup_groups_from_user, source.group_membership_field
    # What a directory keeps for itself (entryUUID, memberOf) is shown to who asks by name (RFC 4512 §3.4).
    every = (ALL_USER_ATTRIBUTES, source.object_uniqueness_field, field, source.user_membership_attribute)
    who, where = (a_user, users) if by_users else (a_group, groups)
    told = (field, source.user_membership_attribute) if by_users else (field,)
    async with opened(state.outbound, directory_of(settings, source), LIMITS) as session:
        return LDAPDebug(
            user=await _some(session, users, a_user, every),
            group=await _some(session, groups, a_group, every),
            membership=await _some(session, where, And((who, Present(field))), told),
        )


async def _some(session: Session, base: str, wanted: Filter, attributes: Sequence[str]) -> list[dict[str, object]]:
    found = session.search(base, wanted, tuple(dict.fromkeys(attributes)), most=SOME)
    return [shown.entry(one) async for one in found]


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
