"""Letters that somebody asks for by the API: a template to a user, a link back into an account, an invitation."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows.flow import FLOW
from keystead.flows.mail import built_in
from keystead.flows.shown import flows_of
from keystead.flows.stages.email import EMAIL_STAGE, EmailStage
from keystead.flows.stages.invitation import INVITATION, INVITATION_STAGE, TOKEN, Invitation
from keystead.kinds import grants
from keystead.kinds.access import may
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.marks import EMAIL_FORMAT, Duration, Text, Uuid
from keystead.kinds.state import State
from keystead.notify.mail import Letter, TemplateError, letter
from keystead.people.brand import brand_for
from keystead.people.finding import by_pk
from keystead.people.power import check_reach
from keystead.people.user import USER, User
from keystead.people.user_actions import RECOVERY_LIFE, check_recovery, may_reset, recovery_life, recovery_link
from keystead.store import Write

PORTAL: Final = "/if/user/"
MOST: Final = 100
"""Addresses of each sort that one request may name."""
_ADDRESS: Final = 254


class EmailSendRequest(msgspec.Struct):
    """Which template goes to whom."""

    user: int
    template: Text


class EmailSendResponse(msgspec.Struct):
    """What is on its way."""

    to: str
    subject: str
    template: str


class UserRecoveryEmailRequest(msgspec.Struct):
    """How the mail is made, and how long its link works."""

    email_stage: Uuid
    token_duration: Duration | msgspec.UnsetType = msgspec.UNSET


class InvitationSendEmailRequest(msgspec.Struct):
    """To whom an invitation is sent."""

    email_addresses: list[object]
    cc_addresses: list[object] = []
    bcc_addresses: list[object] = []
    template: Text = "invitation"


async def send_template(call: Call, state: State, _obj: None, body: EmailSendRequest) -> Answer:
    """Send a user a template that needs no link of its own, such as ``welcome``.

    Its link leads to the applications. As for any other change, the caller may do all that the user may.
    """
    user = await by_pk(state, body.user)
    if user is None:
        raise invalid({"user": [f'Invalid pk "{body.user}" - object does not exist.']})
    await check_reach(call, state, user.pk, "write to this user in the name of the installation")
    subject = f"{_brand(call)}: {_about(body.template)}"
    values = _values(call, subject, user=_reader(user), url=call.origin.root + PORTAL)
    one = Letter(to=[_address(user, "user")], subject=subject, template=body.template, values=values)
    changes = Changes()
    changes.write(_posted(call, state, one, "template"))
    return Answer(EmailSendResponse(user.email, subject, body.template), changes=changes)


async def recovery_email(call: Call, state: State, found: User, body: UserRecoveryEmailRequest) -> Answer:
    """Send the user a link with which they get back in, in the words of an e-mail stage and by its server."""
    await may_reset(call, state, found)
    check_recovery(call)
    stage = await _stage(call, state, body.email_stage)
    to = _address(found, "non_field_errors")
    life = recovery_life(call, body.token_duration) if body.token_duration else RECOVERY_LIFE
    changes, link = recovery_link(call, state, found, life)
    values = _values(
        call, stage.subject, user=_reader(found), url=call.origin.root + link, expires=_when(call.at + life)
    )
    one = Letter(to=[to], subject=stage.subject, template=stage.template, values=values, stage=stage.pk)
    changes.write(_posted(call, state, one, "email_stage"))
    return Answer(status=204, changes=changes)


async def _stage(call: Call, state: State, pk: str) -> EmailStage:
    """The e-mail stage with this key, for who may see it: it speaks in somebody's name."""
    stage = call.settings.get(EMAIL_STAGE, pk)
    if stage is not None:
        asking = await grants.on(call, state.store, EMAIL_STAGE, [stage])
        if may(asking, EMAIL_STAGE, "view", stage):
            return stage
    raise invalid({"email_stage": [f'Invalid pk "{pk}" - object does not exist.']})


