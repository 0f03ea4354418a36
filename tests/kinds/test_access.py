"""Asking permission: who may do what, what the others are told, and that nobody makes a power up."""

from dataclasses import replace

import msgspec
import pytest

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds.access import Power, as_system, holds, may, owns, require, signed_in, system
from keystead.kinds.call import NOBODY, SYSTEM, Actor, Call
from keystead.kinds.kind import PERMISSION, Kind, Table, Verb
from keystead.kinds.snapshot import Snapshot
from keystead.people.token import TOKEN, Token
from tests.house import BEGIN
from tests.kinds.toys import BOX, SAMPLE, SETTINGS, Box, Sample

PLAIN = Actor(pk=7, username="plain", means="token")
ROOT = msgspec.structs.replace(PLAIN, is_superuser=True)
MINE, THEIRS = Token(pk="1", identifier="mine", user=7), Token(pk="2", identifier="theirs", user=8)
BOXED = Box(pk="1", name="box")


def call(actor: Actor) -> Call:
    return Call(actor, BEGIN, Snapshot({kind.model: kind for kind in SETTINGS}))


def refused(actor: Actor, kind: Kind[Box] | Kind[Token], verb: Verb | str, obj: Box | Token | None = None) -> Fault:
    with pytest.raises(Problem) as found:
        require(call(actor), kind, verb, obj)
    return found.value.kind


def test_nobody_is_asked_to_sign_in_first() -> None:
    for verb in Verb:
        assert refused(NOBODY, BOX, verb, BOXED) is Fault.UNAUTHENTICATED
    with pytest.raises(Problem):
        signed_in(call(NOBODY))
    signed_in(call(PLAIN))
    signed_in(call(SYSTEM))
    # Permissions on somebody who is nobody count for nothing.
    assert not holds(call(Actor(permissions=frozenset({"toys.view_box"}))), "toys.view_box")
    assert not holds(call(Actor(is_superuser=True)), "toys.view_box")


@pytest.mark.parametrize("verb", list(Verb))
def test_a_verb_wants_its_own_permission(verb: Verb) -> None:
    word = PERMISSION[verb]
    assert require(call(ROOT), BOX, verb, BOXED).word == word
    assert refused(PLAIN, BOX, verb, BOXED) is Fault.NOT_FOUND
    assert refused(PLAIN, BOX, verb) is Fault.DENIED
    allowed = msgspec.structs.replace(PLAIN, permissions=frozenset({f"toys.{word}_box"}))
    assert require(call(allowed), BOX, verb, BOXED).kind is BOX
    others = frozenset({f"toys.{other}_box" for other in PERMISSION.values() if other != word} | {f"toys.{word}_shelf"})
    expected = Fault.DENIED if word != "view" else Fault.NOT_FOUND
    assert refused(msgspec.structs.replace(PLAIN, permissions=others), BOX, verb, BOXED) is expected


def test_owners_see_change_and_end_what_is_theirs_and_nothing_else() -> None:
    assert owns(call(PLAIN), TOKEN, MINE)
    assert not owns(call(PLAIN), TOKEN, THEIRS)
    assert not owns(call(NOBODY), TOKEN, replace_user(MINE, 0))
    assert not owns(call(SYSTEM), TOKEN, replace_user(MINE, 0))
    for verb in (Verb.RETRIEVE, Verb.UPDATE, Verb.DESTROY, Verb.USED_BY):
        assert require(call(PLAIN), TOKEN, verb, MINE).kind is TOKEN
        assert refused(PLAIN, TOKEN, verb, THEIRS) is Fault.NOT_FOUND
    assert not may(call(PLAIN), TOKEN, "view"), "not the whole list"
    assert not may(call(PLAIN), TOKEN, "view_key", MINE)
    assert not owns(call(PLAIN), SAMPLE, Sample(pk=7, code="x"))


def replace_user(token: Token, user: int) -> Token:
    return Token(pk=token.pk, identifier=token.identifier, user=user)


def test_whoever_is_signed_in_makes_records_of_their_own_where_the_kind_says_so() -> None:
    assert require(call(PLAIN), TOKEN, Verb.CREATE).word == "add"
    assert refused(NOBODY, TOKEN, Verb.CREATE) is Fault.UNAUTHENTICATED
    closed = replace(TOKEN, table=Table("tokens", owner="user_id"))
    assert not may(call(PLAIN), closed, "add")


def test_a_power_comes_from_asking_only() -> None:
    with pytest.raises(TypeError):
        Power(call(ROOT), BOX, "add")
    with pytest.raises(TypeError):
        Power(call(ROOT), BOX, "add", object())
    asked = require(call(ROOT), BOX, "add")
    with pytest.raises(TypeError):
        replace(asked, word="delete", _proof=None)
    assert system(call(NOBODY), BOX, "add").call.actor is NOBODY
    assert as_system(call(PLAIN)).actor is SYSTEM
