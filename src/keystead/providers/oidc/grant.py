"""What a grant is to the token endpoint: one file that trades one thing for tokens, and knows no other grant."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from keystead.flows.executor import Executor
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people.person import Person
from keystead.people.user import User
from keystead.policies.engine import Engine
from keystead.providers.oidc.client import Client
from keystead.providers.oidc.standing import Proof
from keystead.providers.oidc.wire import Refusal, one, scopes
from keystead.wire.form import Form


@dataclass(frozen=True, slots=True, repr=False)
class TokenRequest:
    """A token request, parsed once; empty texts were not given.

    :param scope: the scopes asked for.
    :param verifier: the PKCE code verifier.
    """

    grant_type: str
    scope: tuple[str, ...] = ()
    code: str = ""
    redirect_uri: str = ""
    verifier: str = ""
    refresh_token: str = ""
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, form: Form) -> "TokenRequest":
        """The request in ``form``.

        :raises Refusal: ``invalid_request``: a parameter comes several times, or there is no ``grant_type``.
        """
        grant_type = one(form, "grant_type")
        if not grant_type:
            raise Refusal("invalid_request", "The parameter 'grant_type' is missing.")
        return cls(
            grant_type=grant_type,
            scope=scopes(one(form, "scope")),
            code=one(form, "code"),
            redirect_uri=one(form, "redirect_uri"),
            verifier=one(form, "code_verifier"),
            refresh_token=one(form, "refresh_token"),
            username=one(form, "username"),
            password=one(form, "password"),
        )


Lost: TypeAlias = Callable[[str], Awaitable[Refusal | None]]
"""What a failed guard means, given its name: a refusal, or None to try the whole grant again."""


async def _unexpected(_guard: str) -> Refusal | None:
    return Refusal("invalid_grant", "The grant changed meanwhile.")


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What a grant decided. Nothing has happened yet: the endpoint judges, signs, and commits ``changes``.

    :param person: the user with all groups, where the grant has read them already.
    :param grant_id: the family that the tokens belong to.
    :param scope: what is granted.
    :param refresh: the refresh token to hand out, or empty.
    :param lost: asked when a guard among ``changes`` fails.
    """

    user: User
    grant_id: str
    scope: tuple[str, ...]
    proof: Proof
    changes: Changes = field(default_factory=Changes)
    nonce: str = ""
    refresh: str = ""
    lost: Lost = _unexpected
    person: Person | None = None


Redeem: TypeAlias = Callable[[TokenRequest, Client, Call, State], Awaitable[Granted]]


class Grant(msgspec.Struct, frozen=True):
    """A way to tokens; ``app.py`` lists them.

    :param type: the ``grant_type``.
    :param redeem: decides; raises :class:`~keystead.providers.oidc.wire.Refusal`.
    :param vouches: it proves by itself who asks, so the endpoint does not insist on the client's own proof.
    """

    type: str
    redeem: Redeem
    vouches: bool = False


class Parts(msgspec.Struct, frozen=True):
    """What the endpoints work with, put together by ``app.py``.

    :param executor: runs the flows of providers.
    :param grants: by ``grant_type``.
    """

    executor: Executor
    grants: Mapping[str, Grant]

    @property
    def engine(self) -> Engine:
        """What asks policies."""
        return self.executor.ports.engine
