"""SCIM systems that go their own ways, or that are none: what is asked of them, and what is not believed."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from keystead.base.outbound import Outbound
from tests.house import House
from tests.providers import asked
from tests.providers.written import Writer, group, writer
from tests.strangers import LOCAL, Asked, Authority, answering, listening

TOKEN = "canary-of-the-scim-system"
Answer = tuple[int, Mapping[str, str], bytes]


def saying(status: int, body: object) -> Answer:
    """A JSON answer."""
    return status, {"content-type": "application/scim+json"}, msgspec.json.encode(body)


@dataclass
class Strange:
    """A system whose answers a test chooses."""

    port: int = 0
    answers: Callable[[Asked], Answer] = lambda _: saying(404, {})
    heard: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}/scim/v2"

    def answer(self, asked: Asked) -> Answer:
        """Hear, and answer."""
        self.heard.append(asked)
        return self.answers(asked)

    def bodies(self, *methods: str) -> list[Any]:
        """What was sent."""
        return [msgspec.json.decode(one.body) for one in self.heard if one.method in methods and one.body]


@pytest.fixture
async def strange(house: House, authority: Authority) -> AsyncIterator[Strange]:
    found = Strange()
    async with listening(answering(found.answer), authority.serving("127.0.0.1")) as port:
        found.port = port
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting())
        yield found


@pytest.fixture
async def scim(house: House, strange: Strange) -> Writer:
    return await writer(house, "scim", url=strange.url + "/", token=TOKEN)


def aws(asked: Asked) -> Answer:
    """As docs.aws.amazon.com/singlesignon/latest/developerguide has it: no PUT of groups, and no members are told."""
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    path = urlsplit(asked.path).path.removeprefix("/scim/v2")
    if asked.method == "GET" and path in {"/Users", "/Groups"}:
        return saying(200, {"totalResults": 0, "itemsPerPage": 0, "startIndex": 1, "Resources": []})
    body = msgspec.json.decode(asked.body) if asked.body else {}
    if path == "/Users" and asked.method == "POST":
        return saying(201, {"id": f"u-{body['userName']}", **body})
    if path.startswith("/Users/") and asked.method == "PUT":
        return saying(200, body)
    if path == "/Groups" and asked.method == "POST":
        assert len(body["members"]) <= 100
        return saying(201, {"id": "g-1", "displayName": body["displayName"]})
    if path == "/Groups/g-1" and asked.method == "GET":
        return saying(200, {"id": "g-1", "displayName": "team", "members": []})
    assert (path, asked.method) == ("/Groups/g-1", "PATCH")
    return aws_patch(body)


def aws_patch(body: Any) -> Answer:  # noqa: ANN401 - JSON
    """What is told by PATCH."""
    for operation in body["Operations"]:
        assert operation["op"] in {"add", "remove", "replace"}
        if operation["op"] == "replace":
            assert operation["value"].keys() <= {"displayName", "externalId"}
        else:
            assert operation["path"] == "members"
            assert 0 < len(operation["value"]) <= 100
    return 204, {}, b""


async def test_aws_is_told_by_patch_what_differs(house: House, scim: Writer, strange: Strange) -> None:
    strange.answers = aws
    await scim.change(compatibility_mode="aws")
    people = [house.plain, await house.person("anna"), await house.person("bert")]
    for one in people:
        await scim.done(one)
    team = await group(house, "team", people[0].pk, people[1].pk)
    await scim.done(team)
    await house.admin.patch(f"{asked.API}/core/groups/{team.pk}/", {"users": [people[1].pk, people[2].pk]})
    await scim.done(team)
    operations = [one for body in strange.bodies("PATCH") for one in body["Operations"]]
    assert [(one["op"], one["value"]) for one in operations if one["op"] != "replace"] == [
        ("add", [{"value": "u-bert"}]),
        ("remove", [{"value": "u-plain"}]),
    ]
    (link,) = await scim.links("group")
    assert [one["value"] for one in link["attributes"]["members"]] == ["u-anna", "u-bert"]
    assert [one.method for one in strange.heard if "/Groups" in one.path].count("PUT") == 0


@pytest.mark.parametrize("status", [405, 501])
async def test_who_takes_no_put_is_told_by_patch(house: House, scim: Writer, strange: Strange, status: int) -> None:
    def answers(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return saying(status, {"detail": "no PUT here"})
        if asked.method == "GET":
            return saying(200, {"Resources": []})
        return saying(201, {"id": "1", "userName": "plain"})

    strange.answers = answers
    await scim.done(house.plain)
    await scim.done(house.plain)
    (patched,) = strange.bodies("PATCH")
    assert {"op": "replace", "path": "userName", "value": "plain"} in patched["Operations"]
    assert patched["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]


FOREIGN = [
    ("redirect", (302, {"location": "https://127.0.0.1:1/"}, b""), "redirect"),
    ("html", (200, {"content-type": "text/html"}, b"<html>Sign in</html>"), "no JSON object"),
    ("list", saying(200, [1]), "no JSON object"),
    ("broken", (200, {}, b'{"id": "1"'), "no JSON object"),
    ("twice", (200, {}, b'{"id": "1", "id": "2"}'), "no JSON object"),
    ("huge", (200, {}, b'{"id": "' + b"1" * (5 * 1024 * 1024) + b'"}'), "does not answer"),
    ("no id", saying(201, {"userName": "plain"}), "cannot be one"),
    ("number", saying(201, {"id": 7}), "cannot be one"),
    ("path", saying(201, {"id": ".."}), "cannot be one"),
    ("long", saying(201, {"id": "x" * 513}), "cannot be one"),
    ("lines", saying(201, {"id": "a\r\nb"}), "cannot be one"),
    ("failure", saying(500, {"detail": f"we got {TOKEN} from\n you"}), "we got ******************** from you”"),
    ("long failure", saying(400, {"detail": "x" * 5000}), "x" * 300 + "…”"),
    ("odd failure", saying(418, {"detail": {"a": 1}}), "status 418."),
    ("forbidden", saying(403, {"detail": "not you"}), "does not let us"),
]


@pytest.mark.parametrize(("answer", "said"), [row[1:] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
async def test_what_no_scim_system_says_is_not_believed(
    house: House, scim: Writer, strange: Strange, answer: Answer, said: str
) -> None:
    await scim.change(discovery_enabled=False)
    strange.answers = lambda _: answer
    answered = await scim.ask(house.plain)
    assert answered.status == 200
    assert TOKEN not in answered.text
    (line,) = answered.json["messages"]
    assert (line["log_level"], said in line["event"]) == ("error", True), line
    assert await scim.links() == []
    assert len(strange.heard) <= 2


@pytest.mark.parametrize(
    "found",
    [
        {"Resources": "all"},
        {"Resources": [{"id": "1", "userName": "somebody"}]},
        {"Resources": [{"id": "1", "userName": "plain"}, {"id": "2", "userName": "plain"}]},
        {"Resources": [{"id": "..", "userName": "plain"}]},
    ],
)
async def test_a_search_that_finds_others_takes_over_nobody(
    house: House, scim: Writer, strange: Strange, found: object
) -> None:
    strange.answers = lambda _: saying(200, found)
    assert await scim.failed(house.plain)
    assert [one.method for one in strange.heard] == ["GET"]
    assert await scim.links() == []


async def test_what_was_sent_in_confidence_is_not_kept_when_it_is_said_back(
    house: House, scim: Writer, strange: Strange
) -> None:
    await scim.change(discovery_enabled=False)
    strange.answers = lambda _: saying(
        201, {"id": "1", TOKEN: [TOKEN], "note": f"<{TOKEN}>", "password": "canary", "zero": "a\0b", "big": 2**80}
    )
    await scim.done(house.plain)
    (link,) = await scim.links()
    assert link["attributes"]["note"] == "<********************>"
    told = repr(link) + repr(await asked.listed(house.admin, "events/events", page_size="100"))
    assert TOKEN not in told
    assert "canary" not in told


async def test_an_answer_about_another_one_changes_nothing_here(house: House, scim: Writer, strange: Strange) -> None:
    await asked.made(house, "providers/scim_users", scim_id="1", user=house.plain.pk, provider=scim.pk)
    strange.answers = lambda _: saying(200, {"id": "2", "userName": "plain"})
    assert "another object" in await scim.failed(house.plain)
    assert await scim.remote(house.plain) == "1"


async def test_certificates_are_verified_unless_the_provider_says_otherwise(
    house: House, scim: Writer, strange: Strange
) -> None:
    strange.answers = lambda _: saying(201, {"id": "1"})
    await scim.change(discovery_enabled=False)
    house.state.outbound = Outbound((LOCAL,))
    assert "does not answer" in await scim.failed(house.plain)
    assert strange.heard == []
    await scim.change(verify_certificates=False)
    await scim.done(house.plain)
    house.state.outbound = Outbound()
    assert "does not answer" in await scim.failed(house.plain), "what may be reached is another question"


@pytest.mark.parametrize(
    "members",
    [
        {"auth_mode": "oauth_interactive"},
        {"auth_mode": "oauth"},
        {"token": "two words"},
        {"url": "https://127.0.0.1:1/?a=b"},
        {"url": "https://127.0.0.1:1/#a"},
        {"property_mappings": []},
    ],
)
async def test_what_a_provider_lacks_is_said(
    house: House, scim: Writer, strange: Strange, members: dict[str, object]
) -> None:
    await scim.change(**members)
    assert await scim.failed(house.plain)
    assert strange.heard == []


@pytest.mark.parametrize("method", ["basic_auth", "post_body"])
async def test_tokens_of_an_oauth_source_are_kept_until_they_expire(
    house: House, scim: Writer, strange: Strange, method: str
) -> None:
    given: list[dict[str, str]] = []
    good = [""]

    def answers(asked: Asked) -> Answer:
        if asked.path == "/token":
            form = dict(parse_qsl(asked.body.decode()))
            given.append({**form, "authorization": asked.headers.get("authorization", "")})
            good[0] = f"access-token-{method}-{len(given)}"
            return saying(200, {"access_token": good[0], "token_type": "bearer", "expires_in": 600})
        if asked.headers["authorization"] != f"Bearer {good[0]}":
            return saying(401, {"detail": "expired"})
        return saying(200, {"id": "1", "userName": "plain"})

    strange.answers = answers
    source = await asked.made(
        house,
        "sources/oauth",
        slug="s",
        provider_type="openidconnect",
        authorization_url="https://id.example/a",
        profile_url="https://id.example/p",
        access_token_url=f"https://127.0.0.1:{strange.port}/token",
        consumer_key="the client",
        consumer_secret="canary-of-the-client",
        authorization_code_auth_method=method,
    )
    await scim.change(
        discovery_enabled=False,
        auth_mode="oauth",
        auth_oauth=source["pk"],
        auth_oauth_params={"scope": "scim", "resource": "x"},
    )
    await scim.done(house.plain)
    await scim.done(house.plain)
    assert len(given) == 1
    form = given[0]
    assert (form["grant_type"], form["scope"], form["resource"]) == ("client_credentials", "scim", "x")
    if method == "basic_auth":
        assert form["authorization"].startswith("Basic ")
        assert "client_secret" not in form
    else:
        assert (form["client_id"], form["client_secret"]) == ("the client", "canary-of-the-client")
    house.clock.move(minutes=11)
    await scim.done(house.plain)
    assert len(given) == 2
    good[0] = "revoked"
    await scim.done(house.plain)
    assert len(given) == 3, "a token that is not accepted is got anew, once"
    told = repr(await asked.listed(house.admin, "events/events", page_size="100"))
    assert "canary-of-the-client" not in told
    assert "access-token" not in told
