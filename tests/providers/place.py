"""A place with applications, for the OIDC suites: what the door would do, without HTTP, on a real store.

Requests go through the same :func:`keystead.providers.oidc.routes.routes` that the door serves.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from keystead.base import rand
from keystead.base.clock import unix
from keystead.flows.flow import Flow
from keystead.flows.ports import Visitor
from keystead.kinds.access import system
from keystead.kinds.call import NOBODY, Actor, Call, Origin
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people import session, token
from keystead.people.group import Group
from keystead.people.password import hash_password
from keystead.people.user import User
from keystead.policies.binding import PolicyBinding
from keystead.providers.application import Application
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.mapping import ScopeMapping
from keystead.providers.oidc.provider import OAuth2Provider
from keystead.providers.oidc.routes import Route
from keystead.providers.oidc.wire import Json, OidcRequest, Reply
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI, RedirectURITypeEnum
from keystead.store import Row, Unit
from keystead.store.sql import Value, dynamic
from keystead.trust import keys
from keystead.trust.keypair import CertificateKeyPair, make
from keystead.wire import form, pkce
from tests.providers.said import basic, json_reply, ok, parameters

ROOT: Final = "https://id.example"
BEGIN: Final = datetime(2026, 9, 1, 12, 0, 0, 123456, UTC)
VERIFIER: Final = "a-verifier-of-forty-three-letters-or-more-0123456789"


@cache
def pair(alg: keys.NewKey) -> CertificateKeyPair:
    """A certificate with its key, one of each sort for all tests."""
    made = make(f"signing {alg}", f"signing {alg}", 30, BEGIN - timedelta(days=1), alg)
    return msgspec.structs.replace(made, name=f"signing {alg}")


def strict(*urls: str, use: RedirectURITypeEnum = RedirectURITypeEnum.AUTHORIZATION) -> tuple[RedirectURI, ...]:
    """Redirect URIs compared as they stand."""
    return tuple(RedirectURI(matching_mode=MatchingModeEnum.STRICT, url=url, redirect_uri_type=use) for url in urls)


@dataclass(frozen=True, slots=True)
class Party:
    """A client as its developer knows it."""

    provider: OAuth2Provider
    application: Application

    @property
    def id(self) -> str:
        return self.provider.client_id

    @property
    def secret(self) -> str:
        return self.provider.client_secret.reveal()

    @property
    def uri(self) -> str:
        return next((one.url for one in self.provider.redirect_uris), "https://nowhere.example/cb")

    @property
    def basic(self) -> str:
        """Its Authorization header."""
        return basic(self.id, self.secret)


@dataclass(kw_only=True)
class Place:
    """An installation with its flows, and the time of day."""

    state: State
    parts: Parts
    table: dict[tuple[str, str], Route]
    flows: dict[str, Flow]
    scopes: dict[str, ScopeMapping]
    at: datetime = BEGIN
    made: int = field(default=0)

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)

    def call(self, actor: Actor = NOBODY) -> Call:
        """A call by ``actor``, now."""
        origin = Origin(method="GET", path="/", root=ROOT, host="id.example", secure=True)
        return Call(actor, self.at, self.state.settings, "203.0.113.7", rand.hex128(), origin)

    async def _do(self, say: Callable[[Changes, Call], object]) -> None:
        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            say(changes, call)
            return changes, None

        await self.state.change(self.call(), decide)

    async def put(self, *objs: Any) -> None:  # noqa: ANN401 - objects of every kind
        """Keep new objects, as Keystead itself."""
        kinds = {kind.struct: kind for kind in self.state.kinds.values()}

        def say(changes: Changes, call: Call) -> None:
            for obj in objs:
                changes.create(system(call, kinds[type(obj)], "add"), obj, quiet=True)

        await self._do(say)

    async def change(self, kind: Kind[Any], old: Any, **members: object) -> Any:  # noqa: ANN401 - as put
        """Change an object, as Keystead itself."""
        new = msgspec.structs.replace(old, **members)
        await self._do(lambda changes, call: changes.update(system(call, kind, "change"), old, new, quiet=True))
        return new

    async def remove(self, kind: Kind[Any], obj: Any) -> None:  # noqa: ANN401 - as put
        """Delete an object, as Keystead itself."""
        every = self.state.kinds.values()
        await self._do(lambda changes, call: changes.delete(system(call, kind, "delete"), obj, every))

    async def person(self, username: str = "anna", secret: str = "", **members: Any) -> User:  # noqa: ANN401 - members
        """A new user."""
        given = {"name": username.title(), "email": f"{username}@example.org", **members}
        user = User(
            pk=await self.state.store.reserve("users", 1),
            username=username,
            uuid=rand.uuid4(),
            password=await hash_password(secret) if secret else "",
            date_joined=self.at,
            password_change_date=self.at,
            last_updated=self.at,
            **given,
        )
        await self.put(user)
        return user

    async def group(self, name: str, *members: User) -> Group:
        """A new group with these members."""
        number = await self.state.store.reserve("groups.num_pk", 1)
        made = Group(pk=rand.uuid4(), num_pk=number, name=name, users=tuple(user.pk for user in members))
        await self.put(made)
        return made

    async def party(self, scopes: Iterable[str] = ("openid", "email", "profile"), **members: Any) -> Party:  # noqa: ANN401 - as person
        """A new client with its application; ES256 unless said otherwise."""
        self.made += 1
        given: dict[str, Any] = {
            "name": f"client {self.made}",
            "redirect_uris": strict(f"https://app{self.made}.example/cb"),
            "authorization_flow": self.flows["implicit"].pk,
            "invalidation_flow": self.flows["leave"].pk,
            "signing_key": pair(keys.NewKey.ECDSA).pk,
            "property_mappings": tuple(self.scopes[name].pk for name in scopes),
            **members,
        }
        provider = OAuth2Provider(pk=await self.state.store.reserve("providers", 1), **given)
        application = Application(
            pk=rand.uuid4(), name=f"App {self.made}", slug=f"app-{self.made}", provider=provider.pk
        )
        await self.put(provider, application)
        return Party(provider, application)

    async def only(self, application: Application, group: Group) -> None:
        """Let only members of ``group`` use ``application``."""
        await self.put(PolicyBinding(pk=rand.uuid4(), target=application.pk, group=group.pk, order=0))

    async def visit(self, user: User | None = None, **auth: object) -> Visitor:
        """A browser in which ``user`` has just signed in."""
        sid = rand.token()
        if user is None:
            return Visitor(sid)
        proof = {"method": "password", "args": {}, "amr": ["pwd"], "auth_time": unix(self.at), **auth}
        made, writes = session.start(self.call(), user.pk, sid, expires=self.at + timedelta(days=1), auth=proof)
        await self.state.store.commit(Unit(writes))
        return Visitor(sid, made, user)

    async def leave(self, visitor: Visitor) -> None:
        """End the session of a browser."""
        await self.state.store.commit(Unit((session.end(visitor.session),) if visitor.session else ()))

    async def app_password(self, user: User, intent: token.IntentEnum = token.IntentEnum.APP_PASSWORD) -> str:
        """A key of ``user``."""
        made, key = token.issue(self.state, identifier=f"t-{rand.hex128()}", user=user.pk, intent=intent)
        await self.put(made)
        return key.reveal()

    async def send(  # noqa: PLR0913 - what a request has
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        query: str = "",
        authorization: str = "",
        slug: str = "",
        visitor: Visitor | None = None,
        origin: str = "",
        if_none_match: str = "",
        root: str = ROOT,
    ) -> Reply:
        """What the endpoint answers. ``fields`` go into the query of a GET, into the form of a POST."""
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        text = urlencode(pairs)
        user = visitor.user if visitor else None
        actor = Actor(pk=user.pk, username=user.username, means="session") if user else NOBODY
        request = OidcRequest(
            method=method,
            path=path.replace("{slug}", slug),
            root=root,
            query=form.parse(query or (text if method == "GET" else "")),
            form=form.parse(text) if method == "POST" else None,
            authorization=authorization,
            slug=slug,
            visitor=visitor,
            origin=origin,
            if_none_match=if_none_match,
        )
        return await self.table[method, path].handle(request, self.call(actor), self.state)

    async def authorize(self, party: Party, visitor: Visitor, **more: str) -> Reply:
        """An authorization request with PKCE; ``None``-like empty texts leave a parameter out."""
        fields = {
            "client_id": party.id,
            "redirect_uri": party.uri,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": pkce.s256(VERIFIER),
            "code_challenge_method": "S256",
            **more,
        }
        sent = {name: value for name, value in fields.items() if value}
        return await self.send("GET", "/application/o/authorize/", sent, visitor=visitor)

    async def code(self, party: Party, visitor: Visitor, **more: str) -> str:
        """A code."""
        return parameters(await self.authorize(party, visitor, **more))["code"]

    async def token(self, party: Party, *, authorization: str | None = None, **fields: str) -> Json:
        """A token request with Basic authentication unless said otherwise."""
        header = party.basic if authorization is None else authorization
        return json_reply(await self.send("POST", "/application/o/token/", fields, authorization=header))

    async def redeem(self, party: Party, value: str, **more: str) -> Json:
        """Redeem a code as the client does that it was made for."""
        fields = {
            "grant_type": "authorization_code",
            "code": value,
            "redirect_uri": party.uri,
            "code_verifier": VERIFIER,
            **more,
        }
        return await self.token(party, **{name: text for name, text in fields.items() if text})

    async def tokens(self, party: Party, visitor: Visitor, **more: str) -> dict[str, Any]:
        """Everything at once: the tokens of a person who just signed in."""
        return ok(await self.redeem(party, await self.code(party, visitor, **more)))

    async def userinfo(self, access_token: str) -> Json:
        """Userinfo for the bearer of a token."""
        return json_reply(await self.send("GET", "/application/o/userinfo/", authorization=f"Bearer {access_token}"))

    async def introspect(self, party: Party, value: str, **more: str) -> dict[str, Any]:
        """What a client learns of a token."""
        answer = await self.send(
            "POST", "/application/o/introspect/", {"token": value, **more}, authorization=party.basic
        )
        return ok(json_reply(answer))

    async def revoke(self, party: Party, value: str, **more: str) -> Json:
        """Give a token back."""
        fields = {"token": value, **more}
        header = "" if party.provider.public else party.basic
        return json_reply(await self.send("POST", "/application/o/revoke/", fields, authorization=header))

    async def rows(self, text: str, *args: Value) -> list[Row]:
        """Rows straight from the store."""
        return await self.state.store.fetch(dynamic(text), *args)

    async def events(self, action: str) -> list[dict[str, Any]]:
        """The contexts of all events of an action."""
        rows = await self.rows("SELECT context FROM events WHERE action = $1 ORDER BY position", action)
        return [msgspec.json.decode(str(row[0])) for row in rows]
