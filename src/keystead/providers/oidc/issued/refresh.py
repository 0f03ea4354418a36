"""TokenModel of ``oauth2/refresh_tokens``: a refresh token that can still be used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY
from keystead.kinds.state import State
from keystead.providers.oidc import family
from keystead.providers.oidc.issued import grant
from keystead.providers.oidc.issued.grant import GRANT
from keystead.providers.oidc.issued.parties import KEY, NEWEST, OF_USER, VERBS, Number, Owner, Query, TokenShown


class TokenModel(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token that can still be used.

    :param parent: digest of the one it replaced.
    """

    pk: Number
    digest: Annotated[str, HIDDEN]
    grant_id: Annotated[str, HIDDEN]
    user: Owner
    parent: Annotated[str | None, HIDDEN] = None
    created: Annotated[datetime, HIDDEN]
    expires: Annotated[datetime, READ_ONLY]


async def view(call: Call, state: State, tokens: Sequence[TokenModel], _query: Query) -> list[TokenShown]:
    """What their grants say, and their own end."""
    kept = await records.load(state.store, GRANT, "id", sorted({one.grant_id for one in tokens}))
    shown = dict(zip((one.grant_id for one in kept), await grant.view(call, state, kept, {}), strict=True))
    return [
        msgspec.structs.replace(shown[one.grant_id], expires=one.expires, is_expired=one.expires <= call.at)
        for one in tokens
    ]


async def along(call: Call, _state: State, old: TokenModel | None, new: TokenModel | None) -> Changes:
    """It goes with its whole family (RFC 7009 §2.1): without it, the one that it replaced would seem unused."""
    changes = Changes()
    if old is not None and new is None:
        changes.write(family.revoke(call, old.grant_id))
    return changes


REFRESH: Kind[TokenModel] = Kind(
    model="authentik_providers_oauth2.refreshtoken",
    struct=TokenModel,
    path="oauth2/refresh_tokens",
    title=("OAuth2 Refresh Token", "OAuth2 Refresh Tokens"),
    key_name="id",
    table=Table(
        "oauth_refresh_tokens",
        key=KEY,
        owner="user_id",
        narrow="(t.expires > {} AND NOT EXISTS (SELECT 1 FROM oauth_refresh_tokens n WHERE n.parent = t.digest))",
    ),
    verbs=VERBS,
    shown=TokenShown,
    view=view,
    along=along,
    search=(),
    order=NEWEST,
    filters=(
        Filter(
            "provider",
            int,
            sql="t.grant_id IN (SELECT g.id FROM oauth_grants g WHERE g.provider = {})",
            note="Those of this provider.",
        ),
        OF_USER,
    ),
)
