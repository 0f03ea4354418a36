"""RACProvider: machines that people reach from the browser, together."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.providers import filters
from keystead.providers.application import assigned
from keystead.providers.outposts import Served, outpost_names

_FLOW: Final = "authentik_flows.flow"


class RACProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Machines that people reach from the browser.

    :param settings: parameters of every connection.
    :param connection_expiry: how long a connection may last; ``seconds=0``: as long as the session.
    :param delete_token_on_disconnect: a connection that ended cannot be taken up again.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    settings: Json = {}
    connection_expiry: Duration = "hours=8"
    delete_token_on_disconnect: bool = False


@steady
async def view(
    call: Call, _state: State, providers: Sequence[RACProvider], _query: Mapping[str, Sequence[str]]
) -> list[Served]:
    """For whom they speak, and which outposts work for them."""
    return [
        Served(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            outpost_set=outpost_names(call.settings, RAC_PROVIDER, one.pk),
        )
        for one in providers
    ]


async def shown(call: Call, state: State, pk: int) -> dict[str, object]:
    """The provider with this key inside other objects; without the parameters where the caller may not see it."""
    provider = call.settings.get(RAC_PROVIDER, pk)
    if provider is None:
        return {}
    (body,) = await render(call, state, RAC_PROVIDER, [provider], {})
    return body if may(call, RAC_PROVIDER, "view", provider) else body | {"settings": {}}


RAC_PROVIDER: Kind[RACProvider] = Kind(
    model="authentik_providers_rac.racprovider",
    struct=RACProvider,
    path="providers/rac",
    title=("RAC Provider", "RAC Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-rac-form",
    shown=Served,
    view=view,
    filters=(filters.UNASSIGNED, filters.iexact("name")),
    stored_only="No remote connections are made yet.",
)
