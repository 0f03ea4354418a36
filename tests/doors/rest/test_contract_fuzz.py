"""Every operation with queries, keys and bodies at random, on both engines: never a fault, never an undeclared answer.

The mutations are the same in each run. What they hit is a house with an object of every kind in it.
"""

import random  # noqa: TID251 - mutations that are the same in each run, no secret
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.doors.rest.conforms import Json, faults
from tests.doors.rest.contract import contract
from tests.doors.rest.test_contract_walk import API, MAY_BE_NULL, OPERATIONS, Walk, request_schema, resolved
from tests.engines import ENGINES
from tests.family.bodies import Maker
from tests.house import fresh_house

ROUNDS: Final = 5
"""Calls of each operation."""
_TEXTS: Final = (
    "",
    " ",
    "0",
    "-1",
    "1",
    "true",
    "null",
    "a",
    "ä",
    "\U0001f511",
    "%",
    "'",
    '"',
    "\\",
    "{}",
    "[]",
    "*" * 600,
)
_VALUES: Final[tuple[object, ...]] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308),
    *_TEXTS,
    *("2026-11-22T00:00:00Z", "hours=1", "00000000-0000-0000-0000-000000000000", "\x00", "\ud7ff"),
    *([], [None], [[]], ["a", 1], {}, {"a": None}, {"": {"": []}}),
)
_NEVER: Final = frozenset({500, 502, 503, 504})
_DECLARED: Final = frozenset({302, 400, 403, 404, 405, 409, 413, 415, 501})
"""Refusals, and a redirect, that operations may answer with beside what the contract says of each."""


@pytest.fixture(scope="module", params=ENGINES)
async def walk(request: pytest.FixtureRequest) -> AsyncIterator[Walk]:
    """A house on each engine."""
    async with fresh_house(request.param) as house:
        yield Walk(Maker(house))


def query(rnd: random.Random, parameters: list[Json]) -> list[tuple[str, str]]:
    """Some of the declared parameters, with values that may be theirs or not, and one nobody knows."""
    found: list[tuple[str, str]] = [("unknown", "1")] if rnd.random() < 0.2 else []
    for one in parameters:
        if one["in"] != "query" or rnd.random() > 0.4:
            continue
        schema = resolved(one["schema"])
        schema = resolved(schema["items"]) if schema.get("type") == "array" else schema
        good = (
            schema["enum"][0] if "enum" in schema else {"boolean": "true", "integer": "1"}.get(schema.get("type", ""))
        )
        value = rnd.choice(_TEXTS) if good is None or rnd.random() < 0.5 else good
        found.append((one["name"], str(value)))
    return found


def mutated(rnd: random.Random, body: Mapping[str, Any]) -> object:
    """``body`` with some members gone, some of another kind, perhaps one too many; or no object at all."""
    if rnd.random() < 0.1:
        return rnd.choice(_VALUES)
    found = {name: value for name, value in body.items() if rnd.random() > 0.2}
    for name in list(body):
        if rnd.random() < 0.3:
            found[name] = rnd.choice(_VALUES)
    return found


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
async def test_nothing_at_random_is_a_fault(walk: Walk, path: str, method: str, operation: Json) -> None:
    rnd = random.Random(operation["operationId"])  # noqa: S311 - the same mutations in each run, no secret
    template = await walk.path(path) or path
    schema = request_schema(operation)
    good = await walk.body(path, method, schema) if schema is not None else None
    for _ in range(ROUNDS):
        url = template
        if "{" in path and ("{" in url or rnd.random() < 0.3):
            head, _, tail = path.partition("{")
            url = head + quote(rnd.choice(_TEXTS) or "x", safe="") + tail.partition("}")[2]
            url = url.replace("{", "").replace("}", "")
        asked = query(rnd, operation.get("parameters", []))
        body = mutated(rnd, good) if good is not None else ...
        house = walk.maker.house
        answered = await house.admin.request(method.upper(), f"{API}{url}", json=body, query=asked)
        case = f"{method.upper()} {url} {asked} {body!r}: {answered.status} {answered.text[:300]}"
        assert answered.status not in _NEVER, case
        told = operation["responses"].get(str(answered.status))
        if told is None:
            assert answered.status in _DECLARED, case
            continue
        content = told.get("content", {}).get("application/json")
        if content is not None and answered.header("content-type") == "application/json":
            more = faults(contract(), content["schema"], answered.json, operation["operationId"])
            told_wrong = [line for line in more if "not told of" not in line]
            assert [
                line for line in told_wrong if not any(f".{name}: None is" in line for name in MAY_BE_NULL)
            ] == [], case
