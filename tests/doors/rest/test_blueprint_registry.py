"""Blueprints out of a registry: a real one over TLS, with and without tokens, and what is wrong with some of them."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from keystead.base.outbound import UNREACHED, Outbound
from keystead.doors.rest.blueprints.registry import MEDIA, place
from tests.engines import Engine
from tests.house import House
from tests.strangers import LOCAL, UNREACHABLE, Asked, Authority, answering, listening

HOST = "registry.example"
BLUEPRINTS = "/api/v3/managed/blueprints/"
TEXT = """version: 1
metadata: {name: far}
entries:
- model: authentik_core.group
  identifiers: {name: from afar}
  attrs: {name: from afar}
"""
USER, PASSWORD = "anna", "a p@ss/word"


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Registry:
    """A registry with one artifact, ``team/one:1``.

    :param wants: how people prove who they are: not at all, by ``Basic``, or by a token (``Bearer``).
    :param lends: blobs are to be had elsewhere.
    """

    text: bytes = TEXT.encode()
    types: tuple[str, ...] = (MEDIA,)
    wants: str = ""
    lends: bool = False
    claimed: str = ""
    status: int = 0
    port: int = 0
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @property
    def at(self) -> str:
        return f"{HOST}:{self.port}"

    def manifest(self) -> bytes:
        layer = {"digest": self.claimed or digest(self.text), "size": len(self.text)}
        return msgspec.json.encode({"layers": [{"mediaType": one, **layer} for one in self.types]})

    def answer(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        path = asked.path
        self.asked.append((path, asked.headers))
        said = asked.headers.get("authorization", "")
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.status:
            return self.status, {}, b"no"
        if path.startswith("/token?"):
            assert "service=the%20registry" in path
            assert "scope=repository%3Ateam%2Fone%3Apull" in path
            return (200, {}, b'{"token": "t0ken"}') if said == basic else (401, {}, b"{}")
        return self.shown(path, said, basic, asked.headers["accept"])

    def shown(self, path: str, said: str, basic: str, accepted: str) -> tuple[int, Mapping[str, str], bytes]:
        """What it has."""
        if path.startswith("/elsewhere/"):
            assert not said
            return 200, {}, self.text
        wanted = {"": "", "Basic": basic, "Bearer": "Bearer t0ken"}[self.wants]
        if said != wanted:
            told = f'Bearer realm="https://{self.at}/token",service="the registry"'
            return 401, {"WWW-Authenticate": 'Basic realm="x"' if self.wants == "Basic" else told}, b"{}"
        if path in {"/v2/team/one/manifests/1", f"/v2/team/one/manifests/{digest(self.manifest())}"}:
            assert accepted == "application/vnd.oci.image.manifest.v1+json"
            return 200, {}, self.manifest()
        if path.startswith("/v2/team/one/blobs/"):
            return (307, {"Location": f"/elsewhere/{path[-8:]}"}, b"") if self.lends else (200, {}, self.text)
        return 404, {}, b"{}"


@pytest.fixture
def engine() -> Engine:
    """One engine: how a blueprint is kept is told elsewhere."""
    return "sqlite"


@pytest.fixture
async def registry(house: House, authority: Authority) -> AsyncIterator[Registry]:
    async def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == HOST else []

    made = Registry()
    async with listening(answering(made.answer), authority.serving(HOST)) as port:
        made.port = port
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting(), resolve=resolve)
        yield made


async def applied(house: House, path: str) -> tuple[str, str]:
    """The status afterwards, and what the log says was wrong."""
    made = await house.admin.post(BLUEPRINTS, {"name": "far", "path": path})
    assert made.status == 201, made.text
    done = await house.admin.post(f"{BLUEPRINTS}{made.json['pk']}/apply/")
    assert done.status == 200, done.text
    events = (await house.admin.get("/api/v3/events/events/?action=configuration_error")).json["results"]
    return str(done.json["status"]), str([line["message"] for one in events for line in one["context"]["log"]])


async def groups(house: House) -> int:
    found: Any = (await house.admin.get("/api/v3/core/groups/?name=from+afar")).json
    return int(found["pagination"]["count"])


@pytest.mark.parametrize("lends", [False, True], ids=["at hand", "lent"])
@pytest.mark.parametrize("wants", ["", "Basic", "Bearer"])
async def test_a_blueprint_is_fetched_and_applied(house: House, registry: Registry, wants: str, lends: bool) -> None:  # noqa: FBT001 - a case
    registry.wants, registry.lends = wants, lends
    who = "anna:a%20p%40ss%2Fword@" if wants else ""
    status, wrong = await applied(house, f"oci://{who}{registry.at}/team/one:1")
    assert (status, wrong) == ("successful", "[]")
    assert await groups(house) == 1
    assert all(HOST in headers["host"] for _, headers in registry.asked)
    (made,) = (await house.admin.get(f"{BLUEPRINTS}?name=far")).json["results"]
    assert (await house.admin.patch(f"{BLUEPRINTS}{made['pk']}/", {"path": "oci://b:c@else.example/a"})).status == 200
    events = (await house.admin.get("/api/v3/events/events/?page_size=100")).text
    # The password is nobody's who reads what happened.
    assert "a%20p%40ss" not in events
    assert "oci://b:****" in events


async def test_a_digest_names_one_artifact_only(house: House, registry: Registry) -> None:
    path = f"oci://{registry.at}/team/one@{digest(registry.manifest())}"
    registry.types = (MEDIA, "text/plain")
    status, wrong = await applied(house, path)
    assert status == "error"
    assert "has nothing at team/one" in wrong


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        ({"types": ()}, "has 0 layers"),
        ({"types": (MEDIA, MEDIA)}, "has 2 layers"),
        ({"claimed": "sha256:" + "0" * 64}, "not what the registry's digest says"),
        ({"claimed": "../../x"}, "it must have one"),
        ({"text": b"\xff"}, "not written in UTF-8"),
        ({"text": b"x" * 600_000}, "more than 512 KiB"),
        ({"text": b"entries: ["}, ""),
        ({"status": 404}, "has nothing at team/one:1"),
        ({"status": 500}, "status 500"),
        ({"status": 302}, "status 302"),
        ({"wants": "Basic"}, "does not let anybody read"),
        ({"wants": "Bearer"}, "does not let anybody read"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_done(
    house: House, registry: Registry, made: dict[str, Any], wrong: str
) -> None:
    for name, value in made.items():
        setattr(registry, name, value)
    status, told = await applied(house, f"oci://{registry.at}/team/one:1")
    assert status == "error"
    assert wrong in told
    assert await groups(house) == 0


async def test_why_a_registry_is_not_reached_is_told_to_superusers_only(house: House) -> None:
    house.state.outbound = UNREACHABLE
    _, told = await applied(house, "oci://registry.example/team/one:1")
    assert "no address" in told
    made = (await house.admin.post(BLUEPRINTS, {"name": "x", "path": "oci://registry.example/team/one:2"})).json
    editor = await house.client_with(
        "authentik_blueprints.view_blueprintinstance", "authentik_blueprints.change_blueprintinstance"
    )
    assert (await editor.post(f"{BLUEPRINTS}{made['pk']}/apply/")).json["status"] == "error"
    events = (await house.admin.get("/api/v3/events/events/?action=configuration_error")).json["results"]
    said = [str(one["context"]["log"]) for one in events]
    assert sorted((UNREACHED in one, "no address" in one) for one in said) == [(False, True), (True, False)]


@pytest.mark.parametrize(
    ("path", "host", "repository", "reference"),
    [
        ("oci://ghcr.io/team/one", "ghcr.io", "team/one", "latest"),
        ("oci://r.example:5000/a/b/c:v1.2", "r.example:5000", "a/b/c", "v1.2"),
        ("oci://u:p@r.example/a@sha256:" + "0" * 64, "r.example", "a", "sha256:" + "0" * 64),
    ],
)
def test_addresses(path: str, host: str, repository: str, reference: str) -> None:
    found = place(path)
    assert (found.host, found.repository, found.reference) == (host, repository, reference)


@pytest.mark.parametrize(
    "path",
    [
        "oci://",
        "oci://host",
        "oci://host/",
        "oci://host/../x:1",
        "oci://host/A:1",
        "oci://host/a:1?x",
        "http://host/a:1",
        "oci://user@host/a:1",
        "oci://u:p@/a",
        "oci://host/a:",
        "oci://host/a@sha256:0",
        "oci://host/a/../b",
        "a.yaml",
    ],
)
def test_what_is_no_address(path: str) -> None:
    with pytest.raises(ValueError, match="Write an address"):
        place(path)
