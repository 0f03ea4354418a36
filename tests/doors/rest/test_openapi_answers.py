"""What is served is what the document says: every GET is asked, in a house with something of every sort in it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from keystead import app
from keystead.base import rand
from keystead.kinds.changes import Changes
from keystead.people.devices.webauthn_type import WebAuthnDeviceType
from keystead.people.session import start
from keystead.providers.consent import Consents
from tests.client import Client
from tests.doors.rest.conforms import Json, faults
from tests.doors.rest.stage_furniture import furnish_stages
from tests.family.every import makeable
from tests.house import House

API = "/api/v3"
STAGES: dict[str, dict[str, object]] = {
    "deny": {},
    "identification": {},
    "password": {"backends": ["authentik.core.auth.InbuiltBackend"]},
    "user_login": {},
    "user_logout": {},
    "consent": {},
    "user_write": {},
}


@pytest.fixture
def engine() -> str:
    """One engine: the shapes of answers do not depend on it."""
    return "sqlite"


async def made(client: Client, path: str, **body: object) -> Json:
    """A new object."""
    answered = await client.post(f"{API}/{path}/", body)
    assert answered.status in {200, 201}, (path, answered.text)
    found: Json = answered.json
    return found


async def furnish(house: House) -> None:
    """Something of every sort."""
    admin = house.admin
    role = await made(admin, "rbac/roles", name="r")
    above = await made(admin, "core/groups", name="above", roles=[role["pk"]])
    group = await made(admin, "core/groups", name="g", parents=[above["pk"]])
    user = await made(admin, "core/users", username="u", name="U", groups=[group["pk"]], roles=[role["pk"]])
    await made(admin, "core/tokens", identifier="t", user=user["pk"])
    await made(admin, "core/users/service_account", name="svc", create_group=True)
    pair = await made(admin, "crypto/certificatekeypairs/generate", common_name="c", validity_days=3, alg="ecdsa")
    flow = await made(admin, "flows/instances", name="f", slug="f", title="F", designation="authorization")
    for number, (name, members) in enumerate(STAGES.items()):
        stage = await made(admin, f"stages/{name}", name=name, **members)
        await made(admin, "flows/bindings", target=flow["pk"], stage=stage["pk"], order=number)
    prompt = await made(admin, "stages/prompt/prompts", name="p", field_key="p", label="P", type="text")
    await made(admin, "stages/prompt/stages", name="prompt", fields=[prompt["pk"]])
    policy = await made(admin, "policies/expression", name="e", expression="return True")
    mapping = await made(admin, "propertymappings/provider/scope", name="m", scope_name="email", expression="return {}")
    provider = await made(
        admin,
        "providers/oauth2",
        name="o",
        authorization_flow=flow["pk"],
        invalidation_flow=flow["pk"],
        signing_key=pair["pk"],
        property_mappings=[mapping["pk"]],
        redirect_uris=[{"matching_mode": "strict", "url": "https://rp.example.org/cb"}],
    )
    application = await made(admin, "core/applications", name="a", slug="a", provider=provider["pk"])
    await made(admin, "core/applications", name="b", slug="b")
    for holder in ({"policy": policy["pk"]}, {"group": group["pk"]}, {"user": user["pk"]}):
        await made(admin, "policies/bindings", target=application["pk"], order=0, **holder)

    async def make(path: str, **body: object) -> Json:
        return await made(admin, path.rstrip("/"), **body)

    await furnish_stages(make, flow["pk"])
    await house.put(WebAuthnDeviceType(aaguid=rand.uuid4(), description="A key"))
    await made(admin, "events/events", action="custom_", app="tests", context={"a": 1})
    call = house.call
    changes = Changes()
    later = call.at + timedelta(hours=1)
    changes.write(*start(replace(call, peer="192.0.2.1"), user["pk"], "a session key", expires=later, auth={})[1])
    changes.write(*await Consents().save(call, house.state, user["pk"], application["pk"], ["email"], later))
    await house.state.commit(changes, call.at)


def gets(document: Json) -> Iterator[tuple[str, Json]]:
    """Paths that are read, and the schemas of their answers."""
    for path, methods in document["paths"].items():
        content = methods["get"]["responses"]["200"].get("content") if "get" in methods else None
        if content:
            yield path, next(iter(content.values()))["schema"]


async def test_every_answer_is_as_told(house: House) -> None:
    admin = house.admin
    await furnish(house)
    document = (await house.nobody.get(f"{API}/schema/?format=json")).json
    keys: dict[str, list[str]] = {}
    wrong: list[str] = []
    asked: set[str] = set()

    async def ask(path: str, schema: Json) -> object:
        answered = await admin.get(f"{API}{path}")
        asked.add(path)
        if answered.status == 501 and answered.json["code"] == "not_built":
            return None
        assert answered.status == 200, (path, answered.text)
        wrong.extend(faults(document, schema, answered.json, path))
        found: object = answered.json
        return found

    for path, schema in gets(document):
        if "{" not in path and path != "/schema/":
            body = await ask(path, schema)
            if isinstance(body, dict) and "results" in body:
                kind = next((one for one in house.state.kinds.values() if path == f"/{one.path}/"), None)
                name = kind.key if kind else "pk"
                keys[path] = [str(one[name]) for one in body["results"] if name in one]
    keys["/flows/executor/"] = keys["/flows/inspector/"] = ["f"]  # addresses that no list leads to
    for path, schema in gets(document):
        listed = re.sub(r"\{\w+\}/.*", "", path)
        for key in keys.get(listed, ()) if "{" in path else ():
            await ask(re.sub(r"\{\w+\}", key, path), schema)
    assert wrong == []
    shown = {path for path, _ in gets(document) if "{" in path}
    silent = {path for path in shown if not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), one) for one in asked)}
    impossible = tuple(f"/{kind.path}/" for kind in app.KINDS if not makeable(kind))
    assert {path for path in silent if not path.startswith(impossible)} == set(), "nothing was there to be asked for"
