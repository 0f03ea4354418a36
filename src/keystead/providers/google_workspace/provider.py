"""GoogleWorkspaceProvider: a Google Workspace directory that is told of our users and groups."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret, fingerprint
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import HIDDEN, READ_ONLY, UNIQUE, WRITE_ONLY, Duration, Email, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers.application import Assigned, assigned
from keystead.providers.outgoing.links import SCHEDULED, OutgoingSyncDeleteAction

_MAPPINGS: Final = Ref("propertymappings", OnDelete.CASCADE_MANY)
_SCOPES: Final = ",".join(
    f"https://www.googleapis.com/auth/admin.directory.{part}"
    for part in ("user", "group", "group.member", "domain.readonly")
)
_SEALED: Final = "sealed"


class GoogleWorkspaceProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A directory that is told of users and groups.

    :param property_mappings: what it is told of a user.
    :param property_mappings_group: what it is told of a group.
    :param delegated_subject: the administrator in whose name we act.
    :param credentials: the service account's key file. What is kept here is only its fingerprint.
    :param credentials_text: the key file itself, as JSON text.
    :param scopes: what we ask for, parted by commas.
    :param exclude_users_service_account: leave service accounts out.
    :param filter_group: only members of this group; none: all.
    :param default_group_email_domain: the domain of groups' addresses.
    :param sync_page_size: objects a step of a run.
    :param sync_page_timeout: how long a step may take.
    :param dry_run: tell what would be written, and write nothing.
    :param discovery_enabled: look for objects that are there already, before making new ones.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    property_mappings: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    property_mappings_group: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    delegated_subject: Annotated[Email, msgspec.Meta(min_length=1)]
    credentials: Annotated[Json, WRITE_ONLY]
    credentials_text: Annotated[Secret, HIDDEN] = Secret("{}")
    scopes: Text = _SCOPES
    exclude_users_service_account: bool = False
    filter_group: Annotated[Uuid, Ref("authentik_core.group", OnDelete.SET_NULL, gives=False)] | None = None
    user_delete_action: OutgoingSyncDeleteAction = OutgoingSyncDeleteAction.DELETE
    group_delete_action: OutgoingSyncDeleteAction = OutgoingSyncDeleteAction.DELETE
    default_group_email_domain: Text
    sync_page_size: Annotated[int, msgspec.Meta(ge=1, le=2147483647)] = 100
    sync_page_timeout: Duration = "minutes=30"
    dry_run: bool = False
    discovery_enabled: bool = True


class GoogleWorkspaceProviderShown(Assigned):
    """The computed members of a Google Workspace provider.

    :param credentials: the key file, for those who may change the provider; empty for others.
    """

    credentials: Json


async def view(
    call: Call, _state: State, providers: Sequence[GoogleWorkspaceProvider], _query: Mapping[str, Sequence[str]]
) -> list[GoogleWorkspaceProviderShown]:
    """For which applications they work, and the credentials for whom they concern."""
    return [
        GoogleWorkspaceProviderShown(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            credentials=_opened(one) if may(call, GOOGLE_WORKSPACE_PROVIDER, "change", one) else {},
        )
        for one in providers
    ]


def _opened(provider: GoogleWorkspaceProvider) -> Json:
    found: Json = msgspec.json.decode(provider.credentials_text.reveal(), type=dict[str, object])
    return found


async def rules(
    _call: Call, _state: State, old: GoogleWorkspaceProvider | None, new: GoogleWorkspaceProvider
) -> GoogleWorkspaceProvider:
    """The key file moves to where it is kept sealed; a fingerprint stays in its place and tells whether it changed."""
    if old is not None and new.credentials == old.credentials:
        return new
    text = msgspec.json.encode(new.credentials, order="sorted").decode()
    return msgspec.structs.replace(
        new, credentials={_SEALED: fingerprint(f"{new.pk}/{text}")}, credentials_text=Secret(text)
    )


GOOGLE_WORKSPACE_PROVIDER: Kind[GoogleWorkspaceProvider] = Kind(
    model="authentik_providers_google_workspace.googleworkspaceprovider",
    struct=GoogleWorkspaceProvider,
    path="providers/google_workspace",
    title=("Google Workspace Provider", "Google Workspace Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-google-workspace-form",
    shown=GoogleWorkspaceProviderShown,
    view=view,
    rules=rules,
    filters=("delegated_subject", "exclude_users_service_account", "filter_group", "name"),
    stored_only=SCHEDULED,
)
