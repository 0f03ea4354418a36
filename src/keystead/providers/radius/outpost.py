"""What an outpost is told of a RADIUS provider (outposts.md §8)."""

import msgspec

from keystead.kinds.marks import Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.providers.access import PolicyTestResult
from keystead.providers.outposts import application_of, flow_slug
from keystead.providers.radius.provider import RadiusProvider


class RadiusOutpostConfig(msgspec.Struct):
    """How to serve network devices.

    :param auth_flow_slug: the flow that a request goes through.
    """

    pk: int
    name: str
    application_slug: str
    auth_flow_slug: str
    client_networks: str
    shared_secret: str
    mfa_support: bool
    certificate: Uuid | None


class RadiusCheckAccess(msgspec.Struct, omit_defaults=True):
    """Whether somebody who has just signed in may use the application.

    :param attributes: a packet whose attributes go into the answer, as base64.
    """

    access: PolicyTestResult
    attributes: str | msgspec.UnsetType = msgspec.UNSET


def config(settings: Snapshot, provider: RadiusProvider) -> RadiusOutpostConfig | None:
    """What an outpost is told of ``provider``; None while it speaks for no application."""
    application = application_of(settings, provider.pk)
    if application is None:
        return None
    return RadiusOutpostConfig(
        pk=provider.pk,
        name=provider.name,
        application_slug=application.slug,
        auth_flow_slug=flow_slug(settings, provider.authorization_flow),
        client_networks=provider.client_networks,
        shared_secret=provider.shared_secret.reveal(),
        mfa_support=provider.mfa_support,
        certificate=provider.certificate,
    )
