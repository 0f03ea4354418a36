"""Every operation of our own document with requests at random, on both engines: nothing is a fault of ours.

The requests are the same in each run. ``KEYSTEAD_FUZZ=200`` draws 200 for each operation,
``KEYSTEAD_FUZZ=200:7`` others, from the seed 7. What they hit is a house with an object of every kind in it.
"""

import itertools
import os
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from keystead import app
from keystead.base.config.services import Tenants
from keystead.base.config.settings import Config
from keystead.base.secret import Secret
from keystead.kinds.kind import Kind
from tests.client import Answered, Client
from tests.doors.rest.at_random import Sent, Shapes
from tests.doors.rest.conforms import Json, faults
from tests.doors.rest.contract import contract
from tests.doors.rest.test_contract_walk import API, Walk, ours, request_schema
from tests.engines import ENGINES, Engine
from tests.family.bodies import Maker
from tests.family.every import SAMPLE
from tests.house import House, fresh_house

_MORE, _, _SEED = os.environ.get("KEYSTEAD_FUZZ", "").partition(":")
ROUNDS: Final[dict[Engine, int]] = {"sqlite": int(_MORE or 8), "postgres": int(_MORE or 4)}
"""Requests to each operation."""
_NOT_BUILT: Final = 501
_BUSY: Final = 503
ASKS_OTHERS: Final = frozenset({"sources_plex_redeem_token_create", "sources_plex_redeem_token_authenticated_create"})
"""Operations that ask somebody who cannot be reached here, and say so."""
_REFUSED: Final = frozenset({400, 403, 404, 405, 409, 413, 415, _NOT_BUILT, _BUSY})
"""What every operation may answer beside what the document says of it."""
SHAPES: Final = Shapes(ours())
TENANT: Final = {"name": "Acme", "schema_name": "t_acme"}
_numbers: Final = itertools.count(1)
KEY: Final = "the key of the tenants"
OBJECTS: Final = {
    "flow_slug": "authentik_flows.flow",
    "uuid": "authentik_rbac.role",
}
"""Path parameter -> the kind that it names an object of, where the path does not tell."""


def _operations() -> Iterator[tuple[str, str, str]]:
    for path, methods in ours()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation["operationId"]


OPERATIONS: Final = tuple(_operations())


def _kind(path: str) -> Kind[Any] | None:
    found = [kind for kind in (*app.KINDS, *app.TWINS) if path.startswith(f"/{kind.path}/")]
    return max(found, key=lambda kind: len(kind.path), default=None)


def _tried(engine: Engine, path: str) -> bool:
    """On PostgreSQL only what has statements of its own there, and a sample of the rest."""
    kind = _kind(path)
    return engine == "sqlite" or bool(_MORE) or kind is None or kind.table is not None or kind.model in SAMPLE


CASES: Final = [
    pytest.param(engine, *one, id=f"{one[2]}-{engine}")
    for engine in ENGINES
    for one in OPERATIONS
    if _tried(engine, one[0])
]


@dataclass
class Target:
    """A house on one engine, with tenants' API and all."""

    walk: Walk

    @classmethod
    def of(cls, house: House) -> "Target":
        """``house``, whose tenants' API has the key :data:`KEY`."""
        house.site.extras["config"] = Config(tenants=Tenants(enabled=True, api_key=Secret(KEY)))
        return cls(Walk(Maker(house)))

    def client(self, path: str, who: str) -> Client:
        """Who asks."""
        house = self.walk.maker.house
        if path.startswith("/tenants/") and who == "admin":
            return house.nobody.with_token(KEY)
        return {"admin": house.admin, "user": house.user, "nobody": house.nobody}[who]

    async def path(self, template: str) -> str:
        """``template`` with an object's key, as far as there is one."""
        if template.startswith("/tenants/"):
            return await self._tenancy(template)
        if found := await self.walk.path(template):
            return found
        for name, model in OBJECTS.items():
            if f"{{{name}}}" in template:
                (kind,) = self.walk.maker.kinds_of(model)
                obj = await self.walk.maker.kept(kind, await self.walk.maker.make(kind))
                template = template.replace(f"{{{name}}}", str(getattr(obj, kind.key)))
        return template

    async def body(self, path: str, method: str) -> Json | None:
        """A body that an operation takes; None where nothing is known of it."""
        if path.startswith("/tenants/"):
            tenant = await self._tenancy("{tenant_uuid}") if path.startswith("/tenants/domains/") else None
            return {"domain": "acme.example.org", "tenant": tenant} if tenant else dict(TENANT)
        if path == "/admin/file/":
            return {"file": "<svg/>", "name": "a.svg", "usage": "media"}
        schema = request_schema(contract()["paths"].get(path, {}).get(method, {}))
        return await self.walk.body(path, method, schema) if schema is not None else None

    async def _tenancy(self, template: str) -> str:
        """``template`` with the key of a new tenant, or of a new domain of one."""
        name = f"t_{next(_numbers)}"
        made = await self.client("/tenants/", "admin").post(f"{API}/tenants/tenants/", {**TENANT, "schema_name": name})
        tenant = str(made.json["tenant_uuid"])
        if "{id}" not in template:
            return template.replace("{tenant_uuid}", tenant)
        body = {"domain": f"{name.replace('_', '')}.example.org", "tenant": tenant}
        domain = await self.client("/tenants/", "admin").post(f"{API}/tenants/domains/", body)
        return template.replace("{id}", str(domain.json["id"]))

    async def send(self, path: str, method: str, existing: str, sent: Sent) -> tuple[Answered, str]:
        """The answer to a request, and what was asked, for people."""
        headers = dict(sent.headers)
        if sent.body is not None:
            headers["Content-Type"] = sent.body[0]
        url = f"{API}{_url(path, existing, sent)}"
        answered = await self.client(path, sent.who).request(
            method.upper(),
            f"{url}?{sent.query}" if sent.query else url,
            headers=headers,
            body=sent.body[1] if sent.body else None,
        )
        return answered, f"{method.upper()} {url} {sent.told()}: {answered.status} {answered.body[:600]!r}"


