"""What lists of people, roles and events can be narrowed by."""

from datetime import timedelta

import msgspec
import pytest

from keystead.base import rand
from keystead.kinds.changes import Changes
from keystead.kinds.terms import FTS5, attributes
from keystead.people.group import Group
from keystead.people.role import Role
from keystead.people.user import USER, UserTypeEnum
from keystead.policies.expression import ExpressionPolicy
from tests.house import BEGIN, House


async def listed(house: House, path: str, member: str) -> set[str]:
    """A member of everything a list shows."""
    answered = await house.admin.get(f"/api/v3/{path}")
    assert answered.status == 200, answered.text
    return {one[member] for one in answered.json["results"]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=external", {"guest"}),
        ("type=external&type=service_account", {"guest", "robot"}),
        ("roles_by_name=reader", {"guest"}),
        ("roles_by_name=reader&roles_by_name=writer", {"guest", "robot"}),
        ("roles_by_name=nobody", set()),
        ('attributes={"floor":{"number":3}}', {"guest"}),
        ('attributes={"floor__number":3}', {"guest"}),
    ],
)
async def test_users(house: House, query: str, found: set[str]) -> None:
    reader, writer = (Role(pk=rand.uuid4(), name=name) for name in ("reader", "writer"))
    await house.put(reader, writer)
    await house.person(
        "guest", type=UserTypeEnum.EXTERNAL, roles=(reader.pk,), attributes={"floor": {"number": 3, "wing": "a"}}
    )
    await house.person("robot", type=UserTypeEnum.SERVICE_ACCOUNT, roles=(writer.pk,))
    assert await listed(house, f"core/users/?{query}", "username") == found


@pytest.mark.parametrize("query", ["type=nothing", "groups_by_pk=x", "uuid=x", "is_active=perhaps", "last_login__lt=x"])
async def test_a_value_that_cannot_be_is_refused(house: House, query: str) -> None:
    answered = await house.admin.get(f"/api/v3/core/users/?{query}")
    assert answered.status == 400
    assert query.partition("=")[0] in answered.json


async def test_roles_by_who_holds_them(house: House) -> None:
    own, near, far = (Role(pk=rand.uuid4(), name=name) for name in ("own", "near", "far"))
    await house.put(own, near, far)
    above = Group(pk=rand.uuid4(), name="above", num_pk=100, roles=(far.pk,))
    group = Group(pk=rand.uuid4(), name="group", num_pk=101, roles=(near.pk,), parents=(above.pk,))
    await house.put(above)
    await house.put(group)
    person = await house.person("holder", roles=(own.pk,), groups=(group.pk,))
    for query, found in (
        (f"users={person.pk}", {"own"}),
        (f"users={person.pk}&inherited=true", {"own", "near", "far"}),
        (f"users={person.pk}&inherited=false", {"own"}),
        (f"groups={group.pk}", {"near"}),
        (f"groups={group.pk.upper()}", {"near"}),
        (f"groups={group.pk}&inherited=true", {"near", "far"}),
        (f"groups={group.pk}&users={person.pk}&inherited=true", {"near", "far"}),
        (f"groups={group.pk}&users={person.pk}", set()),
        ("users=999999", set()),
        ("inherited=true", {"own", "near", "far"}),
    ):
        assert await listed(house, f"rbac/roles/?{query}", "name") == found, query
    assert (await house.admin.get("/api/v3/rbac/roles/?groups=x")).status == 400
    assert (await house.admin.get("/api/v3/rbac/roles/?users=x")).status == 400


