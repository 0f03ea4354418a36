"""What lists of what was issued share: who may see them, how they are found, both parties in full."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Filter, Verb
from keystead.kinds.marks import READ_ONLY, Column, Ref
from keystead.kinds.render import base
from keystead.kinds.state import State
from keystead.people.user import whole_users
from keystead.providers.application import ProviderShown
from keystead.providers.oidc.provider import OAUTH2_PROVIDER

KEY: Final = "rowid"
VERBS: Final = READ | {Verb.DESTROY}
NEWEST: Final = ("-pk",)
Query: TypeAlias = Mapping[str, Sequence[str]]
Number: TypeAlias = Annotated[int, READ_ONLY, Column(KEY)]
"""The row's number."""
Owner: TypeAlias = Annotated[int, READ_ONLY, Column("user_id"), Ref("authentik_core.user")]
"""Whose it is."""
Issuer: TypeAlias = Annotated[int, READ_ONLY, Ref("authentik_providers_oauth2.oauth2provider")]
"""The provider that issued it."""
OF_USER: Final = Filter("user", int, sql="t.user_id = {}", note="Those of this user.")
OF_PROVIDER: Final = Filter("provider", int, sql="t.provider = {}", note="Those of this provider.")


class CodeShown(msgspec.Struct):
    """The computed members of a code: both parties in full, and what was granted."""

    provider: ProviderShown
    user: Annotated[dict[str, object], msgspec.Meta(title="User")]
    is_expired: bool
    expires: datetime | None
    scope: list[str]


class TokenShown(CodeShown):
    """The computed members of a token.

    :param expires: null for the grant of a machine, which ends with the machine only.
    :param id_token: what ID tokens say of the sign-in, as JSON.
    """

    id_token: str
    revoked: bool


async def parties(
    call: Call, state: State, pairs: Sequence[tuple[int, int]]
) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Providers in short and users in full, for pairs of their keys."""
    users = await whole_users(call, state, {user for _, user in pairs})
    found = {pk: provider for pk in {pk for pk, _ in pairs} if (provider := call.settings.get(OAUTH2_PROVIDER, pk))}
    providers = {pk: await base(call, state, OAUTH2_PROVIDER, provider) for pk, provider in found.items()}
    return [(providers.get(provider, {}), users.get(user, {})) for provider, user in pairs]
