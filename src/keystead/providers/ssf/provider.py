"""SSFProvider: receivers that may subscribe to security events (OpenID Shared Signals Framework 1.0)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import base, render
from keystead.kinds.state import State
from keystead.people.finding import by_username
from keystead.people.token import TOKEN, IntentEnum, issue
from keystead.people.user import USER, User, UserTypeEnum
from keystead.providers import filters
from keystead.providers.application import Assigned, ProviderShown, assigned
from keystead.providers.signing import check_signing_key

_PATH: Final = "goauthentik.io/providers/ssf"


class SSFProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Receivers of security events.

    :param signing_key: what events are signed with; needs its private key.
    :param oidc_auth_providers: whose access tokens receivers may bring, beside the token of the provider's own.
    :param event_retention: how long an event is kept for a receiver.
    :param push_verify_certificates: push only to receivers whose certificate is good.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    signing_key: Annotated[Uuid, Ref("authentik_crypto.certificatekeypair")]
    oidc_auth_providers: tuple[
        Annotated[int, Ref("authentik_providers_oauth2.oauth2provider", OnDelete.CASCADE_MANY)], ...
    ] = ()
    event_retention: Duration = "days=30"
    push_verify_certificates: bool = True


class SSFProviderShown(Assigned):
    """The computed members of an SSF provider.

    :param token_obj: the token that receivers bring, without its key.
    :param ssf_url: where receivers learn of everything: nowhere yet.
    """

    token_obj: Annotated[dict[str, object], msgspec.Meta(title="Token")]
    oidc_auth_providers_obj: list[ProviderShown]
    ssf_url: str | None


def account(pk: int) -> str:
    """The name of the service account, and of its token, of the provider with this key."""
    return f"ak-providers-ssf-{pk}"


async def view(
    call: Call, state: State, providers: Sequence[SSFProvider], _query: Mapping[str, Sequence[str]]
) -> list[SSFProviderShown]:
    """The tokens, and the other providers in short."""
    tokens = await records.load(state.store, TOKEN, "identifier", [account(one.pk) for one in providers])
    bodies = await render(call, state, TOKEN, tokens, {})
    by_name = {token.identifier: body for token, body in zip(tokens, bodies, strict=True)}
    shown = []
    for one in providers:
        found = (call.settings.find("providers", pk) for pk in one.oidc_auth_providers)
        shown.append(
            SSFProviderShown(
                **msgspec.structs.asdict(assigned(call.settings, one.pk)),
                token_obj=by_name.get(account(one.pk), {}),
                oidc_auth_providers_obj=[await base(call, state, *other) for other in found if other],
                ssf_url=None,
            )
        )
    return shown


async def rules(call: Call, _state: State, _old: SSFProvider | None, new: SSFProvider) -> SSFProvider:
    """What is to sign can sign."""
    check_signing_key(call.settings, "signing_key", new.signing_key)
    return new


async def along(call: Call, state: State, old: SSFProvider | None, new: SSFProvider | None) -> Changes:
    """The service account and token that receivers use: made with the provider, again if lost, and removed with it."""
    changes = Changes()
    provider = new or old
    if provider is None:
        return changes
    name = account(provider.pk)
    user = await by_username(state, name)
    if new is None:
        if user is not None:
            # On the provider's authority: the account stands for nothing else.
            changes.delete(system(call, USER, "delete"), user, state.kinds.values())
        return changes
    if user is None:
        user = User(
            pk=await state.store.reserve("users", 1),
            uuid=rand.uuid4(),
            username=name,
            name=f"Receivers of {new.name}"[:150],
            type=UserTypeEnum.INTERNAL_SERVICE_ACCOUNT,
            path=_PATH,
            date_joined=call.at,
            password_change_date=call.at,
            last_updated=call.at,
        )
        changes.create(system(call, USER, "add"), user)  # as above
    elif await records.load(state.store, TOKEN, "identifier", [name]):
        return changes
    token, _ = issue(
        state,
        identifier=name,
        user=user.pk,
        intent=IntentEnum.API,
        description=f"What receivers of the SSF provider {new.name} bring",
    )
    changes.create(system(call, TOKEN, "add"), token)  # as above
    return changes


SSF_PROVIDER: Kind[SSFProvider] = Kind(
    model="authentik_providers_ssf.ssfprovider",
    struct=SSFProvider,
    path="providers/ssf",
    title=("Shared Signals Framework Provider", "Shared Signals Framework Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-ssf-form",
    shown=SSFProviderShown,
    view=view,
    rules=rules,
    along=along,
    filters=(filters.UNASSIGNED, filters.iexact("name")),
    stored_only="No security events are sent yet, and receivers cannot subscribe.",
)
