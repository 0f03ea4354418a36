"""Every operation of the contract that is served, called as a client of the contract would call it.

Bodies hold the members that the contract's schema names; each answer must be what the contract says of that operation,
and no more than our own document tells. A body without a required member, or with one of another type, is refused in
the contract's words.
"""

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from keystead import app
from keystead.kinds.kind import Verb
from tests.client import Answered
from tests.doors.rest.conforms import Json, faults
from tests.doors.rest.contract import contract
from tests.family.bodies import Maker
from tests.house import fresh_house
from tools.api_coverage import ABSENT, KINDS, covered, told

API: Final = "/api/v3"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_OK: Final = range(200, 300)
_NOT_BUILT: Final = 501
_numbers: Final = itertools.count(1)
SPECIAL: Final[Mapping[str, int]] = {
    "admin_file_destroy": 400,  # no file is named
    "core_users_account_lockdown_create": 400,  # a fresh installation has no lockdown flow
    "core_users_switch_create": 403,  # wants a browser, which alone holds several accounts
    "core_users_impersonate_create": 403,  # wants a browser: a token stays whose it is
    "core_users_recovery_create": 400,  # a fresh installation has no recovery flow
    "core_users_recovery_email_create": 400,  # as above
    "lifecycle_iterations_create": 400,  # no rule is due
    "lifecycle_reviews_create": 400,  # the round at hand is over
    "sources_ldap_debug_retrieve": 400,  # there is no directory at a made-up host
    "sources_plex_redeem_token_create": 400,  # no source is named
    "sources_plex_redeem_token_authenticated_create": 400,  # as above
    "sources_telegram_connect_user_create": 400,  # nothing made up is a proof of Telegram's
    "stages_authenticator_duo_enrollment_status_create": 400,  # no enrolment is under way
    "stages_authenticator_duo_import_devices_automatic_create": 400,  # there is no Duo at a made-up host
    "tasks_tasks_retry_create": 400,  # the task at hand is not over
    "stages_invitation_invitations_send_email_create": 400,  # nobody is named
    **{
        # Whom it connects is read-only in the contract, which leaves nobody to connect.
        f"sources_group_connections_{type_}_create": 400
        for type_ in ("kerberos", "ldap", "oauth", "plex", "saml", "telegram")
    },
    "providers_oauth2_setup_urls_retrieve": 404,  # a provider without an application has no addresses
    "providers_saml_metadata_retrieve": 404,  # as above
    "providers_wsfed_metadata_retrieve": 404,  # as above
}
"""Operation id -> the status that a valid call gets where it is no success, and why."""


@dataclass
class Walk:
    """One house with an object of every kind in it, and what was seen there."""

    maker: Maker

    async def path(self, template: str) -> str | None:
        """``template`` with a new object's key in the place of its parameter; None where nothing fits there."""
        if "{" not in template:
            return template
        base = template.partition("/{")[0].strip("/")
        kind = next((one for one in KINDS if one.path == base and one.verbs), None)
        family = next((one.name for one in app.FAMILIES if one.path == base), None)
        member = next((one for one in app.KINDS if one.family == family and Verb.CREATE in one.verbs), None)
        whose = kind or (member if family else None)
        if whose is None:
            return None
        obj = await self.maker.kept(whose, await self.maker.make(whose))
        return _PARAMETER.sub(str(getattr(obj, whose.key)), template)

    async def body(self, path: str, method: str, schema: Json) -> Json:
        """A body of the contract's members; values of a kind's own come from its declaration."""
        base = path.partition("/{")[0].strip("/")
        kind = next((one for one in KINDS if one.path == base and one.verbs), None)
        own = kind is not None and path.count("/") == base.count("/") + (2 if method == "post" else 3)
        known = await self.maker.body(kind, full=True) if kind is not None and own else {}
        schema = resolved(schema)
        if "properties" not in schema:
            return {"component": "ak-stage-identification", "uid_field": "somebody"}
        if path in WHOLE:
            return await WHOLE[path](self)
        found: Json = {}
        for name, one in schema["properties"].items():
            choices = resolved(one).get("enum")
            fits = name in known and (choices is None or known[name] is None or known[name] in choices)
            value = known[name] if fits else await self.sample(name, one, required=name in schema.get("required", ()))
            if value is not ...:
                found[name] = value
        return found

    async def sample(self, name: str, schema: Json, *, required: bool) -> object:
        """A value for a member that the contract describes as ``schema``; ``...`` where leaving it out is best."""
        nullable = bool(schema.get("nullable"))
        schema = resolved(schema)
        target = TARGETS.get(name)
        if target:
            found = await self.maker.target(target)
            return [found] if schema.get("type") == "array" else found
        if name in TEXTS:
            return f"walked-{next(_numbers)}" if name in {"name", "username"} else TEXTS[name]
        if "enum" in schema:
            return schema["enum"][0]
        if nullable or not required:
            return ...
        values: dict[str, object] = {
            "boolean": True,
            "integer": max(1, schema.get("minimum", 1)),
            "number": 1.0,
            "string": "walked",
            "array": [],
        }
        return values.get(schema.get("type", "object"), {})


