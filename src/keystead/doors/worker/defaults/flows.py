"""Default flows with their stages, bindings and policies."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from keystead.base import rand
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.flows.password_check import BackendsEnum
from keystead.flows.prompt import Prompt, PromptTypeEnum
from keystead.flows.stages.consent import ConsentModeEnum, ConsentStage
from keystead.flows.stages.identification import IdentificationStage, UserFieldsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.flows.stages.prompt import PromptStage
from keystead.flows.stages.user_login import UserLoginStage
from keystead.flows.stages.user_logout import UserLogoutStage
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from keystead.policies.password import PasswordPolicy

T = TypeVar("T", bound=msgspec.Struct)
ASKED_ALREADY: Final = """
# The page that asked for the name may have asked for the password too; then there is nothing left to ask.
return "user_backend" not in context
"""
IS_SSO: Final = """
# Only for people who come from another provider.
return ak_is_sso_flow
"""
USERNAME_MISSING: Final = """
# The other provider may have told the username already.
return not context.get("prompt_data", {}).get("username")
"""
SETTINGS_ALLOWED: Final = """
# What people may change about themselves; an administrator can allow more here.
data = context.get("prompt_data", {})
if data.get("username", request.user.username) != request.user.username:
    ak_message("Your username can only be changed by an administrator.")
    return False
if data.get("email", request.user.email) != request.user.email:
    ak_message("Your e-mail address can only be changed by an administrator.")
    return False
