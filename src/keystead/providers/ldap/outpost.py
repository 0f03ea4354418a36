"""What an outpost is told of an LDAP provider (outposts.md §7)."""

import msgspec

from keystead.kinds.marks import Int32, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.providers.access import PolicyTestResult
from keystead.providers.ldap.provider import LDAPAPIAccessMode, LDAPProvider
from keystead.providers.outposts import application_of, flow_slug


class LDAPOutpostConfig(msgspec.Struct):
    """How to serve a directory.

    :param bind_flow_slug: the flow that a bind goes through.
    :param unbind_flow_slug: the flow that an unbind goes through.
    """

    pk: int
    name: str
    base_dn: str
    bind_flow_slug: str
    unbind_flow_slug: str | None
    application_slug: str
    certificate: Uuid | None
    tls_server_name: str
    uid_start_number: Int32
    gid_start_number: Int32
    search_mode: LDAPAPIAccessMode
    bind_mode: LDAPAPIAccessMode
    mfa_support: bool


class LDAPCheckAccess(msgspec.Struct):
    """Whether somebody who has just bound may use the application, and see more than themselves."""

    has_search_permission: bool
    access: PolicyTestResult


def config(settings: Snapshot, provider: LDAPProvider) -> LDAPOutpostConfig | None:
    """What an outpost is told of ``provider``; None while it speaks for no application."""
    application = application_of(settings, provider.pk, behind=True)
    if application is None:
        return None
    return LDAPOutpostConfig(
        pk=provider.pk,
        name=provider.name,
        base_dn=provider.base_dn,
        bind_flow_slug=flow_slug(settings, provider.authorization_flow),
        unbind_flow_slug=flow_slug(settings, provider.invalidation_flow) or None,
        application_slug=application.slug,
        certificate=provider.certificate,
        tls_server_name=provider.tls_server_name,
        uid_start_number=provider.uid_start_number,
        gid_start_number=provider.gid_start_number,
        search_mode=provider.search_mode,
        bind_mode=provider.bind_mode,
        mfa_support=provider.mfa_support,
    )
