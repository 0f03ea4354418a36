"""Outpost: a program beside us that works for some providers of one type."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import denied, invalid
from keystead.kinds.access import may
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Keys, Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import base
from keystead.kinds.state import State
from keystead.providers.application import ProviderShown
from keystead.providers.outpost import account
from keystead.providers.outpost.config import DEFAULTS, refresh_seconds, whole

EMBEDDED: Final = "goauthentik.io/outposts/embedded"
"""What manages the outpost that runs within the server."""


class OutpostTypeEnum(enum.StrEnum):
    """What an outpost speaks."""

    PROXY = "proxy"
    LDAP = "ldap"
    RADIUS = "radius"
    RAC = "rac"


PROVIDERS: Final = {
    OutpostTypeEnum.PROXY: "authentik_providers_proxy.proxyprovider",
    OutpostTypeEnum.LDAP: "authentik_providers_ldap.ldapprovider",
    OutpostTypeEnum.RADIUS: "authentik_providers_radius.radiusprovider",
    OutpostTypeEnum.RAC: "authentik_providers_rac.racprovider",
}
"""Type -> the model of the providers that an outpost of it works for."""


class Outpost(msgspec.Struct, frozen=True, kw_only=True):
    """A program that works for some providers.

    :param providers: whom it works for; all of its own type.
    :param service_connection: where it is deployed; null for one that somebody runs by hand.
    :param config: what it is told; keys that are left out have their defaults.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    type: OutpostTypeEnum
    providers: tuple[Annotated[int, Ref("providers", OnDelete.CASCADE_MANY)], ...]
    service_connection: Annotated[Uuid, Ref("service_connections", OnDelete.SET_NULL)] | None = None
    config: Json
    managed: Annotated[Text | None, UNIQUE] = None


class OutpostShown(msgspec.Struct):
    """The computed members of an outpost.

    :param refresh_interval_s: seconds from one look for news to the next.
    """

    providers_obj: list[ProviderShown]
    service_connection_obj: Annotated[dict[str, object] | None, msgspec.Meta(title="ServiceConnection")]
    refresh_interval_s: int
    token_identifier: str


class OutpostDefaultConfig(msgspec.Struct):
    """What an outpost is told unless somebody says otherwise."""

    config: dict[str, object]


class OutpostHealth(msgspec.Struct):
    """One running program of an outpost."""

    uid: str
    last_seen: datetime
    version: str
    golang_version: str
    openssl_enabled: bool
    openssl_version: str
    fips_enabled: bool | None
    version_should: str
    version_outdated: bool
    build_hash: str
    build_hash_should: str
    hostname: str


@steady
async def view(
    call: Call, state: State, outposts: Sequence[Outpost], _query: Mapping[str, Sequence[str]]
) -> list[OutpostShown]:
    """Providers and connection in short, and what derives from name and config."""
    shown = []
    for one in outposts:
        found = (call.settings.find("providers", pk) for pk in one.providers)
        place = call.settings.find("service_connections", one.service_connection) if one.service_connection else None
        shown.append(
            OutpostShown(
                providers_obj=[await base(call, state, *each) for each in found if each],
                service_connection_obj=await base(call, state, *place) if place else None,
                refresh_interval_s=refresh_seconds(one.config),
                token_identifier=account.token_identifier(one.pk),
            )
        )
    return shown


async def rules(call: Call, state: State, old: Outpost | None, new: Outpost) -> Outpost:
    """Providers of its own type, a config of known keys, and an embedded outpost that stays what it is."""
    wrong: dict[str, list[str]] = {}
    model = PROVIDERS[new.type]
    for pk in new.providers:
        found = call.settings.find("providers", pk)
        if found is not None and found[0].model != model:
            wrong["providers"] = [
                f"“{found[1].name}” is a {found[0].title[0]}, which a {new.type} outpost cannot work for."
            ]
    # Where no provider of the type can be made yet, nobody can name one.
    if not new.providers and new.managed != EMBEDDED and model in state.kinds:
        wrong["providers"] = ["Name at least one provider; only the embedded outpost may have none."]
    try:
        new = msgspec.structs.replace(new, config=whole(new.config))
    except ValueError as exc:
        wrong["config"] = [str(exc)]
    if old is not None and old.managed == EMBEDDED:
        if new.name != old.name:
            wrong["name"] = ["The embedded outpost keeps its name."]
        if new.managed != EMBEDDED:
            wrong["managed"] = ["The embedded outpost stays the embedded one."]
    elif old is not None and new.type != old.type and "providers" not in wrong:
        wrong |= {} if new.providers or model not in state.kinds else {"type": ["Name providers of that type."]}
    if wrong:
        raise invalid(wrong)
    return new


