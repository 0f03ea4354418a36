"""E-mail stage: sends the person a link that leads back into the run."""

from typing import Annotated, Final

import msgspec

from keystead.base.secret import Secret
from keystead.flows.mail import FROM, HOST, check, templates
from keystead.flows.schema import Answered, Asked
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Int32, Text, Uuid
from keystead.people.event import TypeCreate

COMPONENT: Final = "ak-stage-email"


class EmailStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sends a link by e-mail.

    :param use_global_settings: the server is that of ``AUTHENTIK_EMAIL__*``, whatever the members below say.
    :param timeout: seconds.
    :param token_expiry: how long a link works.
    :param activate_user_on_success: whoever opens the link is made active.
    :param recovery_max_attempts: how many messages somebody may ask for within ``recovery_cache_timeout``.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    use_global_settings: bool = False
    host: Text = HOST
    port: Int32 = 25
    username: str = ""
    password: Secret = Secret("")
    use_tls: bool = False
    use_ssl: bool = False
    timeout: Int32 = 10
    from_address: Annotated[Text, msgspec.Meta(max_length=254)] = FROM
    token_expiry: Duration = "minutes=30"  # noqa: S105 - a length of time
    subject: Text = "Keystead"
    template: Text = "email/password_reset.html"
    activate_user_on_success: bool = False
    recovery_max_attempts: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 5
    recovery_cache_timeout: Duration = "minutes=5"


class EmailChallenge(Asked, kw_only=True):
    """Says that a message is on its way."""

    component: str = COMPONENT


class EmailChallengeResponse(Answered, kw_only=True):
    """Send it again."""

    component: Text = COMPONENT


EMAIL_STAGE = Kind(
    model="authentik_stages_email.emailstage",
    struct=EmailStage,
    path="stages/email",
    title=("Email Stage", "Email Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-email-form",
    shown=StageShown,
    view=view,
    rules=check,
    filters=(
        "activate_user_on_success",
        "from_address",
        "host",
        "name",
        "port",
        "subject",
        "template",
        "timeout",
        "token_expiry",
        "use_global_settings",
        "use_ssl",
        "use_tls",
        "username",
    ),
    stored_only="A run that reaches the stage is denied; users are mailed recovery links by it on request.",
)
STAGE = not_built(EMAIL_STAGE, EmailChallenge, EmailChallengeResponse)
ACTIONS = (Action(EMAIL_STAGE, "GET", "templates/", templates, "templates_list", "view", response=list[TypeCreate]),)
