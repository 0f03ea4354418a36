"""Bodies and objects of every kind, made from what its fields declare; a kind that wants more says so in ``GIVEN``."""

import enum
import itertools
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import msgspec

from keystead import app
from keystead.base import rand
from keystead.base.secret import Secret
from keystead.doors.rest.verbs import new_key
from keystead.kinds import records
from keystead.kinds.changes import Changes
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import LINE, MAX_LINE, UNIQUE, Ref
from keystead.kinds.state import State
from keystead.people.agent import AGENT
from keystead.people.event import EVENT
from keystead.providers.outpost.instance import PROVIDERS, OutpostTypeEnum
from keystead.trust import keypair, keys
from keystead.wire import b64
from tests.house import BEGIN, VAULT, House

CANARY: Final = "canary-"
"""How every secret begins that the suite gives away: it must come out nowhere."""
_numbers: Final = itertools.count(1)
_FORMS: Final[Mapping[str, Callable[[int], str]]] = {
    "_uuid": lambda _number: rand.uuid4(),
    "_slug": lambda number: f"slug-{number}",
    "_duration": lambda number: f"minutes={number}",
    "_email": lambda number: f"person{number}@example.org",
}
_NAMED: Final[Mapping[str, Callable[[int], str]]] = {
    "expression": lambda _number: "return True",
    "meta_launch_url": lambda number: f"https://app{number}.example.org/",
    "username": lambda number: f"person{number}",
    "domain": lambda number: f"site{number}.example.org",
    "server_uri": lambda number: f"ldaps://dc{number}.example.org",
    "base_dn": lambda number: f"OU=unit {number},DC=example,DC=org",
    "additional_user_dn": lambda number: f"OU=people {number}",
    "additional_group_dn": lambda number: f"OU=groups {number}",
    "user_object_filter": lambda number: f"(&(objectClass=person)(number={number}))",
    "group_object_filter": lambda number: f"(&(objectClass=group)(number={number}))",
    "client_networks": lambda number: f"10.{number % 256}.0.0/16, 2001:db8::/32",
    "internal_host": lambda number: f"http://host{number}.internal:8080",
    "external_host": lambda number: f"https://host{number}.example.org",
    "hyperlink": lambda number: f"/somewhere/{number}",
    "client_ip": lambda number: f"192.0.2.{number % 256}",
}
"""Texts that mean more than their type says, by the member's name."""


@cache
def _pair() -> keypair.CertificateKeyPair:
    return keypair.make("made", "made.example.org", 30, BEGIN, keys.NewKey.ECDSA)


async def _certificate(_maker: "Maker", **_more: bool) -> dict[str, object]:
    # One pair serves all: making a key for each would take time. What refers to a pair may want its key.
    return {"certificate_data": _pair().certificate_data, "key_data": _pair().key_data.reveal()}


async def _one_bound(maker: "Maker", *, full: bool) -> dict[str, object]:
    none = {"policy": None, "group": None} if full else {}
    return {**none, "user": await maker.target("authentik_core.user")}


async def _unencrypted(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"encryption_key": None} if full else {}  # encrypted tokens are not built yet; the provider says so


async def _key_set(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"oidc_jwks": {"keys": [{"kty": "oct", "number": next(_numbers)}]}} if full else {}


async def _not_default(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"default": False} if full else {}


async def _some_permission(maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"permissions": [next(iter(maker.house.state.permissions.by_id))]} if full else {}


def _connected(member: str, target: str) -> Callable[..., Awaitable[dict[str, object]]]:
    """Whom a connection is about; the contract does not ask for it and nobody could do without."""

    async def given(maker: "Maker", **_more: bool) -> dict[str, object]:
        return {member: await maker.target(target)}

    return given


def _of_any_type(member: str, target: str) -> Callable[..., Awaitable[dict[str, object]]]:
    """The same where a connection's source may be of any type: the member is no reference there."""
    whom = _connected(member, target)

    async def given(maker: "Maker", **more: bool) -> dict[str, object]:
        return {**await whom(maker, **more), "source": await maker.target("authentik_sources_saml.samlsource")}

    return given


async def _somewhere(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"mode": "static", "target_static": "/if/user/"}


async def _one_encryption(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"use_tls": True, "use_ssl": False, "port": 587 + next(_numbers) % 9} if full else {}


