"""Nobody does by a blueprint what they may not do by hand (SECURITY AP-09, AP-16)."""

from pathlib import Path
from typing import Final

import pytest

from keystead.base.config import Config
from keystead.people.role import ROLE
from tests.doors.rest.blueprint_calls import API, BLUEPRINTS, HEAD, count, imported, one, refused, send
from tests.house import House

IMPORT: Final = "authentik_blueprints.add_blueprintinstance"
PEOPLE: Final = tuple(
    f"authentik_{model}"
    for word in ("add", "change", "delete", "view")
    for model in (f"core.{word}_user", f"core.{word}_group", f"rbac.{word}_role", f"core.{word}_token")
)


async def test_who_may_send_a_blueprint(house: House) -> None:
    text = f"{HEAD}- model: authentik_core.group\n  attrs: {{name: g}}\n"
    for client in (house.nobody, house.user):
        assert (await send(client, "managed/blueprints/import/", text)).status == 403
        assert (await client.get(f"{BLUEPRINTS}available/")).status == 403
    sender = await house.client_with(IMPORT)
    ((entry, _, why),) = await refused(sender, "- model: authentik_core.group\n  attrs: {name: g}\n")
    assert (entry, "permission" in why) == ("1", True)
    assert await count(house.admin, "core/groups", name="g") == 0
    maker = await house.client_with(IMPORT, "authentik_core.add_group")
    assert await imported(maker, "- model: authentik_core.group\n  attrs: {name: g}\n") == ["made"]


@pytest.mark.parametrize(
    "entries",
    [
        "- model: authentik_core.group\n  attrs: {name: g, is_superuser: true}",
        "- model: authentik_core.group\n  attrs: {name: g, parents: [!Context admins]}",
        "- model: authentik_core.group\n  identifiers: {pk: !Context admins}\n  attrs: {users: [!Context me]}",
        "- model: authentik_core.user\n  identifiers: {pk: !Context me}\n  attrs: {groups: [!Context admins]}",
        "- model: authentik_core.user\n  identifiers: {pk: !Context root}\n  attrs: {password: mine now}",
        "- model: authentik_core.user\n  identifiers: {pk: !Context root}\n  state: absent",
        "- model: authentik_core.token\n  attrs: {identifier: t, user: !Context root, key: mine}",
        "- model: authentik_core.token\n  attrs: {identifier: t, managed: mine}",
        "- model: authentik_rbac.role\n  attrs: {name: r, permissions: [authentik_core.impersonate]}",
        "- model: authentik_rbac.role\n  attrs: {name: r, managed: mine}",
        # Step by step: what was made before counts.
        (
            "- model: authentik_core.group\n  id: g\n  attrs: {name: g}\n"
            "- model: authentik_core.group\n  identifiers: {pk: !KeyOf g}\n  attrs: {parents: [!Context admins]}"
        ),
        (
            "- model: authentik_core.group\n  id: g\n  attrs: {name: g, users: [!Context me]}\n"
            "- model: authentik_core.group\n  identifiers: {pk: !Context admins}\n  attrs: {parents: [!KeyOf g]}"
        ),
        "- model: authentik_blueprints.metausersetpassword\n  attrs: {user: !Context root, password: mine now}",
        (
            "- model: authentik_blueprints.blueprintinstance\n  attrs: {name: b, content: 'version: 1'}\n"
            "- model: authentik_brands.brand\n  attrs: {domain: x.example}"
        ),
        "- model: authentik_core.group\n  attrs: {name: !Env BLUEPRINT_NAME}",
        "- model: authentik_core.group\n  attrs: {name: !File a.txt}",
    ],
)
async def test_nobody_rises(house: House, entries: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("text")
    house.site.extras["config"] = Config(blueprints_dir=str(tmp_path))
    monkeypatch.setenv("BLUEPRINT_NAME", "name")
    delegate = await house.client_with(IMPORT, *PEOPLE)
    me = (await delegate.get(f"{API}/core/users/me/")).json["user"]["pk"]
    context = f'{{"me": {me}, "root": {house.superuser.pk}, "admins": "{house.admins.pk}"}}'
    before = [await count(house.admin, f"core/{what}") for what in ("users", "groups", "tokens")]
    assert await refused(delegate, entries, context=context)
    assert [await count(house.admin, f"core/{what}") for what in ("users", "groups", "tokens")] == before
    assert (await delegate.get(f"{API}/core/users/me/")).json["user"]["is_superuser"] is False
    # The same is nothing special for a superuser.
    if "BLUEPRINT_NAME" in entries or "a.txt" in entries:
        assert await imported(house.admin, entries) == ["made"]


async def test_what_may_not_be_seen_is_not_found(house: House) -> None:
    await house.person("hidden", attributes={"secret": "x"})
    sender = await house.client_with(IMPORT, "authentik_core.add_group", "authentik_core.view_group")
    attributes = "attributes: {found: !Find [authentik_core.user, [username, hidden]]}"
    assert await imported(sender, f"- model: authentik_core.group\n  attrs: {{name: g, {attributes}}}\n") == ["made"]
    assert (await one(house.admin, "core/groups", name="g"))["attributes"] == {"found": None}
    answers = [
        await refused(sender, f"- model: authentik_core.user\n  identifiers: {{attributes: {{secret: {guess}}}}}\n")
        for guess in ("x", "y")
    ]
    assert answers[0] == answers[1]


async def test_applying_wants_the_power_of_whoever_applies(house: House) -> None:
    content = f"{HEAD}- model: authentik_core.group\n  attrs: {{name: g, is_superuser: true}}\n"
    pk = (await house.admin.post(BLUEPRINTS, {"name": "b", "content": content})).json["pk"]
    viewer = await house.client_with("authentik_blueprints.view_blueprintinstance")
    assert (await viewer.post(f"{BLUEPRINTS}{pk}/apply/")).status == 403
    assert (await house.user.post(f"{BLUEPRINTS}{pk}/apply/")).status == 404
    changer = await house.client_with("authentik_blueprints.change_blueprintinstance", "authentik_core.add_group")
    assert (await changer.post(f"{BLUEPRINTS}{pk}/apply/")).status == 403
    assert (await house.admin.get(f"{BLUEPRINTS}{pk}/")).json["status"] == "unknown"
    assert await count(house.admin, "core/groups", name="g") == 0
    assert (await house.admin.post(f"{BLUEPRINTS}{pk}/apply/")).json["status"] == "successful"


async def test_permissions_on_single_objects_count(house: House) -> None:
    await imported(
        house.admin,
        "- model: authentik_core.group\n  attrs: {name: g}\n- model: authentik_core.group\n  attrs: {name: h}\n",
    )
    sender = await house.client_with(IMPORT, "authentik_core.view_group")
    (role,) = [role for role in house.state.settings.all(ROLE) if IMPORT in role.permissions]
    group = (await one(house.admin, "core/groups", name="g"))["pk"]
    await house.grant(role.pk, house.state.kinds["authentik_core.group"], group, "authentik_core.change_group")
    entry = "- model: authentik_core.group\n  identifiers: {{name: {name}}}\n  attrs: {{attributes: {{a: b}}}}\n"
    assert await imported(sender, entry.format(name="g")) == ["changed"]
    assert await refused(sender, entry.format(name="h"))
