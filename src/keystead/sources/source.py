"""Source: somebody else who vouches for people - what all types have in common, and the one that is built in."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import denied, invalid
from keystead.flows.flow import PolicyEngineMode
from keystead.flows.vouched import SOURCE_VIEW
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import MAX_LINE, READ_ONLY, UNIQUE, OnDelete, Ref, Slug, Text, Uuid
from keystead.kinds.state import State
from keystead.people import picture
from keystead.people.brand import ThemedUrls, themed
from keystead.people.person import Person, person_by_pk
from keystead.people.user_setting import UserSetting
from keystead.policies.engine import Engine
from keystead.policies.judge import PolicyResult

INBUILT: Final = "goauthentik.io/sources/inbuilt"
"""What manages the source that stands for our own users."""
LATER: Final = "Nobody comes in from sources of this type yet: what is set here is kept and shown."
_FLOW: Final = "authentik_flows.flow"

FlowRef = Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)]
MappingRef = Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)]


class UserMatchingModeEnum(enum.StrEnum):
    """How a person who comes from a source is matched with a user, and what happens when one is there already."""

    IDENTIFIER = "identifier"
    EMAIL_LINK = "email_link"
    EMAIL_DENY = "email_deny"
    USERNAME_LINK = "username_link"
    USERNAME_DENY = "username_deny"


class GroupMatchingModeEnum(enum.StrEnum):
    """How a group of a source is matched with one of ours, and what happens when one is there already."""

    IDENTIFIER = "identifier"
    NAME_LINK = "name_link"
    NAME_DENY = "name_deny"


class SyncOutgoingTriggerModeEnum(enum.StrEnum):
    """When what was read from a directory is handed on to the systems we write to."""

    NONE = "none"
    IMMEDIATE = "immediate"
    DEFERRED_END = "deferred_end"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What every source has; the types add their own members.

    :param promoted: offered as a button of its own on the page that asks who somebody is.
    :param authentication_flow: runs for people who are known here.
    :param enrollment_flow: runs for people who come for the first time.
    :param user_path_template: the folder of users who come from here; ``%(slug)s`` stands for the source.
    :param icon: an address, a path, or the name of an uploaded file; may hold ``%(theme)s``.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Text
    slug: Annotated[Slug, UNIQUE]
    enabled: bool = True
    promoted: bool = False
    authentication_flow: FlowRef | None = None
    enrollment_flow: FlowRef | None = None
    user_property_mappings: tuple[MappingRef, ...] = ()
    group_property_mappings: tuple[MappingRef, ...] = ()
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    user_matching_mode: UserMatchingModeEnum = UserMatchingModeEnum.IDENTIFIER
    managed: Annotated[Text | None, READ_ONLY] = None
    user_path_template: Text = "goauthentik.io/sources/%(slug)s"
    icon: str = ""


class BuiltInSource(Source, frozen=True, kw_only=True):
    """Our own users, where a source has to be named."""


class SourceShown(msgspec.Struct):
    """The computed members of every source: where its picture is."""

    icon_url: str | None
    icon_themed_urls: ThemedUrls | None


def icon(source: Source, otherwise: str | None = None) -> tuple[str | None, ThemedUrls | None]:
    """Where the source's picture is, or that of its type (``otherwise``), and where for each theme."""
    url = picture.address(source.icon) or otherwise
    return url, themed(url) if url else None


@steady
async def view(
    _call: Call, _state: State, sources: Sequence[Source], _query: Mapping[str, Sequence[str]]
) -> list[SourceShown]:
    """Where the pictures are."""
    return [SourceShown(*icon(one)) for one in sources]


def check(source: Source) -> None:
    """What holds for sources of every type.

    :raises Problem: ``INVALID`` naming the member.
    """
    if (fault := picture.fault(source.icon)) is not None:
        raise invalid({"icon": [fault]})
    if (fault := _path_fault(source.user_path_template, source.slug)) is not None:
        raise invalid({"user_path_template": [fault]})


def user_path(template: str, slug: str) -> str:
    """The folder that ``template`` names for the source with this slug.

    Nothing but the slug is put in, and not by ``%``: a width there could ask for a text of any length.
    """
    return template.replace("%(slug)s", slug)


def _path_fault(template: str, slug: str) -> str | None:
    path = user_path(template, slug)
    if "%" in path:
        return "Only %(slug)s may stand for something."
    if path.startswith("/") or path.endswith("/") or "//" in path:
        return "Write a path like partners/%(slug)s, without a slash at the ends and without empty parts."
    return f"The path may have at most {MAX_LINE} characters." if len(path) > MAX_LINE else None


async def rules(_call: Call, _state: State, _old: Source | None, new: Source) -> Source:
    """What holds for sources of every type."""
    check(new)
    return new


async def _leaving(_call: Call, _state: State, _source: Source) -> None:
    raise denied("This source stands for the users of this installation; it cannot be removed.")


def _by_pk(source: Source, pk: str) -> bool:
    return source.pk == pk


PBM_UUID: Final = Filter("pbm_uuid", Uuid, test=_by_pk, note="The key under which policies are bound to it.")
MANAGED: Final = Filter("managed", str, test=lambda source, value: source.managed == value)

BUILT_IN: Kind[BuiltInSource] = Kind(
    model="authentik_core.source",
    struct=BuiltInSource,
    path="sources/all",
    title=("Source", "Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    verbs=frozenset(),
    shown=SourceShown,
    view=view,
    rules=rules,
    leaving=_leaving,
    bindable=True,
)


async def judged(
    engine: Engine,
    call: Call,
    state: State,
    source: Source,
    person: Person | None,
    context: Mapping[str, object] | None = None,
) -> PolicyResult:
    """What the policies bound to ``source`` say of ``person``, or of somebody who is not known here yet.

    :param context: what they find in ``context``.
    """
    every = source.policy_engine_mode is PolicyEngineMode.ALL
    return await engine.judge(
        call,
        state,
        source.pk,
        user=person,
        mode="all" if every else "any",
        subject=SOURCE_VIEW(source),
        context=dict(context or {}),
    )


async def admits(engine: Engine, call: Call, state: State, source: Source, person: Person | None) -> bool:
    """Whether the policies bound to ``source`` let ``person`` use it."""
    return (await judged(engine, call, state, source, person)).passing


def actions(engine: Engine, linked: Sequence[Kind[Any]]) -> tuple[Action, ...]:
    """The operations of sources of every type; ``app.py`` lists them.

    :param linked: the types that people can connect their own account with.
    """

    async def user_settings(call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
        """The enabled sources that the caller may use and people can connect with.

        No ``configure_url`` is told: nobody is led to a source to connect. Plex and Telegram are asked by scripts of
        the page; what they give it is taken where each connects people.
        """
        person = await person_by_pk(state, call.actor.pk)
        found: list[UserSetting] = []
        for kind in linked:
            part = kind.component.removeprefix("ak-").removesuffix("-form")
            for source in call.settings.all(kind):
                if source.enabled and await admits(engine, call, state, source, person):
                    url = picture.address(source.icon) or ""
                    found.append(UserSetting(source.slug, f"ak-user-settings-{part}", source.name, icon_url=url))
        return Answer(sorted(found, key=lambda one: one.title))

    return (
        Action(
            BUILT_IN,
            "GET",
            "user_settings/",
            user_settings,
            "user_settings_list",
            permission="",
            response=list[UserSetting],
        ),
    )
