"""The corpus of escapes: every one is refused, at save or at run, and none gives anything."""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from keystead.policies.sandbox import ExpressionError, Owned, compile_expression, make_view

CORPUS = Path(__file__).parents[1] / "tables" / "escapes.yaml"


class Attempt(NamedTuple):
    group: str
    source: str
    at_save: bool


class Thing:
    """An object of the server that nobody made a view of."""

    secret = "canary"

    def __call__(self) -> str:
        return self.secret

    def __getitem__(self, _key: object) -> str:
        return self.secret


class Person:
    name = "alice"
    password = "canary"

    def set_password(self, new: str) -> None:
        self.password = new


def attempts() -> list[Attempt]:
    table = yaml.safe_load(CORPUS.read_text("utf-8"))
    return [Attempt(group, one["source"], one["at"] == "save") for group, rows in table.items() for one in rows]


ATTEMPTS = attempts()
UserView = make_view("user", {"name": "name"})
RequestView = make_view("request", {"user": "user", "context": "context"})


def names() -> dict[str, object]:
    person, thing = UserView(Person()), Thing()
    context = {"thing": thing, "things": [thing]}
    request = type("Request", (), {"user": person, "context": context})()
    return {
        "user": person,
        "request": RequestView(request),
        "context": context,
        "notify": lambda *args, **named: (len(args), len(named)),
        "thing": thing,
        "kept": Owned([1]),
    }


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=[f"{one.group}-{n}" for n, one in enumerate(ATTEMPTS)])
def test_escape_is_refused(attempt: Attempt) -> None:
    if attempt.at_save:
        with pytest.raises(ExpressionError) as refused:
            compile_expression(attempt.source, name="escape")
        assert refused.value.message
        return
    expression = compile_expression(attempt.source, name="escape")
    with pytest.raises(ExpressionError) as failed:
        expression.run(names())
    assert "canary" not in str(failed.value)


def test_the_corpus_is_large_and_has_no_doubles() -> None:
    sources = [one.source for one in ATTEMPTS]
    assert len(sources) == len(set(sources)) >= 350
    assert {one.group for one in ATTEMPTS} >= {
        "attribute walk",
        "built names",
        "exceptions",
        "formats",
        "frames and functions",
        "imports and builtins",
        "objects of the server",
        "reduce and types",
        "scopes and stars",
        "spelling",
    }


@pytest.mark.parametrize("shown", ["str(thing)", "repr(thing)", "f'{thing}'", "'%s' % thing", "'{}'.format(thing)"])
def test_an_object_without_a_view_shows_nothing(shown: str) -> None:
    for source in (f"return {shown}", f"return {shown.replace('thing', '[thing]')}"):
        assert "canary" not in str(compile_expression(source, name="show").run(names()))


def test_the_server_keeps_what_it_gave() -> None:
    given = names()
    context = given["context"]
    source = """
context["new"] = 1
context["things"].append(2)
request.context["new"] = 3
return [context["new"], len(context["things"]), request.context["new"]]
"""
    assert compile_expression(source, name="writes").run(given) == [1, 2, 3]
    assert isinstance(context, dict)
    assert sorted(context) == ["thing", "things"]
    assert len(context["things"]) == 1