async def _together(walk: Walk) -> Json:
    """An application and its provider in one."""
    kinds = {kind.model: kind for kind in app.KINDS}
    application = await walk.maker.body(kinds["authentik_core.application"], full=False)
    provider = await walk.maker.body(kinds["authentik_providers_oauth2.oauth2provider"], full=False)
    return {
        "app": application,
        "provider_model": "authentik_providers_oauth2.oauth2provider",
        "provider": provider,
        "policy_bindings": [],
    }


async def _known(walk: Walk) -> Json:
    """Somebody there is, and an account at Duo that nobody has."""
    return {"duo_user_id": f"DU{next(_numbers)}", "username": walk.maker.house.superuser.username}


async def _somebody(walk: Walk) -> Json:
    """A user there is, named as text."""
    return {
        "sync_object_model": "authentik.core.models.User",
        "sync_object_id": str(walk.maker.house.superuser.pk),
        "override_dry_run": True,
    }


WHOLE: Final[Mapping[str, Callable[[Walk], Awaitable[Json]]]] = {
    "/core/transactional/applications/": _together,
    "/stages/authenticator/duo/{stage_uuid}/import_device_manual/": _known,
    **{f"/providers/{room}/{{id}}/sync/object/": _somebody for room in ("scim", "google_workspace", "microsoft_entra")},
}
"""Path -> a body that the schema does not tell enough of."""
TARGETS: Final[Mapping[str, str]] = {
    "email_stage": "authentik_stages_email.emailstage",
    "enrollment_token": "authentik_endpoints_connectors_agent.enrollmenttoken",
    "iteration": "authentik_lifecycle.lifecycleiteration",
    "user": "authentik_core.user",
    "pk": "authentik_core.user",
    "group": "authentik_core.group",
    "provider": "providers",
}
"""Member -> the kind that it names an object of."""
TEXTS: Final[Mapping[str, object]] = {
    "password": "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b0dWRWJTmaaJObGc2h5Y0x2dXk",
    "name": "walked",
    "username": "walked.by.name",
    "common_name": "walked.example.org",
    "validity_days": 3,
    "alg": "ecdsa",
    "key": "k" * 40,
    "token_duration": "minutes=5",
    "app": "tests",
    "prompt": "text",
    "email_stage": "00000000-0000-4000-8000-000000000000",
    "enrollment_token": "00000000-0000-4000-8000-000000000000",
    "context": {},
}


def resolved(schema: Json) -> Json:
    """``schema``, its references followed."""
    while "$ref" in schema or ("allOf" in schema and len(schema["allOf"]) == 1):
        schema = schema["allOf"][0] if "allOf" in schema else schema
        if "$ref" in schema:
            schema = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


OPENED: Final = [kind.path for kind in KINDS if kind.model in app.OPENED]
"""Paths whose callers prove themselves by a key of their own; rooms test such operations themselves."""
MAY_BE_NULL: Final = [
    line.partition(": may be null")[0].rpartition(".")[2]
    for line in Path(__file__).with_name("openapi_pending.txt").read_text("utf-8").splitlines()
    if "(out)." in line and ": may be null |" in line
]
"""Members that are null where the contract promises an object; each with its reason in that file."""


def served() -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of everything in the contract that we answer."""
    ours = {(one.path, one.method.lower()) for one in covered() if one.how != ABSENT}
    for path, methods in contract()["paths"].items():
        for method, operation in methods.items():
            if (path, method) in ours and not any(path.startswith(f"/{opened}/") for opened in OPENED):
                yield path, method, operation


OPERATIONS: Final = [pytest.param(*one, id=one[2]["operationId"]) for one in served()]


@pytest.fixture(scope="module")
async def walk() -> AsyncIterator[Walk]:
    """One engine: the shapes of answers do not depend on it."""
    async with fresh_house("sqlite") as house:
        yield Walk(Maker(house))


def request_schema(operation: Json) -> Json | None:
    """The schema of the operation's JSON body."""
    content = operation.get("requestBody", {}).get("content", {})
    found: Json | None = content.get("application/json", {}).get("schema")
    return found


