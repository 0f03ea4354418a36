"""Endpoint: one machine that people reach from the browser; policies bound to it say who may."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, Int32, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.person import person_by_pk
from keystead.people.shown import wanted
from keystead.policies.engine import Engine
from keystead.providers import access
from keystead.providers.application import of_provider
from keystead.providers.rac import provider as providers

_WHOLE: Final = "superuser_full_list"


class ProtocolEnum(enum.StrEnum):
    """How the machine is spoken to."""

    RDP = "rdp"
    VNC = "vnc"
    SSH = "ssh"


class EndpointAuthModeEnum(enum.StrEnum):
    """Whether the machine's credentials are fixed, or asked for."""

    STATIC = "static"
    PROMPT = "prompt"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A machine.

    :param host: its name or address, perhaps with a port.
    :param settings: parameters of connections to it; they win over those of the provider.
    :param property_mappings: what yields further parameters.
    :param maximum_connections: how many connections there may be at once; 0: any number.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Text
    provider: Annotated[int, Ref("authentik_providers_rac.racprovider")]
    protocol: ProtocolEnum
    host: Text
    settings: Json = {}
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    auth_mode: EndpointAuthModeEnum
    maximum_connections: Int32 = 1


class EndpointShown(msgspec.Struct):
    """The computed members of an endpoint.

    :param settings: empty for who may only use the machine.
    :param launch_url: where it is opened: nowhere yet.
    """

    provider_obj: Annotated[dict[str, object], msgspec.Meta(title="RACProvider")]
    settings: Json
    launch_url: str | None


async def view(
    call: Call, state: State, endpoints: Sequence[Endpoint], _query: Mapping[str, Sequence[str]]
) -> list[EndpointShown]:
    """Their providers in full."""
    return [
        EndpointShown(
            provider_obj=await providers.shown(call, state, one.provider),
            settings=one.settings if may(call, ENDPOINT, "view", one) else {},
            launch_url=None,
        )
        for one in endpoints
    ]


async def shown(call: Call, state: State, pk: str) -> dict[str, object]:
    """The endpoint with this key inside other objects."""
    endpoint = call.settings.get(ENDPOINT, pk)
    return (await render(call, state, ENDPOINT, [endpoint], {}))[0] if endpoint else {}


async def narrow(
    engine: Engine, call: Call, state: State, page: Sequence[Endpoint], query: Mapping[str, Sequence[str]]
) -> list[Endpoint]:
    """Of a page of endpoints those that policies let the caller use.

    Who may not view endpoints anyway must also be let to the application that the provider speaks for.
    ``superuser_full_list`` lets superusers see all.
    """
    if call.actor.is_superuser and wanted(query, _WHOLE, default=False):
        return list(page)
    person = await person_by_pk(state, call.actor.pk)
    if person is None:
        return []
    found = []
    for one in page:
        if not may(call, ENDPOINT, "view", one):
            application = of_provider(call.settings, one.provider)
            if application is None or not (await access.judge(engine, call, state, application, person)).passing:
                continue
        if (await engine.judge(call, state, one.pk, user=person, mode="any")).passing:
            found.append(one)
    return found


ENDPOINT: Kind[Endpoint] = Kind(
    model="authentik_providers_rac.endpoint",
    struct=Endpoint,
    path="rac/endpoints",
    title=("RAC Endpoint", "RAC Endpoints"),
    key_name="pbm_uuid",
    shown=EndpointShown,
    view=view,
    search=("name", "host"),
    filters=(
        "name",
        "provider",
        # Policies decide about it, so the list looks at it after paging: see narrow.
        Filter(_WHOLE, bool, note="For superusers: all of them, whatever policies say."),
    ),
    bindable=True,
    stored_only="No remote connections are made yet.",
)
