"""Policies and property mappings of every type, tried out; and the cache of policies' answers, which is always empty.

A trial runs what an administrator wrote, so it takes the right to write it: seeing an object is not enough (SECURITY
AP-05).
"""

from typing import Any, Final, cast

import msgspec

from keystead.base.errors import denied, invalid, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request as Asked
from keystead.doors.http.message import Response
from keystead.doors.http.site import Site
from keystead.doors.rest import verbs
from keystead.doors.rest.body import decoded
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json, query_of
from keystead.flows.flow import Cache
from keystead.kinds import asked, grants
from keystead.kinds.access import holds, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State
from keystead.people.group import GROUP
from keystead.people.person import Person, person_by_pk
from keystead.people.power import check_reach
from keystead.people.shown import PartialGroup, partial_groups
from keystead.people.user import USER
from keystead.policies.engine import Engine
from keystead.policies.geoip import COUNTRIES, DetailedCountry
from keystead.policies.judge import Request
from keystead.policies.plain import plain
from keystead.policies.sandbox import ExpressionError
from keystead.policies.values import evaluate_mapping, group_view, names_for_mapping
from keystead.providers.access import PolicyTestResult

SEE: Final = "authentik_policies.view_policy_cache"
CLEAR: Final = "authentik_policies.clear_policy_cache"
"""Permissions on the cache."""
_FORMATTED: Final = Filter("format_result", bool, note="Whether the result is indented.")


class PolicyTestRequest(msgspec.Struct):
    """Whom to judge.

    :param user: the person's key.
    :param context: what the policy shall find in ``context``.
    """

    user: int
    context: dict[str, object] | None = None


class PropertyMappingTestRequest(msgspec.Struct):
    """For whom to run a mapping.

    :param user: what it finds as ``user``.
    :param context: further names and their values; those of the server go before them.
    :param group: what it finds as ``group``.
    """

    user: int | None = None
    context: dict[str, object] = {}
    group: Uuid | None = None


class PropertyMappingTestResult(msgspec.Struct):
    """What a mapping gave.

    :param result: the value as JSON, or why there is none.
    """

    result: str
    successful: bool


async def _person(call: Call, state: State, pk: int) -> Person:
    """The person with this key.

    :raises Problem: ``INVALID`` on ``user``: there is none, or none the caller may see.
    """
    may_see = pk == call.actor.pk or holds(call, USER.permission("view"))
    person = await person_by_pk(state, pk) if may_see else None
    if person is None:
        raise invalid({"user": [f'Invalid pk "{pk}" - object does not exist.']})
    return person


async def _group(call: Call, state: State, pk: str) -> PartialGroup:
    found = await partial_groups(state, [pk]) if holds(call, GROUP.permission("view")) else {}
    if pk not in found:
        raise invalid({"group": [f'Invalid pk "{pk}" - object does not exist.']})
    return found[pk]


async def _changeable(call: Call, state: State, family: str, key: str) -> tuple[Kind[Any], Any]:
    """The object of a family that a URL names, which the caller may change.

    :raises Problem: ``NOT_FOUND``, ``DENIED`` or ``UNAUTHENTICATED``.
    """
    signed_in(call)
    for kind in call.settings.kinds(family):
        value = verbs.key_of(kind.fields[kind.pk], key)
        if value is not None and (obj := call.settings.get(kind, value)) is not None:
            require(await grants.on(call, state.store, kind, [obj]), kind, "change", obj)
            return kind, obj
    raise not_found()


async def countries(_request: Asked, _call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The countries a GeoIP policy can name; for everybody."""
    return json(COUNTRIES)


async def cache_info(_request: Asked, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """How many answers of policies are kept: none ever, each question is asked anew."""
    signed_in(call)
    if not holds(call, SEE):
        raise denied()
    return json(Cache(0))


async def cache_clear(_request: Asked, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """Forget kept answers of policies. There are none, so there is nothing to do."""
    signed_in(call)
    if not holds(call, CLEAR):
        raise denied()
    return Response(204)


async def try_mapping(request: Asked, call: Call, site: Site, params: dict[str, str]) -> Response:
    """What a mapping of whatever type gives for a user, a group and further names; who may change it may try it."""
    _, mapping = await _changeable(call, site.state, "propertymappings", params["pm_uuid"])
    body = cast("PropertyMappingTestRequest", decoded(json_object(request), PropertyMappingTestRequest))
    indented = bool(asked.asked_for(_FORMATTED, query_of(request)))
    person = await _person(call, site.state, body.user) if body.user is not None else None
    own = names_for_mapping(Request(call, person, dict(body.context)))
    if body.group is not None:
        own["group"] = group_view(await _group(call, site.state, body.group))
    # Nobody who tries a mapping makes it see another caller, address or helper than the server gives it.
    names = {**body.context, **own}
    expression = getattr(mapping, "expression", "")
    if not expression:
        return json(PropertyMappingTestResult("This mapping has no expression that could be run.", successful=False))
    try:
        found = plain(evaluate_mapping(expression, mapping.name, names))
    except ExpressionError as exc:
        return json(PropertyMappingTestResult(str(exc), successful=False))
    raw = msgspec.json.encode(found)
    text = (msgspec.json.format(raw, indent=4) if indented else raw).decode()
    return json(PropertyMappingTestResult(text, successful=True))


def operations(engine: Engine) -> tuple[Operation, ...]:
    """The operations of the families of policies and mappings beside the verbs; ``app.py`` lists them."""

    async def try_policy(request: Asked, call: Call, site: Site, params: dict[str, str]) -> Response:
        """How a policy of whatever type judges a user; who may change it may try it."""
        kind, policy = await _changeable(call, site.state, "policies", params["policy_uuid"])
        body = cast("PolicyTestRequest", decoded(json_object(request), PolicyTestRequest))
        person = await _person(call, site.state, body.user)
        # Some policies compare passwords: nobody finds out by trying what somebody stronger has set.
        await check_reach(call, site.state, person.user.pk, "try a policy on this user")
        result = await engine.ask(site.state, kind, policy, Request(call, person, dict(body.context or {})))
        lines = [LogEvent(call.at, LogLevelEnum.INFO, "policies", text, {}) for text in result.log]
        return json(PolicyTestResult(passing=result.passing, messages=list(result.messages), log_messages=lines))

    return (
        Operation(
            "GET",
            "policies/geoip_iso3166/",
            countries,
            "policies_geoip_iso3166_list",
            response=list[DetailedCountry],
            anonymous=True,
        ),
        Operation("GET", "policies/all/cache_info/", cache_info, "policies_all_cache_info_retrieve", response=Cache),
        Operation("POST", "policies/all/cache_clear/", cache_clear, "policies_all_cache_clear_create", status=204),
        Operation(
            "POST",
            "policies/all/{policy_uuid}/test/",
            try_policy,
            "policies_all_test_create",
            request=PolicyTestRequest,
            response=PolicyTestResult,
            params=(("policy_uuid", Uuid),),
        ),
        Operation(
            "POST",
            "propertymappings/all/{pm_uuid}/test/",
            try_mapping,
            "propertymappings_all_test_create",
            request=PropertyMappingTestRequest,
            response=PropertyMappingTestResult,
            query=(_FORMATTED,),
            params=(("pm_uuid", Uuid),),
        ),
    )
