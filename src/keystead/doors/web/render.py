"""Pages: typed data in, HTML bytes out. No request, no store and no rule is known here.

Every page works without JavaScript and loads one style sheet and one script. Whatever people or administrators wrote is
escaped by the template engine; addresses they wrote go through ``safe_link`` or ``safe_image`` first.

Words on the pages are English, so ``Page.lang`` stays ``en`` until the words exist in another language.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from keystead.doors.web import assets
from keystead.doors.web.icons import ICONS, MARK

if TYPE_CHECKING:
    from jinja2 import Environment

Challenge: TypeAlias = Mapping[str, object]
"""A flow-executor challenge as JSON-like builtins, members named as in the contract (flows.md §3)."""


class Link(msgspec.Struct, frozen=True):
    """A link of the brand, shown below every page. Without ``href`` only the words are shown."""

    name: str
    href: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What every page needs besides its own content."""

    nonce: str
    """The Content-Security-Policy nonce of this response."""
    csrf: str = ""
    """Token that each form posts back as ``_csrf``."""
    request_id: str = ""
    root: str = ""
    """Sub-path the server lives under: empty, or ``/auth``."""
    brand: str = "Keystead"
    logo: str = assets.LOGO
    """Address of the brand's logo; the default draws the keystone mark and the brand's name. May hold ``%(theme)s``."""
    favicon: str = assets.FAVICON
    custom_css: str = ""
    """Address of the brand's own style sheet: same origin, since the policy allows no other. Loaded last."""
    lang: str = "en"
    """BCP 47 tag of the language the page is written in; it also decides the direction of writing."""
    theme: Literal["automatic", "light", "dark"] = "automatic"
    links: Sequence[Link] = ()


class FlowPage(Page, frozen=True, kw_only=True):
    """What a flow's page needs besides its challenge."""

    action: str
    """Where the answer is posted: the page's own address, with its query."""
    application_name: str = ""
    """The application this login is for, if any."""
    application_icon: str = ""
    destination: str = ""
    """Host the browser will be sent to at the end, such as ``wiki.example.org``; shown with the application."""


class PortalPage(Page, frozen=True, kw_only=True):
    """What the portal needs besides its applications."""

    search: str = ""
    """What the person searched for; the caller has already narrowed the applications to it."""
    action: str = "/if/user/"
    """Where a search goes (GET ``?search=``)."""
    sign_out: str = "/flows/-/default/invalidation/"
    """Where signing out is posted."""
    settings: str = ""
    admin: str = ""
    original: str = ""
    """Who really sits here, where somebody acts as the person shown."""
    be_oneself: str = "/-/impersonation/end"
    """Where it is posted to stop that."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """An application as the portal shows it."""

    name: str
    slug: str
    launch_url: str
    icon_url: str | None = None
    """Address of the icon; None, or a form no browser can show, draws the initials instead."""
    description: str = ""
    publisher: str = ""
    group: str = ""
    open_in_new_tab: bool = False


class PortalUser(msgspec.Struct, frozen=True, kw_only=True):
    """The person the portal greets."""

    username: str
    name: str = ""
    email: str = ""
    avatar: str = ""
    """Address or data URI of a picture; empty draws the initials."""


_SHOWN_ONLY: Final = frozenset({"hidden", "static", "separator", "alert_info", "alert_warning", "alert_danger"})
"""Prompt fields that ask nothing."""
STAGES: Final[Mapping[str, str]] = {
    "ak-stage-access-denied": "access_denied",
    "ak-stage-authenticator-duo": "authenticator_duo",
    "ak-stage-authenticator-validate": "authenticator_validate",
    "ak-stage-autosubmit": "autosubmit",
    "ak-stage-consent": "consent",
    "ak-stage-dummy": "dummy",
    "ak-stage-flow-error": "flow_error",
    "ak-stage-identification": "identification",
    "ak-stage-password": "password",
    "ak-stage-prompt": "prompt",
    "ak-stage-session-end": "session_end",
    "ak-stage-user-login": "user_login",
    "xak-flow-redirect": "redirect",
}
"""Challenge component -> name of its template in ``templates/stages``."""

LOCALES: Final = (
    ("ar", "العربية"), ("cs", "Čeština"), ("de", "Deutsch"), ("en", "English"), ("es", "Español"), ("fi", "Suomi"),
    ("fr", "Français"), ("it", "Italiano"), ("ja", "日本語"), ("ko", "한국어"), ("nl", "Nederlands"), ("pl", "Polski"),
    ("pt-BR", "Português (Brasil)"), ("ru", "Русский"), ("tr", "Türkçe"), ("zh-Hans", "简体中文"),
    ("zh-Hant", "繁體中文"),
)  # fmt: skip  # a list of names
"""Language tag and the language's own name, for a language prompt whose choices the challenge leaves open."""

_RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_LINK: Final = re.compile(r"(?:https?://|mailto:|tel:|[/?#])[^\x00-\x20\x7f\\]*", re.IGNORECASE)
_IMAGE: Final = re.compile(
    r"(?:https?://|/|data:image/(?:png|jpeg|gif|webp|avif|svg\+xml)[;,])[^\x00-\x1f\x7f\\]*", re.IGNORECASE
)
_ONWARD: Final = re.compile(
    r"(?!(?:javascript|data|vbscript|blob|filesystem|about|file|view-source):)(?:[a-z][a-z0-9+.-]*:|/)[^\x00-\x20\x7f]*",
    re.IGNORECASE,
)


def safe_link(url: object) -> str:
    """``url`` if a person may be offered it as a link (http, https, mailto, tel, or a path), else an empty text."""
    return url if isinstance(url, str) and _LINK.fullmatch(url) else ""


