"""A flow as a picture: its stages, what decides about each, and where people go, as text for Mermaid."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.flows.binding import bindings_of
from keystead.flows.flow import FLOW, Flow, PolicyEngineMode
from keystead.kinds.access import may
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.marks import READ_ONLY
from keystead.kinds.state import State
from keystead.people.group import GROUP
from keystead.people.shown import partial_groups, partial_users
from keystead.people.user import USER
from keystead.policies.binding import PolicyBinding
from keystead.policies.binding import bindings_of as conditions_of

_ESCAPED: Final = {ord(char): f"#{ord(char)};" for char in '"#;<>[]{}()|`\\'}
_MODES: Final = {PolicyEngineMode.ALL: "All of", PolicyEngineMode.ANY: "Any of"}


class FlowDiagram(msgspec.Struct):
    """A picture of a flow, for Mermaid."""

    diagram: Annotated[str, READ_ONLY]


class _Picture:
    """Lines of the picture, and the loose ends that lead to whatever comes next."""

    def __init__(self, start: str) -> None:
        self.lines = ["graph TD", f'    start(["{start}"])']
        self.ends: list[tuple[str, str]] = [("start", "")]

    def node(self, name: str, opening: str, text: str, closing: str) -> None:
        """A node to which all loose ends lead."""
        self.lines.append(f'    {name}{opening}"{text}"{closing}')
        self.lines += [f"    {end} --{f' {label} --' if label else ''}> {name}" for end, label in self.ends]
        self.ends = [(name, "")]


def _text(text: str) -> str:
    """``text`` inside a label: nothing in it is Mermaid's or HTML."""
    return " ".join(text.split()).translate(_ESCAPED)


def _of(kind: Any, obj: Any) -> str:  # noqa: ANN401 - objects of every kind
    return f"{_text(kind.title[0])}:<br/>{_text(obj.name)}"


async def _conditions(call: Call, state: State, bindings: Sequence[PolicyBinding], mode: PolicyEngineMode) -> str:
    """What decides, by name as far as the caller may see it."""
    groups = await partial_groups(state, [one.group for one in bindings if one.group])
    users = await partial_users(state, [one.user for one in bindings if one.user])
    told = []
    for one in bindings:
        if one.group:
            name = f"Group {groups[one.group].name}" if one.group in groups and may(call, GROUP, "view") else "A group"
        elif one.user:
            name = f"User {users[one.user].username}" if one.user in users and may(call, USER, "view") else "A user"
        else:
            found = call.settings.find("policies", one.policy)
            name = f"Policy {found[1].name}" if found and may(call, found[0], "view") else "A policy"
        told.append(_text(f"not {name}" if one.negate else name))
    head = f"{_MODES[mode]}:<br/>" if len(told) > 1 else ""
    return head + "<br/>".join(told)


async def diagram(call: Call, state: State, flow: Flow, _query: Mapping[str, Sequence[str]]) -> Answer:
    """The flow as a Mermaid flowchart."""
    picture = _Picture(_of(FLOW, flow))
    if entry := conditions_of(call.settings, flow.pk):
        picture.node("gate", "{", await _conditions(call, state, entry, flow.policy_engine_mode), "}")
        picture.lines += ['    denied(["Not let in"])', "    gate -- no --> denied"]
        picture.ends = [("gate", "yes")]
    for number, binding in enumerate(bindings_of(call.settings, flow.pk), 1):
        found = call.settings.find("stages", binding.stage)
        if found is None:
            continue
        decides = conditions_of(call.settings, binding.pk)
        past: list[tuple[str, str]] = []
        if decides and (binding.evaluate_on_plan or binding.re_evaluate_policies):
            text = await _conditions(call, state, decides, binding.policy_engine_mode)
            picture.node(f"gate_{number}", "{", text, "}")
            picture.ends, past = [(f"gate_{number}", "yes")], [(f"gate_{number}", "no")]
        picture.node(f"stage_{number}", "[", _of(*found), "]")
        picture.ends += past
    picture.node("done", "([", "Done", "])")
    return Answer(FlowDiagram("\n".join(picture.lines)))


ACTIONS = (Action(FLOW, "GET", "{key}/diagram/", diagram, "diagram_retrieve", "view", response=FlowDiagram),)
