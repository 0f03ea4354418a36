"""The picture of a flow: every stage, what decides about it, and a way from the start to the end."""

import re

from msgspec.structs import replace

from keystead.base import rand
from keystead.flows.diagram import FlowDiagram, diagram
from keystead.flows.flow import FLOW, Flow
from keystead.flows.stages.deny import DenyStage
from keystead.kinds.call import Actor
from keystead.policies.binding import PolicyBinding
from tests.flows.support import Studio


async def drawn(studio: Studio, flow: Flow, *permissions: str) -> str:
    call = studio.call
    if permissions:
        call = replace(call, actor=Actor(pk=5, permissions=frozenset(permissions)))
    answer = await diagram(call, studio.state, flow, {})
    assert isinstance(answer.body, FlowDiagram)
    return answer.body.diagram


def edges(text: str) -> set[tuple[str, str, str]]:
    found = re.findall(r"^    (\w+) --(?: (\w+) --)?> (\w+)$", text, re.MULTILINE)
    return {(first, label, second) for first, label, second in found}


async def test_stages_follow_each_other(studio: Studio) -> None:
    flow = await studio.flow(await studio.prompts("a"), DenyStage(pk=rand.uuid4(), name="No way"), title="x")
    text = await drawn(studio, flow)
    assert text.splitlines()[0] == "graph TD"
    assert "Deny Stage:<br/>No way" in text
    assert edges(text) == {("start", "", "stage_1"), ("stage_1", "", "stage_2"), ("stage_2", "", "done")}


async def test_policies_open_a_way_past_a_stage_and_out_of_the_flow(studio: Studio) -> None:
    flow = await studio.flow()
    first = await studio.bind(flow, DenyStage(pk=rand.uuid4(), name="first"), order=1)
    await studio.bind(flow, DenyStage(pk=rand.uuid4(), name="second"), order=2)
    inner, outer = await studio.policy(first.pk, "return True"), await studio.policy(flow.pk, "return True")
    text = await drawn(studio, flow)
    assert edges(text) == {
        ("start", "", "gate"),
        ("gate", "no", "denied"),
        ("gate", "yes", "gate_1"),
        ("gate_1", "yes", "stage_1"),
        ("gate_1", "no", "stage_2"),
        ("stage_1", "", "stage_2"),
        ("stage_2", "", "done"),
    }
    assert f"Policy {inner.name}" in text
    assert f"Policy {outer.name}" in text


async def test_what_is_bound_is_told_by_name_to_those_who_may_see_it(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(await studio.prompts("a"))
    await studio.put(PolicyBinding(pk=rand.uuid4(), user=anna.pk, target=flow.pk, order=1, negate=True))
    policy = await studio.policy(flow.pk, "return True")
    text = await drawn(studio, flow)
    assert "Any of:<br/>" in text
    assert "not User anna" in text
    hidden = await drawn(studio, flow, FLOW.permission("view"))
    assert "anna" not in hidden
    assert policy.name not in hidden
    assert "not A user" in hidden
    assert edges(hidden) == edges(text)


async def test_names_are_only_names(studio: Studio) -> None:
    flow = await studio.flow(DenyStage(pk=rand.uuid4(), name='"] --> done; <script>alert(1)</script>\n  click x'))
    text = await drawn(studio, flow)
    assert "<script" not in text
    assert edges(text) == {("start", "", "stage_1"), ("stage_1", "", "done")}
    assert len(text.splitlines()) == 6


async def test_an_empty_flow_is_done_at_once(studio: Studio) -> None:
    assert edges(await drawn(studio, await studio.flow())) == {("start", "", "done")}
