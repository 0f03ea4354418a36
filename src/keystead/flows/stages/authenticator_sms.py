"""SMS authenticator stage: sets up a telephone number to which codes are sent."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret
from keystead.flows.flow import FlowRef
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.secrets import by_secret

COMPONENT: Final = "ak-stage-authenticator-sms"


class ProviderEnum(enum.StrEnum):
    """Who sends the messages."""

    TWILIO = "twilio"
    GENERIC = "generic"


class AuthTypeEnum(enum.StrEnum):
    """How a generic sender is told who asks."""

    BASIC = "basic"
    BEARER = "bearer"


class AuthenticatorSMSStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up a telephone number as a second factor.

    :param configure_flow: the flow in which people set one up by themselves.
    :param friendly_name: what new devices are called.
    :param account_sid: the account at Twilio; for a generic sender its address.
    :param auth: the token at Twilio; for a generic sender the user name or the bearer token.
    :param auth_password: the password for ``basic``.
    :param verify_only: of the number only a digest is kept.
    :param mapping: makes the message to a generic sender.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    provider: ProviderEnum
    from_number: Text
    account_sid: Text
    auth: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    auth_password: Secret = Secret("")
    auth_type: AuthTypeEnum = AuthTypeEnum.BASIC
    verify_only: bool = False
    mapping: Annotated[Uuid, Ref("authentik_events.notificationwebhookmapping", OnDelete.SET_NULL)] | None = None


class AuthenticatorSMSChallenge(PersonAsked, kw_only=True):
    """Asks for the number, then for the code that was sent there."""

    component: str = COMPONENT
    phone_number_required: bool = True


class AuthenticatorSMSChallengeResponse(Answered, kw_only=True):
    """The number, or the code."""

    component: Text = COMPONENT
    code: Text | msgspec.UnsetType = msgspec.UNSET
    phone_number: Text | msgspec.UnsetType = msgspec.UNSET


AUTHENTICATOR_SMS_STAGE: Kind[AuthenticatorSMSStage] = Kind(
    model="authentik_stages_authenticator_sms.authenticatorsmsstage",
    struct=AuthenticatorSMSStage,
    path="stages/authenticator/sms",
    title=("SMS Authenticator Setup Stage", "SMS Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-sms-form",
    shown=StageShown,
    view=view,
    filters=(
        "account_sid",
        by_secret("auth", lambda: AUTHENTICATOR_SMS_STAGE),
        by_secret("auth_password", lambda: AUTHENTICATOR_SMS_STAGE),
        "auth_type",
        "configure_flow",
        "friendly_name",
        "from_number",
        "mapping",
        "name",
        "provider",
        "verify_only",
        BY_UUID,
    ),
    stored_only="No telephone number is set up as a second factor yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_SMS_STAGE, AuthenticatorSMSChallenge, AuthenticatorSMSChallengeResponse)
