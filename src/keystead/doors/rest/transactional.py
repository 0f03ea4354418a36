"""An application together with what speaks for it and who may use it: all of it, or nothing."""

import enum
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import replace

from keystead.base.errors import invalid
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.body import REQUIRED
from keystead.doors.rest.making import Making
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json, new_key
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import Int32, Uuid
from keystead.kinds.state import State
from keystead.policies.binding import POLICY_BINDING
from keystead.providers.application import APPLICATION

_MOST: Final = 100
"""Bindings that come with an application."""


class ProviderModelEnum(enum.StrEnum):
    """The models of providers."""

    GOOGLE_WORKSPACE = "authentik_providers_google_workspace.googleworkspaceprovider"
    LDAP = "authentik_providers_ldap.ldapprovider"
    MICROSOFT_ENTRA = "authentik_providers_microsoft_entra.microsoftentraprovider"
    OAUTH2 = "authentik_providers_oauth2.oauth2provider"
    PROXY = "authentik_providers_proxy.proxyprovider"
    RAC = "authentik_providers_rac.racprovider"
    RADIUS = "authentik_providers_radius.radiusprovider"
    SAML = "authentik_providers_saml.samlprovider"
    SCIM = "authentik_providers_scim.scimprovider"
    SSF = "authentik_providers_ssf.ssfprovider"
    WS_FEDERATION = "authentik_providers_ws_federation.wsfederationprovider"


class Model(msgspec.Struct):
    """A provider's members, as its own path takes them."""


class TransactionPolicyBinding(msgspec.Struct):
    """Who may use the application; exactly one of `policy`, `group` and `user` is named."""

    order: Int32
    policy: Uuid | None = None
    group: Uuid | None = None
    user: int | None = None
    negate: bool | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    timeout: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] | msgspec.UnsetType = msgspec.UNSET
    failure_result: bool | msgspec.UnsetType = msgspec.UNSET


class TransactionApplication(msgspec.Struct):
    """An application and what comes with it."""

    app: Annotated[dict[str, object], msgspec.Meta(title="ApplicationRequest")]
    provider_model: ProviderModelEnum
    provider: Model
    policy_bindings: list[TransactionPolicyBinding] | msgspec.UnsetType = msgspec.UNSET


class TransactionApplicationResponse(msgspec.Struct):
    """Whether it was done."""

    applied: bool
    logs: list[str]


def _member(body: Mapping[str, object], name: str, wrong: dict[str, list[str]]) -> dict[str, object]:
    value = body.get(name)
    if isinstance(value, dict):
        return value
    wrong[name] = [REQUIRED if name not in body else "Write the members of the object."]
    return {}


def _bindings(body: Mapping[str, object], wrong: dict[str, list[str]]) -> list[dict[str, object]]:
    value = body.get("policy_bindings") or []
    if isinstance(value, list) and len(value) <= _MOST and all(isinstance(one, dict) for one in value):
        return value
    wrong["policy_bindings"] = [f"Write a list of bindings, at most {_MOST}."]
    return []


def _provider_kind(state: State, body: Mapping[str, object], wrong: dict[str, list[str]]) -> Kind[Any] | None:
    able = sorted(model for model, kind in state.kinds.items() if kind.family == "providers")
    model = body.get("provider_model")
    if isinstance(model, str) and model in able:
        return state.kinds[model]
    wrong["provider_model"] = [REQUIRED if model is None else f"“{model}” is no provider. Accepted: {', '.join(able)}."]
    return None


async def create(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Make a provider, an application that it speaks for, and bindings that say who may use it: all, or nothing.

    Needs the permissions to add each of them.
    """
    state, body = site.state, json_object(request)
    wrong: dict[str, list[str]] = {}
    kind = _provider_kind(state, body, wrong)
    provider, app = _member(body, "provider", wrong), _member(body, "app", wrong)
    bindings = _bindings(body, wrong)
    require(call, APPLICATION, Verb.CREATE)
    if wrong or kind is None:
        raise invalid(wrong)
    provider_pk, app_pk = await new_key(state, kind), await new_key(state, APPLICATION)
    keys = [await new_key(state, POLICY_BINDING) for _ in bindings]

    async def decide(call: Call) -> tuple[Changes, None]:
        making = Making(call, state)
        await making.make(kind, provider, provider_pk, "provider")
        await making.make(APPLICATION, {**app, "provider": provider_pk}, app_pk, "app")
        for binding, pk in zip(bindings, keys, strict=True):
            await making.make(POLICY_BINDING, {**binding, "target": app_pk}, pk, "policy_bindings")
        return making.changes, None

    await state.change(call, decide)
    return json(TransactionApplicationResponse(applied=True, logs=[]))


async def policy_bindings(call: Call, state: State, application: Any, body: Mapping[str, object]) -> Changes:  # noqa: ANN401 - an application
    """What ``policy_bindings`` of a new application asks for: policies, by key or name, and the place of each."""
    wanted = body.get("policy_bindings")
    if not wanted:
        return Changes()
    if not isinstance(wanted, dict) or len(wanted) > _MOST:
        raise invalid({"policy_bindings": [f"Write a mapping of policies to their places, at most {_MOST}."]})
    names = {obj.name: obj.pk for _, obj in call.settings.members("policies")}
    keys = {obj.pk for _, obj in call.settings.members("policies")}
    making = Making(call, state)
    seen = call.settings.changed(call.settings.seq, [(APPLICATION, application.pk, application)])
    making.call = replace(call, settings=seen)
    for name, order in wanted.items():
        policy = name if name in keys else names.get(name)
        if policy is None:
            raise invalid({"policy_bindings": [f"There is no policy called “{name}”."]})
        binding: dict[str, object] = {"policy": policy, "order": order, "target": application.pk}
        await making.make(POLICY_BINDING, binding, await new_key(state, POLICY_BINDING), "policy_bindings")
    return making.changes


OPERATIONS: Final = (
    Operation(
        "PUT",
        "core/transactional/applications/",
        create,
        "core_transactional_applications_update",
        request=TransactionApplication,
        response=TransactionApplicationResponse,
    ),
)
