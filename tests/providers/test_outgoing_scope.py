"""Who is told of elsewhere, and what: tables of scope, the mappings' names and order, and what stops everything."""

from collections.abc import Mapping
from typing import Any

import pytest

from keystead.app import ENGINE
from keystead.base import rand
from keystead.flows.flow import PolicyEngineMode
from keystead.people.group import Group
from keystead.people.person import person_by_pk
from keystead.people.user import UserTypeEnum
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from keystead.providers.application import Application
from keystead.providers.google_workspace.client import ROOM as GOOGLE
from keystead.providers.outgoing import scope, telling
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.system import Refused
from keystead.providers.scim.client import ROOM as SCIM
from keystead.providers.scim.links import SCIMProviderUser
from keystead.providers.scim.provider import SCIMProvider
from tests.house import House
from tests.providers import asked
from tests.providers.written import group

MACHINES = [UserTypeEnum.SERVICE_ACCOUNT, UserTypeEnum.INTERNAL_SERVICE_ACCOUNT]
YES, NO, BROKEN = "return True", "return False", "return 1 / 0"
# members of the provider and of the user, expressions bound to the application, whether the user is told of
USERS: list[tuple[Mapping[str, object], Mapping[str, Any], list[str], bool | None]] = [
    ({}, {}, [], True),
    ({}, {"is_active": False}, [], True),
    ({}, {"type": UserTypeEnum.EXTERNAL}, [], True),
    *(({}, {"type": one}, [], True) for one in MACHINES),
    *(({"exclude_users_service_account": True}, {"type": one}, [], False) for one in MACHINES),
    ({"exclude_users_service_account": True}, {}, [], True),
    ({}, {}, [NO], False),
    ({}, {"is_active": False}, [NO], False),
    ({}, {}, [YES, NO], True),
    ({}, {}, ['return request.user.username == "anna"'], True),
    ({}, {}, ['return request.obj.name == "Wiki"'], True),
    ({}, {}, [BROKEN], None),
    ({}, {}, [NO, BROKEN], None),
    ({}, {}, [YES, BROKEN], True),
    ({"exclude_users_service_account": True}, {"type": MACHINES[0]}, [BROKEN], False),
]


async def bound(house: House, application: Application, *expressions: str) -> None:
    for at, expression in enumerate(expressions):
        policy = ExpressionPolicy(pk=rand.uuid4(), name=rand.hex128(), expression=expression)
        await house.put(policy, PolicyBinding(pk=rand.uuid4(), target=application.pk, policy=policy.pk, order=at))


async def provider(house: House, **members: Any) -> SCIMProvider:  # noqa: ANN401 - members of a provider
    made = SCIMProvider(
        pk=await house.state.store.reserve("providers", 1), name="p", url="https://scim.example/v2", **members
    )
    await house.put(made)
    return made


async def told_of(house: House, room: Room, one: SCIMProvider, pk: int) -> bool | None:
    """Whether a user is told of; None where it cannot be said."""
    person = await person_by_pk(house.state, pk)
    assert person is not None
    try:
        return await scope.of_user(house.call, house.state, ENGINE, room, one, person) is None
    except Refused:
        return None


@pytest.mark.parametrize(("members", "user", "expressions", "wanted"), USERS, ids=range(len(USERS)))
async def test_users_in_scope(
    house: House,
    members: Mapping[str, object],
    user: Mapping[str, Any],
    expressions: list[str],
    *,
    wanted: bool | None,
) -> None:
    one = await provider(house, **members)
    anna = await house.person("anna", **user)
    assert await told_of(house, SCIM, one, anna.pk) is None, "the provider works for no application"
    await bound(house, await asked.application(house, "wiki", None, one.pk), *expressions)
    assert await told_of(house, SCIM, one, anna.pk) is wanted


async def test_any_application_will_do_and_each_in_its_own_mode(house: House) -> None:
    one = await provider(house)
    all_of = Application(
        pk=rand.uuid4(), name="A", slug="a", backchannel_providers=(one.pk,), policy_engine_mode=PolicyEngineMode.ALL
    )
    await house.put(all_of)
    await bound(house, all_of, YES, NO)
    assert await told_of(house, SCIM, one, house.plain.pk) is False
    await asked.application(house, "b", None, one.pk)
    assert await told_of(house, SCIM, one, house.plain.pk) is True


