"""Flow: an ordered set of stages with a purpose, and who may enter."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias
from urllib.parse import quote, urlsplit

import msgspec

from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Slug, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.brand import ThemedUrls, brand_for, themed

_ELSEWHERE: Final = ("https://", "http://", "/")


FlowRef: TypeAlias = Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)]
"""The key of a flow that something leads to, as long as it is there."""


class FlowDesignationEnum(enum.StrEnum):
    """What a flow is for."""

    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    INVALIDATION = "invalidation"
    ENROLLMENT = "enrollment"
    UNENROLLMENT = "unenrollment"
    RECOVERY = "recovery"
    STAGE_CONFIGURATION = "stage_configuration"


class FlowLayoutEnum(enum.StrEnum):
    """Where a flow's page puts its card."""

    STACKED = "stacked"
    CONTENT_LEFT = "content_left"
    CONTENT_RIGHT = "content_right"
    SIDEBAR_LEFT = "sidebar_left"
    SIDEBAR_RIGHT = "sidebar_right"
    SIDEBAR_LEFT_FRAME_BACKGROUND = "sidebar_left_frame_background"
    SIDEBAR_RIGHT_FRAME_BACKGROUND = "sidebar_right_frame_background"


class DeniedActionEnum(enum.StrEnum):
    """What somebody sees who may not enter."""

    MESSAGE_CONTINUE = "message_continue"
    MESSAGE = "message"
    CONTINUE = "continue"


class AuthenticationEnum(enum.StrEnum):
    """What a visitor must be, or must have come from, to enter."""

    NONE = "none"
    REQUIRE_AUTHENTICATED = "require_authenticated"
    REQUIRE_UNAUTHENTICATED = "require_unauthenticated"
    REQUIRE_SUPERUSER = "require_superuser"
    REQUIRE_REDIRECT = "require_redirect"
    REQUIRE_OUTPOST = "require_outpost"
    REQUIRE_TOKEN = "require_token"  # noqa: S105 - a word of the contract


class PolicyEngineMode(enum.StrEnum):
    """How the answers of several policies become one."""

    ALL = "all"
    ANY = "any"


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence of stages.

    :param title: the heading; ``%(app)s`` and ``%(user)s`` stand for the application and the person.
    :param background: an address, a path, or the name of an uploaded file, perhaps with ``%(theme)s``; blank for the
        brand's.
    :param compatibility_mode: kept for clients that set it; our pages need no such mode.
    :param denied_action: what somebody sees who may not enter.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Text
    slug: Annotated[Slug, UNIQUE]
    title: Text
    designation: FlowDesignationEnum
    background: str = ""
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    compatibility_mode: bool = False
    layout: FlowLayoutEnum = FlowLayoutEnum.STACKED
    denied_action: DeniedActionEnum = DeniedActionEnum.MESSAGE_CONTINUE
    authentication: AuthenticationEnum = AuthenticationEnum.NONE


class FlowShown(msgspec.Struct):
    """The computed members of a flow.

    :param cache_count: always 0: plans are made afresh from memory, so none are cached.
    """

    policybindingmodel_ptr_id: Uuid
    background_url: str
    background_themed_urls: ThemedUrls | None
    stages: list[Uuid]
    policies: list[Uuid]
    cache_count: int
    export_url: str


class Cache(msgspec.Struct):
    """How many plans are cached."""

    count: int


class Link(msgspec.Struct):
    """A link."""

    link: str


def prefix(call: Call) -> str:
    """The sub-path we are reached under, without a slash at the end; mostly empty."""
    return urlsplit(call.origin.root).path.rstrip("/")


def background_url(call: Call, flow: Flow) -> str:
    """Where the flow's picture is: its own, else the brand's."""
    chosen = flow.background or brand_for(call.settings, call.origin.host).branding_default_flow_background
    if chosen.startswith("/static/"):
        return prefix(call) + chosen
    if chosen.startswith(_ELSEWHERE):
        return chosen
    return f"{prefix(call)}/files/media/public/{quote(chosen, safe='/%()')}"


def export_url(call: Call, flow: Flow) -> str:
    """Where the flow is exported."""
    return f"{prefix(call)}/api/v3/flows/instances/{flow.slug}/export/"


def _attached(settings: Snapshot, flow: Flow, model: str, member: str) -> list[str]:
    """What the objects of ``model`` that point to ``flow`` hold in ``member``, by their order."""
    found = [
        bound
        for one in settings.referrers(FLOW, flow.pk)
        if one.kind.model == model and one.field == "target" and (bound := settings.get(one.kind, one.pk)) is not None
    ]
    return [value for one in sorted(found, key=lambda one: (one.order, one.pk)) if (value := getattr(one, member))]


@steady
async def view(
    call: Call, _state: State, flows: Sequence[Flow], _query: Mapping[str, Sequence[str]]
) -> list[FlowShown]:
    """Where the picture is, and what is bound to each flow."""
    shown = []
    for flow in flows:
        picture = background_url(call, flow)
        shown.append(
            FlowShown(
                policybindingmodel_ptr_id=flow.pk,
                background_url=picture.replace("%(theme)s", "light"),
                background_themed_urls=themed(picture),
                stages=_attached(call.settings, flow, "authentik_flows.flowstagebinding", "stage"),
                policies=_attached(call.settings, flow, "authentik_policies.policybinding", "policy"),
                cache_count=0,
                export_url=export_url(call, flow),
            )
        )
    return shown


async def cache_info(_call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """How many plans are cached: none, ever."""
    return Answer(Cache(0))


async def cache_clear(_call: Call, _state: State, _obj: None, _body: None) -> Answer:
    """Forget cached plans: there are none, so there is nothing to do."""
    return Answer(status=204)


async def execute(call: Call, _state: State, flow: Flow, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Where a browser goes to run the flow."""
    return Answer(Link(f"{call.origin.root}/if/flow/{flow.slug}/"))


FLOW = Kind(
    model="authentik_flows.flow",
    struct=Flow,
    path="flows/instances",
    title=("Flow", "Flows"),
    key="slug",
    key_name="slug",
    shown=FlowShown,
    view=view,
    permissions=(
        ("inspect_flow", "Can inspect a running flow"),
        ("export_flow", "Can export a flow with all it consists of"),
        ("import_flow", "Can import flows"),
        ("view_flow_cache", "Can view how many plans are cached"),
        ("clear_flow_cache", "Can clear the cache of plans"),
    ),
    search=("name", "slug", "designation", "title"),
    order=("slug",),
    filters=(
        "denied_action",
        "designation",
        "name",
        "slug",
        Filter("flow_uuid", Uuid, test=lambda flow, pk: flow.pk == pk),
    ),
    bindable=True,
)
_SEE, _CLEAR = "authentik_flows.view_flow_cache", "authentik_flows.clear_flow_cache"
ACTIONS = (
    Action(FLOW, "GET", "cache_info/", cache_info, "cache_info_retrieve", _SEE, response=Cache),
    Action(FLOW, "POST", "cache_clear/", cache_clear, "cache_clear_create", _CLEAR, status=204),
    Action(FLOW, "GET", "{key}/execute/", execute, "execute_retrieve", "view", response=Link),
)