def conforms(operation: Json, answered: Answered) -> list[str]:
    """What of an answer is not as the contract says."""
    where = operation["operationId"]
    told = operation["responses"].get(str(answered.status))
    if told is None:
        return [f"{where}: answers {answered.status}: {answered.text[:200]}"]
    content = told.get("content", {}).get("application/json")
    if content is None or not answered.body:
        return [f"{where}: {answered.status} without a body"] if content is not None and answered.status != 204 else []
    if answered.header("content-type") != "application/json":
        return []
    theirs = [
        line
        for line in faults(contract(), content["schema"], answered.json, where)
        if "not told of" not in line and not any(f".{name}: None is no object" in line for name in MAY_BE_NULL)
    ]
    return [*theirs, *told_of(operation, answered)][:5]


@cache
def ours() -> Json:
    """Our own document, and under ``operations`` each operation by its id."""
    made = told()
    operations = {one["operationId"]: one for methods in made["paths"].values() for one in methods.values()}
    return {**made, "operations": operations}


def resolved_ours(operation: Json) -> frozenset[str]:
    """The members of a body that we take; what is read-only is ignored, whatever it holds."""
    mine = ours()["operations"].get(operation["operationId"], {})
    schema = request_schema(mine) or {}
    while "$ref" in schema:
        schema = ours()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return frozenset(schema.get("properties", ()))


def told_of(operation: Json, answered: Answered) -> list[str]:
    """What of an answer is not as our own document says."""
    mine = ours()["operations"].get(operation["operationId"], {}).get("responses", {}).get(str(answered.status), {})
    content = mine.get("content", {}).get("application/json")
    if content is None:
        return []
    return [f"our document: {line}" for line in faults(ours(), content["schema"], answered.json)]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
async def test_a_valid_call_is_answered_as_the_contract_says(
    walk: Walk, path: str, method: str, operation: Json
) -> None:
    url = await walk.path(path)
    if url is None:
        pytest.skip("the parameter names no object of a kind; rooms test such operations themselves")
    schema = request_schema(operation)
    content = operation.get("requestBody", {}).get("content", {})
    if content and schema is None:
        pytest.skip("takes no JSON; rooms test such operations themselves")
    body = await walk.body(path, method, schema) if schema is not None else ...
    answered = await walk.maker.house.admin.request(method.upper(), f"{API}{url}", json=body)
    if answered.status == _NOT_BUILT:
        assert answered.json["detail"].endswith("."), "says what does not happen"
        return
    wanted = SPECIAL.get(operation["operationId"])
    if wanted is not None:
        assert answered.status == wanted, answered.text[:500]
        return
    assert answered.status in _OK, answered.text[:500]
    assert conforms(operation, answered) == []


@pytest.mark.parametrize(("path", "method", "operation"), [one for one in OPERATIONS if request_schema(one.values[2])])  # type: ignore[arg-type]  # the third is the operation
async def test_a_wrong_body_is_refused_in_the_words_of_the_contract(
    walk: Walk, path: str, method: str, operation: Json
) -> None:
    schema = resolved(request_schema(operation) or {})
    if "properties" not in schema:
        pytest.skip("one of several: the executor answers what does not fit with the challenge at hand")
    ours_takes = resolved_ours(operation)
    url = await walk.path(path)
    if url is None:
        pytest.skip("as above")
    good = await walk.body(path, method, schema)
    bad: list[tuple[str, object]] = [("", []), ("", "text")]
    required = schema.get("required", ()) if method != "patch" else ()
    bad += [(name, {key: value for key, value in good.items() if key != name}) for name in required]
    for name, one in schema["properties"].items():
        if (
            name in ours_takes
            and resolved(one).get("type") in {"boolean", "integer", "string"}
            and not resolved(one).get("readOnly")
        ):
            bad.append((name, {**good, name: ["no", "such", "type"]}))
    for name, body in bad:
        answered = await walk.maker.house.admin.request(method.upper(), f"{API}{url}", json=body)
        assert answered.status in {400, _NOT_BUILT}, (name, body, answered.text[:300])
        if answered.status == _NOT_BUILT:
            continue
        assert isinstance(answered.json, dict), answered.text
        assert not name or name in answered.json or "non_field_errors" in answered.json, (name, answered.text)
        assert conforms(operation, answered) == []


def test_most_of_the_contract_is_walked() -> None:
    assert len(OPERATIONS) > 200
