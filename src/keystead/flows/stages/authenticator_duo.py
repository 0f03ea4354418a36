"""Duo authenticator stage: connects a person's account with one at Duo."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret
from keystead.flows.flow import FlowRef
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.pending import Pending

COMPONENT: Final = "ak-stage-authenticator-duo"
_LATER: Final = "Keystead does not speak to Duo yet."


class AuthenticatorDuoStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up a device at Duo.

    :param configure_flow: the flow in which people set one up by themselves.
    :param friendly_name: what new devices are called.
    :param client_id: with ``client_secret`` the application that people prove themselves to.
    :param admin_integration_key: with ``admin_secret_key`` the application that imports devices.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    client_id: Text
    client_secret: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    api_hostname: Text
    admin_integration_key: str = ""
    admin_secret_key: Secret = Secret("")


class DuoResponseEnum(enum.StrEnum):
    """How far an enrolment is."""

    SUCCESS = "success"
    WAITING = "waiting"
    INVALID = "invalid"


class DuoDeviceEnrollmentStatus(msgspec.Struct):
    """How far the enrolment under way in this browser is."""

    duo_response: DuoResponseEnum


class AuthenticatorDuoStageManualDeviceImportRequest(msgspec.Struct):
    """Who has which account at Duo."""

    duo_user_id: Text
    username: Text


class AuthenticatorDuoStageDeviceImportResponse(msgspec.Struct):
    """How many devices were imported."""

    count: Annotated[int, READ_ONLY]
    error: Annotated[str, READ_ONLY]


class AuthenticatorDuoChallenge(PersonAsked, kw_only=True):
    """Asks to enrol in Duo's application."""

    component: str = COMPONENT
    activation_barcode: str
    activation_code: str
    stage_uuid: str


class AuthenticatorDuoChallengeResponse(Answered, kw_only=True):
    """Enrolled."""

    component: Text = COMPONENT


AUTHENTICATOR_DUO_STAGE = Kind(
    model="authentik_stages_authenticator_duo.authenticatorduostage",
    struct=AuthenticatorDuoStage,
    path="stages/authenticator/duo",
    title=("Duo Authenticator Setup Stage", "Duo Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-duo-form",
    shown=StageShown,
    view=view,
    filters=("api_hostname", "client_id", "configure_flow", "name"),
    stored_only=f"{_LATER} A run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_DUO_STAGE, AuthenticatorDuoChallenge, AuthenticatorDuoChallengeResponse)
ACTIONS = (
    Action(
        AUTHENTICATOR_DUO_STAGE,
        "POST",
        "{key}/enrollment_status/",
        Pending(f"{_LATER} No enrolment is ever under way."),
        "enrollment_status_create",
        permission=None,
        response=DuoDeviceEnrollmentStatus,
    ),
    Action(
        AUTHENTICATOR_DUO_STAGE,
        "POST",
        "{key}/import_device_manual/",
        Pending(f"{_LATER} No device is imported."),
        "import_device_manual_create",
        request=AuthenticatorDuoStageManualDeviceImportRequest,
        status=204,
    ),
    Action(
        AUTHENTICATOR_DUO_STAGE,
        "POST",
        "{key}/import_devices_automatic/",
        Pending(f"{_LATER} No device is imported."),
        "import_devices_automatic_create",
        response=AuthenticatorDuoStageDeviceImportResponse,
    ),
)
