"""What a stage is to the executor: it asks, and it judges the answer. It knows neither what came before nor after."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import Flow
from keystead.flows.ports import Ports, Visitor
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.user import User

S = TypeVar("S", bound=msgspec.Struct)
Body: TypeAlias = Mapping[str, object]
"""An answer's members."""


class Run(msgspec.Struct, Generic[S], frozen=True):
    """What a stage may look at: who is here, how far the run is, and the stage's own settings.

    :param stage: the settings object.
    :param context: what earlier stages found out, as JSON (flows.md §1).
    :param user: the pending user, as earlier stages of the same request left them; None while nobody is known.
    """

    call: Call
    state: State
    ports: Ports
    flow: Flow
    binding: FlowStageBinding
    stage: S
    visitor: Visitor
    context: Mapping[str, object]
    user: User | None

    @property
    def proven(self) -> bool:
        """Whether the pending user has proved who they are."""
        return proven(self.user, self.visitor, self.context)


def proven(user: User | None, visitor: Visitor, context: Mapping[str, object]) -> bool:
    """Whether ``user`` has proved who they are: in this run, or by the session the visitor came with."""
    if user is None:
        return False
    return "auth_method" in context or (visitor.user is not None and visitor.user.pk == user.pk)


class Error(NamedTuple):
    """One complaint about a member of an answer."""

    string: str
    code: str = "invalid"


Errors: TypeAlias = Mapping[str, Sequence[Error]]
"""Member -> complaints; ``non_field_errors`` for the answer as a whole."""
GENERAL = "non_field_errors"


class Challenge(msgspec.Struct, frozen=True):
    """The stage asks something.

    :param members: besides ``component``, ``flow_info`` and ``response_errors``, which the executor adds.
    :param keep: members for the run's context that the answer will be judged by, where asking began something. They are
        kept before anybody sees the challenge; next time the stage finds them and gives none.
    """

    component: str
    members: Mapping[str, object] = msgspec.field(default_factory=dict)
    keep: Mapping[str, object] = msgspec.field(default_factory=dict)


class Done(msgspec.Struct, frozen=True):
    """The stage is satisfied, or had nothing to ask.

    :param context: what it found out; replaces members of the run's context.
    :param forget: members of the context that no longer hold.
    :param changes: written together with the run's next step.
    :param user: the pending user as ``changes`` will leave them, where they touch them.
    :param visitor: the visitor from now on, where the stage signs in or out.
    """

    context: Mapping[str, object] = msgspec.field(default_factory=dict)
    forget: Collection[str] = ()
    changes: Changes = msgspec.field(default_factory=Changes)
    user: User | None = None
    visitor: Visitor | None = None


class Again(msgspec.Struct, frozen=True):
    """The answer will not do.

    :param changes: the trace it leaves; written all the same.
    """

    errors: Errors
    changes: Changes = msgspec.field(default_factory=Changes)


class Deny(msgspec.Struct, frozen=True):
    """The run ends here with a no; ``message`` is for the person."""

    message: str = ""


class Leave(msgspec.Struct, frozen=True):
    """The run ends here, and the browser goes elsewhere.

    :param to: an address, or a path on this server; or
    :param flow: another flow, which begins anew.
    :param keep_context: what this run found out goes along into that flow.
    """

    to: str = ""
    flow: Flow | None = None
    keep_context: bool = False


Outcome: TypeAlias = Done | Again | Deny | Leave
TAKEN: Final = "taken"
"""The guard of a stage's write that only one run may make: whoever comes second finds the stage as it is after that."""


async def _unasked(_run: Run[Any], _body: Body) -> Outcome:
    return Deny("This step takes no answer.")


def _uncounted(_run: Run[Any], _body: Body) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Stage(Generic[S]):
    """A kind of stage and how it behaves.

    :param ask: what the stage asks now; anything but a :class:`Challenge` means that it needs no answer.
    :param answer: judges an answer to that challenge, whatever was posted.
    :param component: its challenge's component; empty for stages that never ask.
    :param tries: how many answers like this one a run takes; 0 for answers that nobody can guess at. The executor
        counts before the answer is looked at, so parallel answers cannot be more.
    :param challenge: what the API tells of its challenge; None for stages that never ask.
    :param response: what the API tells of answers to it.
    """

    kind: Kind[S]
    ask: Callable[[Run[S]], Awaitable[Challenge | Outcome]]
    answer: Callable[[Run[S], Body], Awaitable[Outcome]] = _unasked
    component: str = ""
    tries: Callable[[Run[S], Body], int] = _uncounted
    challenge: type[msgspec.Struct] | None = None
    response: type[msgspec.Struct] | None = None


def not_built(
    kind: Kind[S], challenge: type[msgspec.Struct] | None = None, response: type[msgspec.Struct] | None = None
) -> Stage[S]:
    """The stage of a kind that is kept only: a run that reaches it ends there, whatever its settings would let pass.

    :param challenge: what it is going to ask, and ``response`` how that is answered.
    """

    async def ask(_run: Run[S]) -> Deny:
        return Deny(
            f"The next step here would be of the type {kind.title[0]}, which this version of Keystead does not carry"
            " out. Nobody gets past it; tell whoever looks after this service."
        )

    return Stage(kind, ask, challenge=challenge, response=response)


def text(body: Body, member: str) -> str:
    """A text member of an answer; anything else counts as not given."""
    value = body.get(member)
    return value if isinstance(value, str) else ""