async def send_invitation(call: Call, state: State, found: Invitation, body: InvitationSendEmailRequest) -> Answer:
    """Send the invitation's link to each address, in a letter of its own; ``cc`` and ``bcc`` get a copy of each."""
    lists = {name: getattr(body, name) for name in ("email_addresses", "cc_addresses", "bcc_addresses")}
    wrong = {name: why for name, given in lists.items() if (why := _wrong(given, required=name == "email_addresses"))}
    if wrong:
        raise invalid(wrong)
    subject = f"{_brand(call)}: {_about(body.template)}"
    url = f"{call.origin.root}/if/flow/{_into(call, found)}/?{TOKEN}={found.pk}"
    expires = _when(found.expires) if found.expires else ""
    changes = Changes()
    for to in dict.fromkeys(str(one) for one in body.email_addresses):
        values = _values(call, subject, user={"name": "", "username": to}, url=url, expires=expires)
        cc, bcc = ([str(one) for one in copies] for copies in (body.cc_addresses, body.bcc_addresses))
        one = Letter(to=[to], cc=cc, bcc=bcc, subject=subject, template=body.template, values=values)
        changes.write(_posted(call, state, one, "template"))
    return Answer(status=204, changes=changes)


def _into(call: Call, invitation: Invitation) -> str:
    """The slug of the flow that an invitation leads into."""
    if invitation.flow and (flow := call.settings.get(FLOW, invitation.flow)):
        return flow.slug
    asking = {flow.slug for stage in call.settings.all(INVITATION_STAGE) for flow in flows_of(call, stage.pk)}
    if len(asking) != 1:
        how = "no flow asks for invitations" if not asking else f"{len(asking)} flows ask for invitations"
        why = f"The invitation names no flow, and {how}: name one, so that the link leads somewhere."
        raise invalid({"non_field_errors": [why]})
    return asking.pop()


def _wrong(addresses: list[object], *, required: bool) -> list[str]:
    if required and not addresses:
        return ["Name at least one address."]
    if len(addresses) > MOST:
        return [f"Name at most {MOST} addresses at once."]
    found = []
    for one in addresses:
        if not isinstance(one, str) or not one or len(one) > _ADDRESS:
            found.append("An address is a text such as name@example.org.")
            continue
        try:
            EMAIL_FORMAT.check(one)
        except ValueError as exc:
            found.append(str(exc))
    return found


def _address(user: User, member: str) -> str:
    if not user.email:
        raise invalid({member: [f"{user.username} has no e-mail address; give them one first."]})
    return user.email


def _reader(user: User) -> dict[str, str]:
    return {"name": user.name, "username": user.username}


def _brand(call: Call) -> str:
    return " ".join(brand_for(call.settings, call.origin.host).branding_title.split())


def _values(call: Call, title: str, **more: object) -> dict[str, object]:
    return {"title": title, "brand": _brand(call), **more}


def _about(template: str) -> str:
    """What a letter of a template is headed: what the template says it is."""
    known = {one.name.removeprefix("email/").removesuffix(".html"): one.description for one in built_in()}
    return known.get(template.removeprefix("email/").removesuffix(".html"), "").partition(":")[0]


def _when(at: datetime) -> str:
    """An instant, for people who may be anywhere."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _posted(call: Call, state: State, one: Letter, member: str) -> Write:
    try:
        return letter(state, one, call.at)
    except TemplateError as exc:
        raise invalid({member: [str(exc)]}) from None


ACTIONS: Final = (
    Action(
        EMAIL_STAGE,
        "POST",
        "send/",
        send_template,
        "send_create",
        permission=USER.permission("change"),
        request=EmailSendRequest,
        response=EmailSendResponse,
    ),
    Action(
        USER,
        "POST",
        "{key}/recovery_email/",
        recovery_email,
        "recovery_email_create",
        permission="",
        request=UserRecoveryEmailRequest,
        status=204,
    ),
    Action(
        INVITATION,
        "POST",
        "{key}/send_email/",
        send_invitation,
        "send_email_create",
        request=InvitationSendEmailRequest,
        status=204,
    ),
)
