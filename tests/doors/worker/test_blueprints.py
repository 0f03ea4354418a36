"""Files in the folder of blueprints are applied when they come and when they change."""

from pathlib import Path
from typing import Any

from keystead.doors.worker.blueprints import Watch, job
from tests.house import House

API = "/api/v3"
MANUAL = "metadata: {name: Mine, labels: {blueprints.goauthentik.io/instantiate: 'false'}}\n"


def text(name: str, more: str = "") -> str:
    return f"version: 1\n{more}entries:\n- model: authentik_core.group\n  identifiers: {{name: {name}}}\n"


async def shown(house: House) -> dict[str, Any]:
    found = (await house.admin.get(f"{API}/managed/blueprints/")).json["results"]
    return {one["path"]: (one["name"], one["status"]) for one in found}


async def groups(house: House) -> set[str]:
    return {one["name"] for one in (await house.admin.get(f"{API}/core/groups/")).json["results"]} & {"a", "b", "c"}


async def test_files_come_change_and_go(house: House, tmp_path: Path) -> None:
    root = tmp_path / "blueprints"
    watch = Watch(root)
    assert await watch.look(house.state) == 0
    (root / "default").mkdir(parents=True)
    file = root / "default" / "a.yaml"
    file.write_text(text("a", "metadata: {name: First}\n"))
    (root / "manual.yaml").write_text(text("b", MANUAL))
    (root / "broken.yaml").write_text("version: 2")
    assert await watch.look(house.state) == 1
    assert await shown(house) == {"default/a.yaml": ("First", "successful")}
    assert await groups(house) == {"a"}
    assert await watch.look(house.state) == 0

    file.write_text(text("c", "metadata: {name: First}\n"))
    assert await watch.look(house.state) == 1
    assert await groups(house) == {"a", "c"}

    file.write_text(text("[]"))
    assert await watch.look(house.state) == await watch.look(house.state) == 0
    assert await shown(house) == {"default/a.yaml": ("First", "error")}
    errors = (await house.admin.get(f"{API}/events/events/", query={"action": "configuration_error"})).json
    assert errors["pagination"]["count"] == 1

    file.unlink()
    assert await watch.look(house.state) == 0
    assert await shown(house) == {"default/a.yaml": ("First", "orphaned")}


async def test_what_is_kept_here_or_switched_off_waits_to_be_asked_for(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("a"))
    for body in ({"name": "off", "path": "a.yaml", "enabled": False}, {"name": "kept", "content": text("b")}):
        assert (await house.admin.post(f"{API}/managed/blueprints/", body)).status == 201
    watch = job(tmp_path)
    assert await watch.run(house.state) == 0
    assert await groups(house) == set()
    found = (await house.admin.get(f"{API}/managed/blueprints/", query={"name": "off"})).json["results"][0]
    url = f"{API}/managed/blueprints/{found['pk']}/"
    assert (await house.admin.patch(url, {"enabled": True})).status == 200
    assert await watch.run(house.state) == 1
    assert await groups(house) == {"a"}


async def test_nobody_borrows_the_power_of_the_worker(house: House, tmp_path: Path) -> None:
    meta = "- model: authentik_blueprints.metaapplyblueprint\n  attrs: {identifiers: {name: kept}}\n"
    (tmp_path / "a.yaml").write_text(f"version: 1\nentries:\n{meta}")
    (tmp_path / "b.yaml").write_text(text("b"))
    (tmp_path / "c.yaml").write_text(text("!Context name"))
    for body in (
        {"name": "kept", "content": text("a")},
        {"name": "both", "path": "b.yaml", "content": text("c")},
        {"name": "told", "path": "c.yaml", "context": {"name": "c"}},
    ):
        assert (await house.admin.post(f"{API}/managed/blueprints/", body)).status == 201
    assert await Watch(tmp_path).look(house.state) == 1
    assert await groups(house) == {"b"}
    assert (await shown(house))["a.yaml"] == ("a.yaml", "error")
