"""Invitation stage: lets those in who were invited, and brings along what the invitation says of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid
from keystead.flows.flow import FLOW, Flow, FlowDesignationEnum
from keystead.flows.shown import BY_UUID, StageShown, flows_of, view
from keystead.flows.stage import TAKEN, Deny, Done, Outcome, Run, Stage
from keystead.kinds import ledger, records
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, UNIQUE, UUID_FORMAT, Column, Json, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.shown import PartialUser, partial_users
from keystead.store import Statement, Write

TOKEN: Final = "itoken"  # noqa: S105 - a parameter's name
"""The parameter of the page's address that names an invitation."""
_UNINVITED: Final = "You need an invitation to go on here. Open the link that was sent to you."
_SPENT: Final = "This invitation was used already, has expired, or is for another page. Ask for another one."
_USE: Final = Statement("invitation.use", "DELETE FROM invitations WHERE id = $1 AND (expires IS NULL OR expires > $2)")


class InvitationStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for an invitation.

    :param continue_flow_without_invitation: people without one go on all the same.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    continue_flow_without_invitation: bool = False


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation; its key, which nobody guesses, is what the link holds.

    :param fixed_data: what prompts would ask, answered beforehand.
    :param single_use: it is gone as soon as somebody comes with it.
    :param flow: the only flow it counts in. It goes with that flow: left behind, it would open others.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    name: Annotated[Text, LINE]
    expires: datetime | None = None
    fixed_data: Json = {}
    created_by: Annotated[int, READ_ONLY, Ref("authentik_core.user", gives=False)] = 0
    single_use: bool = False
    flow: Annotated[Uuid, Ref("authentik_flows.flow")] | None = None


class InvitationShown(msgspec.Struct):
    """The computed members of an invitation.

    :param flow_obj: the flow; of an invitation that counts in every flow, one that it can be used in. It is always
        there: links are made from it, and clients of the contract do not read a list in which one lacks.
    """

    created_by: PartialUser
    flow_obj: Annotated[dict[str, object], msgspec.Meta(title="Flow")]


async def ask(run: Run[InvitationStage]) -> Outcome:
    """Take what the invitation says; one that counts once is used up in the same commit as this step."""
    given = run.visitor.query.get(TOKEN, "")
    found = await _found(run, given) if given else None
    if found is None:
        if run.stage.continue_flow_without_invitation:
            return Done()
        return Deny(_SPENT if given else _UNINVITED)
    changes = Changes()
    if found.single_use:
        changes.write(Write(_USE, (found.pk, micros(run.call.at)), expect=1, guard=TAKEN))
    told = {"invitation": ledger.reference(INVITATION, found)}
    changes.event(run.call, "invitation_used", INVITATION.app, told, about=(INVITATION, found))
    data = run.context.get("prompt_data")
    filled = {**(data if isinstance(data, Mapping) else {}), **found.fixed_data}
    context: dict[str, object] = {"prompt_data": filled, "invitation": found.pk, "invitation_in_effect": True}
    return Done(context, changes=changes)


async def _found(run: Run[InvitationStage], given: str) -> Invitation | None:
    """The invitation with this key, if it counts here and now."""
    try:
        pk = UUID_FORMAT.check(given)
    except ValueError:
        return None
    found = await records.visible(run.state.store, INVITATION, "id", pk, run.call.at)
    return found if found is not None and found.flow in {None, run.flow.pk} else None


async def rules(call: Call, _state: State, old: Invitation | None, new: Invitation) -> Invitation:
    """Whoever makes an invitation invites; one that has expired would be gone at once."""
    if new.expires is not None and new.expires <= call.at and (old is None or old.expires != new.expires):
        raise invalid({"expires": ["This instant has passed. Choose a later one, or none."]})
    if old is not None:
        return new
    if not call.actor.pk:
        raise invalid({"non_field_errors": ["An invitation comes from somebody, and whoever asks here is nobody."]})
    return msgspec.structs.replace(new, created_by=call.actor.pk)


async def view_invitations(
    call: Call, state: State, invitations: Sequence[Invitation], _query: Mapping[str, Sequence[str]]
) -> list[InvitationShown]:
    """Who invites, and into which flow."""
    people = await partial_users(state, [one.created_by for one in invitations])
    usual = _usual(call)
    leads = [call.settings.get(FLOW, one.flow) if one.flow else usual for one in invitations]
    flows = list({flow.pk: flow for flow in leads if flow}.values())
    shown = dict(zip([flow.pk for flow in flows], await render(call, state, FLOW, flows, {}), strict=True))
    return [
        InvitationShown(people[one.created_by], shown[flow.pk] if flow else {})
        for one, flow in zip(invitations, leads, strict=True)
    ]


def _usual(call: Call) -> Flow | None:
    """Where an invitation that counts in every flow leads: a flow that asks for one, else one that enrolls, else any.

    None on a server without a flow.
    """
    asking = {flow.pk for stage in call.settings.all(INVITATION_STAGE) for flow in flows_of(call, stage.pk)}

    def rank(flow: Flow) -> tuple[bool, bool]:
        return flow.pk not in asking, flow.designation is not FlowDesignationEnum.ENROLLMENT

    return min(call.settings.all(FLOW), key=rank, default=None)


async def _bound_to_none(
    call: Call, _state: State, wanted: object, _query: Mapping[str, Sequence[str]]
) -> frozenset[object]:
    """The stages that are bound to no flow, or, the other way round, those that are bound to one."""
    stages = call.settings.all(INVITATION_STAGE)
    return frozenset(stage.pk for stage in stages if (not flows_of(call, stage.pk)) is wanted)


def _flow_key(call: Call, slug: str) -> str:
    flow = call.settings.by(FLOW, "slug", slug)
    return flow.pk if flow else ""


INVITATION: Kind[Invitation] = Kind(
    model="authentik_stages_invitation.invitation",
    struct=Invitation,
    path="stages/invitation/invitations",
    title=("Invitation", "Invitations"),
    key_name="invite_uuid",
    table=Table("invitations", narrow="(t.expires IS NULL OR t.expires > {})"),
    shown=InvitationShown,
    view=view_invitations,
    rules=rules,
    order=("-expires", "name"),
    filters=(
        "name",
        Filter("expires", datetime, sql="t.expires = {}"),
        Filter("created_by__username", str, sql="t.created_by IN (SELECT u.id FROM users u WHERE u.username = {})"),
        Filter("flow__slug", str, sql="t.flow = {}", known=_flow_key),
    ),
)
INVITATION_STAGE: Kind[InvitationStage] = Kind(
    model="authentik_stages_invitation.invitationstage",
    struct=InvitationStage,
    path="stages/invitation/stages",
    title=("Invitation Stage", "Invitation Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-invitation-form",
    shown=StageShown,
    view=view,
    filters=(
        "continue_flow_without_invitation",
        "name",
        Filter("no_flows", bool, keys=_bound_to_none, note="Whether the stage is bound to no flow."),
        BY_UUID,
    ),
)
STAGE = Stage(INVITATION_STAGE, ask)
