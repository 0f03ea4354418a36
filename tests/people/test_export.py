"""Lists as files: who may have one made, what is in it, who may fetch it, and when it goes."""

import csv
import io
from typing import Any

from keystead.doors.worker.cleanup import remove_expired
from keystead.kinds import records, walk
from keystead.kinds.access import system
from keystead.kinds.changes import Changes
from keystead.people import exporting
from keystead.people.export import DATA_EXPORT, DataExport
from keystead.people.exporting import ATTEMPTS, make_due
from keystead.people.user import USER
from keystead.store import Statement
from tests.client import Client
from tests.house import House

USERS = "/api/v3/core/users/export/"
EVENTS = "/api/v3/events/events/export/"
EXPORTS = "/api/v3/reports/exports/"
PARTS = Statement("test.parts", "SELECT count(*) FROM export_parts")


async def wished(client: Client, url: str = USERS, **query: str) -> dict[str, Any]:
    made = await client.post(url, query=query)
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def fetched(client: Client, wish: dict[str, Any]) -> list[dict[str, str]]:
    one = (await client.get(f"{EXPORTS}{wish['id']}/")).json
    assert one["completed"]
    got = await client.get(one["file_url"])
    assert got.status == 200, got.text
    assert int(got.header("content-length")) == len(got.body)
    assert got.header("content-type").startswith("text/csv")
    assert got.header("content-disposition").startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(got.text, newline="")))


async def test_users_that_the_filters_select_become_a_table(house: House) -> None:
    await house.person("anna", name='=HYPERLINK("http://x")', groups=(house.admins.pk,), attributes={"a": ["ß", 1]})
    await house.person("anton", name='Anton, the "first"\nof his name', is_active=False)
    await house.person("berta")
    wish = await wished(house.admin, search="an", ordering="-username", unknown="x")
    assert (wish["completed"], wish["file_url"], wish["requested_by"]["username"]) == (False, "", "akadmin")
    assert wish["content_type"]["fully_qualified_model"] == "authentik_core.user"
    assert wish["query_params"] == {"search": "an", "ordering": "-username"}
    assert await make_due(house.state) == 1
    rows = [row for row in await fetched(house.admin, wish) if row["username"].startswith("an")]
    assert [row["username"] for row in rows] == ["anton", "anna"]
    assert rows[0]["name"] == 'Anton, the "first"\nof his name'
    assert (rows[0]["is_active"], rows[0]["last_login"], rows[0]["is_superuser"]) == ("false", "", "false")
    assert rows[1]["name"] == '\'=HYPERLINK("http://x")'
    assert (rows[1]["groups"], rows[1]["attributes"]) == ('["authentik Admins"]', '{"a":["ß",1]}')
    assert (rows[1]["is_superuser"], rows[1]["date_joined"]) == ("true", "2026-09-01T12:00:00.123456Z")
    assert not {"password", "key", "token"} & set(rows[0])
    assert await make_due(house.state) == 0


async def test_no_hash_and_no_secret_gets_into_a_file(house: House) -> None:
    await house.person("hashed", password="$argon2id$v=19$secret-hash")
    wish = await wished(house.admin)
    await make_due(house.state)
    one = (await house.admin.get(f"{EXPORTS}{wish['id']}/")).json
    got = await house.admin.get(one["file_url"])
    assert "hashed" in got.text
    assert "argon2" not in got.text


async def test_events_become_a_table_and_one_tells_that_it_is_ready(house: House) -> None:
    await house.admin.post("/api/v3/core/groups/", {"name": "staff"})
    wish = await wished(house.admin, EVENTS, context_model_name="group", search="staff")
    await make_due(house.state)
    (row,) = await fetched(house.admin, wish)
    assert (row["action"], row["app"]) == ("model_created", "authentik_core")
    (told,) = (await house.admin.get("/api/v3/events/events/", query={"action": "export_ready"})).json["results"]
    assert told["user"]["username"] == "akadmin"
    assert told["context"]["model"] == {
        "pk": wish["id"].replace("-", ""),
        "app": "authentik_reports",
        "name": "",
        "model_name": "dataexport",
    }
    assert (told["context"]["rows"], told["context"]["file"]) == (1, "events-2026-09-01.csv")


async def test_only_who_may_see_the_list_has_it_made(house: House) -> None:
    for url in (USERS, EVENTS):
        assert (await house.user.post(url)).status == 403
        assert (await house.nobody.post(url)).status == 403
        refused = await house.admin.post(url, query={"is_active": "perhaps", "actions": "never"})
        assert refused.status == 400
    viewer = await house.client_with("authentik_core.view_user")
    assert (await viewer.post(EVENTS)).status == 403
    wish = await wished(viewer)
    await make_due(house.state)
    assert len(await fetched(viewer, wish)) == 3


