"""A run between two requests: which stages it passes through, how far it is, what it found out; and where it is kept.

An untouched run is not kept at all: it is planned anew at each look. From its first step on, it is one row under the
digest of the browser's session key, sealed because answers may hold passwords. Whoever moves it names the version they
saw; a second mover changes nothing (``RUN``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from keystead.base import metrics, rand
from keystead.base.clock import micros
from keystead.base.secret import fingerprint
from keystead.flows.binding import FlowStageBinding, bindings_of
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.gate import judge
from keystead.flows.ports import Ports, Visitor
from keystead.flows.stage import Deny
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.user import User
from keystead.store import Statement, Write

_RUNS: Final = metrics.counter("authentik_flow_executions_total", "Runs of flows that were planned for somebody.")
RUN: Final = "run"
"""The guard that fails when a run moved meanwhile."""
UNCLEAR: Final = "A rule of this flow could not be evaluated. Tell whoever looks after this service."
_OWN: Final = frozenset(
    {
        FlowDesignationEnum.AUTHORIZATION,
        FlowDesignationEnum.INVALIDATION,
        FlowDesignationEnum.UNENROLLMENT,
        FlowDesignationEnum.STAGE_CONFIGURATION,
    }
)
"""In these flows whoever is signed in is the pending user from the start; the others find out whom they are about."""

_LOAD: Final = Statement("run.load", "SELECT flow, state, version, expires FROM flow_runs WHERE digest = $1")
_KEEP: Final = Statement(
    "run.keep",
    "INSERT INTO flow_runs (digest, flow, state, version, expires) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (digest) DO NOTHING",
)
_MOVE: Final = Statement(
    "run.move",
    "UPDATE flow_runs SET flow = $2, state = $3, version = version + 1, expires = $4"
    " WHERE digest = $1 AND version = $5",
)
_DROP: Final = Statement("run.drop", "DELETE FROM flow_runs WHERE digest = $1 AND version = $2")
_FORGET: Final = Statement("run.forget", "DELETE FROM flow_runs WHERE digest = $1")
_SWEEP: Final = Statement("run.sweep", "DELETE FROM flow_runs WHERE expires <= $1")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a run.

    :param steps: the flow-stage bindings it passes through.
    :param at: which of them is next, from 0.
    :param context: what stages found out.
    :param tries: how often each binding's stage was answered, where answers are counted.
    :param holder: the key of the user signed in in this browser, 0 for nobody. A run does not go over to somebody else.
    """

    steps: tuple[str, ...]
    at: int = 0
    context: dict[str, object] = {}
    tries: dict[str, int] = {}
    holder: int = 0


class Kept(msgspec.Struct, frozen=True):
    """The row of a browser, whatever it holds.

    :param plan: None when it holds another flow's run, one that is over, or one we cannot read.
    """

    digest: str
    version: int
    plan: Plan | None


async def load(call: Call, state: State, flow: Flow, visitor: Visitor) -> Kept | None:
    """The row of the visitor's browser, if it has one; its plan counts only in ``flow`` and for the same person."""
    slug, kept = await _load(call, state, visitor)
    return msgspec.structs.replace(kept, plan=None) if kept is not None and slug != flow.slug else kept


async def at_hand(call: Call, state: State, visitor: Visitor) -> Plan | None:
    """The run that the visitor's browser is at, in whatever flow; it counts only for the same person."""
    _, kept = await _load(call, state, visitor)
    return kept.plan if kept is not None else None


async def _load(call: Call, state: State, visitor: Visitor) -> tuple[object, Kept | None]:
    digest = fingerprint(visitor.sid)
    row = await state.store.fetch_one(_LOAD, digest)
    if row is None:
        return "", None
    slug, sealed, version, expires = row
    plan = _opened(state, digest, str(sealed)) if int(str(expires)) > micros(call.at) else None
    if plan is not None and plan.holder != holder(visitor):
        plan = None
    return slug, Kept(digest, int(str(version)), plan)


def _opened(state: State, digest: str, sealed: str) -> Plan | None:
    try:
        return msgspec.json.decode(state.vault.open(sealed, f"flow_runs/{digest}"), type=Plan)
    except (ValueError, msgspec.MsgspecError):
        return None


def holder(visitor: Visitor) -> int:
    """Whose browser it is."""
    return visitor.user.pk if visitor.user else 0


def keep(
    call: Call, state: State, flow: Flow, sid: str, plan: Plan, kept: Kept | None, life: timedelta
) -> tuple[Kept, tuple[Write, ...]]:
    """The row that keeps ``plan`` under the session key ``sid`` in the place of ``kept``, and its writes."""
    digest = fingerprint(sid)
    sealed = state.vault.seal(msgspec.json.encode(plan).decode(), f"flow_runs/{digest}")
    expires = micros(call.at + life)
    if kept is not None and kept.digest == digest:
        moved = Write(_MOVE, (digest, flow.slug, sealed, expires, kept.version), expect=1, guard=RUN)
        return Kept(digest, kept.version + 1, plan), (moved,)
    # Versions start anywhere, so that one row's version never fits the row that follows it.
    version = rand.below(1 << 62)
    made = Write(_KEEP, (digest, flow.slug, sealed, version, expires), expect=1, guard=RUN)
    return Kept(digest, version, plan), (made,) if kept is None else (drop(kept), made)


def drop(kept: Kept) -> Write:
    """The write that ends a run."""
    return Write(_DROP, (kept.digest, kept.version), expect=1, guard=RUN)


def forget(visitor: Visitor) -> Write:
    """The write that ends whatever run the visitor's browser is at."""
    return Write(_FORGET, (fingerprint(visitor.sid),))


def sweep(at: datetime) -> Write:
    """The write that clears away runs nobody came back to; they counted for nothing before."""
    return Write(_SWEEP, (micros(at),))


def own(flow: Flow, visitor: Visitor) -> dict[str, object]:
    """What the context of a new run holds by itself."""
    if visitor.user is None or flow.designation not in _OWN:
        return {}
    return {"pending_user": visitor.user.pk}


async def make(
    call: Call,
    state: State,
    ports: Ports,
    flow: Flow,
    visitor: Visitor,
    user: User | None,
    context: Mapping[str, object],
) -> Plan | Deny:
    """A new run: the stages whose policies let them in now, or may do so when they are reached."""
    _RUNS.inc()
    steps = []
    for binding in bindings_of(call.settings, flow.pk):
        if binding.evaluate_on_plan:
            verdict = await judged(call, state, ports, binding, visitor, user, context)
            if isinstance(verdict, Deny):
                return verdict
            if not verdict:
                continue
        steps.append(binding.pk)
    return Plan(steps=tuple(steps), context=dict(context), holder=holder(visitor))


async def judged(
    call: Call,
    state: State,
    ports: Ports,
    binding: FlowStageBinding,
    visitor: Visitor,
    user: User | None,
    context: Mapping[str, object],
) -> bool | Deny:
    """Whether a run passes through ``binding``; :class:`Deny` when its policies do not know."""
    verdict = await judge(
        call, state, ports, binding.pk, binding.policy_engine_mode, user or visitor.user, context, visitor
    )
    return Deny(UNCLEAR) if verdict.doubt else verdict.passing