async def test_groups_narrow_the_scope(house: House) -> None:
    anna, bert = await house.person("anna"), await house.person("bert")
    above = await group(house, "above")
    below = Group(
        pk=rand.uuid4(),
        name="below",
        users=(anna.pk,),
        parents=(above.pk,),
        num_pk=await house.state.store.reserve("groups.num_pk", 1),
    )
    await house.put(below)
    one = await provider(house, group_filters=(above.pk,))
    await asked.application(house, "wiki", None, one.pk)
    assert await told_of(house, SCIM, one, bert.pk) is True, "in SCIM it narrows groups only"
    assert scope.of_group(house.call, SCIM, one, above) is None
    outside = scope.of_group(house.call, SCIM, one, below)
    assert outside is not None
    assert "below is none of the groups" in outside.why
    wide = await asked.made(
        house,
        "providers/google_workspace",
        delegated_subject="a@example.org",
        credentials={},
        default_group_email_domain="example.org",
        filter_group=above.pk,
    )
    await asked.application(house, "other", None, wide["pk"])
    google = house.call.settings.get(GOOGLE.kind, wide["pk"])
    assert google is not None
    assert await told_of(house, GOOGLE, google, anna.pk) is True, "through the group below"
    assert await told_of(house, GOOGLE, google, bert.pk) is False
    assert scope.of_group(house.call, GOOGLE, google, below) is None, "there it narrows users only"


async def told(house: House, one: SCIMProvider, link: SCIMProviderUser | None = None) -> dict[str, object]:
    person = await person_by_pk(house.state, house.plain.pk)
    assert person is not None
    return await telling.told(house.call, house.state, SCIM, one, person, link)


async def mapped(house: House, **expressions: str) -> SCIMProvider:
    """A provider with mappings of these names."""
    keys = [
        (await asked.made(house, "propertymappings/provider/scim", name=name, expression=expression))["pk"]
        for name, expression in reversed(expressions.items())
    ]
    return await provider(house, property_mappings=tuple(keys))


async def test_mappings_go_by_name_and_are_merged(house: House) -> None:
    one = await mapped(
        house,
        a='return {"userName": "a", "name": {"givenName": "A"}, "active": True}',
        b='return {"name": {"familyName": user.name}, "active": user.is_active, "emails": [{"value": user.email}]}',
        c='return {"userName": request.user.username}',
        d="return None",
    )
    assert await told(house, one) == {
        "userName": "plain",
        "name": {"givenName": "A", "familyName": "Plain"},
        "active": True,
        "emails": [{"value": "plain@example.org"}],
    }


async def test_mappings_see_what_is_known_of_the_counterpart(house: House) -> None:
    one = await mapped(
        house,
        a='known = {"p": provider.name, "u": provider.url, "t": provider.tenant_id, "c": creating}\n'
        'known["i"] = connection.scim_id if connection else None\n'
        'known["s"] = connection.attributes["x"] if connection else None\n'
        "return known",
    )
    known = {"p": "p", "u": "https://scim.example/v2", "t": None}
    assert await told(house, one) == {"c": True, "i": None, "s": None, **known}
    link = SCIMProviderUser(id=rand.uuid4(), scim_id="7", user=house.plain.pk, provider=one.pk, attributes={"x": 1})
    assert await told(house, one, link) == {"c": False, "i": "7", "s": 1, **known}


async def test_a_mapping_may_skip_somebody(house: House) -> None:
    one = await mapped(house, a='if request.user.username == "plain":\n    raise SkipObject\nreturn {}')
    with pytest.raises(telling.SkipObject):
        await told(house, one)
    await asked.application(house, "wiki", None, one.pk)
    body = {"sync_object_model": "authentik.core.models.User", "sync_object_id": str(house.plain.pk)}
    answered = await house.admin.post(f"{asked.API}/providers/scim/{one.pk}/sync/object/", body)
    (line,) = answered.json["messages"]
    assert (line["log_level"], "skips this user" in line["event"]) == ("info", True)


async def test_a_mapping_gives_texts_that_can_be_sent(house: House) -> None:
    one = await mapped(house, a=r'return {"userName": "\ud800"}')
    with pytest.raises(Refused):
        await told(house, one)


@pytest.mark.parametrize("expression", ["return 1 / 0", "return 7", "return provider.token", "while True: pass"])
async def test_a_mapping_that_fails_stops_it_and_is_told(house: House, expression: str) -> None:
    one = await mapped(house, a='return {"userName": "a"}', b=expression)
    with pytest.raises(Refused, match="The mapping b fails"):
        await told(house, one)
    (event,) = await asked.listed(house.admin, "events/events", action="property_mapping_exception")
    assert event["context"]["model"]["name"] == "b"
