"""ConnectionToken: one person's way to one machine."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.base import rand
from keystead.base.errors import denied, invalid
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Ref, Uuid
from keystead.kinds.state import State
from keystead.people.shown import PartialUser, partial_users
from keystead.providers.rac import endpoint as endpoints
from keystead.providers.rac import provider as providers
from keystead.providers.rac.endpoint import ENDPOINT


class ConnectionToken(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a machine.

    :param pk: drawn here; another one in a request is not taken.
    :param user: whose it is.
    :param session_id: the session it was given in.
    """

    pk: Annotated[Uuid, Column("id")] = msgspec.field(default_factory=rand.uuid4)
    provider: Annotated[int, Ref("authentik_providers_rac.racprovider")]
    endpoint: Annotated[Uuid, Ref("authentik_providers_rac.endpoint")]
    user: Annotated[int, READ_ONLY, Column("user_id"), Ref("authentik_core.user")]
    session_id: Annotated[str | None, HIDDEN] = None
    expires: Annotated[datetime | None, HIDDEN] = None


class ConnectionTokenShown(msgspec.Struct):
    """The computed members of a connection token: what it connects, in full, and whom."""

    provider_obj: Annotated[dict[str, object], msgspec.Meta(title="RACProvider")]
    endpoint_obj: Annotated[dict[str, object], msgspec.Meta(title="Endpoint")]
    user: PartialUser


async def view(
    call: Call, state: State, tokens: Sequence[ConnectionToken], _query: Mapping[str, Sequence[str]]
) -> list[ConnectionTokenShown]:
    """What they connect, and whom."""
    users = await partial_users(state, [one.user for one in tokens])
    return [
        ConnectionTokenShown(
            provider_obj=await providers.shown(call, state, one.provider),
            endpoint_obj=await endpoints.shown(call, state, one.endpoint),
            user=users[one.user],
        )
        for one in tokens
    ]


async def rules(call: Call, _state: State, old: ConnectionToken, new: ConnectionToken) -> ConnectionToken:
    """It leads to a machine of its provider; and nobody leads their own to another machine."""
    new = msgspec.structs.replace(new, pk=old.pk)
    endpoint = call.settings.get(ENDPOINT, new.endpoint)
    if endpoint is not None and endpoint.provider != new.provider:
        raise invalid({"endpoint": ["This endpoint belongs to another provider."]})
    if new != old and not may(call, CONNECTION_TOKEN, "change"):
        raise denied("A connection of your own may be ended, and not led elsewhere.")
    return new


CONNECTION_TOKEN: Kind[ConnectionToken] = Kind(
    model="authentik_providers_rac.connectiontoken",
    struct=ConnectionToken,
    path="rac/connection_tokens",
    title=("RAC Connection Token", "RAC Connection Tokens"),
    key_name="connection_token_uuid",
    table=Table("rac_connection_tokens", owner="user_id", narrow="(t.expires IS NULL OR t.expires > {})"),
    verbs=READ | {Verb.UPDATE, Verb.PARTIAL_UPDATE, Verb.DESTROY},
    shown=ConnectionTokenShown,
    view=view,
    rules=rules,
    search=("endpoint",),
    order=("provider", "endpoint"),
    filters=("endpoint", "provider", Filter("session__user", int, sql="t.user_id = {}", note="Those of this user.")),
    stored_only="No remote connections are made yet.",
)
