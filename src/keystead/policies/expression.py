"""ExpressionPolicy: a Python snippet that decides."""

from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.judge import Asked, PolicyKind, PolicyResult, Request
from keystead.policies.sandbox import ExpressionError, compile_expression
from keystead.policies.shown import PolicyShown, common, view
from keystead.policies.values import names_for_policy

_MODEL: Final = "authentik_policies_expression.expressionpolicy"


class ExpressionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A Python snippet that decides: it returns whether to let through.

    :param execution_logging: write an event at every run, not only when it fails.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    expression: Text


def check_expression(source: str, name: str) -> None:
    """Refuse an expression that does not compile.

    :raises Problem: ``INVALID`` on ``expression``, with the line.
    """
    try:
        compile_expression(source, name=name)
    except ExpressionError as exc:
        raise invalid({"expression": [str(exc)]}) from None


async def rules(_call: Call, _state: State, _old: ExpressionPolicy | None, new: ExpressionPolicy) -> ExpressionPolicy:
    """The expression compiles."""
    check_expression(new.expression, new.name)
    return new


def evaluate(policy: ExpressionPolicy, request: Request) -> PolicyResult:
    """Run the snippet; only a result that is plainly true lets through.

    :raises ExpressionError: it raised, or used up what it may use.
    """
    messages: list[str] = []
    log: list[str] = []
    names = names_for_policy(request, messages)
    outcome = compile_expression(policy.expression, name=policy.name).run(names, log=log)
    return PolicyResult(passing=outcome is True, messages=tuple(messages), log=tuple(log), raw=outcome)


EXPRESSION_POLICY = Kind(
    model=_MODEL,
    struct=ExpressionPolicy,
    path="policies/expression",
    title=("Expression Policy", "Expression Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-expression-form",
    shown=PolicyShown,
    view=view,
    rules=rules,
    filters=("expression", *common(_MODEL)),
)
POLICY: PolicyKind = Asked(EXPRESSION_POLICY, evaluate)
