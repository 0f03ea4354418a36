"""TokenModel of ``oauth2/access_tokens``: a grant, which stands for every access token that descends from it.

Access tokens are kept nowhere (see :mod:`keystead.providers.oidc.family`): to remove a grant is to end them all.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.base.clock import instant
from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.kinds.state import State
from keystead.providers.oidc.issued.parties import (
    KEY,
    NEWEST,
    OF_PROVIDER,
    OF_USER,
    VERBS,
    Issuer,
    Number,
    Owner,
    Query,
    TokenShown,
    parties,
)
from keystead.providers.oidc.standing import FOREVER


class TokenModel(msgspec.Struct, frozen=True, kw_only=True):
    """A grant and every token that descends from it.

    :param auth: how the person proved who they are, as JSON; what ID tokens of the grant say of it.
    :param revoked_at: when it was ended before its time.
    """

    pk: Number
    grant_id: Annotated[str, HIDDEN, Column("id")]
    provider: Issuer
    user: Owner
    session_id: Annotated[str | None, HIDDEN] = None
    scope_text: Annotated[str, HIDDEN, Column("scope")] = ""
    auth: Annotated[str, HIDDEN] = "{}"
    created: Annotated[datetime, HIDDEN]
    expires: Annotated[datetime, READ_ONLY]
    revoked_at: Annotated[datetime | None, HIDDEN, Column("revoked")] = None


def _machine(grant: TokenModel) -> bool:
    return grant.expires == instant(FOREVER)


async def view(call: Call, state: State, grants: Sequence[TokenModel], _query: Query) -> list[TokenShown]:
    """Both parties in full, what was granted, and whether it still counts."""
    both = await parties(call, state, [(one.provider, one.user) for one in grants])
    return [
        TokenShown(
            provider=provider,
            user=user,
            is_expired=one.expires <= call.at,
            expires=None if _machine(one) else one.expires,
            scope=one.scope_text.split(),
            id_token=one.auth,
            revoked=one.revoked_at is not None,
        )
        for one, (provider, user) in zip(grants, both, strict=True)
    ]


async def leaving(_call: Call, _state: State, grant: TokenModel) -> None:
    """A machine's grant would stand again at its next request, and its tokens with it."""
    if _machine(grant):
        raise invalid(
            detail="This is the standing grant of a machine. End its tokens one by one at the revocation endpoint, "
            "or take its secret or application password away."
        )


GRANT: Kind[TokenModel] = Kind(
    model="authentik_providers_oauth2.accesstoken",
    struct=TokenModel,
    path="oauth2/access_tokens",
    title=("OAuth2 Access Token", "OAuth2 Access Tokens"),
    key_name="id",
    table=Table("oauth_grants", key=KEY, owner="user_id"),
    verbs=VERBS,
    shown=TokenShown,
    view=view,
    leaving=leaving,
    search=(),
    order=NEWEST,
    filters=(OF_PROVIDER, OF_USER),
)
