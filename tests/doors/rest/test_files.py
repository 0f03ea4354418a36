"""Uploaded files: who may, what they may be called, how they are served, who uses them, and the older calls."""

import pytest

from keystead import app
from keystead.base import rand
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.people.installation import files
from keystead.providers.application import Application
from tests.client import Answered, Client
from tests.family.bodies import Maker
from tests.house import House

FILES = "/api/v3/admin/file/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def sent(client: Client, url: str, **fields: str | tuple[str, bytes]) -> Answered:
    """Post a form; a pair is a file."""
    parts = []
    for name, value in fields.items():
        filename, content = value if isinstance(value, tuple) else (None, value.encode())
        told = f'; filename="{filename}"' if filename is not None else ""
        parts.append(f'--limit\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'.encode() + content)
    body = b"\r\n".join([*parts, b"--limit--\r\n"])
    return await client.request("POST", url, body=body, headers={"content-type": "multipart/form-data; boundary=limit"})


async def test_a_file_is_kept_listed_served_and_removed(house: House) -> None:
    made = await sent(house.admin, FILES, file=("C:\\pictures\\logo.svg", SVG), usage="media")
    assert (made.status, made.body) == (200, b"")
    (listed,) = (await house.admin.get(FILES, query={"usage": "media", "search": "LOG"})).json
    url = "/files/media/public/logo.svg"
    assert listed == {"name": "logo.svg", "mime_type": "image/svg+xml", "url": url, "themed_urls": None}
    assert (await house.admin.get(FILES, query={"search": "none"})).json == []
    served = await house.nobody.get(url)
    assert (served.status, served.body, served.header("content-type")) == (200, SVG, "image/svg+xml")
    assert "sandbox" in served.header("content-security-policy")
    assert "default-src 'none'" in served.header("content-security-policy")
    assert served.header("x-content-type-options") == "nosniff"
    again = await house.nobody.get(url, headers={"if-none-match": served.header("etag")})
    assert (again.status, again.body) == (304, b"")
    assert (await house.nobody.get("/media/public/logo.svg")).body == SVG
    removed = await house.admin.delete(FILES, query={"name": "logo.svg", "usage": "media"})
    assert removed.status == 200
    assert (await house.nobody.get(url)).status == 404
    assert "name" in (await house.admin.delete(FILES, query={"name": "logo.svg"})).json
    told = (await house.admin.get("/api/v3/events/events/", query={"app": files.APP})).json["results"]
    assert sorted(one["action"] for one in told) == ["model_created", "model_deleted"]
    assert {one["context"]["file"]["name"] for one in told} == {"logo.svg"}


async def test_what_is_no_picture_is_saved_and_never_opened(house: House) -> None:
    await sent(house.admin, FILES, file=("page.html", b"<script>alert(1)</script>"))
    served = await house.nobody.get("/files/media/public/page.html")
    assert served.header("content-type") == "application/octet-stream"
    assert served.header("content-disposition") == "attachment"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("", "up.png"),
        ("icons/app", "icons/app.png"),
        ("other.jpg", "other.jpg"),
        ("a/b-(1)_x.png", "a/b-(1)_x.png"),
    ],
)
async def test_names_that_are_taken(house: House, name: str, kept: str) -> None:
    assert (await sent(house.admin, FILES, file=("up.png", b"x"), name=name)).status == 200
    assert [one["name"] for one in (await house.admin.get(FILES)).json] == [kept]
    again = await sent(house.admin, FILES, file=("up.png", b"x"), name=name)
    assert again.status == 400
    assert "already exists" in again.json["name"][0]


@pytest.mark.parametrize(
    "name",
    ["../x.png", "/etc/x.png", "a/../b.png", "a//b.png", ".hidden.png", "a/.b.png", "a\\b.png", "x" * 300, "ä"],
)
async def test_names_with_tricks_are_refused(house: House, name: str) -> None:
    assert "name" in (await sent(house.admin, FILES, file=("up.png", b"x"), name=name)).json
    assert (await house.admin.get(FILES)).json == []


