"""The engine's semantics as tables: any and all, negation, failure; and that doubt of every sort means no."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.flows.flow import Flow
from keystead.people.group import Group
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies.binding import PolicyBinding
from keystead.policies.engine import Engine, Mode
from keystead.policies.expression import EXPRESSION_POLICY, ExpressionPolicy, evaluate
from keystead.policies.judge import PolicyResult, Request
from tests.house import House
from tests.patience import PATIENCE

ENGINE = Engine({EXPRESSION_POLICY.model: evaluate})
YES, NO, BROKEN = "return True", "return False", "return 1 / 0"


class Door:
    """A flow that policies are bound to."""

    def __init__(self, house: House, engine: Engine = ENGINE) -> None:
        self.house = house
        self.engine = engine
        body = {"name": "door", "slug": rand.hex128(), "title": "t", "designation": "authorization"}
        self.flow = msgspec.convert({"pk": rand.uuid4(), **body}, Flow)
        self._order = itertools.count()

    async def made(self) -> "Door":
        await self.house.put(self.flow)
        return self

    async def policy(self, expression: str, **more: Any) -> ExpressionPolicy:  # noqa: ANN401 - members of a policy
        policy = ExpressionPolicy(**{"pk": rand.uuid4(), "name": rand.hex128(), "expression": expression, **more})
        await self.house.put(policy)
        return policy

    async def bind(self, expression: str = "", **more: Any) -> PolicyBinding:  # noqa: ANN401 - members of a binding
        if expression:
            more["policy"] = (await self.policy(expression)).pk
        binding = PolicyBinding(pk=rand.uuid4(), target=self.flow.pk, order=next(self._order), **more)
        await self.house.put(binding)
        return binding

    async def asks(
        self, user: User | None, mode: Mode = "any", context: dict[str, object] | None = None
    ) -> PolicyResult:
        call = msgspec.structs.replace(self.house.call, peer="192.0.2.7")
        return await self.engine.judge(call, self.house.state, self.flow.pk, user=user, mode=mode, context=context)


@pytest.fixture
async def door(house: House) -> Door:
    return await Door(house).made()


TABLE = [
    # expressions bound, any, all
    ([], True, True),
    ([YES], True, True),
    ([NO], False, False),
    ([BROKEN], False, False),
    ([YES, NO], True, False),
    ([NO, YES], True, False),
    ([YES, YES], True, True),
    ([NO, NO], False, False),
    ([BROKEN, YES], True, False),
    ([YES, BROKEN], True, False),
    ([NO, BROKEN], False, False),
]


@pytest.mark.parametrize(("expressions", "any_passes", "all_pass"), TABLE, ids=range(len(TABLE)))
async def test_any_and_all(door: Door, expressions: list[str], any_passes: bool, all_pass: bool) -> None:  # noqa: FBT001 - a table's columns
    for expression in expressions:
        await door.bind(expression)
    assert (await door.asks(door.house.plain, "any")).passing is any_passes
    assert (await door.asks(door.house.plain, "all")).passing is all_pass


@pytest.mark.parametrize(
    ("expression", "negate", "failure", "passes"),
    [
        (YES, False, False, True),
        (YES, True, False, False),
        (NO, False, False, False),
        (NO, True, False, True),
        (NO, False, True, False),
        (YES, True, True, False),
        # One that fails to answer gives its failure result, and turning round does not make leave of a failure.
        (BROKEN, False, False, False),
        (BROKEN, True, False, False),
        (BROKEN, False, True, True),
        (BROKEN, True, True, True),
    ],
)
async def test_negation_and_failure(
    door: Door,
    expression: str,
    negate: bool,  # noqa: FBT001 - a table's columns
    failure: bool,  # noqa: FBT001 - as above
    passes: bool,  # noqa: FBT001 - as above
) -> None:
    await door.bind(expression, negate=negate, failure_result=failure)
    modes: tuple[Mode, Mode] = ("any", "all")
    for mode in modes:
        result = await door.asks(door.house.plain, mode)
        assert (result.passing, result.failed) == (passes, expression == BROKEN)


@pytest.mark.parametrize(
    "expression",
    [
        "return None",
        "return 1",
        "return 'True'",
        "return [True]",
        "return request.user",
        "pass",
        "raise ValueError('no')",
        "return no_such_name",
        "return request.no_such_member",
        "return (lambda: 1/0)()",
        "while True:\n    pass",
        "return len('x' * 10**9) > 0",
        "return ak_user_by(password='x') is None",
        "return ak_call_policy('no such policy').passing",
        "return ak_is_group_member(request.user, nmae='x')",
        "return bool(request.user.groups.filter(nmae=None))",
        "return bool(request.user.groups.filter(name__regex='.*'))",
        "import os\nreturn True",
        "return ().__class__",
        "return True if",
        "return ak_send_email()",
    ],
    ids=range(21),
)
async def test_whatever_is_not_plainly_true_is_no(door: Door, expression: str) -> None:
    await door.bind(expression)
    assert (await door.asks(door.house.plain)).passing is False
    assert (await door.asks(None)).passing is False


def _raises(exc: BaseException) -> Callable[[Any, Request], PolicyResult]:
    def run(_policy: Any, _request: Request) -> PolicyResult:  # noqa: ANN401 - policies of every kind
        raise exc

    return run


@pytest.mark.parametrize("exc", [ValueError("x"), RecursionError(), MemoryError(), KeyError("x"), TimeoutError()])
async def test_a_policy_that_raises_is_no_and_is_told(house: House, exc: Exception) -> None:
    door = await Door(house, Engine({EXPRESSION_POLICY.model: _raises(exc)})).made()
    await door.bind(YES)
    assert (await door.asks(house.plain)).passing is False
    told = (await house.admin.get("/api/v3/events/events/?action=policy_exception")).json["results"]
    assert len(told) == 1
    assert told[0]["context"]["model"]["model_name"] == "expressionpolicy"
    assert told[0]["context"]["request"]["user"] == "plain"


async def test_a_policy_nobody_can_ask_is_no(house: House) -> None:
    door = await Door(house, Engine({})).made()
    await door.bind(YES)
    assert (await door.asks(house.plain)).passing is False


async def test_a_cancelled_question_stays_cancelled(house: House) -> None:
    door = await Door(house, Engine({EXPRESSION_POLICY.model: _raises(asyncio.CancelledError())})).made()
    await door.bind(YES)
    with pytest.raises(asyncio.CancelledError):
        await door.asks(house.plain)


async def test_a_look_up_that_takes_too_long_is_no(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_args: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("keystead.policies.engine.user_by", slow)
    await door.bind("return ak_user_by(username='plain') is None", timeout=1)
    async with asyncio.timeout(PATIENCE):
        assert (await door.asks(door.house.plain)).passing is False


async def test_members_of_a_group_pass_through_its_ancestors_too(door: Door) -> None:
    house = door.house
    top = Group(pk=rand.uuid4(), name="top", num_pk=50)
    low = Group(pk=rand.uuid4(), name="low", num_pk=51, parents=(top.pk,))
    await house.put(top)
    await house.put(low)
    member = await house.person("member", groups=(low.pk,))
    await door.bind(group=top.pk)
    assert (await door.asks(member)).passing
    assert not (await door.asks(house.plain)).passing
    assert not (await door.asks(None)).passing


@pytest.mark.parametrize("negate", [False, True])
async def test_one_user_and_everybody_else(door: Door, negate: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await door.bind(user=door.house.plain.pk, negate=negate)
    assert (await door.asks(door.house.plain)).passing is not negate
    assert (await door.asks(door.house.superuser)).passing is negate
    assert (await door.asks(None)).passing is False, "nobody is not somebody else"


async def test_a_binding_that_is_switched_off_is_none(door: Door) -> None:
    off = await door.bind(NO, enabled=False)
    assert (await door.asks(door.house.plain)).passing
    assert off.enabled is False
    await door.bind(NO)
    await door.bind(YES, enabled=False)
    assert not (await door.asks(door.house.plain)).passing


async def test_what_policies_say_is_told_once_and_in_order(door: Door) -> None:
    await door.bind("ak_message('first')\nak_message('same')\nreturn False")
    await door.bind("ak_message('same')\nak_message('second')\nreturn False")
    await door.bind("ak_message('praise')\nreturn True")
    refused = await door.asks(door.house.plain, "all")
    assert refused.messages == ("first", "same", "second", "praise")
    passed = await door.asks(door.house.plain, "any")
    assert passed.passing
    assert passed.messages == ("praise",), "those who were overruled keep quiet"


async def test_a_policy_that_is_to_be_logged_is_told_each_time(door: Door) -> None:
    policy = await door.policy("ak_message('hi')\nreturn True", execution_logging=True)
    await door.bind(policy=policy.pk)
    await door.asks(door.house.plain, context={"password": "hunter2", "other": 1})
    (told,) = (await door.house.admin.get("/api/v3/events/events/?action=policy_execution")).json["results"]
    assert told["context"]["result"] == {"passing": True, "messages": ["hi"]}
    assert told["context"]["request"] == {"user": "plain", "context": ["other", "password"]}
    assert "hunter2" not in str(told)


async def test_expressions_see_who_asks_and_from_where(door: Door) -> None:
    await door.bind(
        "return (request.user.username == 'plain' and user.pk == request.user.pk and ak_client_ip == '192.0.2.7'"
        " and context['colour'] == 'red' and request.context['colour'] == 'red' and not request.user.is_superuser)"
    )
    assert (await door.asks(door.house.plain, context={"colour": "red"})).passing
    assert not (await door.asks(door.house.plain, context={"colour": "blue"})).passing
    person = await person_of(door.house.state, door.house.plain)
    found = await door.engine.judge(
        msgspec.structs.replace(door.house.call, peer="192.0.2.7"),
        door.house.state,
        door.flow.pk,
        user=person,
        context={"colour": "red"},
    )
    assert found.passing


async def test_helpers_look_up_what_only_the_store_knows(door: Door) -> None:
    helper = await door.policy("return context['n'] == 5 and request.user.username == 'plain'", name="helper")
    await door.bind(
        "other = ak_user_by(username='akadmin')\n"
        "nobody = ak_user_by(username='nobody')\n"
        "asked = ak_call_policy('helper', n=5)\n"
        "refused = ak_call_policy('helper', n=6)\n"
        "return other.is_superuser and nobody is None and asked.passing and not refused.passing"
    )
    result = await door.asks(door.house.plain, context={"n": 1})
    assert result.passing, result.log
    assert helper.name == "helper"


async def test_what_a_called_policy_is_told_depends_on_its_own_context(door: Door) -> None:
    await door.policy("return context.get('n') == 1", name="inner")
    await door.policy("return ak_call_policy('inner').passing", name="outer")
    await door.bind("return ak_call_policy('outer', n=1).passing and not ak_call_policy('outer', n=2).passing")
    result = await door.asks(door.house.plain)
    assert result.passing, result.log


@pytest.mark.parametrize("length", [1, 2, 3])
async def test_policies_that_call_each_other_in_a_circle_come_to_an_end(door: Door, length: int) -> None:
    for number in range(length):
        await door.policy(f"return not ak_call_policy('p{(number + 1) % length}').passing", name=f"p{number}")
    await door.bind("ak_call_policy('p0')\nreturn True")
    async with asyncio.timeout(PATIENCE):
        result = await door.asks(door.house.plain)
    assert result.passing, "the one that asks goes on; the circle gave it an answer"
    told = (await door.house.admin.get("/api/v3/events/events/?action=policy_exception")).json["results"]
    assert len(told) == 1
    assert "levels deep" in told[0]["context"]["message"]


async def test_asking_for_ever_is_no(door: Door) -> None:
    await door.bind("for n in range(100):\n    ak_user_by(pk=n)\nreturn True")
    assert not (await door.asks(door.house.plain)).passing


async def test_swallowing_the_question_does_not_answer_it(door: Door) -> None:
    await door.bind(
        "try:\n    found = ak_user_by(username='nobody')\nexcept Exception:\n    return True\nreturn found is not None"
    )
    assert not (await door.asks(door.house.plain)).passing
