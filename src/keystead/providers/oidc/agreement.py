"""Consent, as far as it is OAuth's: what is asked for, when it must be asked anew, and when nobody may be asked."""

from keystead.flows.binding import bindings_of
from keystead.flows.flow import Flow
from keystead.flows.ports import ConsentRequest, ConsentStore, Permission
from keystead.flows.stages.consent import CONSENT_STAGE, ConsentModeEnum
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.user import User
from keystead.providers.consent import ONCE
from keystead.providers.oidc.claims import mappings
from keystead.providers.oidc.request import Asked
from keystead.providers.oidc.wire import Refusal


def insists(asked: Asked) -> bool:
    """Whether the person is to be asked whatever they allowed before.

    Because the client says so, or because anybody could have sent the request in its name: a client without a secret is
    known by its redirect URI alone, and on a person's own machine that is anybody's (RFC 8252 §8.6).
    """
    local = not asked.target.redirect_uri.lower().startswith("https://")
    return "consent" in asked.prompt or (asked.target.provider.public and local)


def permissions(settings: Snapshot, asked: Asked, *, once: bool) -> tuple[Permission, ...]:
    """What the person is asked to allow: the scopes that have something to say about themselves.

    :param once: add one that is never remembered, so that the question is asked in any case.
    """
    known = mappings(settings, asked.target.provider)
    found = {
        scope: Permission(scope, mapping.description)
        for scope in asked.scope
        for mapping in known.get(scope, ())
        if mapping.description
    }
    if once:
        found[ONCE] = Permission(ONCE, "To be asked this time, whatever you allowed before")
    return tuple(found.values())


async def undisturbed(
    call: Call, state: State, store: ConsentStore | None, flow: Flow, user: User, request: ConsentRequest
) -> None:
    """Make sure that ``flow`` has nothing to ask of somebody who must not be disturbed.

    :raises Refusal: ``consent_required`` or ``interaction_required`` (OIDC Core §3.1.2.6).
    """
    for binding in bindings_of(call.settings, flow.pk):
        stage = call.settings.get(CONSENT_STAGE, binding.stage)
        if stage is None:
            raise Refusal("interaction_required", "The authorization flow wants to ask something.")
        given = None
        if store is not None and stage.mode is not ConsentModeEnum.ALWAYS_REQUIRE:
            given = await store.load(call, state, user.pk, request.application)
        if given is None or any(one.id not in given for one in request.permissions):
            raise Refusal("consent_required", "The user has not allowed the application this.")
