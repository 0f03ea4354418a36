"""LDAP source: a directory whose users and groups are ours too (the kinds)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people.brand import ThemedUrls
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.sources import mapping
from keystead.sources.connection import (
    GroupConnectionShown,
    GroupSourceConnection,
    UserConnectionShown,
    UserSourceConnection,
    group_kind,
    group_view,
    user_kind,
    user_view,
)
from keystead.sources.forms import DirectoryFilter, DirectoryUri, DistinguishedName, NamePart
from keystead.sources.source import PBM_UUID, Source, SyncOutgoingTriggerModeEnum, check, icon
from keystead.trust.keypair import signer_for

ICON: Final = "/static/dist/assets/icons/source-ldap.svg"
NOT_READ: Final = (
    "Nobody comes in from directories yet, and none is synchronised: what is set here is kept and shown, "
    "and used to look into the directory when that is asked for."
)
KeyPairRef = Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)]


class LDAPSource(Source, frozen=True, kw_only=True):
    """A directory that is read over LDAP.

    :param server_uri: the directory server; several are parted by commas and tried in turn.
    :param peer_certificate: the authority that the server's certificate must come from.
    :param start_tls: where an address begins with ``ldap://``, TLS begins before anything is asked.
    :param sni: the server is told its name when TLS begins. It always is: whose name is verified is told.
    :param client_certificate: what we prove ourselves with; it needs its private key.
    :param bind_cn: the name we bind with; blank: anonymously.
    :param base_dn: below which everything is looked for.
    :param additional_user_dn: goes before the base for users.
    :param additional_group_dn: goes before the base for groups.
    :param group_membership_field: the attribute that tells of membership.
    :param user_membership_attribute: the users' attribute that stands in it.
    :param object_uniqueness_field: the attribute that names an object for ever.
    :param password_login_update_internal_password: keep a password here that the directory has just confirmed.
    :param sync_users_password: hand passwords that people set here on to the directory.
    :param sync_parent_group: the group above all groups that come from here.
    :param lookup_groups_from_user: membership is told by users (``memberOf``), not by groups.
    :param delete_not_found_objects: remove here what the directory no longer has.
    :param sync_group_hierarchy: groups inside groups are taken over as such.
    """

    server_uri: DirectoryUri
    peer_certificate: KeyPairRef | None = None
    client_certificate: KeyPairRef | None = None
    bind_cn: str = ""
    bind_password: Secret = Secret("")
    start_tls: bool = True
    sni: bool = False
    base_dn: DistinguishedName
    additional_user_dn: NamePart = ""
    additional_group_dn: NamePart = ""
    user_object_filter: DirectoryFilter = "(objectClass=person)"
    group_object_filter: DirectoryFilter = "(objectClass=group)"
    group_membership_field: Text = "member"
    user_membership_attribute: Text = "distinguishedName"
    object_uniqueness_field: Text = "objectSid"
    password_login_update_internal_password: bool = False
    sync_users: bool = True
    sync_users_password: bool = True
    sync_groups: bool = True
    sync_parent_group: Annotated[Uuid, Ref("authentik_core.group", OnDelete.SET_NULL)] | None = None
    lookup_groups_from_user: bool = True
    delete_not_found_objects: bool = False
    sync_outgoing_trigger_mode: SyncOutgoingTriggerModeEnum = SyncOutgoingTriggerModeEnum.DEFERRED_END
    sync_group_hierarchy: bool = False


class LDAPSourceShown(msgspec.Struct):
    """The computed members of an LDAP source.

    :param connectivity: how each server answered when it was last asked; null: that is not kept.
    """

    icon_url: str
    icon_themed_urls: ThemedUrls | None
    connectivity: dict[str, object] | None


class LDAPSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What an object of a directory tells about a user or group."""


class UserLDAPConnectionShown(UserConnectionShown):
    """The computed members of a user's connection with a directory."""

    user_obj: PartialUser


class GroupLDAPConnectionShown(GroupConnectionShown):
    """The computed members of a group's connection with a directory."""

    group_obj: PartialGroup


@steady
async def view(
    _call: Call, _state: State, sources: Sequence[LDAPSource], _query: Mapping[str, Sequence[str]]
) -> list[LDAPSourceShown]:
    """Where the pictures are; how servers answered is not kept."""
    shown = []
    for one in sources:
        url, themes = icon(one, ICON)
        shown.append(LDAPSourceShown(url or ICON, themes, None))
    return shown


async def rules(call: Call, _state: State, _old: LDAPSource | None, new: LDAPSource) -> LDAPSource:
    """A client certificate comes with its key."""
    check(new)
    if new.client_certificate and signer_for(call.settings, new.client_certificate) is None:
        raise invalid({"client_certificate": ["Choose a certificate whose private key is stored here."]})
    return new


async def _user_view(
    call: Call, state: State, connections: Sequence[UserSourceConnection], query: Mapping[str, Sequence[str]]
) -> list[UserLDAPConnectionShown]:
    users = await partial_users(state, [one.user for one in connections])
    shown = await user_view(call, state, connections, query)
    return [UserLDAPConnectionShown(one.user, one.source_obj, users[one.user]) for one in shown]


async def _group_view(
    call: Call, state: State, connections: Sequence[GroupSourceConnection], query: Mapping[str, Sequence[str]]
) -> list[GroupLDAPConnectionShown]:
    groups = await partial_groups(state, [one.group for one in connections])
    shown = await group_view(call, state, connections, query)
    return [GroupLDAPConnectionShown(one.group, one.source_obj, groups[one.group]) for one in shown]


LDAP_SOURCE: Kind[LDAPSource] = Kind(
    model="authentik_sources_ldap.ldapsource",
    struct=LDAPSource,
    path="sources/ldap",
    title=("LDAP Source", "LDAP Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-ldap-form",
    shown=LDAPSourceShown,
    view=view,
    rules=rules,
    search=("name", "slug"),
    filters=(
        "additional_group_dn",
        "additional_user_dn",
        "base_dn",
        "bind_cn",
        "client_certificate",
        "delete_not_found_objects",
        "enabled",
        "group_membership_field",
        "group_object_filter",
        "group_property_mappings",
        "lookup_groups_from_user",
        "name",
        "object_uniqueness_field",
        "password_login_update_internal_password",
        PBM_UUID,
        "peer_certificate",
        "server_uri",
        "slug",
        "sni",
        "start_tls",
        "sync_group_hierarchy",
        "sync_groups",
        "sync_parent_group",
        "sync_users",
        "sync_users_password",
        "user_membership_attribute",
        "user_object_filter",
        "user_property_mappings",
    ),
    bindable=True,
    stored_only=NOT_READ,
)
KINDS: Final = (
    LDAP_SOURCE,
    mapping.kind(LDAPSourcePropertyMapping, "ldap", "LDAP"),
    user_kind(LDAP_SOURCE, "ldap", "LDAP", shown=UserLDAPConnectionShown, view=_user_view),
    group_kind(LDAP_SOURCE, "ldap", "LDAP", shown=GroupLDAPConnectionShown, view=_group_view),
)
