"""Duo authenticator stage: connects a person's account with one at Duo."""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from keystead.base import outbound, rand
from keystead.base.errors import Problem, invalid
from keystead.base.secret import Secret
from keystead.flows import duo
from keystead.flows.challenge import pending
from keystead.flows.flow import FlowDesignationEnum, FlowRef
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import GENERAL, Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.people import session
from keystead.people.devices.duo import DUO_DEVICE, DuoDevice
from keystead.people.finding import by_username
from keystead.people.power import check_all
from keystead.people.user import USER, User

COMPONENT: Final = "ak-stage-authenticator-duo"
CONTEXT: Final = "duo_enrolment"
"""Where a run keeps what is under way: an :class:`UnderWay` as JSON."""
_NAME: Final = 64
_UNPROVEN: Final = "Sign in before you connect your account with Duo."
_BE_YOURSELF: Final = "Be yourself first: nobody gets a device while somebody acts as somebody else."
_SILENT: Final = "Duo, which this step needs, does not answer as it should. Try again later."


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


class UnderWay(msgspec.Struct, frozen=True):
    """An enrolment that somebody has begun.

    :param stage: the stage's pk.
    :param user: whose it is.
    """

    stage: str
    user: int
    made: duo.Enrolment


def under_way(call: Call, stage: AuthenticatorDuoStage, context: Mapping[str, object]) -> UnderWay | None:
    """What a run with this context keeps for ``stage``, as long as it can be taken up."""
    kept = context.get(CONTEXT)
    found = msgspec.convert(kept, UnderWay) if kept else None
    if found is None or found.stage != stage.pk:
        return None
    return found if datetime.fromtimestamp(found.made.expiration, UTC) > call.at else None


def _whose(run: Run[AuthenticatorDuoStage]) -> User | Deny:
    """Whose account is connected: nobody connects one that is not theirs; an enrolment has just made it."""
    if run.user is None or not (run.proven or run.flow.designation is FlowDesignationEnum.ENROLLMENT):
        return Deny(_UNPROVEN)
    here = run.visitor.session
    return Deny(_BE_YOURSELF) if here is not None and session.impersonator(here) else run.user


async def ask(run: Run[AuthenticatorDuoStage]) -> Challenge | Outcome:
    """Show what Duo's application is to read; begin at Duo, unless this run has."""
    user = _whose(run)
    if isinstance(user, Deny):
        return user
    found = under_way(run.call, run.stage, run.context)
    keep: dict[str, object] = {}
    if found is None or found.user != user.pk:
        names = (user.username, f"{user.username}-{rand.hex128()[:8]}")
        try:
            made = await duo.enrol(run.state.outbound, duo.application(run.stage), run.call.at, *names)
        except duo.DuoError as exc:
            return _silent(run, exc)
        found = UnderWay(run.stage.pk, user.pk, made)
        keep[CONTEXT] = msgspec.to_builtins(found)
    shown = {"activation_barcode": found.made.activation_barcode, "activation_code": found.made.activation_code}
    return Challenge(COMPONENT, {**pending(run), **shown, "stage_uuid": run.stage.pk}, keep=keep)


def _silent(run: Run[AuthenticatorDuoStage], exc: duo.DuoError) -> Deny:
    return Deny(f"{_SILENT} ({exc.reason})" if run.call.actor.is_superuser else _SILENT)


async def answer(run: Run[AuthenticatorDuoStage], _body: Body) -> Outcome:
    """Make the device, once Duo says that its application has read the code."""
    user = _whose(run)
    if isinstance(user, Deny):
        return user
    found = under_way(run.call, run.stage, run.context)
    if found is None or found.user != user.pk:
        return Deny("This code does not count any more. Begin again.")
    try:
        how_far = await duo.enrolment(run.state.outbound, duo.application(run.stage), run.call.at, found.made)
    except duo.DuoError as exc:
        return _silent(run, exc)
    if how_far == DuoResponseEnum.WAITING:
        return Again({GENERAL: [Error("Duo has not heard of your device yet. Read the code with Duo's application.")]})
    if how_far != DuoResponseEnum.SUCCESS:
        return Deny("Duo does not take this code any more. Begin again.")
    changes = Changes()
    # Whoever composed the flow lets people set devices up.
    device = await _device(run.call, run.state, run.stage, user.pk, found.made.user_id)
    changes.create(system(run.call, DUO_DEVICE, "add"), device)
    return Done(forget=(CONTEXT,), changes=changes)


