"""Challenges, people and applications as pages are asked to draw them: ordinary, and hostile."""

from collections.abc import Callable, Mapping

import msgspec

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
        "field_key": key,
        "label": label,
        "type": kind,
        "required": True,
        "placeholder": "",
        "initial_value": "",
        "order": 0,
        "sub_text": "",
        "choices": None,
        **more,
    }


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
        "component": "ak-stage-identification",
        "user_fields": ["email", "username"],
        "password_fields": False,
        "application_pre": "Grafana",
        "flow_designation": "authentication",
        "primary_action": "Log in",
        "recovery_url": "/if/flow/recovery/",
        "enroll_url": "/if/flow/enroll/",
        "passwordless_url": "/if/flow/passkey/",
        "show_source_labels": True,
        "sources": [
            {
                "name": "Forge",
                "icon_url": None,
                "challenge": {"component": "xak-flow-redirect", "to": "/source/oauth/login/forge/"},
            },
            {
                "name": "University",
                "promoted": True,
                "challenge": {"component": "xak-flow-redirect", "to": "/source/saml/uni/"},
            },
        ],
    },
    "identification-password": {
        "component": "ak-stage-identification",
        "user_fields": ["username"],
        "password_fields": True,
        "allow_show_password": True,
        "flow_designation": "authentication",
        "primary_action": "Log in",
        "show_source_labels": False,
        "pending_user_identifier": "anna.berg",
        "recovery_url": "/if/flow/recovery/",
        "sources": [
            {"name": name, "challenge": {"component": "xak-flow-redirect", "to": f"/source/oauth/login/{name}/"}}
            for name in ("Forge", "Mail", "Cloud")
        ],
    },
    "identification-errors": {
        "component": "ak-stage-identification",
        "user_fields": ["username"],
        "password_fields": True,
        "flow_designation": "authentication",
        "primary_action": "Log in",
        "show_source_labels": False,
        "sources": [],
        "response_errors": {
            "uid_field": [{"string": "Write your username.", "code": "required"}],
            "non_field_errors": [{"string": "Name or password is wrong. Check both and try again.", "code": "invalid"}],
        },
    },
    "password": {
        "component": "ak-stage-password",
        **USER,
        "recovery_url": "/if/flow/recovery/",
        "allow_show_password": True,
    },
    "password-errors": {
        "component": "ak-stage-password",
        **USER,
        "response_errors": {"password": [{"string": "This password is not right. Try again.", "code": "invalid"}]},
    },
    "consent": {
        "component": "ak-stage-consent",
        **USER,
        "header_text": "Grafana asks for access to your account",
        "token": "consent-token",
        "permissions": [{"name": "See your email address", "id": "email"}, {"name": "See your name", "id": "profile"}],
        "additional_permissions": [{"name": "", "id": "groups"}],
    },
    "prompt": {"component": "ak-stage-prompt", "fields": PROMPTS},
    "prompt-errors": {
        "component": "ak-stage-prompt",
        "fields": PROMPTS,
        "response_errors": {
            field["field_key"]: [{"string": "This does not fit.", "code": "invalid"}]
            for field in PROMPTS
            if field["type"] not in {"hidden", "static", "separator"}
        }
        | {"non_field_errors": [{"string": "The two passwords differ.", "code": "invalid"}]},
    },
    "user_login": {"component": "ak-stage-user-login", **USER},
    "authenticator_duo": {
        "component": "ak-stage-authenticator-duo",
        **USER,
        "activation_barcode": "https://api-1234abcd.duosecurity.com/frame/qr?value=abc",
        "activation_code": "duo://abc",
        "stage_uuid": "8f14e45f-ceea-467a-9a36-dedd4bea2543",
    },
    "authenticator_validate": {
        "component": "ak-stage-authenticator-validate",
        **USER,
        "device_challenges": [
            {"device_class": "duo", "device_uid": uid, "challenge": {}, "last_used": None} for uid in ("7", "8")
        ],
        "configuration_stages": [],
    },
    "authenticator_validate-errors": {
        "component": "ak-stage-authenticator-validate",
        **USER,
        "device_challenges": [{"device_class": "duo", "device_uid": "7", "challenge": {}, "last_used": None}],
        "configuration_stages": [],
        "response_errors": {"duo": [{"string": "This was not allowed at Duo.", "code": "denied"}]},
    },
    "dummy": {"component": "ak-stage-dummy", "name": "Nothing to do here"},
    "access_denied": {
        "component": "ak-stage-access-denied",
        **USER,
        "error_message": "Only members of Operations may open this.",
    },
    "flow_error": {
        "component": "ak-stage-flow-error",
        "request_id": "8f14e45fceea167a5a36dedd4bea2543",
        "error": "ValueError: no such group",
        "traceback": 'Traceback (most recent call last):\n  File "policy.py", line 3\nValueError: no such group',
    },
    "redirect": {"component": "xak-flow-redirect", "to": "https://grafana.example.org/login/callback?code=abc&state=x"},
    "session_end": {
        "component": "ak-stage-session-end",
        **USER,
        "application_name": "Grafana",
        "brand_name": "Keystead",
        "application_launch_url": "https://grafana.example.org/",
        "invalidation_flow_url": "/if/flow/bye/",
        "overview_url": "/if/user/",
    },
    "autosubmit": {
        "component": "ak-stage-autosubmit",
        "url": "https://sp.example.org/acs",
        "title": "Taking you to Grafana",
        "attrs": {"SAMLResponse": "PHNhbWw+", "RelayState": "r-1"},
    },
}

