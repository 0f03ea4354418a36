"""Every operation of the contract that is served, called as a client of the contract would call it.

Bodies hold the members that the contract's schema names; each answer must be what the contract says of that operation,
and no more than our own document tells. A body without a required member, or with one of another type, is refused in
the contract's words.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
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
SPECIAL: Final[Mapping[str, int]] = {
    "admin_file_destroy": 400,  # no file is named
    "agents_agents_update": 400,  # the agent changed just before has that name
    "core_transactional_applications_update": 400,  # objects of several kinds: its own suite sends them
    "core_users_impersonate_create": 403,  # for browsers only
    "core_users_set_password_hash_create": 400,  # a password is no hash
    "core_users_recovery_create": 400,  # a fresh installation has no recovery flow
    **{
        # Whom it connects is read-only in the contract, which leaves nobody to connect.
        f"sources_group_connections_{type_}_create": 400
        for type_ in ("kerberos", "ldap", "oauth", "plex", "saml", "telegram")
    },
    "providers_oauth2_setup_urls_retrieve": 404,  # a provider without an application has no addresses
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
            return TEXTS[name]
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


TARGETS: Final[Mapping[str, str]] = {
    "user": "authentik_core.user",
    "pk": "authentik_core.user",
    "group": "authentik_core.group",
    "provider": "providers",
}
"""Member -> the kind that it names an object of."""
TEXTS: Final[Mapping[str, object]] = {
    "password": "a long enough secret",
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


def served() -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation of everything in the contract that we answer."""
    ours = {(one.path, one.method.lower()) for one in covered() if one.how != ABSENT}
    for path, methods in contract()["paths"].items():
        for method, operation in methods.items():
            if (path, method) in ours and not path.startswith("/tenants/"):  # these take no token: test_tenants.py
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
    theirs = [line for line in faults(contract(), content["schema"], answered.json, where) if "not told of" not in line]
    return [*theirs, *told_of(operation, answered)][:5]


@cache
def ours() -> Json:
    """Our own document, and under ``operations`` each operation by its id."""
    made = told()
    operations = {one["operationId"]: one for methods in made["paths"].values() for one in methods.values()}
    return {**made, "operations": operations}


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
    assert answered.status == wanted if wanted else answered.status in _OK, answered.text[:500]
    assert conforms(operation, answered) == []


@pytest.mark.parametrize(("path", "method", "operation"), [one for one in OPERATIONS if request_schema(one.values[2])])  # type: ignore[arg-type]  # the third is the operation
async def test_a_wrong_body_is_refused_in_the_words_of_the_contract(
    walk: Walk, path: str, method: str, operation: Json
) -> None:
    schema = resolved(request_schema(operation) or {})
    url = await walk.path(path)
    if url is None:
        pytest.skip("as above")
    good = await walk.body(path, method, schema)
    bad: list[tuple[str, object]] = [("", []), ("", "text")]
    required = schema.get("required", ()) if method != "patch" else ()
    bad += [(name, {key: value for key, value in good.items() if key != name}) for name in required]
    for name, one in schema["properties"].items():
        if resolved(one).get("type") in {"boolean", "integer", "string"} and not resolved(one).get("readOnly"):
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
