"""SCIM source: where another system writes users and groups, and the account it writes with."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people import token
from keystead.people.brand import ThemedUrls
from keystead.people.finding import by_username
from keystead.people.user import USER, User, UserTypeEnum
from keystead.sources import mapping
from keystead.sources.source import LATER, PBM_UUID, Source, icon, rules


class SCIMSource(Source, frozen=True, kw_only=True):
    """A system that writes users and groups to us."""


class SCIMSourceShown(msgspec.Struct):
    """The computed members of a SCIM source.

    :param root_url: where the other system is to write.
    :param token_obj: the key it shows; its text is at ``core/tokens/{identifier}/view_key/``.
    """

    icon_url: str | None
    icon_themed_urls: ThemedUrls | None
    root_url: str
    token_obj: Annotated[dict[str, object], msgspec.Meta(title="Token")]


class SCIMSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What a SCIM client tells about a user or group."""


def account_name(source: SCIMSource) -> str:
    """The name of the account and of the key that the other system uses."""
    return f"ak-source-scim-{source.pk}"


def key_id(source: SCIMSource) -> str:
    """What manages the key: nobody but superusers gives a token such an id, so no other one passes for it."""
    return f"goauthentik.io/sources/scim/{source.pk}"


async def view(
    call: Call, state: State, sources: Sequence[SCIMSource], _query: Mapping[str, Sequence[str]]
) -> list[SCIMSourceShown]:
    """Where to write, and with which key."""
    found = await records.load(state.store, token.TOKEN, "managed", [key_id(one) for one in sources])
    shown = await render(call, state, token.TOKEN, found, {})
    keys = {one.managed: body for one, body in zip(found, shown, strict=True)}
    return [
        SCIMSourceShown(*icon(one), f"{call.origin.root}/source/scim/{one.slug}/v2", keys.get(key_id(one), {}))
        for one in sources
    ]


async def along(call: Call, state: State, old: SCIMSource | None, new: SCIMSource | None) -> Changes:
    """The account and its key come and go with the source; whoever saves a source that lost them gets new ones.

    The right to the source carries the right to these: the account may do nothing but show who writes.
    """
    changes = Changes()
    source = new or old
    if source is None:
        return changes
    user = await by_username(state, account_name(source))
    if new is None:
        if user is not None:
            changes.delete(system(call, USER, "delete"), user, state.kinds.values())
        return changes
    if user is None:
        user = await _account(call, state, new)
        changes.create(system(call, USER, "add"), user)
    if not await records.load(state.store, token.TOKEN, "managed", [key_id(new)]):
        made, _ = token.issue(
            state,
            identifier=account_name(new),
            user=user.pk,
            intent=token.IntentEnum.API,
            description=f"Shown by the SCIM client of the source {new.name}",
        )
        changes.create(system(call, token.TOKEN, "add"), msgspec.structs.replace(made, managed=key_id(new)))
    return changes


async def _account(call: Call, state: State, source: SCIMSource) -> User:
    return User(
        pk=await state.store.reserve("users", 1),
        uuid=rand.uuid4(),
        username=account_name(source),
        name=f"SCIM source {source.name}"[:512],
        type=UserTypeEnum.SERVICE_ACCOUNT,
        path="goauthentik.io/sources",
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )


SCIM_SOURCE: Kind[SCIMSource] = Kind(
    model="authentik_sources_scim.scimsource",
    struct=SCIMSource,
    path="sources/scim",
    title=("SCIM Source", "SCIM Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-scim-form",
    shown=SCIMSourceShown,
    view=view,
    rules=rules,
    along=along,
    search=("name", "slug"),
    filters=("name", PBM_UUID, "slug"),
    bindable=True,
    stored_only=LATER,
)
MAPPING: Final = mapping.kind(SCIMSourcePropertyMapping, "scim", "SCIM")