async def leaving(_call: Call, _state: State, outpost: Outpost) -> None:
    """The embedded outpost is part of the server."""
    if outpost.managed == EMBEDDED:
        raise denied("The embedded outpost is part of the server and cannot be removed; take its providers away.")


async def along(call: Call, state: State, old: Outpost | None, new: Outpost | None) -> Changes:
    """The account that the outpost comes with."""
    if new is None:
        return await account.removed(call, state, old) if old else Changes()
    return await (account.renamed if old else account.made)(call, state, new)


async def narrow(
    call: Call, _state: State, outposts: Sequence[Outpost], _query: Mapping[str, Sequence[str]]
) -> list[Outpost]:
    """Of a list what concerns the caller: an outpost's account sees its own outpost (outposts.md §1)."""
    if may(call, OUTPOST, "view"):
        return list(outposts)
    return [one for one in outposts if call.actor.username == account.username(one.pk)]


async def default_settings(call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """What an outpost is told unless somebody says otherwise, with the address at which the caller reaches us."""
    return Answer(OutpostDefaultConfig({**DEFAULTS, "authentik_host": f"{call.origin.root}/"}))


async def health(_call: Call, _state: State, _outpost: Outpost, _query: Mapping[str, Sequence[str]]) -> Answer:
    """The programs that run for this outpost and tell us so: none, because none can connect yet."""
    found: list[OutpostHealth] = []
    return Answer(found)


def _text(member: str, value: object) -> str:
    return str(getattr(value, member) or "").lower()


def _of_connection(test: Any) -> Keys:  # noqa: ANN401 - a comparison of two texts
    """Finds the outposts whose connection has such a name."""

    async def keys(call: Call, _state: State, wanted: str, _query: Mapping[str, Sequence[str]]) -> set[object]:
        names = {obj.pk: obj.name.lower() for _, obj in call.settings.members("service_connections")}
        return {one.pk for one in call.settings.all(OUTPOST) if test(wanted.lower(), names.get(one.service_connection))}

    return keys


_FILTERS: Final = (
    Filter("managed__icontains", str, test=lambda one, text: text.lower() in _text("managed", one)),
    Filter("managed__iexact", str, test=lambda one, text: text.lower() == _text("managed", one)),
    Filter("name__icontains", str, test=lambda one, text: text.lower() in _text("name", one)),
    Filter("name__iexact", str, test=lambda one, text: text.lower() == _text("name", one)),
    Filter("providers__isnull", bool, test=lambda one, none: (not one.providers) is none),
    Filter("providers_by_pk", int, many=True, test=lambda one, keys: bool(set(keys) & set(one.providers))),
    Filter(
        "service_connection__name__icontains",
        str,
        keys=_of_connection(lambda wanted, name: name is not None and wanted in name),
    ),
    Filter("service_connection__name__iexact", str, keys=_of_connection(lambda wanted, name: wanted == name)),
)

OUTPOST: Kind[Outpost] = Kind(
    model="authentik_outposts.outpost",
    struct=Outpost,
    path="outposts/instances",
    title=("Outpost", "Outposts"),
    key_name="uuid",
    shown=OutpostShown,
    view=view,
    rules=rules,
    leaving=leaving,
    along=along,
    search=("name",),
    filters=_FILTERS,
    stored_only="No outpost can connect yet, and none is deployed or told of changes.",
)
ACTIONS = (
    Action(
        OUTPOST,
        "GET",
        "default_settings/",
        default_settings,
        "default_settings_retrieve",
        permission="view",
        response=OutpostDefaultConfig,
    ),
    Action(
        OUTPOST,
        "GET",
        "{key}/health/",
        health,
        "health_list",
        permission="view",
        response=list[OutpostHealth],
        query=(*_FILTERS, Filter("ordering", str), Filter("search", str)),
    ),
)
