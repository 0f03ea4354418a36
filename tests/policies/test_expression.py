"""Expression policies: compiled when they are saved, and plain answers only."""

import pytest

from keystead.policies.expression import ExpressionPolicy, evaluate
from keystead.policies.judge import Request
from keystead.policies.sandbox import ExpressionError
from tests.house import House

POLICIES = "/api/v3/policies/expression/"


@pytest.mark.parametrize(
    "expression",
    ["return True", "\n\nreturn request.user.username\n", "x = 1\nif x:\n    return False\nreturn True", "pass"],
)
async def test_what_compiles_is_kept(house: House, expression: str) -> None:
    made = await house.admin.post(POLICIES, {"name": "p", "expression": expression})
    assert made.status == 201, made.text
    assert made.json["expression"] == expression.strip()
    assert made.json["component"] == "ak-policy-expression-form"
    assert made.json["meta_model_name"] == "authentik_policies_expression.expressionpolicy"


@pytest.mark.parametrize(
    "expression", ["return (", "import os", "return x.__class__", "def f(:", "", "  ", "return \x00"]
)
async def test_what_does_not_is_a_complaint_about_the_expression(house: House, expression: str) -> None:
    answered = await house.admin.post(POLICIES, {"name": "p", "expression": expression})
    assert answered.status == 400
    assert "expression" in answered.json
    made = (await house.admin.post(POLICIES, {"name": "p", "expression": "return True"})).json
    assert (await house.admin.patch(f"{POLICIES}{made['pk']}/", {"expression": expression})).status == 400
    assert (await house.admin.get(f"{POLICIES}{made['pk']}/")).json["expression"] == "return True"


@pytest.mark.parametrize(
    ("value", "passes"), [("True", True), ("1", False), ("'yes'", False), ("[1]", False), ("None", False)]
)
async def test_only_true_is_true(house: House, value: str, passes: bool) -> None:  # noqa: FBT001 - a table's column
    policy = ExpressionPolicy(pk="1", name="p", expression=f"return {value}")
    result = evaluate(policy, Request(house.call, None))
    assert result.passing is passes


async def test_what_it_says_and_prints_is_told_apart(house: House) -> None:
    policy = ExpressionPolicy(pk="1", name="p", expression="ak_message('for you')\nprint('for us')\nreturn True")
    result = evaluate(policy, Request(house.call, None))
    assert result.messages == ("for you",)
    assert "for us" in "".join(result.log)


async def test_what_it_raises_is_an_error_of_the_expression(house: House) -> None:
    policy = ExpressionPolicy(pk="1", name="named", expression="return {}['x']")
    with pytest.raises(ExpressionError):
        evaluate(policy, Request(house.call, None))


async def test_an_expression_writes_to_its_own_copy_of_the_context(house: House) -> None:
    request = Request(house.call, None, {"a": 1})
    policy = ExpressionPolicy(pk="1", name="p", expression="context['b'] = 2\nreturn context['b'] == 2")
    assert evaluate(policy, request).passing
    assert request.context == {"a": 1}
