"""Errors as clients of the API know them (rest.md §5): 400 by member, 403 and 404 with detail, never 401."""

from typing import Any, cast

import pytest

from keystead.base.errors import Kind, Problem, invalid
from keystead.doors.rest.errors import STATUS, answer
from tests.client import Answered


def told(exc: BaseException) -> Answered:
    response = answer(cast("Any", None), cast("Any", None), exc)
    headers = tuple((name.decode(), value.decode()) for name, value in response.headers)
    return Answered(response.status, headers, response.body)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_problem_has_a_status_and_a_body(kind: Kind) -> None:
    answered = told(Problem(kind, "why"))
    assert answered.status == STATUS[kind]
    assert answered.status != 401
    assert answered.header("cache-control") == "no-store"
    assert answered.header("content-type") == "application/json"
    if kind is Kind.INVALID:
        assert answered.json == {"non_field_errors": ["why"], "code": "invalid"}
    else:
        assert answered.json["detail"] == "why"
        assert answered.json["code"]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"name": ["a", "b"]}, {"name": ["a", "b"], "code": "invalid"}),
        ({"outer": {"inner": ["x"]}}, {"outer": {"inner": ["x"]}, "code": "invalid"}),
        ({"code": ["wrong"]}, {"code": ["wrong"]}),
        ({}, {"non_field_errors": ["Invalid input."], "code": "invalid"}),
    ],
)
def test_complaints_are_told_by_member(fields: dict[str, Any], body: dict[str, Any]) -> None:
    answered = told(invalid(fields))
    assert (answered.status, answered.json) == (400, body)


def test_what_is_no_problem_tells_nothing() -> None:
    answered = told(RuntimeError("hunter2"))
    assert answered.status == 500
    assert "hunter2" not in answered.text


def test_who_is_to_come_again_is_told_when() -> None:
    assert told(Problem(Kind.BUSY, "later", retry_after=7)).header("retry-after") == "7"
    assert told(Problem(Kind.BUSY, "later")).header("retry-after") == ""
