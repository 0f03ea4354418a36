"""Identification stage: who are you? A name, perhaps a password with it, or somebody else who vouches."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.flows.challenge import application, flow_path
from keystead.flows.flow import FLOW, FlowDesignationEnum, FlowRef
from keystead.flows.outside import LoginSource
from keystead.flows.password_check import PASSWORD_STAGE, PROOFS, WRONG, check, embedded, failure, tries
from keystead.flows.schema import Answered, Asked, CaptchaChallenge, Unset
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import GENERAL, Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage, text
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, OnDelete, Ref, Text, Uuid
from keystead.people.finding import by_identifier
from keystead.people.user import User

COMPONENT: Final = "ak-stage-identification"
LONGEST: Final = 255
"""Characters in an identifier; nobody has a longer one."""


class UserFieldsEnum(enum.StrEnum):
    """By what a person may be named."""

    EMAIL = "email"
    USERNAME = "username"
    UPN = "upn"


class IdentificationStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks who the visitor is.

    :param user_fields: by what people may be named; empty: only through sources.
    :param password_stage: asks for the password on the same page, by that stage's rules.
    :param show_matched_user: the following stages show the account that was found. It has effect only without
        ``pretend_user_exists``, because it tells whether there is one.
    :param pretend_user_exists: an unknown name goes on to the password all the same.
    :param enable_remember_me: pages may offer to remember the name on this device.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    user_fields: tuple[UserFieldsEnum, ...] = ()
    password_stage: Annotated[Uuid, Ref(PASSWORD_STAGE, OnDelete.SET_NULL)] | None = None
    captcha_stage: Annotated[Uuid, Ref("authentik_stages_captcha.captchastage", OnDelete.SET_NULL)] | None = None
    case_insensitive_matching: bool = True
    show_matched_user: bool = True
    enrollment_flow: FlowRef | None = None
    recovery_flow: FlowRef | None = None
    passwordless_flow: FlowRef | None = None
    sources: tuple[Annotated[Uuid, Ref("sources", OnDelete.CASCADE_MANY)], ...] = ()
    show_source_labels: bool = False
    pretend_user_exists: bool = True
    enable_remember_me: bool = False
    webauthn_stage: (
        Annotated[
            Uuid,
            Ref("authentik_stages_authenticator_validate.authenticatorvalidatestage", OnDelete.SET_NULL),
        ]
        | None
    ) = None


class IdentificationChallenge(Asked, kw_only=True):
    """Asks for a name, perhaps with the password, or offers others who vouch."""

    component: str = COMPONENT
    user_fields: list[str] | None
    pending_user_identifier: str | Unset | None = msgspec.UNSET
    password_fields: bool
    allow_show_password: bool = False
    application_pre: str | Unset = msgspec.UNSET
    application_pre_launch: str | Unset = msgspec.UNSET
    flow_designation: FlowDesignationEnum
    captcha_stage: CaptchaChallenge | Unset | None = msgspec.UNSET
    enroll_url: str | Unset = msgspec.UNSET
    recovery_url: str | Unset = msgspec.UNSET
    passwordless_url: str | Unset = msgspec.UNSET
    primary_action: str
    sources: list[LoginSource] | Unset = msgspec.UNSET
    show_source_labels: bool
    enable_remember_me: bool = True
    passkey_challenge: Json | Unset | None = msgspec.UNSET


class IdentificationChallengeResponse(Answered, kw_only=True):
    """The name, and what else was asked for with it."""

    component: Text = COMPONENT
    uid_field: str | Unset | None = msgspec.UNSET
    password: str | Unset | None = msgspec.UNSET
    captcha_token: str | Unset | None = msgspec.UNSET
    passkey: Json | Unset | None = msgspec.UNSET


async def ask(run: Run[IdentificationStage]) -> Challenge | Outcome:
    """The form; or, where the only way in is one source, that source at once."""
    stage = run.stage
    options = await run.ports.options(run.call, run.state, stage.sources) if stage.sources else ()
    if not stage.user_fields and len(options) == 1:
        members = dict(options[0].challenge)
        return Challenge(str(members.pop("component")), members)
    checks = embedded(run.call.settings, stage.password_stage) if stage.password_stage else None
    designation = run.flow.designation
    members = {
        "user_fields": [field.value for field in stage.user_fields],
        "pending_user_identifier": run.context.get("pending_user_identifier"),
        "password_fields": stage.password_stage is not None,
        "allow_show_password": checks is not None and checks.allow_show_password,
        "flow_designation": designation.value,
        "captcha_stage": None,
        "primary_action": "Log in" if designation is FlowDesignationEnum.AUTHENTICATION else "Continue",
        "sources": [msgspec.to_builtins(option) for option in options],
        "show_source_labels": stage.show_source_labels,
        "enable_remember_me": stage.enable_remember_me,
        "passkey_challenge": None,
    }
    if (asking := application(run.call, run.context)) is not None:
        members["application_pre"] = asking.name
        if asking.meta_launch_url and "%(" not in asking.meta_launch_url:
            members["application_pre_launch"] = asking.meta_launch_url
    for member, pk in (
        ("enroll_url", stage.enrollment_flow),
        ("recovery_url", stage.recovery_flow),
        ("passwordless_url", stage.passwordless_flow),
    ):
        if (flow := run.call.settings.get(FLOW, pk)) is not None:
            members[member] = flow_path(run.call, flow.slug, run.visitor.query)
    return Challenge(COMPONENT, members)


async def answer(run: Run[IdentificationStage], body: Body) -> Outcome:
    """Find the person, and check their password where it is asked for on the same page."""
    stage = run.stage
    typed = text(body, "uid_field").strip()
    if not typed or not stage.user_fields:
        return Again({GENERAL: [Error("Enter your name here, or choose another way in.", "required")]})
    if stage.captcha_stage is not None:
        return Deny("This step asks for a captcha, which this version of Keystead cannot check.")
    # Nobody has a longer name; what is cut off would only be kept and shown again.
    typed = typed[: LONGEST + 1]
    user = None
    if len(typed) <= LONGEST:
        user = await by_identifier(
            run.state, stage.user_fields, typed, case_insensitive=stage.case_insensitive_matching
        )
    if stage.password_stage is not None:
        return await _with_password(run, typed, user, text(body, "password"))
    if user is None and not stage.pretend_user_exists:
        return Again(
            {GENERAL: [Error("Nobody goes by this name here.")]},
            failure(run, IDENTIFICATION_STAGE, typed, tried=False),
        )
    return _named(run, typed, user)


async def _with_password(run: Run[IdentificationStage], typed: str, user: User | None, given: str) -> Outcome:
    if not given:
        return Again({"password": [Error("Enter your password.", "required")]})
    checks = embedded(run.call.settings, run.stage.password_stage or "")
    if checks is None:
        return Deny("This step asks for a password and no longer knows how to check it.")
    proof = await check(run.call, run.state, user, given, checks.backends)
    if proof is None:
        return Again({GENERAL: [Error(WRONG)]}, _failure(run, typed, user))
    named = _named(run, typed, user)
    return Done({**named.context, **proof.context}, forget=named.forget, changes=proof.changes, user=user)


def _named(run: Run[IdentificationStage], typed: str, user: User | None) -> Done:
    """Go on with ``user``, or with nobody behind the name; what another person proved does not count for this one."""
    context: dict[str, object] = {"pending_user_identifier": typed}
    if user is not None:
        context["pending_user"] = user.pk
        if run.stage.show_matched_user and not run.stage.pretend_user_exists:
            context["matched_user"] = user.pk
    return Done(context, forget=(*PROOFS, "pending_user", "matched_user"), user=user)


def _failure(run: Run[IdentificationStage], typed: str, user: User | None) -> Changes:
    return failure(run, IDENTIFICATION_STAGE, typed, user=user)


def _tries(run: Run[IdentificationStage], body: Body) -> int:
    checks = embedded(run.call.settings, run.stage.password_stage) if run.stage.password_stage else None
    return tries(checks) if checks and text(body, "password") and text(body, "uid_field").strip() else 0


IDENTIFICATION_STAGE = Kind(
    model="authentik_stages_identification.identificationstage",
    struct=IdentificationStage,
    path="stages/identification",
    title=("Identification Stage", "Identification Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-identification-form",
    shown=StageShown,
    view=view,
    filters=(
        "captcha_stage",
        "case_insensitive_matching",
        "enrollment_flow",
        "name",
        "password_stage",
        "passwordless_flow",
        "recovery_flow",
        "show_matched_user",
        "show_source_labels",
        "webauthn_stage",
    ),
)
STAGE = Stage(
    IDENTIFICATION_STAGE,
    ask,
    answer,
    component=COMPONENT,
    tries=_tries,
    challenge=IdentificationChallenge,
    response=IdentificationChallengeResponse,
)
