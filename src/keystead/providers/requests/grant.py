"""GrantRequest: somebody asked for access, for a time. Asking and deciding are not built yet."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.kinds import listing
from keystead.kinds.access import may
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Json, OnDelete, Ref, Uuid
from keystead.kinds.pending import Pending
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.shown import PartialUser, gone, partial_users
from keystead.people.user_actions import Link
from keystead.providers.requests.target import RequestableTarget, requestable

_NOT_YET: Final = "Access cannot be asked for yet."
_TOLD: Final = Ref("authentik_core.user", OnDelete.SET_NULL, gives=False)
"""Somebody who is told of and gives nothing."""


class RequestStatus(enum.StrEnum):
    """How a request stands."""

    CREATED = "created"
    APPROVED = "approved"
    DENIED = "denied"
    REVOKED = "revoked"


class GrantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for access.

    :param requester_data: what they answered when they asked.
    :param fulfiller_data: what was answered when it was decided.
    :param expires: when the request, or the access it led to, ends.
    """

    uuid: Annotated[Uuid, READ_ONLY, Column("id")]
    created: Annotated[datetime, READ_ONLY]
    requester: Annotated[int, HIDDEN, Column("created_by"), Ref("authentik_core.user")]
    requester_data: Json = {}
    fulfiller_data: Json = {}
    revoker: Annotated[
        int | None, HIDDEN, Column("revoked_by"), Ref("authentik_core.user", OnDelete.SET_NULL, gives=False)
    ] = None
    owner: Annotated[
        int | None, HIDDEN, Column("agent_owner"), Ref("authentik_core.user", OnDelete.SET_NULL, gives=False)
    ] = None
    expires: datetime | None = None
    status: Annotated[RequestStatus, READ_ONLY] = RequestStatus.CREATED
    targets: Annotated[tuple[str, ...], READ_ONLY] = ()


class GrantRequestShown(msgspec.Struct):
    """The computed members of a request.

    :param agent_owner: for whom the agent acts that asked.
    :param is_active: whether access is given by it now.
    """

    created_by: PartialUser
    revoked_by: PartialUser | None
    agent_owner: PartialUser | None
    is_active: bool
    target_objs: list[RequestableTarget]
    targets: list[Uuid]


class GrantRequestCreateRequest(msgspec.Struct):
    """What is asked for, and for how long."""

    pbms: list[Uuid]
    expiry: str | None = None


class AgentGrantRequestCreateRequest(msgspec.Struct):
    """What an agent asks for."""

    pbms: list[Uuid]


class AgentGrantRequestCreated(msgspec.Struct):
    """What an agent asked for, and where it is decided."""

    grant_request: Annotated[dict[str, object], msgspec.Meta(title="GrantRequest")]
    fulfill_url: str


class PatchedGrantRequestFulfillRequest(msgspec.Struct):
    """What was decided."""

    data: dict[str, object] = {}
    status: RequestStatus | msgspec.UnsetType = msgspec.UNSET


async def view(
    call: Call, state: State, requests: Sequence[GrantRequest], _query: Mapping[str, Sequence[str]]
) -> list[GrantRequestShown]:
    """Who asked and decided, and what was asked for."""
    keys = [pk for one in requests for pk in (one.requester, one.revoker, one.owner) if pk]
    people = await partial_users(state, keys)
    return [
        GrantRequestShown(
            created_by=people.get(one.requester) or gone(state, one.requester),
            revoked_by=people.get(one.revoker or 0),
            agent_owner=people.get(one.owner or 0),
            is_active=one.status is RequestStatus.APPROVED and (one.expires is None or one.expires > call.at),
            target_objs=[found for pk in one.targets if (found := await requestable(call, state, pk)) is not None],
            targets=list(one.targets),
        )
        for one in requests
    ]


async def pending_review(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """A page of the requests that wait for a decision which the caller may make."""
    asked = listing.page(query)
    if not may(call, GRANT_REQUEST, "change"):
        return Answer({"pagination": listing.pagination(asked, 0), "results": [], "autocomplete": {}})
    waiting = {**query, "status": [RequestStatus.CREATED.value]}
    found, count = await listing.rows(call, state, GRANT_REQUEST, waiting, asked)
    results = await render(call, state, GRANT_REQUEST, found, query)
    return Answer({"pagination": listing.pagination(asked, count), "results": results, "autocomplete": {}})


_FILTERS: Final = (
    Filter("agent_owner", int, sql="t.agent_owner = {}", note="For whom the agent acts that asked."),
    Filter("created_by", int, sql="t.created_by = {}", note="Who asked."),
    Filter("status", RequestStatus, sql="t.status = {}"),
)
_PAGED: Final = (
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
    Filter("page", int, note="Number of the page, from 1."),
    Filter("page_size", int, note="Objects a page; larger sizes than the server allows are cut to its limit."),
    Filter("search", str, note="Text to look for."),
)
GRANT_REQUEST: Kind[GrantRequest] = Kind(
    model="authentik_requests.grantrequest",
    struct=GrantRequest,
    path="requests/grant-requests",
    title=("Grant Request", "Grant Requests"),
    key="uuid",
    key_name="uuid",
    table=Table("grant_requests", owner="created_by"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE, Verb.DESTROY}),
    shown=GrantRequestShown,
    view=view,
    search=(),
    order=("-created",),
    filters=_FILTERS,
    stored_only=_NOT_YET,
)
ACTIONS = (
    Action(
        GRANT_REQUEST,
        "POST",
        "",
        Pending(_NOT_YET),
        "create",
        permission="",
        request=GrantRequestCreateRequest,
        response=Link,
    ),
    Action(
        GRANT_REQUEST,
        "POST",
        "agent/",
        Pending("Agents cannot ask for access yet."),
        "agent_create",
        permission="",
        request=AgentGrantRequestCreateRequest,
        response=AgentGrantRequestCreated,
        status=201,
    ),
    Action(
        GRANT_REQUEST,
        "GET",
        "pending_review/",
        pending_review,
        "pending_review_list",
        permission="",
        response=Annotated[dict[str, object], msgspec.Meta(title="PaginatedGrantRequestList")],
        query=(*_FILTERS, *_PAGED),
    ),
    Action(
        GRANT_REQUEST,
        "PATCH",
        "{key}/fulfill/",
        Pending("Requests for access are not decided yet."),
        "fulfill_partial_update",
        permission="change",
        request=PatchedGrantRequestFulfillRequest,
        status=204,
    ),
    Action(
        GRANT_REQUEST,
        "DELETE",
        "{key}/revoke/",
        Pending("Access that was asked for is not given yet, so there is none to take back."),
        "revoke_destroy",
        permission="change",
        status=204,
    ),
)