return True
"""
SETUP_OPEN: Final = """
# The first administrator is set up once: as long as akadmin has no password.
first = ak_user_by(username="akadmin")
return first is not None and not first.has_usable_password()
"""
SETUP_USER: Final = """
# This flow writes to the first administrator and to nobody else, and only as long as they have no password.
first = ak_user_by(username="akadmin")
return first is not None and not first.has_usable_password()
"""


class _Flows:
    """The objects as they are put together; every method gives the new object back."""

    def __init__(self) -> None:
        self.objects: list[msgspec.Struct] = []

    def add(self, obj: T) -> T:
        """Keep ``obj``."""
        self.objects.append(obj)
        return obj

    def flow(self, slug: str, title: str, designation: str, authentication: str = "none") -> Flow:
        """A flow."""
        return self.add(
            Flow(
                pk=rand.uuid4(),
                slug=slug,
                name=title.replace("%(app)s", "an application"),
                title=title,
                designation=FlowDesignationEnum(designation),
                authentication=AuthenticationEnum(authentication),
            )
        )

    def bind(self, flow: Flow, *stages: tuple[msgspec.Struct, int]) -> list[FlowStageBinding]:
        """Stages into a flow, each at its place."""
        return [
            self.add(
                FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=str(getattr(stage, "pk", "")), order=order)
            )
            for stage, order in stages
        ]

    def policy(self, name: str, expression: str, *targets: str) -> ExpressionPolicy:
        """An expression policy, bound to ``targets``."""
        made = self.add(ExpressionPolicy(pk=rand.uuid4(), name=name, expression=expression.strip()))
        for target in targets:
            self.add(PolicyBinding(pk=rand.uuid4(), policy=made.pk, target=target, order=0))
        return made

    def prompt(  # noqa: PLR0913 - a field has this many independent parts
        self,
        name: str,
        key: str,
        label: str,
        kind: str,
        order: int,
        *,
        required: bool = True,
        initial: str = "",
        expression: bool = False,
        placeholder: str = "",
    ) -> str:
        """A prompt field; gives its key back."""
        return self.add(
            Prompt(
                pk=rand.uuid4(),
                name=name,
                field_key=key,
                label=label,
                type=PromptTypeEnum(kind),
                order=order,
                required=required,
                initial_value=initial,
                initial_value_expression=expression,
                placeholder=placeholder or (label if kind not in {"static", "separator"} else ""),
            )
        ).pk


def flows() -> Sequence[msgspec.Struct]:
    """Every default flow and what belongs to it."""
    made = _Flows()
    change = _password_change(made)
    login = _authentication(made, change)
    _invalidation(made)
    _authorization(made)
    _sources(made)
    _user_settings(made)
    _initial_setup(made, login, change)
    return made.objects


def _password_change(made: _Flows) -> tuple[Flow, UserWriteStage]:
    flow = made.flow("default-password-change", "Change your password", "stage_configuration", "require_authenticated")
    fields = (
        made.prompt("default-password-change-field-password", "password", "New password", "password", 300),
        made.prompt(
            "default-password-change-field-password-repeat", "password_repeat", "New password again", "password", 301
        ),
    )
    long = made.add(PasswordPolicy(pk=rand.uuid4(), name="default-password-change-password-policy", length_min=8))
    # Where it is asked for, not where it is written: there a policy's no would leave the writing out without a word.
    ask = made.add(
        PromptStage(
            pk=rand.uuid4(), name="default-password-change-prompt", fields=fields, validation_policies=(long.pk,)
        )
    )
    write = made.add(
        UserWriteStage(
            pk=rand.uuid4(),
            name="default-password-change-write",
            user_creation_mode=UserCreationModeEnum.NEVER_CREATE,
        )
    )
    made.bind(flow, (ask, 0), (write, 1))
    return flow, write


def _authentication(made: _Flows, change: tuple[Flow, UserWriteStage]) -> UserLoginStage:
    flow = made.flow("default-authentication-flow", "Sign in", "authentication")
    password = made.add(
        PasswordStage(
            pk=rand.uuid4(),
            name="default-authentication-password",
            backends=(BackendsEnum.INBUILT, BackendsEnum.LDAP, BackendsEnum.KERBEROS, BackendsEnum.TOKEN),
            configure_flow=change[0].pk,
        )
    )
    who = made.add(
        IdentificationStage(
            pk=rand.uuid4(),
            name="default-authentication-identification",
            user_fields=(UserFieldsEnum.EMAIL, UserFieldsEnum.USERNAME),
        )
    )
    login = made.add(UserLoginStage(pk=rand.uuid4(), name="default-authentication-login"))
    bound = made.bind(flow, (who, 10), (password, 20), (login, 100))
    made.policy("default-authentication-flow-password-stage", ASKED_ALREADY, bound[1].pk)
    return login


def _invalidation(made: _Flows) -> None:
    flow = made.flow("default-invalidation-flow", "Sign out", "invalidation")
    made.bind(flow, (made.add(UserLogoutStage(pk=rand.uuid4(), name="default-invalidation-logout")), 0))
    made.flow("default-provider-invalidation-flow", "You have left %(app)s", "invalidation")


def _authorization(made: _Flows) -> None:
    explicit = made.flow(
        "default-provider-authorization-explicit-consent", "On to %(app)s", "authorization", "require_authenticated"
    )
    consent = made.add(
        ConsentStage(pk=rand.uuid4(), name="default-provider-authorization-consent", mode=ConsentModeEnum.EXPIRING)
    )
    made.bind(explicit, (consent, 0))
    made.flow(
        "default-provider-authorization-implicit-consent", "On to %(app)s", "authorization", "require_authenticated"
    )


def _sources(made: _Flows) -> None:
    back = made.flow("default-source-authentication", "Welcome back", "authentication", "require_unauthenticated")
    made.bind(back, (made.add(UserLoginStage(pk=rand.uuid4(), name="default-source-authentication-login")), 0))
    made.policy("default-source-authentication-if-sso", IS_SSO, back.pk)
    enroll = made.flow("default-source-enrollment", "Welcome! One thing is missing", "enrollment")
    fields = (made.prompt("default-source-enrollment-field-username", "username", "Username", "username", 100),)
    ask = made.add(PromptStage(pk=rand.uuid4(), name="default-source-enrollment-prompt", fields=fields))
    write = made.add(
        UserWriteStage(
            pk=rand.uuid4(),
            name="default-source-enrollment-write",
            user_creation_mode=UserCreationModeEnum.ALWAYS_CREATE,
            create_users_as_inactive=False,  # the stage behind it signs them in
        )
    )
    login = made.add(UserLoginStage(pk=rand.uuid4(), name="default-source-enrollment-login"))
    bound = made.bind(enroll, (ask, 0), (write, 1), (login, 2))
    made.policy("default-source-enrollment-if-sso", IS_SSO, enroll.pk)
    made.policy("default-source-enrollment-if-username", USERNAME_MISSING, bound[0].pk)
    made.flow("default-source-pre-authentication", "One moment", "stage_configuration")


def _user_settings(made: _Flows) -> None:
    flow = made.flow("default-user-settings-flow", "Your settings", "stage_configuration", "require_authenticated")
    fields = (
        made.prompt(
            "default-user-settings-field-username",
            "username",
            "Username",
            "username",
            200,
            initial="return user.username",
            expression=True,
        ),
        made.prompt(
            "default-user-settings-field-name", "name", "Name", "text", 201, initial="return user.name", expression=True
        ),
        made.prompt(
            "default-user-settings-field-email",
            "email",
            "E-mail",
            "email",
            202,
            initial="return user.email",
            expression=True,
        ),
        made.prompt(
            "default-user-settings-field-locale",
            "attributes.settings.locale",
            "Language",
            "ak-locale",
            203,
            required=False,
            initial='return user.attributes.get("settings", {}).get("locale", "")',
            expression=True,
        ),
    )
    allowed = made.policy("default-user-settings-authorization", SETTINGS_ALLOWED)
    ask = made.add(
        PromptStage(pk=rand.uuid4(), name="default-user-settings", fields=fields, validation_policies=(allowed.pk,))
    )
    write = made.add(
        UserWriteStage(
            pk=rand.uuid4(),
            name="default-user-settings-write",
            user_creation_mode=UserCreationModeEnum.NEVER_CREATE,
        )
    )
    made.bind(flow, (ask, 20), (write, 100))


def _initial_setup(made: _Flows, login: UserLoginStage, change: tuple[Flow, UserWriteStage]) -> None:
    flow = made.flow("initial-setup", "Welcome to Keystead", "stage_configuration")
    fields = (
        made.prompt(
            "initial-setup-field-header",
            "header",
            "Your account",
            "static",
            100,
            required=False,
            initial="It is called akadmin and may do everything. Choose a password; you need it to sign in again.",
        ),
        made.prompt("initial-setup-field-email", "email", "E-mail", "email", 101),
        made.prompt("initial-setup-field-password", "password", "Password", "password", 300),
        made.prompt("initial-setup-field-password-repeat", "password_repeat", "Password again", "password", 301),
    )
    ask = made.add(PromptStage(pk=rand.uuid4(), name="stage-default-oobe-password", fields=fields))
    bound = made.bind(flow, (ask, 10), (change[1], 20), (login, 100))
    made.policy("default-oobe-password-usable", SETUP_OPEN, flow.pk)
    made.policy("default-oobe-prefill-user", SETUP_USER, bound[1].pk)
