"""Kerberos source: a realm whose principals are our users too."""

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import Text
from keystead.kinds.state import State
from keystead.kinds.sync import SyncStatus
from keystead.people.brand import ThemedUrls
from keystead.sources import mapping
from keystead.sources.connection import group_kind, user_kind
from keystead.sources.source import (
    LATER,
    PBM_UUID,
    GroupMatchingModeEnum,
    Source,
    SyncOutgoingTriggerModeEnum,
    icon,
    rules,
)

ICON: Final = "/static/dist/assets/icons/source-kerberos.svg"


class KadminTypeEnum(enum.StrEnum):
    """Which administration server the realm has."""

    MIT = "MIT"
    HEIMDAL = "Heimdal"


class KerberosSource(Source, frozen=True, kw_only=True):
    """A Kerberos realm.

    :param krb5_conf: settings of the Kerberos library for this realm; blank: the system's.
    :param sync_principal: who reads the realm.
    :param sync_password: its password, where it has one.
    :param sync_keytab: its keytab in base64, or ``TYPE:residual``.
    :param sync_ccache: its credential cache as ``TYPE:residual``.
    :param spnego_server_name: the service that browsers get tickets for, as ``HTTP@host``; blank: any in the keytab.
    :param spnego_keytab: the service's keytab in base64, or ``TYPE:residual``.
    :param spnego_ccache: the service's credential cache as ``TYPE:residual``.
    :param password_login_update_internal_password: keep a password here that the realm has just confirmed.
    :param sync_users_password: hand passwords that people set here on to the realm.
    """

    group_matching_mode: GroupMatchingModeEnum = GroupMatchingModeEnum.IDENTIFIER
    realm: Text
    krb5_conf: str = ""
    kadmin_type: KadminTypeEnum = KadminTypeEnum.MIT
    sync_users: bool = True
    sync_users_password: bool = True
    sync_principal: str = ""
    sync_password: Secret = Secret("")
    sync_keytab: Secret = Secret("")
    sync_ccache: Secret = Secret("")
    spnego_server_name: str = ""
    spnego_keytab: Secret = Secret("")
    spnego_ccache: Secret = Secret("")
    password_login_update_internal_password: bool = False
    sync_outgoing_trigger_mode: SyncOutgoingTriggerModeEnum = SyncOutgoingTriggerModeEnum.DEFERRED_END


class KerberosSourceShown(msgspec.Struct):
    """The computed members of a Kerberos source.

    :param connectivity: how each server answered when it was last asked; null: none has been.
    """

    icon_url: str
    icon_themed_urls: ThemedUrls | None
    connectivity: dict[str, object] | None


class KerberosSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What a principal tells about a user or group."""


@steady
async def view(
    _call: Call, _state: State, sources: Sequence[KerberosSource], _query: Mapping[str, Sequence[str]]
) -> list[KerberosSourceShown]:
    """Where the pictures are; no server has been asked yet."""
    shown = []
    for one in sources:
        url, themes = icon(one, ICON)
        shown.append(KerberosSourceShown(url or ICON, themes, None))
    return shown


async def sync_status(
    _call: Call, _state: State, _source: KerberosSource, _query: Mapping[str, Sequence[str]]
) -> Answer:
    """Whether the realm is being read. It is not: that is not built yet, so no reading has ended either."""
    return Answer(SyncStatus(is_running=False))


KERBEROS_SOURCE: Kind[KerberosSource] = Kind(
    model="authentik_sources_kerberos.kerberossource",
    struct=KerberosSource,
    path="sources/kerberos",
    title=("Kerberos Source", "Kerberos Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-kerberos-form",
    shown=KerberosSourceShown,
    view=view,
    rules=rules,
    search=("name", "slug", "realm"),
    filters=(
        "enabled",
        "kadmin_type",
        "name",
        "password_login_update_internal_password",
        PBM_UUID,
        "realm",
        "slug",
        "spnego_server_name",
        "sync_principal",
        "sync_users",
        "sync_users_password",
    ),
    bindable=True,
    stored_only=LATER,
)
KINDS: Final = (
    KERBEROS_SOURCE,
    mapping.kind(KerberosSourcePropertyMapping, "kerberos", "Kerberos"),
    user_kind(KERBEROS_SOURCE, "kerberos", "Kerberos"),
    group_kind(KERBEROS_SOURCE, "kerberos", "Kerberos"),
)
ACTIONS: Final = (
    Action(
        KERBEROS_SOURCE,
        "GET",
        "{key}/sync/status/",
        sync_status,
        "sync_status_retrieve",
        permission="view",
        response=SyncStatus,
    ),
)
