"""User login stage: the pending user gets a session, under a session key that nobody has seen before."""

import enum
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from keystead.base import duration, rand
from keystead.base.clock import unix
from keystead.flows.challenge import pending
from keystead.flows.entry import ADDING
from keystead.flows.ports import WhoIs
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage
from keystead.flows.vouched import JOINING, keep
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Text, Uuid
from keystead.people import session
from keystead.people.user import User, logged_in
from keystead.policies import reputation

COMPONENT: Final = "ak-stage-user-login"
BROWSER_LIFE: Final = timedelta(days=1)
"""How long a session lasts that ends with the browser, if the browser does not end (NIST SP 800-63B-4, AAL2: 24 h)."""
_AMR: Final = {"password": ("pwd",), "token": ("pwd",), "auth_mfa": ("pwd", "mfa"), "auth_webauthn_pwl": ("hwk", "mfa")}
"""How somebody proved who they are -> the words of RFC 8176."""
_ANSWERS: Final = {True: True, False: False, "true": True, "false": False}


class NetworkBindingEnum(enum.StrEnum):
    """What of the network a session is tied to."""

    NO_BINDING = "no_binding"
    BIND_ASN = "bind_asn"
    BIND_ASN_NETWORK = "bind_asn_network"
    BIND_ASN_NETWORK_IP = "bind_asn_network_ip"


class GeoipBindingEnum(enum.StrEnum):
    """What of the place a session is tied to."""

    NO_BINDING = "no_binding"
    BIND_CONTINENT = "bind_continent"
    BIND_CONTINENT_COUNTRY = "bind_continent_country"
    BIND_CONTINENT_COUNTRY_CITY = "bind_continent_country_city"


class UserLoginStage(msgspec.Struct, frozen=True, kw_only=True):
    """Signs the pending user in.

    :param session_duration: how long the session lasts; nothing: until the browser is closed.
    :param remember_me_offset: how much longer it lasts for those who ask to stay signed in; nothing: nobody is asked.
    :param network_binding: kept, and told to the session; nothing acts on it yet, as there is no network database.
    :param geoip_binding: kept likewise.
    :param remember_device: how long a device counts as known; kept for the second factors to come.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    session_duration: Duration = "seconds=0"
    terminate_other_sessions: bool = False
    remember_me_offset: Duration = "seconds=0"
    network_binding: NetworkBindingEnum = NetworkBindingEnum.NO_BINDING
    geoip_binding: GeoipBindingEnum = GeoipBindingEnum.NO_BINDING
    remember_device: Duration = "days=30"


class UserLoginChallenge(PersonAsked, kw_only=True):
    """Asks whether to stay signed in."""

    component: str = COMPONENT


class UserLoginChallengeResponse(Answered, kw_only=True):
    """Yes or no."""

    component: Text = COMPONENT
    remember_me: bool


async def ask(run: Run[UserLoginStage]) -> Challenge | Outcome:
    """Ask whether to stay signed in, where the stage offers that; else sign in."""
    if (refusal := _refusal(run.user)) is not None:
        return refusal
    if duration.parse(run.stage.remember_me_offset) > timedelta():
        return Challenge(COMPONENT, pending(run))
    return await _signed_in(run, remember=False)


async def answer(run: Run[UserLoginStage], body: Body) -> Outcome:
    """Sign in, for as long as was asked for."""
    if (refusal := _refusal(run.user)) is not None:
        return refusal
    given = body.get("remember_me")
    remember = _ANSWERS.get(given) if isinstance(given, (bool, str)) else None
    if remember is None:
        return Again({"remember_me": [Error("Say whether to stay signed in: true or false.", "required")]})
    return await _signed_in(run, remember=remember)


def _refusal(user: User | None) -> Deny | None:
    if user is None:
        return Deny("Nobody has proved who they are, so nobody is signed in.")
    if not user.is_active:
        return Deny("This account is not active. Ask whoever looks after it.")
    return None


async def _signed_in(run: Run[UserLoginStage], *, remember: bool) -> Outcome:
    call, stage, user = run.call, run.stage, run.user
    if user is None:
        return Deny()
    kept = await keep(run, user, WhoIs.SIGNED_IN)
    if isinstance(kept, Deny):
        return kept
    lasting = duration.parse(stage.session_duration)
    if remember:
        lasting += duration.parse(stage.remember_me_offset)
    method = str(run.context.get("auth_method") or "")
    args = run.context.get("auth_method_args") or {}
    sid = rand.token()
    expires = call.at + (lasting if lasting > timedelta() else BROWSER_LIFE)
    auth = {
        "method": method,
        "args": args,
        "amr": list(_AMR.get(method, ())),
        "auth_time": unix(call.at),
        "browser": lasting <= timedelta(),
        "network_binding": stage.network_binding.value,
        "geoip_binding": stage.geoip_binding.value,
    }
    changes = Changes()
    changes.extend(kept)
    changes.write(logged_in(call, user.pk), reputation.scored(call, user.username, 1))
    before, parked = run.visitor.session, run.visitor.parked
    if before is not None and before.user == user.pk:
        started, writes = session.renew(call, before, sid, expires=expires, auth=auth)
    else:
        started, writes = session.start(call, user.pk, sid, expires=expires, auth=auth)
        if before is not None and run.context.get(ADDING):
            parked = (*parked, run.visitor.sid)
        elif before is not None:
            changes.write(session.end(before))
    changes.write(*writes)
    if stage.terminate_other_sessions:
        changes.write(session.end_all_but(user.pk, started.uuid))
    who = {"pk": user.pk, "email": user.email, "username": user.username}
    proof = {"auth_method": method, "auth_method_args": args}
    changes.event(call, "login", USER_LOGIN_STAGE.app, proof, user=who)
    user = msgspec.structs.replace(user, last_login=call.at)
    visitor = replace(run.visitor, sid=sid, session=started, user=user, parked=parked)
    return Done(forget=(JOINING,), changes=changes, user=user, visitor=visitor)


USER_LOGIN_STAGE = Kind(
    model="authentik_stages_user_login.userloginstage",
    struct=UserLoginStage,
    path="stages/user_login",
    title=("User Login Stage", "User Login Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-user-login-form",
    shown=StageShown,
    view=view,
    filters=(
        "geoip_binding",
        "name",
        "network_binding",
        "remember_device",
        "remember_me_offset",
        "session_duration",
        "terminate_other_sessions",
        BY_UUID,
    ),
)
STAGE = Stage(
    USER_LOGIN_STAGE,
    ask,
    answer,
    component=COMPONENT,
    challenge=UserLoginChallenge,
    response=UserLoginChallengeResponse,
)
