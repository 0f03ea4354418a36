"""Every page, once with believable and once with hostile data: escaped, labelled, light, and free of inline code."""

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser

import msgspec
import pytest

from keystead.doors.web import assets, render
from keystead.doors.web.render import FlowPage, Link, Page, PortalPage, PortalUser, Tile

NONCE = "c2l4dGVlbi1ieXRlcy1vaw"
HOSTILE = "\"><img src=x onerror=alert(1)>{{7*7}}${7*7}'</textarea></title>"
LIMIT = 20_000
USER = {"pending_user": "anna.berg", "pending_user_avatar": "data:image/png;base64,iVBORw0KGgo="}
FLOW = {"title": "Welcome back", "background": assets.BACKGROUND, "cancel_url": "/flows/-/cancel/", "layout": "stacked"}
PAGE = FlowPage(
    nonce=NONCE,
    csrf="csrf-of-this-session",
    request_id="8f14e45fceea167a5a36dedd4bea2543",
    action="/if/flow/default-authentication-flow/?next=%2Fif%2Fuser%2F",
    application_name="Grafana",
    destination="grafana.example.org",
    links=[
        Link("Privacy", "https://example.org/privacy"),
        Link("Help desk", "mailto:help@example.org"),
        Link("Room 4"),
    ],
)
PORTAL = PortalPage(nonce=NONCE, csrf="csrf-of-this-session", settings="/if/user/#/settings", admin="/if/admin/")
PERSON = PortalUser(username="anna.berg", name="Anna Berg", email="anna@example.org")


def prompt(kind: str, key: str, label: str, **more: object) -> dict[str, object]:
    """One prompt field as the flow executor sends it."""
    return {
        "field_key": key, "label": label, "type": kind, "required": True, "placeholder": "", "initial_value": "", "order": 0,
        "sub_text": "", "choices": None, **more,
    }  # fmt: skip


PROMPTS = [
    prompt("static", "intro", "", initial_value="Tell us a little about yourself.\nYou can change all of it later."),
    prompt("username", "username", "Username", placeholder="anna.berg", sub_text="Letters, digits, dots and dashes."),
    prompt("text", "name", "Full name", initial_value="Anna Berg"),
    prompt("email", "email", "Email"),
    prompt("password", "password", "Password", sub_text="At least 12 characters."),
    prompt("password", "password_repeat", "Password again"),
    prompt("separator", "sep", "More"),
    prompt("number", "age", "Age", required=False),
    prompt("date", "birthday", "Date of birth", required=False),
    prompt("date-time", "start", "First day at work", required=False),
    prompt("text_area", "about", "About you", required=False, placeholder="A sentence or two"),
    prompt("text_read_only", "department", "Department", initial_value="Research"),
    prompt("text_area_read_only", "terms", "Terms", initial_value="Be kind.\nKeep secrets."),
    prompt("dropdown", "team", "Team", choices=["Blue", {"value": "g", "label": "Green"}], initial_value="g"),
    prompt("radio-button-group", "size", "T-shirt", choices=[{"value": "s", "label": "Small"}, "Large"]),
    prompt("ak-locale", "locale", "Language", initial_value="de", required=False),
    prompt("file", "picture", "Picture", required=False),
    prompt("checkbox", "agree", "I have read the terms"),
    prompt("hidden", "origin", "Origin", initial_value="campaign-7"),
]