@pytest.fixture(scope="module")
async def houses() -> AsyncIterator[dict[Engine, Target]]:
    async with fresh_house("sqlite") as one, fresh_house("postgres") as other:
        yield {"sqlite": Target.of(one), "postgres": Target.of(other)}


def drawn(path: str, operation: Json, good: Json | None, rounds: int) -> list[Sent]:
    """Requests to an operation, the same each time."""
    found: list[Sent] = []

    @seed(zlib.crc32(f"{_SEED}{operation['operationId']}".encode()))
    @settings(
        max_examples=rounds,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SHAPES.requests(path, operation, good))
    def draw(sent: Sent) -> None:
        found.append(sent)

    draw()
    return found


def _url(path: str, existing: str, sent: Sent) -> str:
    """The path with the keys that ``sent`` names; the others are those of ``existing``."""
    parts = []
    keys = iter(sent.keys)
    for part, real in zip(path.split("/"), existing.split("/"), strict=True):
        key = next(keys) if part.startswith("{") else None
        parts.append(part if not part.startswith("{") else real if key is None else quote(key, safe=""))
    return "/".join(parts).replace("{", "").replace("}", "")


def wrong(operation: Json, answered: Answered) -> list[str]:
    """What of an answer is not as our document says, or as the API says errors."""
    if answered.status in _REFUSED:
        return [*_refusal(answered)]
    told = operation["responses"].get(str(answered.status))
    if told is None:
        return ["is not told of"]
    content = told.get("content", {})
    if not content:
        return ["has a body"] if answered.body else []
    media = answered.header("content-type").partition(";")[0]
    if answered.header("content-disposition").startswith("attachment"):
        return []  # a file was asked for instead
    if media not in content:
        return [f"is of the type {media}"]
    return list(faults(ours(), content[media]["schema"], answered.json)) if media == "application/json" else []


def _refusal(answered: Answered) -> Iterator[str]:
    if answered.header("content-type") != "application/json" or not isinstance(answered.json, dict):
        yield "is no JSON object"
    elif answered.status == 400:
        if answered.json.get("code") != "invalid":
            yield "has no code"
        for name, messages in answered.json.items():
            if name != "code" and not _complaint(messages):
                yield f"does not complain about {name} in sentences"
    else:
        yield from faults(ours(), {"$ref": "#/components/schemas/GenericError"}, answered.json)
        if not answered.json.get("detail"):
            yield "gives no reason"


def _complaint(messages: object) -> bool:
    if isinstance(messages, dict):
        return all(_complaint(one) for one in messages.values())
    return isinstance(messages, list) and all(isinstance(one, (str, dict)) for one in messages)


@pytest.mark.parametrize(("engine", "path", "method", "name"), CASES)
async def test_nothing_at_random_is_a_fault(
    houses: dict[Engine, Target], engine: Engine, path: str, method: str, name: str
) -> None:
    target = houses[engine]
    operation = ours()["paths"][path][method]
    good = await target.body(path, method) if "requestBody" in operation else None
    existing = await target.path(path)
    for sent in drawn(path, operation, good, ROUNDS[engine]):
        answered, case = await target.send(path, method, existing, sent)
        unheard = name in ASKS_OTHERS and answered.status == _BUSY
        assert answered.status < 500 or answered.status == _NOT_BUILT or unheard, case
        assert wrong(operation, answered) == [], case
        if method == "delete" and answered.status < 300 and "{" in path:
            existing = await target.path(path)
    after = await target.walk.maker.house.admin.get(f"{API}/core/users/me/")
    assert after.status == 200, f"{name}: {after.text}"


@pytest.mark.parametrize("path", ours()["paths"])
async def test_a_method_that_a_path_does_not_take_is_refused(houses: dict[Engine, Target], path: str) -> None:
    admin = houses["sqlite"].walk.maker.house.admin
    told = ours()["paths"][path]
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"):
        if method.lower() in told and method != "get":
            continue
        answered = await admin.request(method, f"{API}{path.replace('{', '').replace('}', '')}", body=b"{}")
        assert answered.status in {404, 405}, (method, answered.status)
        assert list(_refusal(answered)) == []
        if answered.status == 405:
            assert set(answered.header("allow").split(", ")) >= {one.upper() for one in told}
