"""Filters of families: members of every type are asked."""

import pytest

from keystead.base import rand
from keystead.flows.stages.deny import DenyStage
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from keystead.providers.application import Application
from keystead.providers.oidc.mapping import ScopeMapping
from tests.house import House


async def names(house: House, path: str) -> list[str]:
    """The names of what a list shows."""
    answered = await house.admin.get(f"/api/v3/{path}")
    assert answered.status == 200
    return [one["name"] for one in answered.json["results"]]


async def test_stages_by_name(house: House) -> None:
    await house.put(DenyStage(pk=rand.uuid4(), name="no"), DenyStage(pk=rand.uuid4(), name="never"))
    assert await names(house, "stages/all/?name=no") == ["no"]
    assert await names(house, "stages/all/?name=NO") == []


async def test_policies_that_are_bound_to_nothing(house: House) -> None:
    bound = ExpressionPolicy(pk=rand.uuid4(), name="bound", expression="return True")
    free = ExpressionPolicy(pk=rand.uuid4(), name="free", expression="return True")
    application = Application(pk=rand.uuid4(), name="Wiki", slug="wiki")
    await house.put(
        bound, free, application, PolicyBinding(pk=rand.uuid4(), policy=bound.pk, target=application.pk, order=0)
    )
    assert await names(house, "policies/all/?bindings__isnull=true") == ["free"]
    assert await names(house, "policies/all/?bindings__isnull=false") == ["bound"]
    assert await names(house, "policies/all/?promptstage__isnull=true") == ["bound", "free"]
    assert await names(house, "policies/all/?promptstage__isnull=0") == []
    assert (await house.admin.get("/api/v3/policies/all/?bindings__isnull=perhaps")).status == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("managed__isnull=true", ["own"]),
        ("managed__isnull=false", ["a", "b"]),
        ("managed=x/a", ["a"]),
        ("managed=x/a&managed=x/b", ["a", "b"]),
        ("managed=x/a&name=b", []),
        ("name=own", ["own"]),
    ],
)
async def test_mappings_by_what_manages_them(house: House, query: str, found: list[str]) -> None:
    for name, managed in (("own", None), ("a", "x/a"), ("b", "x/b")):
        await house.put(
            ScopeMapping(pk=rand.uuid4(), name=name, managed=managed, scope_name="email", expression="return {}")
        )
    assert await names(house, f"propertymappings/all/?{query}") == found