TILES = {
    "Operations": [
        Tile(
            name="Grafana",
            slug="grafana",
            launch_url="/application/launch/grafana/",
            description="Dashboards and alerts for everything that runs",
        ),
        Tile(
            name="Proxmox VE",
            slug="proxmox",
            launch_url="/application/launch/proxmox/",
            description="Virtual machines",
            publisher="Proxmox",
            open_in_new_tab=True,
        ),
        Tile(
            name="Home Assistant",
            slug="ha",
            launch_url="/application/launch/ha/",
            icon_url="/static/dist/assets/icons/icon.svg",
        ),
        Tile(
            name="Vault", slug="vault", launch_url="/application/launch/vault/", description="Secrets of the machines"
        ),
    ],
    "Everyday": [
        Tile(
            name="Nextcloud",
            slug="nextcloud",
            launch_url="/application/launch/nextcloud/",
            description="Files, calendar and contacts. Share a folder with somebody outside by a link that expires",
            publisher="Nextcloud GmbH",
        ),
        Tile(
            name="Wiki",
            slug="wiki",
            launch_url="/application/launch/wiki/",
            description="What we know",
            icon_url="fa://fa-book",
        ),
    ],
    "": [Tile(name="Bare", slug="bare", launch_url="", description="Has no address to open")],
}


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
        "error": render.error_page(
            404, str(bend("There is nothing here")), text, str(bend("Check the address.")), page
        ),
        "denied": render.denied_page(
            str(bend("Only members of Operations may open Grafana.")),
            page,
            contact=str(bend("ops@example.org")),
            application_name=str(bend("Grafana")),
            retry="/flows/-/cancel/",
        ),
        "message": render.message_page(
            str(bend("Check your email")),
            text,
            page,
            links=[Link(str(bend("Back")), "/"), Link("No", "javascript:alert(1)")],
        ),
        "portal": render.portal_page(user, tiles, portal),
        "portal-search": render.portal_page(user, {"Operations": tiles["Operations"][:1]}, found),
        "portal-empty": render.portal_page(user, {}, portal),
        "portal-none": render.portal_page(user, {}, found),
    }


def pages(bend: Callable[[object], object] = lambda value: value) -> dict[str, bytes]:
    """Every sample page by name."""
    return {name: flow(name, bend) for name in CHALLENGES} | others(bend)
