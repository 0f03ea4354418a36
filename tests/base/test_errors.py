import pytest

from keystead.base.errors import Kind, Problem, denied, invalid, not_found


def test_a_problem_says_what_went_wrong_and_carries_what_a_door_needs() -> None:
    problem = Problem(Kind.BUSY, "Too many sign-ins at once.", retry_after=3)
    assert (str(problem), problem.code, problem.retry_after, problem.fields) == (
        "Too many sign-ins at once.",
        "busy",
        3,
        None,
    )
    assert Problem(Kind.DENIED, code="consent_required").code == "consent_required"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_problem_without_detail_still_prints_its_kind(kind: Kind) -> None:
    assert str(Problem(kind)) == kind.value


def test_shorthands_make_the_kind_they_name() -> None:
    problem = invalid({"name": ["This field is required."]})
    assert (problem.kind, problem.fields) == (Kind.INVALID, {"name": ["This field is required."]})
    assert (not_found().kind, denied().kind) == (Kind.NOT_FOUND, Kind.DENIED)