async def _behind(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {} if full else {"internal_host": "http://app.internal:8080"}  # demanded in the default mode


async def _reachable(maker: "Maker", **_more: bool) -> dict[str, object]:
    # A connection leads to a machine of its own provider.
    (kind,) = maker.kinds_of("authentik_providers_rac.endpoint")
    endpoint = await maker.kept(kind, await maker.make(kind))
    return {"endpoint": endpoint.pk, "provider": endpoint.provider}


async def _no_query(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"query": None} if full else {}  # queries over events are not built yet; the policy says so


async def _no_estimate(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"check_zxcvbn": False} if full else {}  # nor is the estimate of how hard a password is to guess


async def _few_passwords(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"num_historical_passwords": 7} if full else {}


async def _labelled(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"hyperlink_label": f"label-{next(_numbers)}"}  # a change must change something


async def _reviewed(maker: "Maker", *, full: bool) -> dict[str, object]:
    periods = {"interval": "days=60", "grace_period": "days=30"} if full else {}
    subject = {"content_type": "authentik_core.group"} | (
        {"object_id": await maker.target("authentik_core.group")} if full else {}
    )
    return {**subject, **periods, "reviewers": [maker.house.plain.uuid]}


async def _asked_for(maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"target": await maker.target("authentik_core.application")}


async def _own_type(maker: "Maker", *, full: bool) -> dict[str, object]:
    pk = await maker.target(PROVIDERS[OutpostTypeEnum.PROXY])
    return {"type": "proxy", "providers": [pk] if pk else [], "config": {"log_level": "debug" if full else "info"}}


async def _inline(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"path": "", "content": f"version: 1\nmetadata:\n  name: made\nentries: []\n# {next(_numbers)}"}


async def _of_that_template(_maker: "Maker", *, full: bool) -> dict[str, object]:
    return {"email_template": "email/event_notification.html"} if full else {}  # a mail must fit its template


async def _of_users(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"object_type": "authentik_core.user", "key": f"key-{next(_numbers)}"}


async def _each_hour(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"crontab": f"{next(_numbers) % 60} * * * *"}


async def _licence(_maker: "Maker", **_more: bool) -> dict[str, object]:
    claims = {"name": "licensee", "jti": next(_numbers), "exp": 4102444800, "internal_users": 5, "external_users": 6}
    parts = (b'{"alg":"none"}', msgspec.json.encode(claims), b"signature")
    return {"key": ".".join(b64.encode(part) for part in parts)}


async def _docker_host(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"url": f"tcp://docker{next(_numbers)}.example.org:2376"}


async def _local_cluster(_maker: "Maker", **_more: bool) -> dict[str, object]:
    return {"local": True, "kubeconfig": {}}


GIVEN: Final[Mapping[str, Callable[..., Awaitable[dict[str, object]]]]] = {
    "authentik_crypto.certificatekeypair": _certificate,
    "authentik_events.notification": _labelled,
    "authentik_events.notificationtransport": _of_that_template,
    "authentik_lifecycle.lifecyclerule": _reviewed,
    "authentik_requests.requestrulebinding": _asked_for,
    "authentik_requests.requestrulechildbinding": _asked_for,
    "authentik_policies.policybinding": _one_bound,
    "authentik_policies_event_matcher.eventmatcherpolicy": _no_query,
    "authentik_policies_password.passwordpolicy": _no_estimate,
    "authentik_policies_unique_password.uniquepasswordpolicy": _few_passwords,
    "authentik_brands.brand": _not_default,
    "authentik_rbac.initialpermissions": _some_permission,
    "authentik_stages_redirect.redirectstage": _somewhere,
    "authentik_stages_email.emailstage": _one_encryption,
    "authentik_stages_authenticator_email.authenticatoremailstage": _one_encryption,
    "authentik_blueprints.blueprintinstance": _inline,
    "authentik_core.objectattribute": _of_users,
    "authentik_endpoints.deviceuserbinding": _one_bound,
    "authentik_enterprise.license": _licence,
    "authentik_outposts.outpost": _own_type,
    "authentik_tasks_schedules.schedule": _each_hour,
    "authentik_outposts.dockerserviceconnection": _docker_host,
    "authentik_outposts.kubernetesserviceconnection": _local_cluster,
    "authentik_providers_oauth2.oauth2provider": _unencrypted,
    "authentik_sources_oauth.oauthsource": _key_set,
    "authentik_core.usersourceconnection": _of_any_type("user", "authentik_core.user"),
    "authentik_core.groupsourceconnection": _of_any_type("group", "authentik_core.group"),
    **{
        f"authentik_sources_{type_}.group{type_}sourceconnection": _connected("group", "authentik_core.group")
        for type_ in ("kerberos", "ldap", "oauth", "plex", "saml", "telegram")
    },
    "authentik_providers_proxy.proxyprovider": _behind,
    "authentik_providers_rac.connectiontoken": _reachable,
}
"""Model -> what a body needs beyond what the fields say: what the kind's rules want."""


async def _granted(maker: "Maker") -> dict[str, object]:
    (kind,) = maker.kinds_of("authentik_providers_oauth2.accesstoken")
    grant = await maker.kept(kind, await maker.make(kind))
    return {"grant_id": grant.grant_id, "user": grant.user}


ROWS: Final[Mapping[str, Callable[["Maker"], Awaitable[dict[str, object]]]]] = {
    "authentik_providers_oauth2.refreshtoken": _granted,
}
"""Model -> members of a row that only we write which its fields do not tell."""


class Maker:
    """Makes objects of every kind in one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._known: dict[str, object] = {}
        self._other: State | None = None

    async def body(self, kind: Kind[Any], *, full: bool = True) -> dict[str, object]:
        """A body that a create takes; without ``full`` with the required members only."""
        body: dict[str, object] = {}
        for field in kind.fields.values():
            if field.writable and (field.required or full):
                body[field.name] = await self.value(field)
        if kind.model in GIVEN:
            body |= await GIVEN[kind.model](self, full=full)
        return body

    async def value(self, field: Field) -> object:
        """A value for one member, as JSON has it; another one each time where it is to be unique."""
        if field.ref:
            return await self._reference(field, field.ref)
        if field.many:
            return [await self._plain(field, field.core)]
        return await self._plain(field, field.core)

    async def _reference(self, field: Field, ref: Ref) -> object:
        if not field.many:
            return await self.target(ref.target)  # another one each time: some may lead to an object only once
        target = await self._known_target(ref.target)
        return [] if target is None else [target]

    async def _known_target(self, target: str) -> object:
        known = self._known.get(target)
        for kind in self.kinds_of(target) if known is not None else ():
            if await self.kept(kind, known) is not None:
                return known
        self._known[target] = await self.target(target)
        return self._known[target]

    async def target(self, target: str) -> object:
        """The key of a new object a reference may lead to; None where no kind is built yet that it could be."""
        found = self.kinds_of(target)
        return await self.make(found[0]) if found else None

    async def kept(self, kind: Kind[Any], pk: object) -> Any:  # noqa: ANN401 - objects of every kind
        """The object as it is kept, past what the API shows of it; None if there is none."""
        state = self.house.state
        if kind.table is None:
            return (await state.refresh()).get(kind, pk)
        found = await records.load(state.store, kind, kind.fields[kind.pk].column, [pk])
        return found[0] if found else None

    def kinds_of(self, target: str) -> list[Kind[Any]]:
        """The kinds that a reference to ``target`` may lead to."""
        return [
            kind
            for kind in self.house.state.kinds.values()
            if target in {kind.model, kind.family} or (target == "bindable" and kind.bindable)
        ]

    async def make(self, kind: Kind[Any], **members: object) -> object:
        """A new object of ``kind``, by the API where it makes them; its primary key."""
        if kind is EVENT:
            return await self._event()
        if Verb.CREATE not in kind.verbs or kind.model in app.OPENED:
            made = {kind.pk: await self.target("authentik_core.user")} if kind is AGENT else {}
            obj = await self.unwritten(kind, **made, **members)
            await self.house.put(obj)
            return getattr(obj, kind.pk)
        body = await self.body(kind, full=False) | members
        answered = await self.house.admin.post(f"/api/v3/{kind.path}/", body)
        assert answered.status == 201, f"{kind.model} is not made from {body}: {answered.text}"
        return answered.json[kind.pk]

    async def _event(self) -> object:
        """A new event: only the ledger writes them."""
        changes = Changes()
        changes.event(self.house.call, "custom_", "test", {"number": next(_numbers)})
        await self.house.state.commit(changes, self.house.call.at)
        return changes.writes[0].args[0]

    async def elsewhere(self) -> int:
        """How far another process gets that read all settings once and has kept up by the log of changes since."""
        kinds = tuple(self.house.state.kinds.values())
        if self._other is None:
            self._other = State(self.house.state.store, kinds, VAULT)
            await self._other.load()
        settings = await self._other.refresh()
        assert settings.seq == self.house.state.settings.seq
        for kind in kinds:
            if kind.table is None:
                assert list(settings.all(kind)) == list(self.house.state.settings.all(kind))
        return settings.seq

    async def unwritten(self, kind: Kind[Any], **members: object) -> Any:  # noqa: ANN401 - objects of every kind
        """An object of ``kind`` that is not written yet, past the API: for kinds whose objects only we make."""
        values: dict[str, Any] = {}
        if kind.model in GIVEN:
            members = {**await GIVEN[kind.model](self, full=False), **members}
        if kind.model in ROWS:
            members = await ROWS[kind.model](self) | members
        for field in kind.fields.values():
            if field.name == kind.pk and field.core is int and field.name not in members:
                values[field.name] = await new_key(self.house.state, kind)
            elif field.name in members or field.required or field.name == kind.pk:
                value = members[field.name] if field.name in members else await self.value(field)
                values[field.name] = msgspec.convert(value, field.type, dec_hook=_secret)
        return kind.struct(**values)

    async def _plain(self, field: Field, core: Any) -> object:  # noqa: ANN401 - type expressions
        if core in _MADE:
            return _MADE[core](field, next(_numbers))
        if issubclass(core, enum.Enum):
            return next(one.value for one in reversed(core) if one.value not in _NOT_BY_HAND)
        return {name: await self.value(inner) for name, inner in _members(core).items() if inner.required}


def _members(struct: type[msgspec.Struct]) -> Mapping[str, Field]:
    from keystead.kinds.field import fields  # noqa: PLC0415 - the name is a common word above

    return fields(struct)


def _text(field: Field, number: int) -> str:
    for form in field.formats:
        if form.check.__name__ in _FORMS:
            return _FORMS[form.check.__name__](number)
    if field.name in _NAMED:
        return _NAMED[field.name](number)
    if "uri" in field.name or "url" in field.name:
        return f"https://host{number}.example.org/{number}"
    unique = UNIQUE in field.marks or field.name in {"name", "url"}
    return f"{field.name}-{number}" if unique else f"{field.name}-{number}"[:20]


def _number(field: Field, number: int) -> int:
    return min(max(number, _limit(field, "ge", number)), _limit(field, "le", number))


_MADE: Final[Mapping[object, Callable[[Field, int], object]]] = {
    str: _text,
    Secret: lambda _field, _number: f"{CANARY}{rand.hex128()}",
    datetime: lambda _field, number: (BEGIN + timedelta(days=number)).isoformat(),
    bool: lambda field, _number: not field.default,
    int: _number,
    float: _number,
    dict: lambda _field, number: {"made": number},
    object: lambda _field, number: {"made": number},
}
_NOT_BY_HAND: Final = frozenset({"internal_service_account"})
"""Choices that only we make (rest.md §11)."""
_WRONG: Final[Mapping[object, tuple[object, ...]]] = {
    str: (5, True, ["list"], {"an": "object"}, "with \0 inside"),
    Secret: (5, ["list"], "with \0 inside"),
    datetime: ("yesterday", [], "9999-12-31T23:59:59-12:00"),
    bool: ("perhaps", 5, []),
    int: ("many", 10**30, [], True),
    float: ("many", [], True),
    dict: ("text", 5, [1], {"with": {"inside": "\0"}}),
}


def _limit(field: Field, name: str, otherwise: int) -> int:
    found = [value for meta in _metas(field.type) for value in (getattr(meta, name),) if value is not None]
    return int(found[0]) if found else otherwise


def _metas(hint: Any) -> list[msgspec.Meta]:  # noqa: ANN401 - type expressions
    if typing.get_origin(hint) is typing.Annotated:
        inner, *extras = typing.get_args(hint)
        return [*_metas(inner), *(extra for extra in extras if isinstance(extra, msgspec.Meta))]
    if typing.get_origin(hint) in {typing.Union, types.UnionType, tuple}:
        return [meta for arg in typing.get_args(hint) if arg is not Ellipsis for meta in _metas(arg)]
    return []


def _secret(type_: type, value: object) -> object:
    return Secret(str(value)) if type_ is Secret else value


def wrong(field: Field) -> list[object]:
    """Values of another type or form than the member's."""
    found: list[object] = [] if field.nullable else [None]
    if field.many:
        return [*found, "no list", {"no": "list"}, 5]
    if isinstance(field.core, type) and issubclass(field.core, enum.Enum):
        return [*found, "no such choice", 5, []]
    found += _WRONG.get(field.core, ())
    if field.core is str:
        found += ["x" * (MAX_LINE + 1) if form is LINE else "§ not of that form §" for form in field.formats]
    if field.core is str and _limit(field, "min_length", 0):
        found += ["", "   "]
    return found
