"""Looking into a directory with what a source has set: some users, groups and memberships, as they are there."""

from collections.abc import Sequence
from functools import partial
from typing import Final, TypeAlias

from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.sources.ldap import shown, tls
from keystead.sources.ldap.client import Directory, Session, opened
from keystead.sources.ldap.line import Limits
from keystead.sources.ldap.servers import servers
from keystead.sources.ldap.source import LDAPSource
from keystead.trust.keypair import KEYPAIR
from keystead.wire import ldapfilter, ldapname
from keystead.wire.ldap import ALL_USER_ATTRIBUTES
from keystead.wire.ldapfilter import And, Filter, Present

Objects: TypeAlias = list[dict[str, object]]
"""Objects, each a ``dn`` and ``attributes``."""
SOME: Final = 10
"""Objects of each sort that are shown."""
LIMITS: Final = Limits(message=4 * 1024 * 1024, total=16 * 1024 * 1024)


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


async def look(state: State, settings: Snapshot, source: LDAPSource) -> tuple[Objects, Objects, Objects]:
    """Some users, groups and memberships.

    :raises DirectoryError: the directory cannot be read.
    """
    users = ldapname.below(source.additional_user_dn, source.base_dn)
    groups = ldapname.below(source.additional_group_dn, source.base_dn)
    a_user, a_group = ldapfilter.parse(source.user_object_filter), ldapfilter.parse(source.group_object_filter)
    by_users, field = source.lookup_groups_from_user, source.group_membership_field
    # What a directory keeps for itself (entryUUID, memberOf) is shown to who asks by name (RFC 4512 §3.4).
    every = (ALL_USER_ATTRIBUTES, source.object_uniqueness_field, field, source.user_membership_attribute)
    who, where = (a_user, users) if by_users else (a_group, groups)
    told = (field, source.user_membership_attribute) if by_users else (field,)
    async with opened(state.outbound, directory_of(settings, source), LIMITS) as session:
        return (
            await _some(session, users, a_user, every),
            await _some(session, groups, a_group, every),
            await _some(session, where, And((who, Present(field))), told),
        )


async def _some(session: Session, base: str, wanted: Filter, attributes: Sequence[str]) -> Objects:
    found = session.search(base, wanted, tuple(dict.fromkeys(attributes)), most=SOME)
    return [shown.entry(one) async for one in found]
