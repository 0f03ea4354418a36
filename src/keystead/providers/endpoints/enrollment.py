"""Enrollment token: with it a device becomes one of an agent connector's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import duration, rand
from keystead.base.secret import fingerprint
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, LINE, READ_ONLY, Column, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people.installation import settings as installation
from keystead.people.token import TokenView
from keystead.providers.endpoints.access_group import DEVICE_ACCESS_GROUP
from keystead.providers.endpoints.connector import GroupRef

_CONTEXT: Final = "enrollment-token"


class EnrollmentToken(msgspec.Struct, frozen=True, kw_only=True):
    """A key for new devices.

    :param device_group: the group that devices which come by it belong to.
    :param key_digest: SHA-256 of the key, hexadecimal.
    :param key_sealed: the key itself, sealed.
    """

    token_uuid: Annotated[Uuid, READ_ONLY, Column("id")]
    device_group: GroupRef | None = None
    connector: Annotated[Uuid, Ref("authentik_endpoints_connectors_agent.agentconnector")]
    name: Annotated[Text, LINE]
    expiring: bool = True
    expires: datetime | None = None
    key_digest: Annotated[str, HIDDEN] = ""
    key_sealed: Annotated[str, HIDDEN] = ""


class EnrollmentTokenShown(msgspec.Struct):
    """The computed members of an enrollment token."""

    device_group_obj: Annotated[dict[str, object] | None, msgspec.Meta(title="DeviceAccessGroup")]


async def view(
    call: Call, _state: State, tokens: Sequence[EnrollmentToken], _query: Mapping[str, Sequence[str]]
) -> list[EnrollmentTokenShown]:
    """The group in full."""
    found = (call.settings.get(DEVICE_ACCESS_GROUP, one.device_group) for one in tokens)
    return [EnrollmentTokenShown(msgspec.structs.asdict(group) if group else None) for group in found]


async def rules(call: Call, state: State, old: EnrollmentToken | None, new: EnrollmentToken) -> EnrollmentToken:
    """A key at the start, and an end unless it is to have none."""
    if not new.expiring:
        new = msgspec.structs.replace(new, expires=None)
    elif new.expires is None:
        life = duration.parse(installation.current(call.settings).default_token_duration)
        new = msgspec.structs.replace(new, expires=call.at + life)
    if old is not None:
        return new
    key = rand.alphanumeric(installation.current(call.settings).default_token_length)
    sealed = state.vault.seal(key, f"{_CONTEXT}/{new.token_uuid}")
    return msgspec.structs.replace(new, key_digest=fingerprint(key), key_sealed=sealed)


async def view_key(call: Call, state: State, token: EnrollmentToken, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Show the key, and write down that it was shown."""
    changes = Changes()
    told = {"secret": {"pk": token.token_uuid.replace("-", "")}}
    changes.event(call, "secret_view", ENROLLMENT_TOKEN.app, told, about=(ENROLLMENT_TOKEN, token))
    key = state.vault.open(token.key_sealed, f"{_CONTEXT}/{token.token_uuid}")
    return Answer(TokenView(key), changes=changes)


ENROLLMENT_TOKEN: Kind[EnrollmentToken] = Kind(
    model="authentik_endpoints_connectors_agent.enrollmenttoken",
    struct=EnrollmentToken,
    path="endpoints/agents/enrollment_tokens",
    title=("Enrollment Token", "Enrollment Tokens"),
    key="token_uuid",
    key_name="token_uuid",
    table=Table("enrollment_tokens"),
    shown=EnrollmentTokenShown,
    view=view,
    rules=rules,
    permissions=(("view_enrollment_token_key", "Can view the keys of enrollment tokens"),),
    search=("name",),
    order=("name",),
    filters=("connector", "token_uuid"),
    stored_only="No device can enroll with it yet.",
)
ACTIONS = (
    Action(
        ENROLLMENT_TOKEN,
        "GET",
        "{key}/view_key/",
        view_key,
        "view_key_retrieve",
        permission="authentik_endpoints_connectors_agent.view_enrollment_token_key",
        response=TokenView,
    ),
)
