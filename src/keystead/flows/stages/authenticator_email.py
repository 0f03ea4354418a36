"""E-mail authenticator stage: sets up an address to which codes are sent."""

from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret
from keystead.flows.flow import FlowRef
from keystead.flows.mail import FROM, HOST, check
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Int32, Text, Uuid
from keystead.kinds.secrets import by_secret

COMPONENT: Final = "ak-stage-authenticator-email"


class AuthenticatorEmailStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up an e-mail address as a second factor.

    :param configure_flow: the flow in which people set one up by themselves.
    :param friendly_name: what new devices are called.
    :param use_global_settings: the server is that of ``AUTHENTIK_EMAIL__*``, whatever the members below say.
    :param timeout: seconds.
    :param token_expiry: how long a code counts.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    use_global_settings: bool = False
    host: Text = HOST
    port: Int32 = 25
    username: str = ""
    password: Secret = Secret("")
    use_tls: bool = False
    use_ssl: bool = False
    timeout: Int32 = 10
    from_address: Annotated[Text, msgspec.Meta(max_length=254)] = FROM
    subject: Text = "Your sign-in code"
    token_expiry: Duration = "minutes=30"  # noqa: S105 - a length of time
    template: Text = "email/email_otp.html"


class AuthenticatorEmailChallenge(PersonAsked, kw_only=True):
    """Asks for the address, then for the code that was sent there."""

    component: str = COMPONENT
    email: str | msgspec.UnsetType | None = msgspec.UNSET
    email_required: bool = True


class AuthenticatorEmailChallengeResponse(Answered, kw_only=True):
    """The address, or the code."""

    component: Text = COMPONENT
    code: Text | msgspec.UnsetType = msgspec.UNSET
    email: Text | msgspec.UnsetType = msgspec.UNSET


AUTHENTICATOR_EMAIL_STAGE: Kind[AuthenticatorEmailStage] = Kind(
    model="authentik_stages_authenticator_email.authenticatoremailstage",
    struct=AuthenticatorEmailStage,
    path="stages/authenticator/email",
    title=("E-mail Authenticator Setup Stage", "E-mail Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-email-form",
    shown=StageShown,
    view=view,
    rules=check,
    filters=(
        "configure_flow",
        "friendly_name",
        "from_address",
        "host",
        "name",
        by_secret("password", lambda: AUTHENTICATOR_EMAIL_STAGE),
        "port",
        "subject",
        "template",
        "timeout",
        "token_expiry",
        "use_global_settings",
        "use_ssl",
        "use_tls",
        "username",
        BY_UUID,
    ),
    stored_only="No address is set up as a second factor yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_EMAIL_STAGE, AuthenticatorEmailChallenge, AuthenticatorEmailChallengeResponse)