def safe_onward(url: object) -> str:
    """``url`` if a browser may be sent on to it, the schemes of native applications included; else empty."""
    return url if isinstance(url, str) and _ONWARD.fullmatch(url) else ""


def safe_image(url: object) -> str:
    """``url`` if an ``img`` element may load it (http, https, a path, or a picture as data URI), else an empty text."""
    return url if isinstance(url, str) and _IMAGE.fullmatch(url) else ""


def initials(text: str) -> str:
    """One or two letters that stand for a name: ``Anna Berg`` -> ``AB``, ``grafana`` -> ``G``."""
    words = [word for word in re.split(r"[\W_]+", text) if word]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "·"


def _tint(text: str) -> int:
    return zlib.crc32(text.encode()) % 6


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - commands that draw no page skip 40 ms
    from markupsafe import Markup  # noqa: PLC0415 - as above

    environment = Environment(
        loader=PackageLoader("keystead.doors.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters.update(
        safe_link=safe_link, safe_onward=safe_onward, safe_image=safe_image, initials=initials, tint=_tint
    )
    environment.globals.update(
        icons={name: Markup(svg) for name, svg in ICONS.items()},  # noqa: S704 - constants of ours
        mark=Markup(MARK),  # noqa: S704 - a constant of ours
        default_logo=assets.LOGO,
        default_favicon=assets.FAVICON,
        default_background=assets.BACKGROUND,
        asset=assets.url,
        icon=assets.inlined("assets/icons/icon.svg"),
        locales=LOCALES,
    )
    return environment


def _render(template: str, page: Page, **content: object) -> bytes:
    rtl = page.lang.partition("-")[0].lower() in _RIGHT_TO_LEFT
    text = _environment().get_template(template).render(page=page, dir="rtl" if rtl else "ltr", **content)
    return text.encode()


def _controls(challenge: Challenge) -> dict[str, tuple[str, str]]:
    """Which answer member is asked by which form control: member -> (element id, label)."""
    component = challenge["component"]
    found: dict[str, tuple[str, str]] = {}
    if component == "ak-stage-prompt":
        fields = challenge["fields"]
        for at, field in enumerate(fields if isinstance(fields, Sequence) else ()):
            if field["type"] not in _SHOWN_ONLY:
                found[field["field_key"]] = (f"field-{at}", field["label"])
    elif component == "ak-stage-identification":
        if challenge["user_fields"]:
            found["uid_field"] = ("uid_field", _identifier(challenge["user_fields"]))
        if challenge["password_fields"]:
            found["password"] = ("password", "Password")
    elif component == "ak-stage-password":
        found["password"] = ("password", "Password")
    return found


def _identifier(user_fields: object) -> str:
    """How to ask for a name, given which kinds of name are accepted."""
    accepted = set(user_fields) if isinstance(user_fields, Sequence) else set()
    named = bool(accepted & {"username", "upn"})
    if "email" in accepted:
        return "Email or username" if named else "Email"
    return "Username"


def flow_page(challenge: Challenge, page: FlowPage) -> bytes:
    """The page that asks one challenge of a flow.

    Its form posts the challenge's response members under their own names, plus ``_csrf``: ``uid_field``, ``password``,
    ``token``, ``remember_me`` (``true`` or ``false``), or each prompt's ``field_key``. An unticked checkbox is absent
    from the post. The encoding is ``application/x-www-form-urlencoded``; only a prompt with a ``file`` field needs
    ``multipart/form-data``.

    :raises KeyError: this version has no page for the challenge's component, or the challenge lacks a required member.
    """
    stage = STAGES[str(challenge["component"])]
    controls = _controls(challenge)
    errors = challenge.get("response_errors")
    told = errors if isinstance(errors, Mapping) else {}
    return _render(
        f"stages/{stage}.html",
        page,
        challenge=challenge,
        flow=challenge.get("flow_info") or {},
        controls=controls,
        errors=told,
    )


def portal_page(user: PortalUser, applications: Mapping[str, Sequence[Tile]], page: PortalPage) -> bytes:
    """The portal: search, and the person's applications under their groups.

    :param applications: group heading -> its tiles, both in the order to show; the heading of ungrouped ones is empty.
    """
    return _render("portal.html", page, user=user, applications=applications)


def error_page(status: int, title: str, explanation: str, hint: str, page: Page) -> bytes:
    """A page for what went wrong outside a flow's step.

    :param status: the HTTP status sent with it, shown small.
    :param title: what happened, in a few words.
    :param explanation: why, in a sentence.
    :param hint: what to do now.
    """
    return _render("error.html", page, status=status, title=title, explanation=explanation, hint=hint)


def denied_page(reason: str, page: Page, *, contact: str = "", application_name: str = "", retry: str = "") -> bytes:
    """A page that says no, why, whom to ask, and the way back.

    :param reason: the policy's own words; empty says only that access is not granted.
    :param contact: an e-mail address or a name to ask.
    :param retry: where one can sign in as somebody else.
    """
    return _render("denied.html", page, reason=reason, contact=contact, application_name=application_name, retry=retry)


def message_page(title: str, message: str, page: Page, *, links: Sequence[Link] = ()) -> bytes:
    """A page that only tells something; the first of ``links`` is drawn as the way to go on."""
    return _render("message.html", page, title=title, message=message, actions=links)


def confirm_page(
    title: str, message: str, button: str, action: str, page: Page, *, fields: Mapping[str, str] | None = None
) -> bytes:
    """A page that asks before something happens; only its button, posting ``fields`` to ``action``, makes it happen.

    :param action: where the form is posted; a path of ours.
    """
    return _render(
        "confirm.html", page, title=title, message=message, button=button, action=action, fields=fields or {}
    )
