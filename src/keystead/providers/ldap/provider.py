"""LDAPProvider: an application reads people and groups as from a directory, and lets people sign in by binding."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers import filters
from keystead.providers.application import assigned
from keystead.providers.forms import DistinguishedName
from keystead.providers.outposts import Served, outpost_names

SEARCH: Final = "authentik_providers_ldap.search_full_directory"
"""The permission to see the whole directory, not only oneself."""
_FLOW: Final = "authentik_flows.flow"
_KEYPAIR: Final = "authentik_crypto.certificatekeypair"


class LDAPAPIAccessMode(enum.StrEnum):
    """Whether every bind or search asks anew, or an earlier answer serves."""

    DIRECT = "direct"
    CACHED = "cached"


class LDAPProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A directory's view of people and groups.

    :param base_dn: the root of the tree.
    :param certificate: what LDAPS is served with.
    :param tls_server_name: the name under which LDAPS is reached.
    :param uid_start_number: what a user's key is added to for a POSIX user id.
    :param gid_start_number: what a group's number is added to for a POSIX group id.
    :param mfa_support: a one-time code may follow the password, behind a semicolon.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    base_dn: DistinguishedName = "DC=ldap,DC=goauthentik,DC=io"
    certificate: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    tls_server_name: str = ""
    uid_start_number: Int32 = 2000
    gid_start_number: Int32 = 4000
    search_mode: LDAPAPIAccessMode = LDAPAPIAccessMode.DIRECT
    bind_mode: LDAPAPIAccessMode = LDAPAPIAccessMode.DIRECT
    mfa_support: bool = True


@steady
async def view(
    call: Call, _state: State, providers: Sequence[LDAPProvider], _query: Mapping[str, Sequence[str]]
) -> list[Served]:
    """For whom they speak, and which outposts work for them."""
    return [
        Served(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            outpost_set=outpost_names(call.settings, LDAP_PROVIDER, one.pk),
        )
        for one in providers
    ]


LDAP_PROVIDER: Kind[LDAPProvider] = Kind(
    model="authentik_providers_ldap.ldapprovider",
    struct=LDAPProvider,
    path="providers/ldap",
    title=("LDAP Provider", "LDAP Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-ldap-form",
    shown=Served,
    view=view,
    permissions=(("search_full_directory", "Can search the whole directory"),),
    filters=(
        filters.UNASSIGNED,
        filters.FLOW_SLUG,
        filters.iexact("base_dn"),
        *filters.certificate(),
        filters.iexact("gid_start_number", int),
        filters.iexact("name"),
        filters.iexact("tls_server_name"),
        filters.iexact("uid_start_number", int),
    ),
    stored_only="Keystead does not listen for LDAP itself yet.",
)
