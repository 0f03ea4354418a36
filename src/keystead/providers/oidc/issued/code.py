"""ExpiringBaseGrantModel: a code that waits to be redeemed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY
from keystead.kinds.state import State
from keystead.providers.oidc.issued.parties import (
    KEY,
    NEWEST,
    OF_PROVIDER,
    OF_USER,
    VERBS,
    CodeShown,
    Issuer,
    Number,
    Owner,
    Query,
    parties,
)


class ExpiringBaseGrantModel(msgspec.Struct, frozen=True, kw_only=True):
    """A code that waits to be redeemed.

    :param request: what the authorization request fixed for it, as JSON.
    """

    pk: Number
    digest: Annotated[str, HIDDEN]
    grant_id: Annotated[str, HIDDEN]
    provider: Issuer
    user: Owner
    session_id: Annotated[str | None, HIDDEN] = None
    request: Annotated[str, HIDDEN] = "{}"
    created: Annotated[datetime, HIDDEN]
    expires: Annotated[datetime, READ_ONLY]
    redeemed: Annotated[datetime | None, HIDDEN] = None


class _Granted(msgspec.Struct):
    scope: tuple[str, ...] = ()


async def view(call: Call, state: State, codes: Sequence[ExpiringBaseGrantModel], _query: Query) -> list[CodeShown]:
    """Both parties in full, and what was granted."""
    both = await parties(call, state, [(one.provider, one.user) for one in codes])
    return [
        CodeShown(
            provider=provider,
            user=user,
            is_expired=one.expires <= call.at,
            expires=one.expires,
            scope=list(msgspec.json.decode(one.request, type=_Granted).scope),
        )
        for one, (provider, user) in zip(codes, both, strict=True)
    ]


CODE: Kind[ExpiringBaseGrantModel] = Kind(
    model="authentik_providers_oauth2.authorizationcode",
    struct=ExpiringBaseGrantModel,
    path="oauth2/authorization_codes",
    title=("Authorization Code", "Authorization Codes"),
    key_name="id",
    table=Table("oauth_codes", key=KEY, owner="user_id", narrow="(t.redeemed IS NULL AND t.expires > {})"),
    verbs=VERBS,
    shown=CodeShown,
    view=view,
    search=(),
    order=NEWEST,
    filters=(OF_PROVIDER, OF_USER),
)
