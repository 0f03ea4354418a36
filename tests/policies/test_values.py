"""What expressions see of people, groups and the request: what is documented, and nothing they could change."""

from typing import Any

import pytest
from msgspec.structs import replace

from keystead.base import rand
from keystead.kinds.call import Origin
from keystead.people.group import Group
from keystead.people.person import Person, person_of
from keystead.policies.judge import Request
from keystead.policies.sandbox import ExpressionError, compile_expression
from keystead.policies.values import evaluate_mapping, names_for_mapping, names_for_policy
from tests.house import House


@pytest.fixture
async def person(house: House) -> Person:
    top = Group(pk=rand.uuid4(), name="Top", num_pk=60, is_superuser=True, attributes={"a": "top", "b": "top"})
    low = Group(pk=rand.uuid4(), name="team-low", num_pk=61, parents=(top.pk,), attributes={"a": "low"})
    await house.put(top)
    await house.put(low)
    user = await house.person(
        "grace", groups=(low.pk,), attributes={"b": "own", "deep": {"x": [1]}}, password="$argon2id$x"
    )
    return await person_of(house.state, user)


def run(house: House, person: Person | None, source: str, **context: object) -> object:
    call = replace(house.call, peer="192.0.2.7", origin=Origin("GET", "/x/", query={"q": "1"}, user_agent="agent"))
    names = names_for_policy(Request(call, person, dict(context)), [])
    return compile_expression(source, name="test").run(names)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("user.username", "grace"),
        ("request.user.name", "Grace"),
        ("user.email", "grace@example.org"),
        ("user.type", "internal"),
        ("user.path", "users"),
        ("user.is_active", True),
        ("user.is_superuser", True),
        ("user.is_authenticated", True),
        ("user.has_usable_password()", True),
        ("user.attributes['deep']['x'][0]", 1),
        ("str(user)", "grace"),
        ("len(user.uid)", 64),
        ("[group.name for group in user.groups.all()]", ["team-low"]),
        ("[group.name for group in user.ak_groups.all()]", ["team-low"]),
        ("sorted(group.name for group in user.all_groups())", ["Top", "team-low"]),
        ("user.groups.filter(name='team-low').exists()", True),
        ("user.groups.filter(name='Top').exists()", False),
        ("user.groups.filter(name__startswith='team-').count()", 1),
        ("user.groups.filter(name__iexact='TEAM-LOW').count()", 1),
        ("user.groups.filter(name__icontains='LOW', is_superuser=False).first().num_pk", 61),
        ("user.groups.filter(name__endswith='low').exists()", True),
        ("user.groups.filter(name__in=['x', 'team-low']).exists()", True),
        ("user.groups.filter(name__in='team-low').exists()", False),
        ("user.groups.filter(attributes__a='low').exists()", True),
        ("user.groups.filter(attributes__a='top').exists()", False),
        ("user.groups.filter(name='x').first()", None),
        ("user.group_attributes()", {"a": "low", "b": "own", "deep": {"x": [1]}}),
        ("ak_is_group_member(user, name='Top')", True),
        ("ak_is_group_member(user, name='Top', is_superuser=False)", False),
        ("ak_is_group_member(user, name='none')", False),
        ("request.http_request.method", "GET"),
        ("http_request.GET['q']", "1"),
        ("http_request.user_agent", "agent"),
        ("ak_client_ip", "192.0.2.7"),
        ("ak_is_sso_flow", False),
        ("ak_message('no')", False),
        ("request.obj", None),
    ],
)
async def test_what_is_seen(house: House, person: Person, expression: str, value: object) -> None:
    found = run(house, person, f"return {expression}")
    if expression == "user.group_attributes()":
        assert isinstance(found, dict)
        assert found["b"] == "own"
        assert found["a"] in {"low", "top"}
        return
    assert found == value


@pytest.mark.parametrize(
    "expression",
    [
        "user.password",
        "user.no_such",
        "user.groups.filter(nmae='x')",
        "user.groups.filter(name__regex='.*')",
        "user.groups.filter(password='x')",
        "ak_is_group_member(user, nmae='x')",
        "ak_is_group_member(user, __class__='x')",
        "ak_create_event('x')",
        "ak_send_email('x')",
        "resolve_dns('x')",
        "user.pk.real.no_such",
    ],
)
async def test_what_is_not_there_is_an_error_and_no_answer(house: House, person: Person, expression: str) -> None:
    with pytest.raises(ExpressionError):
        run(house, person, f"return {expression}")


@pytest.mark.parametrize(
    "statement", ["user.username = 'root'", "request.user = None", "del user.email", "user.groups.all = 1"]
)
async def test_people_cannot_be_changed(house: House, person: Person, statement: str) -> None:
    with pytest.raises(ExpressionError):
        run(house, person, f"{statement}\nreturn True")


async def test_attributes_an_expression_changes_are_its_own_copy(house: House, person: Person) -> None:
    before = repr(person.user.attributes)
    with pytest.raises(ExpressionError):
        run(house, person, "user.attributes['b'] = 'changed'\nraise ValueError('x')")
    assert repr(person.user.attributes) == before
    assert run(house, person, "return user.attributes['b']") == "own"


async def test_nobody_is_none(house: House) -> None:
    assert run(house, None, "return user is None and request.user is None") is True
    with pytest.raises(ExpressionError):
        run(house, None, "return ak_is_group_member(user, name='x')")


async def test_mappings_have_what_their_protocol_adds(house: House, person: Person) -> None:
    names: dict[str, Any] = names_for_mapping(Request(house.call, person), provider="p", token=None)
    assert evaluate_mapping("return {'name': user.name, 'of': provider}", "m", names) == {"name": "Grace", "of": "p"}
    for source in ("return ak_user_by(username='x')", "return ak_call_policy('x')", "return ak_message('x')"):
        with pytest.raises(ExpressionError):
            evaluate_mapping(source, "m", names)
