"""RadiusProvider: network devices ask whether somebody may in (RFC 2865)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, SECRET_SHOWN, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers import filters
from keystead.providers.application import assigned
from keystead.providers.forms import Networks
from keystead.providers.outposts import Served, outpost_names

_FLOW: Final = "authentik_flows.flow"
_KEYPAIR: Final = "authentik_crypto.certificatekeypair"


def _shared_secret() -> Secret:
    return Secret(rand.alphanumeric(40))


class RadiusProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A listener for network devices.

    :param client_networks: whose requests are heard: networks in CIDR notation, parted by commas.
    :param shared_secret: what the devices and the listener both know.
    :param mfa_support: a one-time code may follow the password, behind a semicolon.
    :param certificate: what EAP-TLS is spoken with.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    client_networks: Networks = "0.0.0.0/0, ::/0"
    shared_secret: Annotated[Secret, SECRET_SHOWN, msgspec.Meta(extra_json_schema={"minLength": 1})] = msgspec.field(
        default_factory=_shared_secret
    )
    mfa_support: bool = True
    certificate: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None


@steady
async def view(
    call: Call, _state: State, providers: Sequence[RadiusProvider], _query: Mapping[str, Sequence[str]]
) -> list[Served]:
    """For whom they speak, and which outposts work for them."""
    return [
        Served(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            outpost_set=outpost_names(call.settings, RADIUS_PROVIDER, one.pk),
        )
        for one in providers
    ]


async def rules(_call: Call, _state: State, _old: RadiusProvider | None, new: RadiusProvider) -> RadiusProvider:
    """Without a secret every device's word would be taken."""
    if not new.shared_secret.reveal().strip():
        raise invalid({"shared_secret": ["May not be blank."]})
    return new


RADIUS_PROVIDER: Kind[RadiusProvider] = Kind(
    model="authentik_providers_radius.radiusprovider",
    struct=RadiusProvider,
    path="providers/radius",
    title=("Radius Provider", "Radius Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-radius-form",
    shown=Served,
    view=view,
    rules=rules,
    filters=(
        filters.UNASSIGNED,
        filters.FLOW_SLUG,
        filters.iexact("client_networks"),
        filters.iexact("name"),
    ),
    stored_only="Keystead does not listen for RADIUS itself yet.",
)