async def test_what_else_is_refused(house: House) -> None:
    assert "usage" in (await sent(house.admin, FILES, file=("a.png", b"x"), usage="other")).json
    assert "usage" in (await house.admin.get(FILES, query={"usage": "other"})).json
    assert "file" in (await sent(house.admin, FILES, name="a.png")).json
    assert "file" in (await sent(house.admin, FILES, file=("a.png", b""))).json
    assert (await sent(house.admin, FILES, file=("a.png", b"x" * (files.MAX_BYTES + 1)))).status == 400
    assert (await sent(house.admin, FILES, file=("a.png", b"x" * (files.MAX_BYTES + 99_999)))).status == 413
    assert (await house.admin.post(FILES, {"file": "x"})).status == 415
    broken = await house.admin.request(
        "POST", FILES, body=b"nothing", headers={"content-type": "multipart/form-data; boundary=limit"}
    )
    assert broken.status == 400


async def test_who_may(house: House) -> None:
    for client in (house.user, house.nobody):
        assert (await sent(client, FILES, file=("a.png", b"x"))).status == 403
        assert (await client.get(FILES)).status == 403
        assert (await client.delete(FILES, query={"name": "a.png"})).status == 403
    viewer = await house.client_with("authentik_admin_files.view_file")
    assert (await viewer.get(FILES)).status == 200
    assert (await sent(viewer, FILES, file=("a.png", b"x"))).status == 403


async def test_a_pair_for_both_themes_has_one_name(house: House) -> None:
    for theme in ("light", "dark"):
        await sent(house.admin, FILES, file=(f"logo-{theme}.png", b"x"))
    listed = {one["name"]: one for one in (await house.admin.get(FILES)).json}
    assert listed["logo-%(theme)s.png"]["themed_urls"] == {
        "light": "/files/media/public/logo-light.png",
        "dark": "/files/media/public/logo-dark.png",
    }
    assert len((await house.admin.get(FILES, query={"manageable_only": "true"})).json) == 2
    await house.put(Application(pk=rand.uuid4(), name="A", slug="a", meta_icon="logo-%(theme)s.png"))
    (used,) = (await house.admin.get(f"{FILES}used_by/", query={"name": "logo-dark.png"})).json
    assert (used["model_name"], used["name"], used["action"]) == ("application", "A", "left_dangling")
    assert (await house.admin.get(f"{FILES}used_by/", query={"name": "other.png"})).json == []
    assert (await house.admin.get(f"{FILES}used_by/")).json == []


async def test_the_older_calls_set_pictures(house: House) -> None:
    await house.put(
        Application(pk=rand.uuid4(), name="A", slug="a"),
        Flow(pk=rand.uuid4(), name="F", slug="f", title="F", designation=FlowDesignationEnum.ENROLLMENT),
    )
    (source,) = (kind for kind in app.KINDS if kind.model == "authentik_sources_oauth.oauthsource")
    maker = Maker(house)
    slug = (await maker.kept(source, await maker.make(source))).slug
    for one, word, member in (
        (f"/api/v3/sources/all/{slug}/", "icon", "icon"),
        ("/api/v3/core/applications/a/", "icon", "meta_icon"),
        ("/api/v3/flows/instances/f/", "background", "background"),
    ):
        assert (await sent(house.user, f"{one}set_{word}/", file=("x.png", b"x"))).status == 404
        for content in (b"first", b"second"):
            done = await sent(house.admin, f"{one}set_{word}/", file=("x y.png", content))
            assert (done.status, done.body) == (200, b"")
            shown = (await house.admin.get(one)).json
            assert (await house.nobody.get(shown[f"{member}_url"])).body == content
        assert (await house.admin.post(f"{one}set_{word}_url/", {"url": "https://cdn.example.org/p.png"})).status == 200
        assert (await house.admin.get(one)).json[member] == "https://cdn.example.org/p.png"
        assert (await house.admin.post(f"{one}set_{word}_url/", {})).status == 400
        assert (await sent(house.admin, f"{one}set_{word}/", clear="true")).status == 200
        assert (await house.admin.get(one)).json[member] == ""
    refused = await house.admin.post("/api/v3/core/applications/a/set_icon_url/", {"url": "javascript:alert(1)"})
    assert refused.status == 400
