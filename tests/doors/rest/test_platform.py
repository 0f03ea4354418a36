"""Licences, blueprints, tasks and devices: what they refuse, what they compute, and what says that it is not built."""

import asyncio
import contextlib

import pytest

from keystead.doors.worker.timetable import keep
from keystead.people.installation.crontab import is_crontab
from keystead.wire import b64
from tests.house import House
from tests.patience import PATIENCE

API = "/api/v3"


async def test_licences_change_nothing(house: House) -> None:
    parts = (b'{"alg":"none"}', b'{"name":"Acme","exp":4102444800,"internal_users":7,"external_users":8}', b"signature")
    made = await house.admin.post(f"{API}/enterprise/license/", {"key": ".".join(b64.encode(part) for part in parts)})
    assert made.status == 201, made.text
    assert (made.json["name"], made.json["internal_users"]) == ("Acme", 7)
    assert made.json["expiry"].startswith("2100-01-01")
    assert "key" in (await house.admin.post(f"{API}/enterprise/license/", {"key": "no licence"})).json
    summary = (await house.user.get(f"{API}/enterprise/license/summary/")).json
    assert (summary["status"], summary["license_flags"]) == ("valid", [])
    forecast = (await house.user.get(f"{API}/enterprise/license/forecast/")).json
    assert forecast["internal_users"] == 2
    install = (await house.user.get(f"{API}/enterprise/license/install_id/")).json
    assert install == {"install_id": house.state.install_id}


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "path"),
        ({"path": "../etc/passwd.yaml"}, "path"),
        ({"path": "/etc/x.yaml"}, "path"),
        ({"path": "default/x.txt"}, "path"),
        ({"content": "version: 2"}, "content"),
        ({"content": "- a"}, "content"),
        ({"content": "a: [b"}, "content"),
        ({"content": "version: 1\nentries: text"}, "content"),
        ({"content": "version: 1\nmetadata: text"}, "content"),
        ({"content": "version: 1\nentries: [{model: core.nothing, attrs: {a: 1}}]"}, "content"),
        ({"content": "version: 1\nentries: [{model: authentik_core.group}]"}, "content"),
        ({"content": "version: 1\nentries: [{model: authentik_core.group, attrs: {name: !Nothing x}}]"}, "content"),
    ],
)
async def test_what_is_no_blueprint_is_refused(house: House, body: dict[str, str], member: str) -> None:
    refused = await house.admin.post(f"{API}/managed/blueprints/", {"name": "b", **body})
    assert refused.status == 400
    assert member in refused.json


async def test_blueprints_tell_what_they_say_of_themselves(house: House) -> None:
    entry = "{model: authentik_core.group, identifiers: {name: !Find [a, [b, !KeyOf x]]}}"
    content = f"version: 1\nmetadata:\n  name: Mine\n  labels: {{a: b}}\nentries:\n- {entry}"
    made = await house.admin.post(f"{API}/managed/blueprints/", {"name": "b", "content": content})
    assert made.status == 201, made.text
    assert made.json["metadata"] == {"name": "Mine", "labels": {"a": "b"}}
    assert made.json["status"] == "unknown"
    registry = {"name": "r", "path": "oci://a.example/b:1"}
    assert (await house.admin.post(f"{API}/managed/blueprints/", registry)).status == 201


@pytest.mark.parametrize("text", ["* * * * *", "*/15 0-6 1,15 * 1-5", "0 0 1 1 7"])
def test_times_that_come(text: str) -> None:
    assert is_crontab(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "1-2-3 * * * *",
    ],
)
def test_times_that_never_come(text: str) -> None:
    assert not is_crontab(text)


async def test_workers_are_heard_of_while_they_work(house: House) -> None:
    assert (await house.admin.get(f"{API}/tasks/workers/")).json == []
    keeping = asyncio.create_task(keep(house.state, []))
    async with asyncio.timeout(PATIENCE):
        # A row tells, and no event.
        while not (found := (await house.admin.get(f"{API}/tasks/workers/")).json):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
    assert found[0]["version_matching"] is True
    assert (await house.admin.get(f"{API}/tasks/workers")).json == found, "the older path"
    house.clock.move(minutes=3)
    assert (await house.admin.get(f"{API}/tasks/workers/")).json == []
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert (await house.user.get(f"{API}/tasks/workers/")).status == 403
    assert (await house.admin.get(f"{API}/tasks/tasks/status/")).json["queued"] == 0


async def test_an_enrollment_token_has_a_key_that_is_shown_on_demand(house: House) -> None:
    connector = (await house.admin.post(f"{API}/endpoints/agents/connectors/", {"name": "a"})).json
    body = {"name": "t", "connector": connector["connector_uuid"]}
    made = (await house.admin.post(f"{API}/endpoints/agents/enrollment_tokens/", body)).json
    one = f"{API}/endpoints/agents/enrollment_tokens/{made['token_uuid']}/"
    assert made["expires"] is not None
    assert len((await house.admin.get(f"{one}view_key/")).json["key"]) == 60
    viewer = await house.client_with("authentik_endpoints_connectors_agent.view_enrollmenttoken")
    assert (await viewer.get(f"{one}view_key/")).status == 403
    assert (await house.admin.patch(one, {"expiring": False})).json["expires"] is None


async def test_a_key_that_is_sent_changes_nothing(house: House) -> None:
    sent = "00000000-0000-4000-8000-000000000001"
    made = (await house.admin.post(f"{API}/endpoints/agents/connectors/", {"name": "a", "connector_uuid": sent})).json
    assert made["connector_uuid"] != sent
    one = f"{API}/endpoints/agents/connectors/{made['connector_uuid']}/"
    assert (await house.admin.patch(one, {"connector_uuid": sent})).json["connector_uuid"] == made["connector_uuid"]
    assert (await house.admin.get(one)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "connectors/agent_config"),
        ("POST", "connectors/auth_fed"),
        ("POST", "connectors/auth_ia"),
        ("POST", "connectors/check_in"),
        ("POST", "connectors/enroll"),
        ("POST", "psso/register/device"),
        ("POST", "psso/register/user"),
    ],
)
async def test_agents_hear_that_nothing_happens_yet(house: House, method: str, path: str) -> None:
    assert (await house.nobody.request(method, f"{API}/endpoints/agents/{path}/")).status == 501
