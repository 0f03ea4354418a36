"""Secrets that go astray come out nowhere either: in refused bodies, in addresses, in what actions are told (AP-04)."""

import re

import msgspec
import pytest

from keystead import app
from keystead.base import rand
from keystead.kinds.action import Action
from keystead.kinds.field import fields
from keystead.kinds.kind import Verb
from keystead.store import Statement
from tests.client import Answered
from tests.family.bodies import CANARY, Maker
from tests.family.every import AnyKind, every, path_of

CREDENTIAL = re.compile(r"password|secret|private|(^|_)token$|^key$|^code$", re.IGNORECASE)


def canary() -> str:
    """A secret that is nowhere else."""
    return f"{CANARY}{rand.hex128()}"


async def nowhere(maker: Maker, canaries: list[str], answers: list[Answered], written: str) -> None:
    """Neither answers nor events nor logs tell any of these."""
    kept = repr(await maker.house.state.store.fetch(Statement("test.events", "SELECT * FROM events")))
    for one in canaries:
        for answered in answers:
            assert answered.status < 500 or answered.status == 501, answered.text
            assert one not in answered.text, answered.text
            assert all(one not in value for _, value in answered.headers)
        assert one not in kept, "an event tells it"
        assert one not in written, "the log tells it"


@every(Verb.CREATE)
async def test_a_secret_in_a_refused_request_is_not_repeated(
    maker: Maker, kind: AnyKind, capfd: pytest.CaptureFixture[str]
) -> None:
    admin, canaries, answers = maker.house.admin, [canary() for _ in range(5)], []
    for name in [field.name for field in kind.fields.values() if field.secret and field.writable]:
        answers.append(await admin.post(path_of(kind), {name: canaries[0]}))
        answers.append(await admin.post(path_of(kind), await maker.body(kind) | {name: [canaries[1]]}))
        answers.append(await admin.post(path_of(kind), await maker.body(kind) | {name: {"a": canaries[2]}}))
        answers.append(await admin.get(path_of(kind), query={name: canaries[3], "search": canaries[3]}))
        answers.append(await maker.house.user.post(path_of(kind), {name: canaries[4]}))
        answers.append(await maker.house.nobody.post(path_of(kind), {name: canaries[4]}))
    out, err = capfd.readouterr()
    await nowhere(maker, canaries, answers, out + err)


def _secretive(action: Action) -> list[str]:
    """Members of an action's request that hold a credential."""
    members = fields(action.request) if action.request else {}
    return [
        name
        for name, field in members.items()
        if field.secret or (field.core is str and not field.formats and CREDENTIAL.search(name))
    ]


@pytest.mark.parametrize(
    "action",
    [action for action in app.ACTIONS if _secretive(action)],
    ids=lambda action: f"{action.kind.model} {action.operation}",
)
async def test_what_an_action_is_told_in_secret_stays_secret(
    maker: Maker, action: Action, capfd: pytest.CaptureFixture[str]
) -> None:
    kind, house = action.kind, maker.house
    for name in _secretive(action):
        given = canary()
        body: dict[str, object] = {}
        for other, field in fields(action.request or msgspec.Struct).items():
            if field.required and other != name:
                body[other] = await maker.value(field)
        key = ""
        if "{key}" in action.path:
            key = str(getattr(await maker.kept(kind, await maker.make(kind)), kind.key))
        url = f"/api/v3/{kind.path}/{action.path.replace('{key}', key)}"
        answers = [
            await client.request(action.method, url, json=body | {name: value})
            for client in (house.admin, house.user, house.nobody)
            for value in (given, [given])
        ]
        out, err = capfd.readouterr()
        await nowhere(maker, [given], answers, out + err)


async def test_a_secret_in_an_address_is_masked(maker: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that puts a credential into a query finds it in no event and no log."""
    given = canary()
    admin = maker.house.admin
    made = await admin.post(
        "/api/v3/core/groups/",
        {"name": f"g-{rand.hex128()}"},
        query={"password": given, "api_key": given, "token": given},
    )
    assert made.status == 201
    out, err = capfd.readouterr()
    await nowhere(maker, [given], [made], out + err)
