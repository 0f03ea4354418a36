"""The end of an authorization: a code and the event that tells of it, in one commit, and the answer to the client."""

from collections.abc import Mapping
from typing import Final, cast

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied
from keystead.flows.ports import Finish, Finisher, Visitor
from keystead.kinds import ledger
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.providers import application as applications
from keystead.providers.application import APPLICATION
from keystead.providers.oidc import family, opaque
from keystead.providers.oidc.provider import OAUTH2_PROVIDER
from keystead.providers.oidc.request import Asked, Target
from keystead.providers.oidc.standing import Proof, Terms
from keystead.providers.oidc.tokens import length
from keystead.providers.pages import FormPost, Redirect

NAME: Final = "oauth2"
"""Under which name flows know this finisher."""
_AUTOSUBMIT: Final = "ak-stage-autosubmit"


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run keeps of the request it answers, on the server.

    :param user: for whom the request was judged; nobody else gets its code.
    """

    provider: int
    user: int
    redirect_uri: str
    mode: str
    issuer: str
    scope: tuple[str, ...] = ()
    state: str = ""
    nonce: str = ""
    challenge: str = ""
    method: str = ""

    @classmethod
    def of(cls, asked: Asked, user: int) -> "Data":
        """What of a request has to be kept."""
        to = asked.target
        return cls(
            provider=to.provider.pk,
            user=user,
            redirect_uri=to.redirect_uri,
            mode=to.mode,
            issuer=to.issuer,
            scope=asked.scope,
            state=to.state,
            nonce=asked.nonce,
            challenge=asked.challenge,
            method=asked.method,
        )


async def finish(call: Call, _state: State, visitor: Visitor, data: Mapping[str, object]) -> Finish:
    """Make the code.

    :raises Problem: ``DENIED``: another person is at the browser now; ``INTERNAL``: the provider went meanwhile.
    """
    kept = msgspec.convert({key: value for key, value in data.items() if key != "by"}, Data)
    user, session = visitor.user, visitor.session
    if user is None or user.pk != kept.user:
        raise denied("Somebody else has signed in meanwhile; start again from the application.")
    provider = call.settings.get(OAUTH2_PROVIDER, kept.provider)
    application = applications.of_provider(call.settings, kept.provider)
    if provider is None or application is None:
        raise Problem(Fault.INTERNAL, "The application is gone.")
    code = opaque.new(opaque.CODE)
    asked = Terms(
        redirect_uri=kept.redirect_uri,
        scope=kept.scope,
        proof=proof(visitor),
        nonce=kept.nonce,
        challenge=kept.challenge,
        method=kept.method,
    )
    changes = Changes()
    changes.write(
        family.new_code(
            call,
            code,
            grant_id=rand.token(24),
            provider=provider.pk,
            user=user.pk,
            session=session.uuid if session else None,
            asked=asked,
            expires=micros(call.at + length(provider.access_code_validity)),
        )
    )
    changes.event(
        call,
        "authorize_application",
        OAUTH2_PROVIDER.app,
        {
            "authorized_application": ledger.reference(APPLICATION, application),
            "flow": str(ledger.plain_pk(provider.authorization_flow)),
            "scopes": " ".join(kept.scope),
        },
        user={"pk": user.pk, "email": user.email, "username": user.username},
    )
    to = Target(provider, application, kept.redirect_uri, kept.mode, kept.state, kept.issuer)
    answer = to.answer(code=code)
    if isinstance(answer, Redirect):
        return Finish(changes, to=answer.url)
    members = {"component": _AUTOSUBMIT, "url": answer.url, "attrs": answer.fields, "title": answer.title}
    return Finish(changes, to=answer.url, challenge=members)


FINISHER: Final[Finisher] = finish


def sent(done: Finish) -> Redirect | FormPost:
    """The same answer where no flow is shown."""
    if done.challenge is None:
        return Redirect(done.to)
    return FormPost(done.to, cast("dict[str, str]", done.challenge["attrs"]), str(done.challenge["title"]))


def proof(visitor: Visitor) -> Proof:
    """When and how the visitor signed in."""
    if visitor.session is None:
        return Proof()
    auth = visitor.session.auth
    moment, methods = auth.get("auth_time"), auth.get("amr")
    return Proof(
        auth_time=moment if isinstance(moment, int) else 0,
        amr=tuple(str(one) for one in methods) if isinstance(methods, (list, tuple)) else (),
        sid=visitor.session.digest,
    )
