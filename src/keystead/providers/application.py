"""Application: what people open from the portal and what providers speak for; policies bound to it say who may."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Protocol, runtime_checkable

import msgspec

from keystead.base.errors import invalid
from keystead.flows.flow import PolicyEngineMode
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Slug, Text, Uuid
from keystead.kinds.render import base
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import picture
from keystead.people.brand import ThemedUrls, themed

RESERVED: Final = frozenset({"authorize", "token", "device", "userinfo", "introspect", "revoke"})
"""Slugs that would hide an endpoint below ``/application/o/``."""
_HIDDEN: Final = "blank://blank"


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """Something people use.

    :param provider: what speaks for it; a provider speaks for one application at most.
    :param backchannel_providers: what works for it without a browser (provisioning).
    :param meta_launch_url: where it is opened; may hold ``%(username)s`` and other members of the user.
    :param meta_icon: an address, a path, or the name of an uploaded file; may hold ``%(theme)s``.
    :param meta_hide: left out of the portal though the person may use it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Text
    slug: Annotated[Slug, UNIQUE]
    provider: Annotated[int, Ref("providers", OnDelete.SET_NULL)] | None = None
    backchannel_providers: tuple[Annotated[int, Ref("providers", OnDelete.CASCADE_MANY)], ...] = ()
    open_in_new_tab: bool = False
    meta_launch_url: str = ""
    meta_icon: str = ""
    meta_description: str = ""
    meta_publisher: str = ""
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    group: str = ""
    meta_hide: bool = False


ProviderShown = Annotated[dict[str, object], msgspec.Meta(title="Provider")]
"""A provider in short, whatever its type."""


class ApplicationShown(msgspec.Struct):
    """The computed members of an application."""

    pbm_uuid: Uuid
    provider_obj: ProviderShown | None
    backchannel_providers_obj: list[ProviderShown]
    launch_url: str | None
    meta_icon_url: str | None
    meta_icon_themed_urls: ThemedUrls | None


@runtime_checkable
class Launches(Protocol):
    """A provider that knows where its application is opened."""

    @property
    def launch_url(self) -> str:
        """The address, or empty."""


class Assigned(msgspec.Struct):
    """The computed members of every provider: for whom it speaks."""

    assigned_application_slug: str | None
    assigned_application_name: str | None
    assigned_backchannel_application_slug: str | None
    assigned_backchannel_application_name: str | None


def of_provider(settings: Snapshot, pk: int) -> Application | None:
    """The application that the provider with this key speaks for."""
    return settings.by(APPLICATION, "provider", pk)


def assigned(settings: Snapshot, pk: int) -> Assigned:
    """For whom the provider with this key speaks, in front and behind."""

    def behind() -> dict[int, Application]:
        return {key: one for one in reversed(settings.all(APPLICATION)) for key in one.backchannel_providers}

    front = of_provider(settings, pk)
    back = settings.memo("applications.backchannel", behind).get(pk)
    return Assigned(
        front.slug if front else None,
        front.name if front else None,
        back.slug if back else None,
        back.name if back else None,
    )


def launch_url(settings: Snapshot, application: Application, person: Mapping[str, object]) -> str | None:
    """Where ``application`` is opened, with the person's members filled in; None when nowhere.

    :param person: what placeholders stand for: ``username``, ``email``, ``name`` … A placeholder that is not among them
        stays as it is.
    """
    if application.meta_launch_url == _HIDDEN:
        return None
    if application.meta_launch_url:
        return _filled(application.meta_launch_url, person)
    found = settings.find("providers", application.provider) if application.provider else None
    if found and isinstance(found[1], Launches):
        return found[1].launch_url or None
    return None


def _filled(url: str, person: Mapping[str, object]) -> str:
    for name, value in person.items():
        url = url.replace(f"%({name})s", str(value))
    return url


def icon_url(application: Application) -> str | None:
    """The address of the application's picture."""
    return picture.address(application.meta_icon)


def for_links(call: Call) -> dict[str, object]:
    """What placeholders in the caller's own launch addresses stand for."""
    actor = call.actor
    return {"username": actor.username, "email": actor.email, "name": actor.name, "uuid": actor.uuid, "pk": actor.pk}


async def view(
    call: Call, state: State, applications: Sequence[Application], _query: Mapping[str, Sequence[str]]
) -> list[ApplicationShown]:
    """Providers in short, and the addresses as the caller would open them."""
    shown = []
    for one in applications:
        icon = icon_url(one)
        front = await _short(call, state, (one.provider,) if one.provider else ())
        shown.append(
            ApplicationShown(
                pbm_uuid=one.pk,
                provider_obj=front[0] if front else None,
                backchannel_providers_obj=await _short(call, state, one.backchannel_providers),
                launch_url=launch_url(call.settings, one, for_links(call)),
                meta_icon_url=icon,
                meta_icon_themed_urls=themed(icon) if icon else None,
            )
        )
    return shown


async def _short(call: Call, state: State, keys: Iterable[int]) -> list[dict[str, object]]:
    found = (call.settings.find("providers", pk) for pk in keys)
    return [await base(call, state, *one) for one in found if one]


async def rules(call: Call, _state: State, _old: Application | None, new: Application) -> Application:
    """No slug that hides an endpoint, no provider shared, no address that runs script."""
    if new.slug.lower() in RESERVED:
        raise invalid({"slug": ["This name belongs to an endpoint; choose another one."]})
    holder = of_provider(call.settings, new.provider) if new.provider else None
    if holder and holder.pk != new.pk:
        raise invalid({"provider": ["Application with this provider already exists."]})
    for member in ("meta_launch_url", "meta_icon"):
        if (fault := picture.fault(getattr(new, member))) is not None:
            raise invalid({member: [fault]})
    return new


APPLICATION: Kind[Application] = Kind(
    model="authentik_core.application",
    struct=Application,
    path="core/applications",
    title=("Application", "Applications"),
    key="slug",
    key_name="slug",
    shown=ApplicationShown,
    view=view,
    rules=rules,
    search=("name", "slug", "meta_launch_url", "meta_description", "meta_publisher", "group"),
    order=("name",),
    filters=(
        "name",
        "slug",
        "meta_launch_url",
        "meta_description",
        "meta_publisher",
        "group",
        # Policies decide about these, so the list looks at them after paging: see access.narrow.
        Filter("for_user", int, note="What this user may use."),
        Filter("only_with_launch_url", bool, note="Leave out what cannot be opened."),
        Filter("superuser_full_list", bool, note="For superusers: all of them, whatever policies say."),
    ),
    bindable=True,
)
