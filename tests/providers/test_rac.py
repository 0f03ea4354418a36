"""Remote access: who sees which machine, and whose connection leads where."""

from typing import Any

from keystead.base import rand
from keystead.policies.binding import PolicyBinding
from keystead.providers.rac.connection import ConnectionToken
from keystead.providers.rac.endpoint import Endpoint, EndpointAuthModeEnum, ProtocolEnum
from tests.house import House
from tests.providers import asked

ENDPOINTS, TOKENS = "rac/endpoints", "rac/connection_tokens"
SECRET = {"password": "machine-password"}


async def machine(house: House, name: str, provider: int) -> Endpoint:
    """A new endpoint."""
    one = Endpoint(
        pk=rand.uuid4(),
        name=name,
        provider=provider,
        protocol=ProtocolEnum.SSH,
        host=f"{name}.internal",
        settings={**SECRET},
        auth_mode=EndpointAuthModeEnum.STATIC,
    )
    await house.put(one)
    return one


async def provider(house: House, slug: str) -> Any:  # noqa: ANN401 - JSON
    """A new provider with its application."""
    made = await asked.made(house, "providers/rac", name=slug, settings={**SECRET})
    await asked.application(house, slug, made["pk"])
    return made["pk"]


async def test_people_see_the_machines_that_policies_let_them_use(house: House) -> None:
    office = await provider(house, "office")
    open_, closed = await machine(house, "open", office), await machine(house, "closed", office)
    await house.put(PolicyBinding(pk=rand.uuid4(), target=closed.pk, group=house.admins.pk, order=0))
    lone = (await asked.made(house, "providers/rac"))["pk"]
    await machine(house, "lone", lone)
    assert [one["name"] for one in await asked.listed(house.user, ENDPOINTS)] == ["open"]
    assert [one["name"] for one in await asked.listed(house.admin, ENDPOINTS)] == ["closed", "lone", "open"]
    viewer = await house.client_with("authentik_providers_rac.view_endpoint")
    assert [one["name"] for one in await asked.listed(viewer, ENDPOINTS)] == ["lone", "open"]
    assert (await house.user.get(f"{asked.API}/{ENDPOINTS}/{open_.pk}/")).status == 404
    await house.put(PolicyBinding(pk=rand.uuid4(), target=open_.pk, user=house.plain.pk, negate=True, order=0))
    assert await asked.listed(house.user, ENDPOINTS) == []


async def test_superusers_may_ask_for_all(house: House) -> None:
    one = await machine(house, "one", await provider(house, "office"))
    await house.put(PolicyBinding(pk=rand.uuid4(), target=one.pk, user=house.plain.pk, order=0))
    assert await asked.listed(house.admin, ENDPOINTS) == []
    assert len(await asked.listed(house.admin, ENDPOINTS, superuser_full_list="true")) == 1
    viewer = await house.client_with("authentik_providers_rac.view_endpoint")
    assert await asked.listed(viewer, ENDPOINTS, superuser_full_list="true") == []


async def test_who_may_only_use_a_machine_learns_no_password(house: House) -> None:
    one = await machine(house, "one", await provider(house, "office"))
    (seen,) = await asked.listed(house.user, ENDPOINTS)
    assert (seen["settings"], seen["provider_obj"]["settings"], seen["launch_url"]) == ({}, {}, None)
    await house.put(ConnectionToken(provider=one.provider, endpoint=one.pk, user=house.plain.pk))
    answered = await house.user.get(f"{asked.API}/{TOKENS}/")
    assert "machine-password" not in answered.text
    (whole,) = await asked.listed(house.admin, ENDPOINTS)
    assert (whole["settings"], whole["provider_obj"]["settings"]) == (SECRET, SECRET)


async def test_ones_own_connection_may_be_ended_and_not_led_elsewhere(house: House) -> None:
    office, lab = await provider(house, "office"), await provider(house, "lab")
    desk, bench, rack = (
        await machine(house, "desk", office),
        await machine(house, "bench", lab),
        await machine(house, "rack", office),
    )
    token = ConnectionToken(provider=office, endpoint=desk.pk, user=house.plain.pk)
    await house.put(token)
    url = f"{asked.API}/{TOKENS}/{token.pk}/"
    (seen,) = await asked.listed(house.user, TOKENS, session__user=str(house.plain.pk))
    assert (seen["pk"], seen["user"]["username"], seen["endpoint_obj"]["name"]) == (token.pk, "plain", "desk")
    assert (await house.user.patch(url, {"endpoint": rack.pk})).status == 403
    wrong = await house.admin.patch(url, {"endpoint": bench.pk})
    assert asked.refused(wrong, "endpoint")
    moved = await house.admin.put(url, {"pk": rand.uuid4(), "provider": lab, "endpoint": bench.pk})
    assert (moved.status, moved.json["pk"], moved.json["endpoint_obj"]["name"]) == (200, token.pk, "bench")
    assert (await house.user.delete(url)).status == 204
    assert await asked.listed(house.admin, TOKENS) == []


async def test_connections_that_are_over_are_gone(house: House) -> None:
    one = await machine(house, "one", await provider(house, "office"))
    await house.put(
        ConnectionToken(provider=one.provider, endpoint=one.pk, user=house.plain.pk, expires=house.clock.at)
    )
    assert await asked.listed(house.admin, TOKENS) == []
