"""DummyPolicy: a given answer after a wait, to try out what policies are bound to."""

import asyncio
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.judge import Asked, Looks, PolicyKind, PolicyResult, Request
from keystead.policies.shown import PolicyShown, common, view

_MODEL: Final = "authentik_policies_dummy.dummypolicy"
_MILLISECONDS: Final = 1000


class DummyPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A given answer after a wait, to try things out.

    :param execution_logging: write an event at every run, not only when it fails.
    :param result: the answer.
    :param wait_min: seconds it takes at least.
    :param wait_max: seconds it takes at most; a binding whose timeout is shorter hears no answer.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    result: bool = False
    wait_min: Int32 = 5
    wait_max: Int32 = 30


async def evaluate(_state: State, policy: DummyPolicy, _request: Request) -> PolicyResult:
    """Wait, then answer."""
    least, most = sorted(max(0, seconds) * _MILLISECONDS for seconds in (policy.wait_min, policy.wait_max))
    await asyncio.sleep((least + rand.below(most - least + 1)) / _MILLISECONDS)
    return PolicyResult(passing=policy.result, messages=("This is the answer of a policy for tests.",))


DUMMY_POLICY = Kind(
    model=_MODEL,
    struct=DummyPolicy,
    path="policies/dummy",
    title=("Dummy Policy", "Dummy Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-dummy-form",
    shown=PolicyShown,
    view=view,
    filters=("result", "wait_min", "wait_max", *common(_MODEL)),
)
POLICY: PolicyKind = Asked(DUMMY_POLICY, Looks(evaluate))
