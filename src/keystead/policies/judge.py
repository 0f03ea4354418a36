"""What a policy is asked and what it answers; the shape every policy shares."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.person import Person
from keystead.policies.sandbox import Signal

Question: TypeAlias = tuple[str, tuple[object, ...]]
"""A helper's name and its arguments."""


class PolicyResult(msgspec.Struct, frozen=True):
    """A policy's answer.

    :param messages: for the person who is judged.
    :param log: for the administrator.
    :param raw: what the policy itself gave back.
    :param failed: a policy gave no answer, and another one might come out when it does.
    """

    passing: bool
    messages: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    raw: object = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a policy is asked.

    :param person: whom it is about, or None for somebody not known yet.
    :param subject: what is asked for, as expressions see it (``request.obj``): a view or plain JSON.
    :param context: the flow's context; an expression gets a copy of it.
    :param known: what helpers of expressions looked up so far: question -> answer.
    :param wanted: questions that helpers asked and that nobody has answered yet.
    :param depth: how many policies have called each other to get here.
    :param beside: what an expression looked at that is neither the person nor given to it: another time it may differ.
    """

    call: Call
    person: Person | None
    context: dict[str, object] = field(default_factory=dict)
    subject: object = None
    known: dict[Question, object] = field(default_factory=dict)
    wanted: list[Question] = field(default_factory=list)
    depth: int = 0
    beside: list[str] = field(default_factory=list)


class Wanted(Signal):
    """A helper needs what only the store knows: the engine looks it up and runs the expression again."""


Evaluate: TypeAlias = Callable[[Any, Request], PolicyResult]


class Looks(msgspec.Struct, frozen=True):
    """How a policy is asked that reads the store, waits, or computes off the loop. It judges and writes nothing."""

    run: Callable[[State, Any, Request], Awaitable[PolicyResult]]


Way: TypeAlias = Evaluate | Looks
"""How policies of a kind are asked."""


class Asked(msgspec.Struct, frozen=True):
    """A policy kind together with how it is asked; ``app.py`` lists them."""

    kind: Kind[Any]
    evaluate: Way


PolicyKind: TypeAlias = Asked
Policies: TypeAlias = Mapping[str, Way]
"""Model -> how it is asked."""