async def _device(call: Call, state: State, stage: AuthenticatorDuoStage, user: int, duo_user_id: str) -> DuoDevice:
    return DuoDevice(
        pk=await state.store.reserve("devices_duo", 1),
        name=(stage.friendly_name or "Duo")[:_NAME],
        user=user,
        confirmed=True,
        created=call.at,
        last_updated=call.at,
        duo_user_id=duo_user_id,
        stage=stage.pk,
    )


def told(call: Call, exc: duo.DuoError) -> Problem:
    """What the API says where Duo does not do it; why, only to those who may know what the server can reach."""
    return invalid({GENERAL: [f"{exc} ({exc.reason})" if call.actor.is_superuser else str(exc)]})


async def import_device_manual(
    call: Call, state: State, stage: AuthenticatorDuoStage, body: AuthenticatorDuoStageManualDeviceImportRequest
) -> Answer:
    """Give somebody the account at Duo that they have already."""
    user = await by_username(state, body.username)
    if user is None:
        raise invalid({"username": ["Nobody has this username."]})
    await check_all(call, state, [user.pk], "give this user a device")
    if await records.load(state.store, DUO_DEVICE, "duo_user_id", [body.duo_user_id]):
        raise invalid({"duo_user_id": ["This account at Duo is somebody's device already."]})
    changes = Changes()
    # The permission to make such devices is the one that the operation wants.
    changes.create(system(call, DUO_DEVICE, "add"), await _device(call, state, stage, user.pk, body.duo_user_id))
    return Answer(changes=changes)


async def import_devices_automatic(
    call: Call, state: State, stage: AuthenticatorDuoStage, _query: Mapping[str, Any]
) -> Answer:
    """Give everybody the account at Duo that is named as they are, if it can be used and is nobody's device yet."""
    if not stage.admin_integration_key or not stage.admin_secret_key:
        missing = "Duo shows its users to an application of the type Admin API only; give the stage its key."
        raise invalid({"admin_integration_key": [missing]})
    asking = duo.Application(stage.api_hostname, stage.admin_integration_key, stage.admin_secret_key)
    try:
        found = await duo.users(state.outbound, asking, call.at)
    except duo.DuoError as exc:
        raise told(call, exc) from exc
    usable = {one.username: one.user_id for one in found if one.is_enrolled and one.status == "active"}
    people = await records.load(state.store, USER, "username", sorted(usable))
    held = {one.duo_user_id for one in await records.load(state.store, DUO_DEVICE, "duo_user_id", [*usable.values()])}
    new = [user for user in people if usable[user.username] not in held]
    await check_all(call, state, [user.pk for user in new], "give these users devices")
    changes = Changes()
    for user in new:  # on the authority of whoever may make such devices, as above
        device = await _device(call, state, stage, user.pk, usable[user.username])
        changes.create(system(call, DUO_DEVICE, "add"), device)
    return Answer(AuthenticatorDuoStageDeviceImportResponse(len(new), ""), changes=changes)


async def rules(
    _call: Call, _state: State, _old: AuthenticatorDuoStage | None, new: AuthenticatorDuoStage
) -> AuthenticatorDuoStage:
    """Duo's host is a host."""
    try:
        to = outbound.target(f"https://{new.api_hostname}/")
    except outbound.Unreached as exc:
        raise invalid(
            {"api_hostname": [f"Write a host name such as api-1234abcd.duosecurity.com: {exc.reason}."]}
        ) from exc
    if to.path != "/" or to.authority != new.api_hostname.lower():
        raise invalid({"api_hostname": ["Write a host name only, such as api-1234abcd.duosecurity.com."]})
    return new


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
    rules=rules,
    filters=("api_hostname", "client_id", "configure_flow", "name"),
)
STAGE = Stage(
    AUTHENTICATOR_DUO_STAGE,
    ask,
    answer,
    component=COMPONENT,
    challenge=AuthenticatorDuoChallenge,
    response=AuthenticatorDuoChallengeResponse,
)
ACTIONS = (
    Action(
        AUTHENTICATOR_DUO_STAGE,
        "POST",
        "{key}/import_device_manual/",
        import_device_manual,
        "import_device_manual_create",
        permission=DUO_DEVICE.permission("add"),
        request=AuthenticatorDuoStageManualDeviceImportRequest,
        status=204,
    ),
    Action(
        AUTHENTICATOR_DUO_STAGE,
        "POST",
        "{key}/import_devices_automatic/",
        import_devices_automatic,
        "import_devices_automatic_create",
        permission=DUO_DEVICE.permission("add"),
        response=AuthenticatorDuoStageDeviceImportResponse,
    ),
)