async def test_a_file_is_its_owners_and_for_who_may_see_exports(house: House) -> None:
    viewer = await house.client_with("authentik_core.view_user")
    wish = await wished(viewer)
    url = f"/files/exports/{wish['id']}/"
    assert (await viewer.get(url)).status == 404
    await make_due(house.state)
    other = await house.client_with("authentik_core.view_user")
    assert (await other.get(url)).status == 404
    assert (await house.nobody.get(url)).status in {302, 401, 403}
    assert (await house.user.get(url)).status == 404
    auditor = await house.client_with("authentik_reports.view_dataexport")
    assert (await auditor.get(url)).body == (await viewer.get(url)).body
    head = await viewer.request("HEAD", url)
    assert (head.status, head.body) == (200, b"")
    assert (await viewer.delete(f"{EXPORTS}{wish['id']}/")).status == 204
    assert (await viewer.get(url)).status == 404
    assert await house.state.store.fetch_one(PARTS) == (0,)


async def test_files_go_after_a_week(house: House) -> None:
    await wished(house.admin)
    await make_due(house.state)
    house.clock.move(days=8)
    await remove_expired(house.state)
    assert await house.state.store.fetch_one(PARTS) == (0,)
    assert (await house.admin.get(EXPORTS)).json["results"] == []


async def test_who_has_lost_the_right_meanwhile_gets_nothing(house: House) -> None:
    viewer = await house.client_with("authentik_core.view_user")
    wish = await wished(viewer)
    pk = wish["requested_by"]["pk"]
    assert (await house.admin.patch(f"/api/v3/core/users/{pk}/", {"is_active": False})).status == 200
    assert await make_due(house.state) == 0
    assert await make_due(house.state) == 0
    assert not (await house.admin.get(f"{EXPORTS}{wish['id']}/")).json["completed"]
    query = {"action": "system_task_exception"}
    (told,) = (await house.admin.get("/api/v3/events/events/", query=query)).json["results"]
    assert "may not see them any more" in told["context"]["message"]


async def test_what_fails_is_tried_again_and_then_given_up(house: House, monkeypatch: Any) -> None:  # noqa: ANN401 - pytest's own type
    async def broken(*_: object) -> list[dict[str, object]]:
        raise RuntimeError("no such luck")

    wish = await wished(house.admin)
    with monkeypatch.context() as patched:
        sheets = {USER.model: exporting.SHEETS[USER.model]._replace(fill=broken)}
        patched.setattr(exporting, "SHEETS", sheets)
        assert await make_due(house.state) == 0
    assert await make_due(house.state) == 1
    assert await fetched(house.admin, wish)
    other = await wished(house.admin)
    with monkeypatch.context() as patched:
        patched.setattr(exporting, "SHEETS", sheets)
        for _ in range(ATTEMPTS + 1):
            assert await make_due(house.state) == 0
    assert await make_due(house.state) == 0
    assert not (await house.admin.get(f"{EXPORTS}{other['id']}/")).json["completed"]
    query = {"action": "system_task_exception"}
    (told,) = (await house.admin.get("/api/v3/events/events/", query=query)).json["results"]
    assert "no such luck" in told["context"]["message"]


async def test_nobody_waits_for_any_number_of_files(house: House) -> None:
    for _ in range(5):
        await wished(house.admin)
    refused = await house.admin.post(USERS)
    assert refused.status == 400
    assert "5 files" in refused.json["non_field_errors"][0]


async def test_a_large_list_is_kept_in_parts(house: House, monkeypatch: Any) -> None:  # noqa: ANN401 - as above
    monkeypatch.setattr(exporting, "PART", 1_000)
    monkeypatch.setattr(walk, "SLICE", 2)
    for number in range(30):
        await house.person(f"p{number:02}")
    wish = await wished(house.admin)
    await make_due(house.state)
    row = await house.state.store.fetch_one(PARTS)
    assert row is not None
    assert int(str(row[0])) > 5
    assert [one["username"] for one in await fetched(house.admin, wish)] == [
        "akadmin",
        *(f"p{number:02}" for number in range(30)),
        "plain",
    ]


async def test_removing_a_wish_ends_the_work_on_it(house: House) -> None:
    wish = await wished(house.admin)
    (one,) = [one for one in await _all(house) if one.id == wish["id"]]
    changes = Changes()
    changes.delete(system(house.call, DATA_EXPORT, "delete"), one, house.state.kinds.values())
    await house.state.commit(changes, house.clock.now())
    assert not await exporting.make(house.state, one)
    assert await make_due(house.state) == 0


async def _all(house: House) -> list[DataExport]:
    rows = await house.state.store.fetch(Statement("test.exports", "SELECT id FROM data_exports"))
    return await records.load(house.state.store, DATA_EXPORT, "id", [row[0] for row in rows])
