"""Providers that write to other systems: who may ask for it, links are kept, credentials are sealed."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.store import Statement
from tests.house import House
from tests.providers import asked

KEY_FILE = {"type": "service_account", "private_key": "canary-of-google"}
BODIES: dict[str, dict[str, object]] = {
    "scim": {"url": "https://scim.example.org/v2"},
    "google_workspace": {
        "delegated_subject": "admin@example.org",
        "credentials": KEY_FILE,
        "default_group_email_domain": "example.org",
    },
    "microsoft_entra": {"client_id": "c", "client_secret": "s", "tenant_id": "t"},
}
IDS = {"scim": "scim_id", "google_workspace": "google_id", "microsoft_entra": "microsoft_id"}
ROOMS = pytest.mark.parametrize("room", list(BODIES))


async def provider(house: House, room: str, **more: object) -> Any:  # noqa: ANN401 - JSON
    """A new provider."""
    answered = await house.admin.post(f"{asked.API}/providers/{room}/", {"name": room, **BODIES[room], **more})
    assert answered.status == 201, answered.text
    return answered.json


@ROOMS
async def test_who_may_ask_for_what(house: House, room: str) -> None:
    made = await provider(house, room)
    url = f"{asked.API}/providers/{room}/{made['pk']}/sync/"
    status = await house.admin.get(f"{url}status/")
    assert (status.status, status.json) == (200, {"is_running": False})
    user = {"sync_object_model": "authentik.core.models.User", "sync_object_id": str(house.plain.pk)}
    group = {"sync_object_model": "authentik.core.models.Group", "sync_object_id": house.admins.pk}
    assert (await house.admin.post(f"{url}object/", {**user, "sync_object_model": "x"})).status == 400
    assert (await house.admin.post(f"{url}object/", {**user, "sync_object_id": ""})).status == 400
    for body in (user, group):
        for key in ("0", "-1", "x", "9" * 40, rand.uuid4(), " "):
            assert (await house.admin.post(f"{url}object/", {**body, "sync_object_id": key})).status in {400, 404}
    change = f"authentik_providers_{room}.change_{room.replace('_', '')}provider"
    viewer = await house.client_with(change.replace("change_", "view_"))
    assert (await viewer.get(f"{url}status/")).status == 200
    assert (await viewer.post(f"{url}object/", user)).status == 403
    blind = await house.client_with(change)
    seer = await house.client_with(change, "authentik_core.view_user", "authentik_core.view_group")
    for body in (user, group):
        assert (await blind.post(f"{url}object/", body)).status == 404, "as one that is not there"
        answered = await seer.post(f"{url}object/", body)
        assert answered.status == 200
        (line,) = answered.json["messages"]
        assert (line["log_level"], "works for no application" in line["event"]) == ("error", True)
    assert (await house.user.get(f"{url}status/")).status == 404
    assert (await house.user.post(f"{url}object/", user)).status == 404


@ROOMS
async def test_links_tell_who_is_who(house: House, room: str) -> None:
    pk = (await provider(house, room))["pk"]
    users, groups = f"providers/{room}_users", f"providers/{room}_groups"
    link = await asked.made(house, users, **{IDS[room]: "r-1"}, user=house.plain.pk, provider=pk)
    assert link["user_obj"]["username"] == "plain"
    assert link["attributes"] == {}
    other = await asked.made(house, groups, **{IDS[room]: "g-1"}, group=house.admins.pk, provider=pk)
    assert other["group_obj"]["name"] == house.admins.name
    again = await asked.post(house, users, **{IDS[room]: "r-1"}, user=house.plain.pk, provider=pk)
    assert asked.refused(again, IDS[room])
    await asked.made(house, users, **{IDS[room]: "r-2"}, user=house.plain.pk, provider=pk)
    assert len(await asked.listed(house.admin, users, user__username="plain", provider__id=str(pk))) == 2
    assert await asked.listed(house.admin, users, user__username="Plain") == []
    assert len(await asked.listed(house.admin, groups, group__name=house.admins.name)) == 1
    assert await asked.listed(house.admin, groups, provider__id=str(pk + 1)) == []
    assert (await house.admin.delete(f"{asked.API}/providers/{room}/{pk}/")).status == 204
    assert await asked.listed(house.admin, users) == []
    assert await asked.listed(house.admin, groups) == []


async def test_a_key_file_is_sealed_and_shown_to_editors_only(house: House) -> None:
    made = await provider(house, "google_workspace")
    url = f"{asked.API}/providers/google_workspace/{made['pk']}/"
    assert made["credentials"] == KEY_FILE
    viewer = await house.client_with("authentik_providers_google_workspace.view_googleworkspaceprovider")
    assert (await viewer.get(url)).json["credentials"] == {}
    for table in ("settings", "settings_changes", "events"):
        rows = await house.state.store.fetch(Statement(f"test.{table}", f"SELECT * FROM {table}"))  # noqa: S608 - names above
        assert "canary-of-google" not in repr(rows)
    kept = await house.admin.patch(url, {"name": "renamed"})
    assert kept.json["credentials"] == KEY_FILE
    emptied = await house.admin.patch(url, {"credentials": {}})
    assert emptied.json["credentials"] == {}
    back = await house.admin.patch(url, {"credentials": {"b": 1, "a": [True, None]}})
    assert back.json["credentials"] == {"b": 1, "a": [True, None]}


async def test_a_registration_has_a_secret(house: House) -> None:
    for secret in ("", "  "):
        answered = await house.admin.post(
            f"{asked.API}/providers/microsoft_entra/",
            {"name": "e", **BODIES["microsoft_entra"], "client_secret": secret},
        )
        assert asked.refused(answered, "client_secret")


async def test_the_id_of_a_registration_elsewhere_is_no_clients_name_here(house: House) -> None:
    await provider(house, "microsoft_entra", client_id="same")
    await asked.made(house, "providers/oauth2", client_id="same", redirect_uris=[])
    again = await asked.post(house, "providers/oauth2", client_id="same", redirect_uris=[])
    assert asked.refused(again, "client_id")
    await provider(house, "microsoft_entra", name="another", client_id="same")


async def test_who_works_behind_an_application(house: House) -> None:
    scim = await provider(house, "scim")
    ldap = await asked.made(house, "providers/ldap", name="directory")
    await asked.made(house, "providers/oauth2", name="client", redirect_uris=[])
    await asked.application(house, "wiki", None, scim["pk"])
    both = [one["name"] for one in await asked.listed(house.admin, "providers/all", backchannel="true")]
    assert both == ["directory", "scim"]
    front = [one["name"] for one in await asked.listed(house.admin, "providers/all", backchannel="false")]
    assert front == ["client", "directory"]
    found = {one["name"]: one for one in await asked.listed(house.admin, "providers/all")}
    assert found["scim"]["assigned_backchannel_application_slug"] == "wiki"
    assert found["scim"]["authorization_flow"] is None
    assert found["directory"]["authorization_flow"] == ldap["authorization_flow"]
