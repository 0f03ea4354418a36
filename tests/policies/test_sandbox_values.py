"""What goes in and what comes out: views, copies, and dicts that are the expression's to change."""

import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from keystead.policies.sandbox import ExpressionError, Owned, View, compile_expression, make_view, subject

UserView = make_view("user", {"username": "username", "attributes": "attributes"}, text=lambda user: user.username)


def people() -> dict[str, object]:
    return {"user": UserView(SimpleNamespace(username="alice", attributes={"tags": ["a", "b"]}))}


def run(source: str, names: Mapping[str, object] | None = None) -> object:
    return compile_expression(source, name="test").run(people() if names is None else names)


def test_owned_values_are_changed_others_are_copied() -> None:
    mine: dict[str, object] = {"prompt_data": {"username": "Bob"}}
    theirs: dict[str, object] = {"prompt_data": {"username": "Bob"}}
    source = "for data in (mine, theirs):\n  data['prompt_data']['username'] = 'x'\n  data['new'] = [1]\nreturn True"
    assert run(source, {"mine": Owned(mine), "theirs": theirs}) is True
    assert mine == {"prompt_data": {"username": "x"}, "new": [1]}
    assert theirs == {"prompt_data": {"username": "Bob"}}


def test_changes_are_taken_back_like_results() -> None:
    thing = object()
    context = Owned({"user": thing, "list": [thing, 1], "frozen": (thing,)})
    source = "context['seen'] = str(context['user'])\ncontext['list'].append(context['user'])\nreturn True"
    assert run(source, {"context": context}) is True
    assert context.taken() == {"user": thing, "list": [thing, 1, thing], "frozen": (thing,), "seen": "object"}
    run("context['f'] = len", {"context": context})
    with pytest.raises(ExpressionError, match="holds a function"):
        context.taken()


def test_an_object_in_an_owned_dict_is_closed() -> None:
    context = Owned({"list": [SimpleNamespace(secret="canary")], "map": {"x": iter([1])}})
    for source in ("return context['list'][0].secret", "return list(context['map']['x'])", "a, = context['map']['x']"):
        with pytest.raises(ExpressionError):
            run(source, {"context": context})


def test_an_error_does_not_carry_what_the_expression_made() -> None:
    source = "rows = []\nerror = ValueError(rows)\nfor _ in range(60): rows = [rows, rows]\nraise error"
    with pytest.raises(ExpressionError) as failed:
        run(source)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


def test_what_functions_of_the_server_give_is_copied() -> None:
    held = {"a": [1]}
    assert run("d = get()\nd['a'].append(2)\nreturn d, get()", {"get": lambda: held}) == ({"a": [1, 2]}, {"a": [1]})
    assert held == {"a": [1]}


def test_a_view_gives_the_same_list_again_within_a_run_and_a_fresh_one_in_the_next() -> None:
    names = people()
    source = "user.attributes['tags'].append('c')\nreturn user.attributes['tags']"
    assert run(source, names) == ["a", "b", "c"]
    assert run(source, names) == ["a", "b", "c"]


def test_names_are_read_as_the_parameters_of_a_function_are() -> None:
    assert run("x = x + 1\nreturn x", {"x": 1}) == 2
    assert run("del x\nx = 2\nreturn x", {"x": 1}) == 2
    assert run("return len('abc')", {"len": lambda _: 0}) == 3
    assert run("return type, id", {"type": "ldap", "id": 5}) == ("ldap", 5)


def test_an_object_without_a_view_is_handed_back_as_it_was() -> None:
    thing = object()
    names: dict[str, object] = {"thing": thing, "check": lambda given: subject(given) is thing}
    assert run("return check(thing)", names) is True
    result = run("return thing", {"thing": thing})
    assert isinstance(result, View)
    assert subject(result) is thing


def test_a_view_is_read_only_for_python_code_too() -> None:
    view = people()["user"]
    assert isinstance(view, View)
    assert view.username == "alice"
    with pytest.raises(AttributeError, match="read-only"):
        view.username = "x"
    with pytest.raises(AttributeError, match="read-only"):
        del view.username
    with pytest.raises(AttributeError, match="it has: username"):
        view.nothing  # noqa: B018 - reading it is the test
    with pytest.raises(TypeError):
        view.__reduce__()
    assert str(view) == format(view) == "alice"


@pytest.mark.parametrize("name", ["_private", "__class__", "not a name", ""])
def test_a_view_declares_public_names(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be an attribute"):
        make_view("thing", {name: "x"})


def test_views_of_the_same_thing_are_equal() -> None:
    thing, same, other = SimpleNamespace(pk=1), SimpleNamespace(pk=1), SimpleNamespace(pk=2)
    plain, keyed = make_view("plain", {}), make_view("keyed", {}, key=lambda one: one.pk)
    assert plain(thing) == plain(thing) != plain(same)
    assert keyed(thing) == keyed(same) != keyed(other)
    assert len({keyed(thing), keyed(same), keyed(other)}) == 2
    assert plain(thing) != keyed(thing)


def test_print_goes_to_the_log_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    log: list[str] = []
    compile_expression("print('a', [1], user, sep='-')\nprint()\nreturn 1", name="log").run(people(), log=log)
    assert log == ["a-[1]-alice", ""]
    run("print('silent')")
    assert capsys.readouterr() == ("", "")


def test_log_is_bounded() -> None:
    log: list[str] = []
    expression = compile_expression("for _ in range(1500): print(_)\nprint('x' * 20000)", name="log")
    expression.run({}, log=log)
    assert len(log) == 1000
    more: list[str] = []
    compile_expression("print('x' * 20000)", name="log").run({}, log=more)
    assert len(more[0]) == 10_000


def test_restricted_python_is_loaded_by_the_first_expression() -> None:
    program = """
import sys
from keystead.policies.sandbox import compile_expression
before = "RestrictedPython" in sys.modules
compile_expression("return 1", name="first")
print(before, "RestrictedPython" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "True"]
