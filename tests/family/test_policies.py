"""Every policy that ``app.py`` lists: whatever goes wrong with it means no."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from msgspec.structs import replace

from keystead import app
from keystead.flows.flow import Flow
from keystead.flows.gate import judge
from keystead.flows.ports import Ports, Visitor
from keystead.kinds.state import State
from keystead.policies.binding import POLICY_BINDING
from keystead.policies.engine import Engine
from keystead.policies.judge import Looks, PolicyKind, Request, Way
from tests.family.bodies import Maker

EVERY = pytest.mark.parametrize("asked", app.POLICIES, ids=[one.kind.name for one in app.POLICIES])


def _raises(exc: Exception) -> Callable[[Any, Request], NoReturn]:
    def run(_policy: Any, _request: Request) -> NoReturn:  # noqa: ANN401 - policies of every kind
        raise exc

    return run


async def _hangs(_state: State, _policy: Any, _request: Request) -> NoReturn:  # noqa: ANN401 - as above
    await asyncio.Event().wait()
    raise AssertionError


async def _looks_and_raises(_state: State, _policy: Any, _request: Request) -> NoReturn:  # noqa: ANN401 - as above
    raise LookupError("the store is away")


BROKEN: list[Way] = [_raises(ValueError("broken")), Looks(_looks_and_raises)]


async def _bound(maker: Maker, asked: PolicyKind, **more: object) -> Flow:
    """A flow that a new policy of this kind is bound to."""
    house = maker.house
    pk = await maker.make(asked.kind)
    flow = await maker.make(house.state.kinds["authentik_flows.flow"])
    await maker.make(POLICY_BINDING, user=None, policy=pk, target=flow, order=0, **more)
    found = house.state.settings.get(house.state.kinds["authentik_flows.flow"], flow)
    assert isinstance(found, Flow)
    return found


@pytest.mark.parametrize("way", BROKEN, ids=["raises", "looks and raises"])
@EVERY
async def test_a_policy_that_gives_no_answer_is_no(maker: Maker, asked: PolicyKind, way: Way) -> None:
    await _is_no(maker, asked, way)


async def test_a_policy_that_does_not_come_to_an_end_is_no(maker: Maker) -> None:
    await _is_no(maker, app.POLICIES[0], Looks(_hangs), timeout=1)


async def _is_no(maker: Maker, asked: PolicyKind, way: Way, **more: object) -> None:
    house = maker.house
    flow = await _bound(maker, asked, **more)
    engine = Engine({asked.kind.model: way})
    ports = Ports(engine, {}, app.PORTS.consents)
    assert not (await engine.judge(house.call, house.state, flow.pk, user=house.plain)).passing
    verdict = await judge(
        house.call, house.state, ports, flow.pk, flow.policy_engine_mode, house.plain, {}, Visitor("sid")
    )
    assert not verdict.passing
    assert verdict.doubt, "a stage must not be skipped for it"
    told = await house.admin.get("/api/v3/events/events/", query={"action": "policy_exception"})
    assert told.json["results"][0]["context"]["model"]["model_name"] == asked.kind.name


@EVERY
async def test_nobody_from_nowhere_is_judged_without_a_fault(maker: Maker, asked: PolicyKind) -> None:
    house = maker.house
    flow = await _bound(maker, asked)
    call = replace(house.call, peer="")
    result = await app.ENGINE.judge(call, house.state, flow.pk, user=None)
    assert result.passing is (asked.kind.name == "expressionpolicy"), result


@EVERY
async def test_a_policy_that_is_not_known_how_to_ask_is_no(maker: Maker, asked: PolicyKind) -> None:
    house = maker.house
    flow = await _bound(maker, asked)
    ports = Ports(Engine({}), {}, app.PORTS.consents)
    verdict = await judge(house.call, house.state, ports, flow.pk, flow.policy_engine_mode, None, {}, Visitor("sid"))
    assert (verdict.passing, verdict.doubt) == (False, True)
