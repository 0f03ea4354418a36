"""Consent stage: may this application know this about you? The run brings what is asked for (``ConsentRequest``)."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.base import duration
from keystead.base.secret import Secret
from keystead.flows.challenge import application, pending
from keystead.flows.ports import ConsentRequest
from keystead.flows.schema import Answered, PersonAsked, Unset
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage, text
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Text, Uuid

COMPONENT: Final = "ak-stage-consent"


class ConsentModeEnum(enum.StrEnum):
    """How long a consent counts."""

    ALWAYS_REQUIRE = "always_require"
    PERMANENT = "permanent"
    EXPIRING = "expiring"


class ConsentStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for consent.

    :param consent_expire_in: how long a consent counts in mode ``expiring``.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    mode: ConsentModeEnum = ConsentModeEnum.ALWAYS_REQUIRE
    consent_expire_in: Duration = "weeks=4"


class ConsentPermission(msgspec.Struct):
    """Something an application asks for, by id and in words."""

    name: str
    id: str


class ConsentChallenge(PersonAsked, kw_only=True):
    """Asks to allow an application what it wants.

    :param permissions: what was allowed before; without that, all of it.
    :param additional_permissions: what is new.
    :param token: has to come back.
    """

    component: str = COMPONENT
    header_text: str | Unset = msgspec.UNSET
    permissions: list[ConsentPermission]
    additional_permissions: list[ConsentPermission]
    token: str


class ConsentChallengeResponse(Answered, kw_only=True):
    """Allowed."""

    component: Text = COMPONENT
    token: Text


def _request(run: Run[ConsentStage]) -> ConsentRequest:
    if asked := run.context.get("consent"):
        return msgspec.convert(asked, ConsentRequest)
    return ConsentRequest(str(run.context.get("application") or ""))


async def _given(run: Run[ConsentStage], request: ConsentRequest) -> frozenset[str] | None:
    """What the person allowed earlier, as far as this stage lets it count."""
    if run.stage.mode is ConsentModeEnum.ALWAYS_REQUIRE or run.ports.consents is None or run.user is None:
        return None
    return await run.ports.consents.load(run.call, run.state, run.user.pk, request.application)


def _token(run: Run[ConsentStage], request: ConsentRequest) -> str:
    """Ties an answer to this browser, run, person and list: what was not shown cannot be allowed."""
    who = run.user.pk if run.user else 0
    asked = [request.application, *(one.id for one in request.permissions)]
    about = [run.visitor.sid, run.binding.pk, who, *asked]
    return run.state.vault.sign("consent", msgspec.json.encode(about).decode())


async def ask(run: Run[ConsentStage]) -> Challenge | Outcome:
    """Nothing, if all of it was allowed before; else show what is asked for, apart from what is new."""
    if run.user is None or not run.proven:
        return Deny("Sign in before you allow an application anything.")
    request = _request(run)
    given = await _given(run, request)
    known, new = list(request.permissions), []
    if given is not None:
        known = [one for one in request.permissions if one.id in given]
        new = [one for one in request.permissions if one.id not in given]
        if not new:
            return Done()
    asking = application(run.call, {"application": request.application})
    header = request.header or (f"{asking.name} asks for access to your account" if asking else "")
    return Challenge(
        COMPONENT,
        {
            **pending(run),
            "header_text": header,
            "permissions": [msgspec.to_builtins(one) for one in known],
            "additional_permissions": [msgspec.to_builtins(one) for one in new],
            "token": _token(run, request),
        },
    )


async def answer(run: Run[ConsentStage], body: Body) -> Outcome:
    """Allowed, if the token is the one that came with this list."""
    if run.user is None or not run.proven:
        return Deny("Sign in before you allow an application anything.")
    request = _request(run)
    if not Secret(_token(run, request)).matches(text(body, "token")):
        return Again({"token": [Error("This page is out of date. Look again at what is asked for.")]})
    changes = Changes()
    mode, store = run.stage.mode, run.ports.consents
    if mode is not ConsentModeEnum.ALWAYS_REQUIRE and store is not None and request.application:
        ids = {one.id for one in request.permissions} | (await _given(run, request) or frozenset())
        expires = run.call.at + duration.parse(run.stage.consent_expire_in)
        until = None if mode is ConsentModeEnum.PERMANENT else expires
        changes.write(*await store.save(run.call, run.state, run.user.pk, request.application, sorted(ids), until))
    return Done(changes=changes)


CONSENT_STAGE = Kind(
    model="authentik_stages_consent.consentstage",
    struct=ConsentStage,
    path="stages/consent",
    title=("Consent Stage", "Consent Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-consent-form",
    shown=StageShown,
    view=view,
    filters=("consent_expire_in", "mode", "name", BY_UUID),
)
STAGE = Stage(
    CONSENT_STAGE, ask, answer, component=COMPONENT, challenge=ConsentChallenge, response=ConsentChallengeResponse
)