async def happen(house: House, *actions: str) -> None:
    """Events, an hour apart."""
    for action in actions:
        changes = Changes()
        context = {"model": {"pk": "5"}, "device": {"pk": "d1"}, "authorized_application": {"pk": "a1", "name": "Wiki"}}
        changes.event(await house.call_of(house.plain), action, "tests", context)
        await house.state.commit(changes, house.clock.now())
        house.clock.move(hours=1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=login", {"login"}),
        ("actions=login&actions=logout", {"login", "logout"}),
        ("username=plain", {"login", "logout", "login_failed"}),
        ("username=akadmin", set()),
        ("context_device=d1&action=login", {"login"}),
        ("context_device=d2", set()),
        ("context_model_pk=5&search=logout", {"logout"}),
    ],
)
async def test_events_and_their_sums_by_the_same_filters(house: House, query: str, found: set[str]) -> None:
    await happen(house, "login", "logout", "login_failed")
    assert await listed(house, f"events/events/?{query}", "action") == found
    volume = await house.admin.get(f"/api/v3/events/events/volume/?{query}")
    assert {one["action"] for one in volume.json} == found
    assert all(one["count"] == 1 for one in volume.json)
    top = await house.admin.get(f"/api/v3/events/events/top_per_user/?{query}")
    assert sum(one["counted_events"] for one in top.json) == (len(found) if "action" in query else 0)


async def test_the_volume_looks_back_as_far_as_asked(house: House) -> None:
    await happen(house, "login")
    house.clock.move(days=3)
    await happen(house, "login")
    recent = await house.admin.get("/api/v3/events/events/volume/?action=login&&history_days=1")
    assert len(recent.json) == 1
    assert len((await house.admin.get("/api/v3/events/events/volume/?action=login")).json) == 2
    month = await house.admin.get("/api/v3/events/events/per_month/?action=login")
    assert [one["y_cord"] for one in month.json] == [1, 1]
    assert month.json[0]["x_cord"] == int(BEGIN.replace(minute=0, second=0, microsecond=0).timestamp() * 1000)


async def test_top_per_user_counts_authorizations_unless_told_otherwise(house: House) -> None:
    await happen(house, "authorize_application", "authorize_application", "login")
    told = (await house.admin.get("/api/v3/events/events/top_per_user/?top_n=1")).json
    assert told == [{"application": {"pk": "a1", "name": "Wiki"}, "counted_events": 2, "unique_users": 1}]


async def test_policies_by_when_they_were_made_and_changed(house: House) -> None:
    policy = ExpressionPolicy(pk=rand.uuid4(), name="rule", expression="return True")
    made = house.clock.now()
    await house.put(policy)
    changed = house.clock.move(minutes=5)
    url = f"/api/v3/policies/expression/{policy.pk}/"
    assert (await house.admin.patch(url, {"execution_logging": True})).status == 200
    stamp = {"created": made, "last_updated": changed}
    for name, at in stamp.items():
        text = at.isoformat().replace("+00:00", "Z")
        assert await listed(house, f"policies/expression/?{name}={text}", "name") == {"rule"}
        other = (at + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        assert await listed(house, f"policies/expression/?{name}={other}", "name") == set()
    assert await listed(house, f"policies/expression/?policy_uuid={policy.pk.upper()}", "name") == {"rule"}
    assert await listed(house, f"policies/expression/?policy_uuid={rand.uuid4()}", "name") == set()
    assert (await house.admin.get("/api/v3/policies/expression/?created=yesterday")).status == 400


async def test_who_manages_a_token_is_a_superuser_s_word(house: House) -> None:
    body = {"identifier": "t1", "managed": "goauthentik.io/tests/t1"}
    mine = await house.client_with("authentik_core.add_token")
    refused = await mine.post("/api/v3/core/tokens/", body)
    assert refused.status == 400
    assert "managed" in refused.json
    assert (await house.admin.post("/api/v3/core/tokens/", body)).json["managed"] == "goauthentik.io/tests/t1"
    again = await house.admin.post("/api/v3/core/tokens/", {**body, "identifier": "t2"})
    assert again.status == 400
    assert "managed" in again.json


def test_the_index_of_attributes_is_asked_for_a_hundred_words_at_most() -> None:
    path = msgspec.json.encode({f"k{number}": number for number in range(500)}).decode()
    words, whole = attributes(USER, path).near[FTS5].values
    assert str(words).count(" AND ") == 99
    assert whole == path, "what it finds is looked at in full"
