"""The installation's own settings: one object that always is there, read by every floor from here up."""

import re
from datetime import timedelta
from typing import Annotated, Final, cast
from urllib.parse import urlsplit

import msgspec

from keystead.base import duration
from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import HIDDEN, Duration, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State

ONLY: Final = "5e771b65-0000-4000-8000-000000000000"
"""The key of the one object."""
_AVATAR: Final = re.compile(r"none|initials|gravatar|attributes\.[^,\s]+|https?://[^\s,]+")
_AVATARS: Final = (
    "Accepted, with commas between: none, initials, gravatar, attributes.<path>, and http or https addresses."
)
_MOST: Final = 2147483647


class Flags(msgspec.Struct, frozen=True):
    """Switches.

    :param core_default_app_access: kept; who may use an application without bindings does not depend on it yet.
    :param enterprise_audit_include_expanded_diff: kept; events tell of references by key.
    :param flows_continuous_login: pages that wait for a login in another tab look for it.
    :param flows_refresh_others: other tabs load anew after a login.
    """

    core_default_app_access: bool
    enterprise_audit_include_expanded_diff: bool
    flows_continuous_login: bool
    flows_refresh_others: bool


UNSET_FLAGS: Final = {
    "core_default_app_access": True,
    "enterprise_audit_include_expanded_diff": False,
    "flows_continuous_login": False,
    "flows_refresh_others": False,
}
"""The flags of an installation where nobody has set any; clients of older releases know only some of them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the whole installation.

    :param avatars: sources of pictures, the first that has one counts: `none`, `initials`, `gravatar`,
        `attributes.<path>`, or an address with `%(username)s`, `%(mail_hash)s` and `%(upn)s`.
    :param base_url: the address under which people reach the installation; blank for that of each request.
    :param event_retention: how long new events are kept.
    :param gdpr_compliance: kept; the events of removed people stay until they expire.
    :param pagination_default_page_size: objects a page; 0 for 20.
    :param pagination_max_page_size: most objects a page; 0 for 100.
    """

    pk: Annotated[Uuid, HIDDEN] = ONLY
    avatars: Text = "initials"
    base_url: Annotated[str, msgspec.Meta(max_length=200)] = ""
    default_user_change_name: bool = True
    default_user_change_email: bool = False
    default_user_change_username: bool = False
    event_retention: Duration = "days=365"
    reputation_lower_limit: Annotated[int, msgspec.Meta(ge=-2147483648, le=0)] = -5
    reputation_upper_limit: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 5
    footer_links: object | None = msgspec.field(default_factory=list)
    gdpr_compliance: bool = True
    impersonation: bool = True
    impersonation_require_reason: bool = True
    default_token_duration: Duration = "days=1"  # noqa: S105 - a length of time
    default_token_length: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 60
    pagination_default_page_size: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 20
    pagination_max_page_size: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 100
    flags: Annotated[Flags, msgspec.Meta(title="PatchedSettingsRequestFlags")]


DEFAULT: Final = Settings(flags=Flags(**UNSET_FLAGS))
"""What holds until somebody says otherwise."""


def current(settings: Snapshot) -> Settings:
    """What holds."""
    found = settings.find(SETTINGS.model, ONLY)
    return cast("Settings", found[1]) if found else DEFAULT


def event_retention(settings: Snapshot) -> timedelta:
    """How long new events are kept."""
    return settings.memo("installation.retention", lambda: duration.parse(current(settings).event_retention))


def footer_links(settings: Snapshot) -> list[tuple[str, str | None]]:
    """Name and address of each link in the footer."""
    found = current(settings).footer_links
    links = [one for one in found if isinstance(one, dict)] if isinstance(found, (list, tuple)) else []
    return [(str(one.get("name", "")), one.get("href") or None) for one in links]


async def admits(call: Call, _state: State, body: dict[str, object]) -> dict[str, object]:
    """Complete the flags that a client does not know."""
    flags = body.get("flags")
    if not isinstance(flags, dict):
        return body
    known = msgspec.structs.asdict(current(call.settings).flags)
    return {**body, "flags": {**known, **{name: value for name, value in flags.items() if name in known}}}


async def rules(_call: Call, _state: State, _old: Settings | None, new: Settings) -> Settings:
    """Every part is in a form that those who act on it can read."""
    wrong: dict[str, list[str]] = {}
    if unknown := [part for part in new.avatars.split(",") if not _AVATAR.fullmatch(part.strip())]:
        wrong["avatars"] = [f"“{unknown[0]}” is no source of pictures. {_AVATARS}"]
    if new.base_url and not _is_base(new.base_url):
        wrong["base_url"] = ["Write an http or https address without a query, such as https://id.example.org."]
    if new.footer_links and not _are_links(new.footer_links):
        wrong["footer_links"] = [
            'Write a list of links: [{"name": "Help", "href": "https://help.example.org"}]; href may be left out.'
        ]
    if duration.parse(new.event_retention) <= timedelta():
        wrong["event_retention"] = ["Events are kept for some time: write a length above zero, such as days=365."]
    if duration.parse(new.default_token_duration) <= timedelta():
        wrong["default_token_duration"] = ["Write a length above zero, such as days=1."]
    if not _SHORTEST <= new.default_token_length <= _LONGEST:
        wrong["default_token_length"] = [f"Keys have {_SHORTEST} to {_LONGEST} characters."]
    if wrong:
        raise invalid(wrong)
    return msgspec.structs.replace(new, base_url=new.base_url.rstrip("/"))


_SHORTEST, _LONGEST = 22, 1024
"""A key of 22 letters and digits holds 130 bits; longer ones than 1024 are not looked at."""


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _are_links(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(
        isinstance(one, dict)
        and isinstance(one.get("name"), str)
        and (one.get("href") is None or str(one["href"]).startswith(("https://", "http://", "/", "mailto:")))
        for one in value
    )


SETTINGS: Kind[Settings] = Kind(
    model="authentik_tenants.settings",
    struct=Settings,
    path="admin/settings",
    title=("Settings", "Settings"),
    verbs=frozenset(),
    search=(),
    order=(),
    rules=rules,
    admits=admits,
)
