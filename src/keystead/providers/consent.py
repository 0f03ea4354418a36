"""UserConsent: what a person allowed an application to know, so that it is not asked for every time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, cast

import msgspec

from keystead.base.clock import micros
from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Filter, Kind, Table, Verb
from keystead.kinds.marks import READ_ONLY, Column, Ref, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.user import whole_users
from keystead.providers.application import APPLICATION
from keystead.store import Statement, Write


class UserConsent(msgspec.Struct, frozen=True, kw_only=True):
    """One person's consent to one application.

    :param permissions: ids of what was allowed, parted by spaces; for OAuth they are scopes.
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    user: Annotated[int, READ_ONLY, Column("user_id"), Ref("authentik_core.user")]
    application: Annotated[Uuid, READ_ONLY, Ref("authentik_core.application")]
    permissions: Annotated[str, READ_ONLY] = ""
    expires: Annotated[datetime | None, READ_ONLY] = None
    expiring: Annotated[bool, READ_ONLY] = True


class UserConsentShown(msgspec.Struct):
    """The computed members of a consent: both parties in full."""

    user: Annotated[dict[str, object], msgspec.Meta(title="User")]
    application: Annotated[dict[str, object], msgspec.Meta(title="Application")]


ONCE: Final = "once"
"""The id of a permission that is never remembered: to ask for it is to ask anew (``prompt=consent``)."""
_LOAD: Final = Statement(
    "consent.load",
    "SELECT permissions FROM consents WHERE user_id = $1 AND application = $2 AND (expires IS NULL OR expires > $3)",
)
_SAVE: Final = Statement(
    "consent.save",
    "INSERT INTO consents (id, user_id, application, permissions, expires, expiring) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (user_id, application) DO UPDATE"
    " SET permissions = excluded.permissions, expires = excluded.expires, expiring = excluded.expiring",
)


class Consents:
    """Where flows keep consents; see :class:`keystead.flows.ports.ConsentStore` for what each method promises."""

    async def load(self, call: Call, state: State, user: int, application: str) -> frozenset[str] | None:
        """The ids of what ``user`` allowed ``application`` and still allows, or None."""
        row = await state.store.fetch_one(_LOAD, user, application, micros(call.at))
        return frozenset(cast("str", row[0]).split()) - {ONCE} if row else None

    async def save(
        self,
        call: Call,  # noqa: ARG002 - as above
        state: State,
        user: int,
        application: str,
        permissions: Sequence[str],
        expires: datetime | None,
    ) -> Sequence[Write]:
        """The write that keeps a consent, in place of an older one."""
        pk = await state.store.reserve("consents", 1)
        until = micros(expires) if expires else None
        text = " ".join(one for one in permissions if one != ONCE)
        return (Write(_SAVE, (pk, user, application, text, until, expires is not None)),)


async def view(
    call: Call, state: State, consents: Sequence[UserConsent], _query: Mapping[str, Sequence[str]]
) -> list[UserConsentShown]:
    """Both parties in full."""
    users = await whole_users(call, state, [one.user for one in consents])
    keys = {one.application for one in consents}
    found = [application for pk in keys if (application := call.settings.get(APPLICATION, pk))]
    shown = await render(call, state, APPLICATION, found, {})
    applications = {application.pk: body for application, body in zip(found, shown, strict=True)}
    return [UserConsentShown(users.get(one.user, {}), applications.get(one.application, {})) for one in consents]


USER_CONSENT: Kind[UserConsent] = Kind(
    model="authentik_core.userconsent",
    struct=UserConsent,
    path="core/user_consent",
    title=("User Consent", "User Consents"),
    key_name="id",
    table=Table("consents", owner="user_id", narrow="(t.expires IS NULL OR t.expires > {})"),
    verbs=READ | {Verb.DESTROY},
    shown=UserConsentShown,
    view=view,
    search=("permissions",),
    order=("-expires",),
    filters=(
        Filter("user", int, sql="t.user_id = {}", note="Whose consents."),
        Filter("application", Uuid, sql="t.application = {}", note="Consents to this application."),
    ),
)