CHALLENGES: dict[str, dict[str, object]] = {
    "identification": {
        "component": "ak-stage-identification", "user_fields": ["email", "username"], "password_fields": False,
        "application_pre": "Grafana", "flow_designation": "authentication", "primary_action": "Log in",
        "recovery_url": "/if/flow/recovery/", "enroll_url": "/if/flow/enroll/", "passwordless_url": "/if/flow/passkey/",
        "show_source_labels": True,
        "sources": [
            {"name": "Forge", "icon_url": None, "challenge": {"component": "xak-flow-redirect", "to": "/source/oauth/login/forge/"}},
            {"name": "University", "promoted": True, "challenge": {"component": "xak-flow-redirect", "to": "/source/saml/uni/"}},
        ],
    },
    "identification-password": {
        "component": "ak-stage-identification", "user_fields": ["username"], "password_fields": True, "allow_show_password": True,
        "flow_designation": "authentication", "primary_action": "Log in", "show_source_labels": False,
        "pending_user_identifier": "anna.berg", "recovery_url": "/if/flow/recovery/",
        "sources": [
            {"name": name, "challenge": {"component": "xak-flow-redirect", "to": f"/source/oauth/login/{name}/"}}
            for name in ("Forge", "Mail", "Cloud")
        ],
    },
    "identification-errors": {
        "component": "ak-stage-identification", "user_fields": ["username"], "password_fields": True,
        "flow_designation": "authentication", "primary_action": "Log in", "show_source_labels": False, "sources": [],
        "response_errors": {
            "uid_field": [{"string": "Write your username.", "code": "required"}],
            "non_field_errors": [{"string": "Name or password is wrong. Check both and try again.", "code": "invalid"}],
        },
    },
    "password": {"component": "ak-stage-password", **USER, "recovery_url": "/if/flow/recovery/", "allow_show_password": True},
    "password-errors": {
        "component": "ak-stage-password", **USER,
        "response_errors": {"password": [{"string": "This password is not right. Try again.", "code": "invalid"}]},
    },
    "consent": {
        "component": "ak-stage-consent", **USER, "header_text": "Grafana asks for access to your account", "token": "consent-token",
        "permissions": [{"name": "See your email address", "id": "email"}, {"name": "See your name", "id": "profile"}],
        "additional_permissions": [{"name": "", "id": "groups"}],
    },
    "prompt": {"component": "ak-stage-prompt", "fields": PROMPTS},
    "prompt-errors": {
        "component": "ak-stage-prompt", "fields": PROMPTS,
        "response_errors": {
            field["field_key"]: [{"string": "This does not fit.", "code": "invalid"}]
            for field in PROMPTS
            if field["type"] not in {"hidden", "static", "separator"}
        } | {"non_field_errors": [{"string": "The two passwords differ.", "code": "invalid"}]},
    },
    "user_login": {"component": "ak-stage-user-login", **USER},
    "access_denied": {"component": "ak-stage-access-denied", **USER, "error_message": "Only members of Operations may open this."},
    "flow_error": {
        "component": "ak-stage-flow-error", "request_id": "8f14e45fceea167a5a36dedd4bea2543", "error": "ValueError: no such group",
        "traceback": 'Traceback (most recent call last):\n  File "policy.py", line 3, in <module>\nValueError: no such group',
    },
    "redirect": {"component": "xak-flow-redirect", "to": "https://grafana.example.org/login/callback?code=abc&state=x"},
    "session_end": {
        "component": "ak-stage-session-end", **USER, "application_name": "Grafana", "brand_name": "Keystead",
        "application_launch_url": "https://grafana.example.org/", "invalidation_flow_url": "/if/flow/bye/", "overview_url": "/if/user/",
    },
    "autosubmit": {
        "component": "ak-stage-autosubmit", "url": "https://sp.example.org/acs", "title": "Taking you to Grafana",
        "attrs": {"SAMLResponse": "PHNhbWw+", "RelayState": "r-1"},
    },
}  # fmt: skip

