"""SSFStream: what one receiver subscribed to (OpenID Shared Signals Framework 1.0 §8)."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table, Verb
from keystead.kinds.marks import READ_ONLY, Column, Ref, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.providers.ssf.provider import SSF_PROVIDER


class SSFStreamStatusEnum(enum.StrEnum):
    """Whether events flow."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    DISABLED_DELETED = "disabled_deleted"


class DeliveryMethodEnum(enum.StrEnum):
    """How events get to the receiver (RFC 8935, RFC 8936, and the names of RISC before them)."""

    RISC_PUSH = "https://schemas.openid.net/secevent/risc/delivery-method/push"
    RISC_POLL = "https://schemas.openid.net/secevent/risc/delivery-method/poll"
    PUSH = "urn:ietf:rfc:8935"
    POLL = "urn:ietf:rfc:8936"


class EventsRequestedEnum(enum.StrEnum):
    """What a receiver may want to hear of (OpenID CAEP 1.0)."""

    SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    TOKEN_CLAIMS_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change"  # noqa: S105 - a name
    CREDENTIAL_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
    ASSURANCE_LEVEL_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change"
    DEVICE_COMPLIANCE_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change"
    SESSION_ESTABLISHED = "https://schemas.openid.net/secevent/caep/event-type/session-established"
    SESSION_PRESENTED = "https://schemas.openid.net/secevent/caep/event-type/session-presented"
    RISK_LEVEL_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change"
    VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"


class SSFStream(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription.

    :param endpoint_url: where events are pushed to.
    :param events_requested: what the receiver wants to hear of.
    :param format: how events name whom they are about.
    :param aud: for whom events are.
    :param iss: who tells of them.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    status: SSFStreamStatusEnum = SSFStreamStatusEnum.ENABLED
    provider: Annotated[int, Ref("authentik_providers_ssf.ssfprovider")]
    delivery_method: DeliveryMethodEnum
    endpoint_url: str | None = None
    events_requested: tuple[EventsRequestedEnum, ...] = ()
    format: str
    aud: tuple[str, ...] = ()
    iss: str


class SSFStreamShown(msgspec.Struct):
    """The computed member of a stream: its provider in full."""

    provider_obj: Annotated[dict[str, object], msgspec.Meta(title="SSFProvider")]


async def view(
    call: Call, state: State, streams: Sequence[SSFStream], _query: Mapping[str, Sequence[str]]
) -> list[SSFStreamShown]:
    """Their providers in full."""
    keys = {one.provider for one in streams}
    providers = [provider for pk in keys if (provider := call.settings.get(SSF_PROVIDER, pk))]
    bodies = await render(call, state, SSF_PROVIDER, providers, {})
    shown = {provider.pk: body for provider, body in zip(providers, bodies, strict=True)}
    return [SSFStreamShown(shown.get(one.provider, {})) for one in streams]


SSF_STREAM: Kind[SSFStream] = Kind(
    model="authentik_providers_ssf.stream",
    struct=SSFStream,
    path="ssf/streams",
    title=("SSF Stream", "SSF Streams"),
    key_name="uuid",
    table=Table("ssf_streams"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE, Verb.DESTROY}),
    shown=SSFStreamShown,
    view=view,
    search=("endpoint_url", "iss"),
    order=("provider", "endpoint_url"),
    filters=("delivery_method", "endpoint_url", "provider"),
    stored_only="Receivers cannot subscribe yet.",
)
