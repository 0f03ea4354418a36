"""Brand: how the installation looks and which flows it offers under one domain."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds import ledger
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import picture
from keystead.people.installation import settings as installation

LOGO: Final = "/static/dist/assets/icons/icon_left_brand.svg"
FAVICON: Final = "/static/dist/assets/icons/icon.png"
BACKGROUND: Final = "/static/dist/assets/images/flow_background.jpg"
_MODEL: Final = "authentik_brands.brand"

FlowRef = Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)]


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """Look and flows for one domain.

    :param domain: a host name; it answers for that host and every host below it.
    :param default: answers where no domain matches; exactly one brand does.
    """

    brand_uuid: Annotated[Uuid, READ_ONLY]
    domain: Annotated[Text, UNIQUE]
    default: bool = False
    branding_title: Text = "Keystead"
    branding_logo: Text = LOGO
    branding_favicon: Text = FAVICON
    branding_custom_css: str = ""
    branding_default_flow_background: Text = BACKGROUND
    branding_map_tiles: str = ""
    flow_authentication: FlowRef | None = None
    flow_user_switch: FlowRef | None = None
    flow_invalidation: FlowRef | None = None
    flow_recovery: FlowRef | None = None
    flow_unenrollment: FlowRef | None = None
    flow_user_settings: FlowRef | None = None
    flow_device_code: FlowRef | None = None
    flow_lockdown: FlowRef | None = None
    flow_request: FlowRef | None = None
    default_application: Annotated[Uuid, Ref("authentik_core.application", OnDelete.SET_NULL)] | None = None
    web_certificate: Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)] | None = None
    client_certificates: tuple[
        Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.CASCADE_MANY)], ...
    ] = ()
    attributes: Json = {}


FALLBACK: Final = Brand(brand_uuid="00000000-0000-4000-8000-000000000000", domain="fallback", default=True)
"""What answers when there is no brand at all."""


class ThemedUrls(msgspec.Struct):
    """A picture for each theme."""

    light: str | None
    dark: str | None


class FooterLink(msgspec.Struct):
    """A link in the footer."""

    href: str | None
    name: str


class CurrentBrandFlags(msgspec.Struct):
    """Switches that pages look at."""

    flows_continuous_login: bool
    flows_refresh_others: bool


class UiThemeEnum(enum.StrEnum):
    """Whether pages are light or dark; ``automatic`` does as the device does."""

    AUTOMATIC = "automatic"
    LIGHT = "light"
    DARK = "dark"


class CurrentBrand(msgspec.Struct, omit_defaults=True):
    """The brand that answers for the caller's host."""

    matched_domain: str
    branding_title: str
    branding_logo: str
    branding_favicon: str
    branding_custom_css: str
    branding_map_tiles: str
    branding_logo_themed_urls: ThemedUrls | None
    branding_favicon_themed_urls: ThemedUrls | None
    ui_footer_links: list[FooterLink]
    ui_theme: UiThemeEnum
    default_locale: str
    flags: CurrentBrandFlags
    flow_authentication: str = ""
    flow_user_switch: str = ""
    flow_invalidation: str = ""
    flow_recovery: str = ""
    flow_unenrollment: str = ""
    flow_user_settings: str = ""
    flow_device_code: str = ""
    flow_lockdown: str = ""
    flow_request: str = ""


def brand_for(settings: Snapshot, host: str) -> Brand:
    """The brand with the longest domain that ``host`` equals or lies under, else the default one."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    # What is remembered is made of our own brands: hosts are the caller's to invent.
    brands = settings.memo("brand.by_domain", lambda: {one.domain.lower(): one for one in settings.all(BRAND)})
    name = name.lower().removesuffix(".")
    while name:
        if name in brands:
            return brands[name]
        name = name.partition(".")[2]
    return settings.memo("brand.default", lambda: next((one for one in brands.values() if one.default), FALLBACK))


def event_reference(settings: Snapshot, host: str) -> str:
    """The brand for ``host`` as the JSON text that events carry."""
    brand = brand_for(settings, host)

    def text() -> str:
        return msgspec.json.encode(
            {
                "pk": ledger.plain_pk(brand.brand_uuid),
                "app": "authentik_brands",
                "name": f"{'Default brand' if brand.default else brand.domain}",
                "model_name": "brand",
            }
        ).decode()

    return settings.memo(("brand.event", brand.brand_uuid), text)


def themed(url: str) -> ThemedUrls | None:
    """The picture's address for each theme, when it names one (``%(theme)s``)."""
    if "%(theme)s" not in url:
        return None
    return ThemedUrls(url.replace("%(theme)s", "light"), url.replace("%(theme)s", "dark"))


async def rules(call: Call, _state: State, old: Brand | None, new: Brand) -> Brand:
    """Exactly one default."""
    others = [
        one for one in call.settings.all(BRAND) if one.default and (old is None or one.brand_uuid != old.brand_uuid)
    ]
    if new.default and others:
        raise invalid({"default": ["There can be only one default brand; another one is."]})
    return new


async def current(call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """The brand that answers for the caller's host; for everybody."""
    brand = brand_for(call.settings, call.origin.host)
    flags = installation.current(call.settings).flags
    logo, favicon = (picture.address(name) or "" for name in (brand.branding_logo, brand.branding_favicon))
    flows = {
        name: str(getattr(flow[1], "slug", ""))
        for name in CurrentBrand.__struct_fields__
        if name.startswith("flow_")
        and (pk := getattr(brand, name))
        and (flow := call.settings.find("authentik_flows.flow", pk))
    }
    return Answer(
        CurrentBrand(
            matched_domain=brand.domain,
            branding_title=brand.branding_title,
            branding_logo=logo,
            branding_favicon=favicon,
            branding_custom_css=brand.branding_custom_css,
            branding_map_tiles=brand.branding_map_tiles,
            branding_logo_themed_urls=themed(logo),
            branding_favicon_themed_urls=themed(favicon),
            ui_footer_links=[FooterLink(href, name) for name, href in installation.footer_links(call.settings)],
            ui_theme=UiThemeEnum.AUTOMATIC,
            default_locale="",
            flags=CurrentBrandFlags(flags.flows_continuous_login, flags.flows_refresh_others),
            **flows,
        )
    )


BRAND = Kind(
    model=_MODEL,
    struct=Brand,
    path="core/brands",
    title=("Brand", "Brands"),
    key="brand_uuid",
    key_name="brand_uuid",
    search=("domain", "branding_title"),
    order=("domain",),
    rules=rules,
    filters=(
        "brand_uuid",
        "domain",
        "default",
        "branding_title",
        "branding_logo",
        "branding_favicon",
        "branding_default_flow_background",
        "flow_authentication",
        "flow_invalidation",
        "flow_recovery",
        "flow_unenrollment",
        "flow_user_settings",
        "flow_device_code",
        "flow_lockdown",
        "flow_request",
        "flow_user_switch",
        "web_certificate",
        "client_certificates",
    ),
)
ACTIONS = (Action(BRAND, "GET", "current/", current, "current_retrieve", permission=None, response=CurrentBrand),)