TILES = {
    "Operations": [
        Tile(name="Grafana", slug="grafana", launch_url="/application/launch/grafana/", description="Dashboards and alerts for everything that runs"),
        Tile(name="Proxmox VE", slug="proxmox", launch_url="/application/launch/proxmox/", description="Virtual machines", publisher="Proxmox", open_in_new_tab=True),
        Tile(name="Home Assistant", slug="ha", launch_url="/application/launch/ha/", icon_url="/static/dist/assets/icons/icon.svg"),
        Tile(name="Vault", slug="vault", launch_url="/application/launch/vault/", description="Secrets of the machines"),
    ],
    "Everyday": [
        Tile(name="Nextcloud", slug="nextcloud", launch_url="/application/launch/nextcloud/", description="Files, calendar and contacts. Share a folder with somebody outside by sending a link that expires", publisher="Nextcloud GmbH"),
        Tile(name="Wiki", slug="wiki", launch_url="/application/launch/wiki/", description="What we know", icon_url="fa://fa-book"),
    ],
    "": [Tile(name="Bare", slug="bare", launch_url="", description="Has no address to open")],
}  # fmt: skip


def spoil(value: object, key: str = "") -> object:
    """``value`` with every text in it that a person could have written replaced by hostile text."""
    if key in {"component", "type", "nonce", "theme", "lang", "layout", "field_key", "slug", "flow_designation"}:
        return value
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: spoil(getattr(value, name), name) for name in value.__struct_fields__})
    if isinstance(value, Mapping):
        return {(HOSTILE if key == "attrs" else name): spoil(member, str(name)) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [spoil(member, key) for member in value]
    return value


def flow(name: str, bend: Callable[[object], object] = lambda value: value) -> bytes:
    """The page of one sample challenge, its data passed through ``bend``."""
    page = bend(PAGE)
    challenge = bend({"flow_info": FLOW, **CHALLENGES[name]})
    assert isinstance(page, FlowPage)
    assert isinstance(challenge, dict)
    return render.flow_page(challenge, page)


def others(bend: Callable[[object], object] = lambda value: value) -> dict[str, bytes]:
    """The pages that belong to no challenge."""
    page, portal, user, tiles = bend(PAGE), bend(PORTAL), bend(PERSON), bend(TILES)
    text = str(bend("A believable text."))
    assert isinstance(page, Page)
    assert isinstance(portal, PortalPage)
    assert isinstance(user, PortalUser)
    assert isinstance(tiles, dict)
    found = msgspec.structs.replace(portal, search=str(bend("graf")))
    return {
        "error": render.error_page(404, str(bend("There is nothing here")), text, str(bend("Check the address.")), page),
        "denied": render.denied_page(
            str(bend("Only members of Operations may open Grafana.")), page,
            contact=str(bend("ops@example.org")), application_name=str(bend("Grafana")), retry="/flows/-/cancel/",
        ),
        "message": render.message_page(
            str(bend("Check your email")), text, page, links=[Link(str(bend("Back")), "/"), Link("No", "javascript:alert(1)")]
        ),
        "portal": render.portal_page(user, tiles, portal),
        "portal-search": render.portal_page(user, {"Operations": tiles["Operations"][:1]}, found),
        "portal-empty": render.portal_page(user, {}, portal),
        "portal-none": render.portal_page(user, {}, found),
    }  # fmt: skip


def pages(bend: Callable[[object], object] = lambda value: value) -> dict[str, bytes]:
    """Every sample page by name."""
    return {name: flow(name, bend) for name in CHALLENGES} | others(bend)


NAMES = sorted(pages())
VOID = frozenset({"img", "input", "link", "meta", "hr", "source", "br"})
NESTED_SVG = frozenset({"svg", "path", "circle"})


class Tree(HTMLParser):
    """The elements of a page, and whether each was closed where it was opened."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.labelled_inside: set[str] = set()
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"{tag} has an attribute twice: {names}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def all(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attrs for tag, attrs in self.elements if tag in tags)


def hostile(value: object) -> object:
    """Shorthand for :func:`spoil` as a parameter."""
    return spoil(value)


@pytest.fixture(scope="module", params=["believable", "hostile"])
def drawn(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """All pages, in both kinds of data."""
    return pages(hostile) if request.param == "hostile" else pages()


@pytest.mark.parametrize("name", NAMES)
def test_page_is_sound_html(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    assert drawn[name].startswith(b"<!doctype html>")
    assert not tree.faults
    assert not tree.open
    ids = [attrs["id"] for _, attrs in tree.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in tree.elements].count("h1") == 1
    (html,) = tree.all("html")
    assert html["lang"] == "en"
    assert html["dir"] == "ltr"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_inline_runs_or_styles(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    for tag, attrs in tree.elements:
        assert tag != "style"
        assert "style" not in attrs
        assert not [attr for attr in attrs if attr.startswith("on")]
        for attr in ("href", "src", "action", "formaction", "srcset"):
            assert not (attrs.get(attr) or "").strip().lower().startswith(("javascript:", "vbscript:"))
    assert [attrs for attrs in tree.all("script") if attrs.get("nonce") != NONCE or "src" not in attrs] == []


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_stays_text(name: str) -> None:
    page = pages(hostile)[name].decode()
    assert "<img src=x" not in page
    assert "49" not in re.sub(r"\{\{7\*7\}\}|\.[0-9a-f]{8}\.", "", re.sub(r"<svg.*?</svg>", "", page))
    assert not [attrs for attrs in Tree(page.encode()).all("img") if attrs.get("src") == "x"]
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name_and_what_it_refers_to_exists(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    ids = {attrs["id"] for _, attrs in tree.elements if "id" in attrs}
    labels = {attrs["for"] for attrs in tree.all("label")}
    assert labels <= ids
    for attrs in tree.all("input", "select", "textarea"):
        if attrs.get("type") != "hidden":
            assert attrs.get("id") in labels or attrs.get("aria-label")
    for _, attrs in tree.elements:
        for attr in ("aria-describedby", "aria-labelledby", "aria-controls"):
            assert set((attrs.get(attr) or "").split()) <= ids
        if (attrs.get("href") or "").startswith("#"):
            assert (attrs["href"] or "")[1:] in ids


@pytest.mark.parametrize("name", NAMES)
def test_first_view_is_light(name: str) -> None:
    page = pages()[name]
    sheets = [attrs["href"] for attrs in Tree(page).all("link") if attrs.get("rel") == "stylesheet"]
    scripts = [attrs["src"] for attrs in Tree(page).all("script")]
    assert (len(sheets), len(scripts)) == (1, 1)
    weight = len(gzip.compress(page, 6))
    for path in sheets + scripts:
        asset = assets.lookup(str(path))
        assert asset is not None
        weight += len(asset.gzipped)
    assert weight <= LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_forms_are_posted_with_the_token_and_never_carry_a_password_in_the_address(name: str) -> None:
    tree = Tree(pages()[name])
    forms = list(tree.all("form"))
    for form in forms:
        assert form["method"] == ("get" if form.get("role") == "search" else "post")
    tokens = [attrs for attrs in tree.all("input") if attrs.get("name") == "_csrf"]
    expected = sum(form["method"] == "post" and "data-autosubmit" not in form for form in forms)
    assert [attrs["value"] for attrs in tokens] == ["csrf-of-this-session"] * expected


def controls(page: bytes) -> dict[str, dict[str, str | None]]:
    """Form controls by name."""
    return {str(attrs.get("name")): attrs for attrs in Tree(page).all("input", "select", "textarea", "button")}


def test_answers_have_the_names_of_the_contract() -> None:
    assert {"uid_field", "password", "_csrf"} <= set(controls(flow("identification-password")))
    assert "password" not in controls(flow("identification"))
    assert {"password", "_csrf"} <= set(controls(flow("password")))
    assert controls(flow("consent"))["token"]["value"] == "consent-token"
    assert controls(flow("user_login"))["remember_me"]["value"] in {"true", "false"}
    asked = {str(field["field_key"]) for field in PROMPTS if field["type"] not in {"static", "separator"}}
    assert set(controls(flow("prompt"))) - {"None", "_csrf"} == asked
    assert set(controls(flow("autosubmit"))) - {"None"} == {"SAMLResponse", "RelayState"}


def test_browsers_are_told_what_to_fill_in() -> None:
    assert controls(flow("identification"))["uid_field"]["autocomplete"] == "username"
    assert controls(flow("password"))["password"]["autocomplete"] == "current-password"
    prompts = controls(flow("prompt"))
    tokens = {name: prompts[name].get("autocomplete") for name in ("username", "email", "password", "name")}
    assert tokens == {"username": "username", "email": "email", "password": "new-password", "name": "name"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("username", "text"), ("text", "text"), ("email", "email"), ("password", "password"), ("number", "number"),
        ("date", "date"), ("date-time", "datetime-local"), ("file", "file"), ("checkbox", "checkbox"),
        ("radio-button-group", "radio"), ("hidden", "hidden"), ("text_read_only", "text"),
    ],
)  # fmt: skip
def test_prompt_kinds_are_drawn_as_the_matching_control(kind: str, expected: str) -> None:
    field = prompt(kind, "answer", "Answer", choices=["a", "b"] if kind.startswith("radio") else None)
    page = render.flow_page({"component": "ak-stage-prompt", "flow_info": FLOW, "fields": [field]}, PAGE)
    assert controls(page)["answer"]["type"] == expected


def test_choices_keep_their_value_label_and_initial_choice() -> None:
    page = flow("prompt").decode()
    assert '<option value="Blue">Blue</option>' in page
    assert '<option value="g" selected>Green</option>' in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page


def test_a_password_is_never_written_into_the_page() -> None:
    field = prompt("password", "password", "Password", initial_value="hunter2-hunter2")
    page = render.flow_page({"component": "ak-stage-prompt", "flow_info": FLOW, "fields": [field]}, PAGE)
    assert b"hunter2" not in page


def test_a_file_makes_the_form_multipart_and_nothing_else_does() -> None:
    (form,) = Tree(flow("prompt")).all("form")
    assert form["enctype"] == "multipart/form-data"
    (form,) = Tree(flow("password")).all("form")
    assert "enctype" not in form


@pytest.mark.parametrize("name", [name for name in CHALLENGES if name.endswith("-errors")])
def test_problems_are_focused_linked_and_described(name: str) -> None:
    page = flow(name)
    tree = Tree(page)
    (summary,) = (attrs for attrs in tree.all("div") if attrs.get("role") == "alert")
    assert summary["tabindex"] == "-1"
    assert [attrs for _, attrs in tree.elements if "autofocus" in attrs] == [summary]
    links = {str(attrs["href"])[1:] for attrs in tree.all("a") if str(attrs["href"]).startswith("#")}
    wrong = {attrs["id"]: attrs for _, attrs in tree.elements if attrs.get("aria-invalid") == "true"}
    assert links == set(wrong)
    assert all(f"{at}-problem" in str(attrs["aria-describedby"]) for at, attrs in wrong.items())
    assert b"<title>Problem: " in page


@pytest.mark.parametrize("name", ["identification", "password", "user_login", "prompt"])
def test_the_first_control_is_focused_when_nothing_is_wrong(name: str) -> None:
    focused = [tag for tag, attrs in Tree(flow(name)).elements if "autofocus" in attrs]
    assert len(focused) == 1


def test_an_unknown_component_has_no_page() -> None:
    with pytest.raises(KeyError):
        render.flow_page({"component": "ak-stage-of-the-future"}, PAGE)


def test_identification_with_sources_only_asks_for_no_name() -> None:
    page = render.flow_page({**CHALLENGES["identification"], "user_fields": None, "flow_info": FLOW}, PAGE)
    assert "uid_field" not in controls(page)
    assert b"Continue with Forge" in page
    assert page.index(b"University") < page.index(b"Forge")


def test_the_brand_replaces_name_logo_and_sheet() -> None:
    page = msgspec.structs.replace(
        PAGE,
        brand="Acme",
        logo="/files/media/acme-%(theme)s.svg",
        custom_css="/brand.css",
        root="/auth",
        theme="dark",
        lang="ar",
    )
    text = render.message_page("Hello", "World", page).decode()
    assert "Hello · Acme</title>" in text
    assert 'src="/files/media/acme-dark.svg"' in text
    assert text.index("/auth/static/dist/keystead.") < text.index('href="/brand.css"')
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in text
    assert "Keystead" not in text


def test_themed_images_follow_the_browser_unless_the_theme_is_fixed() -> None:
    page = msgspec.structs.replace(PAGE, logo="/logo-%(theme)s.svg")
    assert (
        'media="(prefers-color-scheme: dark)" srcset="/logo-dark.svg"' in render.message_page("A", "B", page).decode()
    )


def test_a_background_is_loaded_only_if_the_brand_sets_one() -> None:
    assert b"backdrop" not in flow("password")
    info = {**FLOW, "background": "https://example.org/hills.jpg", "layout": "sidebar_left_frame_background"}
    page = render.flow_page({"flow_info": info, **CHALLENGES["password"]}, PAGE)
    (image,) = (attrs for attrs in Tree(page).all("img") if attrs.get("class") == "backdrop")
    assert (image["src"], image["loading"]) == ("https://example.org/hills.jpg", "lazy")
    assert b"sidebar-left" in page


def test_a_redirect_goes_on_by_itself_and_never_into_script() -> None:
    assert b'content="0;url=https://grafana.example.org/login/callback?code=abc&amp;state=x"' in flow("redirect")
    for to in (
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "java\tscript:alert(1)",
        "JaVaScRiPt:x",
    ):
        page = render.flow_page({"component": "xak-flow-redirect", "to": to, "flow_info": FLOW}, PAGE)
        assert b"refresh" not in page
        assert b"script:" not in page.replace(b"\t", b"").lower()
        assert b"data:text" not in page


@pytest.mark.parametrize(
    ("url", "link", "onward", "image"),
    [
        ("https://a.example/x?y=1#z", True, True, True),
        ("/path", True, True, True),
        ("", False, False, False),
        (None, False, False, False),
        ("org.example.app:/callback", False, True, False),
        ("data:image/png;base64,AAAA", False, False, True),
        ("data:text/html,<script>", False, False, False),
        ("javascript:alert(1)", False, False, False),
        ("\x01javascript:alert(1)", False, False, False),
        ("vbscript:x", False, False, False),
        ("https://a.example/\r\nSet-Cookie: x", False, False, False),
        ("/\\evil.example", False, True, False),
        ("fa://fa-book", False, True, False),
    ],
)
def test_addresses_are_let_through_by_shape(url: object, link: bool, onward: bool, image: bool) -> None:  # noqa: FBT001
    judged = (bool(render.safe_link(url)), bool(render.safe_onward(url)), bool(render.safe_image(url)))
    assert judged == (link, onward, image)


def test_initials() -> None:
    names = ["Anna Berg", "grafana", "anna.maria.berg", "", "東京 大学"]
    assert [render.initials(name) for name in names] == ["AB", "G", "AB", "·", "東大"]


def test_portal_tiles_open_where_they_say() -> None:
    page = others()["portal"].decode()
    assert '<a href="/application/launch/grafana/">Grafana</a>' in page
    assert 'href="/application/launch/proxmox/" target="_blank" rel="noopener noreferrer"' in page
    assert "<h3>Bare</h3>" in page
    assert "fa://" not in page
    assert page.index("Operations") < page.index("Everyday")


def test_portal_says_what_is_missing() -> None:
    assert b"No applications yet." in others()["portal-empty"]
    assert b"No application matches." in others()["portal-none"]
    assert b'value="graf"' in others()["portal-none"]
