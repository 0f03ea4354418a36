"""Claims: who a token is about, and what scope mappings tell of them (oauth2.md §3, §4)."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from keystead.base import log
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.snapshot import Snapshot
from keystead.people.person import Person
from keystead.policies.judge import Request
from keystead.policies.plain import merged, plain
from keystead.policies.sandbox import ExpressionError, make_view
from keystead.policies.values import evaluate_mapping, looks_beside, names_for_mapping
from keystead.providers.oidc.mapping import PROTECTED, SCOPE_MAPPING, ScopeMapping
from keystead.providers.oidc.provider import OAuth2Provider, SubModeEnum

_LOG = log.get("providers.oidc.claims")
OPENID: Final = "openid"
OFFLINE: Final = "offline_access"
_KEPT: Final = 500
"""People whose claims are kept."""
_PROVIDER: Final = make_view(
    "provider",
    {name: name for name in ("pk", "name", "client_id", "launch_url")}
    | {
        "client_type": lambda provider: provider.client_type.value,
        "sub_mode": lambda provider: provider.sub_mode.value,
        "issuer_mode": lambda provider: provider.issuer_mode.value,
    },
    text=lambda provider: provider.name,
    key=lambda provider: ("provider", provider.pk),
)


class Told(NamedTuple):
    """What the mappings of some scopes said.

    :param changes: events about mappings that failed; their claims are missing.
    """

    claims: dict[str, object]
    changes: Changes | None


def subject(provider: OAuth2Provider, person: Person) -> str:
    """The ``sub`` of a person towards this client."""
    user = person.user
    match provider.sub_mode:
        case SubModeEnum.USER_ID:
            return str(user.pk)
        case SubModeEnum.USER_UUID:
            return user.uuid
        case SubModeEnum.USER_USERNAME:
            return user.username
        case SubModeEnum.USER_EMAIL:
            return user.email
        case SubModeEnum.USER_UPN:
            upn = user.attributes.get("upn")
            return upn if isinstance(upn, str) and upn else person.uid
        case _:
            return person.uid


def mappings(settings: Snapshot, provider: OAuth2Provider) -> Mapping[str, Sequence[ScopeMapping]]:
    """The provider's mappings by scope."""

    def by_scope() -> dict[str, list[ScopeMapping]]:
        found: dict[str, list[ScopeMapping]] = {}
        for pk in provider.property_mappings:
            if mapping := settings.get(SCOPE_MAPPING, pk):
                found.setdefault(mapping.scope_name, []).append(mapping)
        return found

    return settings.memo(("oidc.mappings", provider.pk), by_scope)


def granted_scopes(settings: Snapshot, provider: OAuth2Provider, asked: tuple[str, ...]) -> tuple[str, ...]:
    """What of ``asked`` the provider knows; everything it knows when nothing was asked for (oauth2.md §5)."""
    known = mappings(settings, provider)
    if not asked:
        return tuple(known)
    return tuple(scope for scope in asked if scope in known or scope == OPENID)


def tell(call: Call, provider: OAuth2Provider, person: Person, scope: Sequence[str]) -> Told:
    """The claims of ``scope``. A mapping that fails tells nothing, and an event says so.

    Dicts of several mappings are merged, lists joined, and the last of other values counts. What is ours alone
    (:data:`~keystead.providers.oidc.mapping.PROTECTED`) is left out, whoever tells it. As long as settings and person
    stay the same, mappings that look at nothing else are not run again.
    """
    kept: dict[tuple[int, int, tuple[str, ...]], tuple[Person, dict[str, object]]] = call.settings.kept(
        "oidc.told", _KEPT
    )
    key = (provider.pk, person.user.pk, tuple(scope))
    found = kept.get(key)
    if found is not None and found[0] == person:
        return Told(dict(found[1]), None)
    told, steady = _tell(call, provider, person, scope)
    if steady:
        kept[key] = (person, dict(told.claims))
    return told


def _tell(call: Call, provider: OAuth2Provider, person: Person, scope: Sequence[str]) -> tuple[Told, bool]:
    """The claims, and whether they are the same each time."""
    known = mappings(call.settings, provider)
    request = Request(call, person)
    steady = True
    names: dict[str, object] | None = None
    claims: dict[str, object] = {}
    changes: Changes | None = None
    for name in scope:
        for mapping in known.get(name, ()):
            names = names or names_for_mapping(request, provider=_PROVIDER(provider))
            try:
                yielded = evaluate_mapping(mapping.expression, mapping.name, names)
                steady = steady and not looks_beside(mapping.expression, mapping.name, request)
                if yielded is not None and not isinstance(yielded, dict):
                    raise ExpressionError(f"returned a {type(yielded).__name__}; a scope mapping returns a dict")  # noqa: TRY301 - one place tells of every failure
            except ExpressionError as exc:
                _LOG.warning("a scope mapping failed", mapping=mapping.name, reason=str(exc))
                changes = changes or Changes()
                changes.event(
                    call,
                    "property_mapping_exception",
                    SCOPE_MAPPING.app,
                    {"message": f"{mapping.name}: {exc}", "user": person.user.username},
                    about=(SCOPE_MAPPING, mapping),
                )
                continue
            for key, value in (yielded or {}).items():
                if not isinstance(key, str) or key in PROTECTED or (key == "aud" and not _audience(value)):
                    continue
                told = plain(value)
                claims[key] = merged(claims[key], told) if key in claims else told
    return Told(claims, changes), steady and changes is None


def _audience(value: object) -> bool:
    """Whether ``value`` can be an ``aud`` (RFC 7519 §4.1.3)."""
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item for item in value)
