"""Client authentication: which client asks, and whether it proved so (RFC 6749 §2.3)."""

from typing import Final, Literal, NamedTuple

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.snapshot import Snapshot
from keystead.providers import application as applications
from keystead.providers.application import Application
from keystead.providers.oidc import redirects
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, OAuth2Provider, by_client_id
from keystead.providers.oidc.wire import OidcRequest, Refusal, bad, body_of, one
from keystead.providers.redirect_uri import MatchingModeEnum
from keystead.wire import basic
from keystead.wire.form import Form

_CHALLENGE: Final = (("WWW-Authenticate", 'Basic realm="keystead"'),)
_NOBODY: Final = Secret("a secret that no client has, compared so that unknown clients take as long as known ones")
Means = Literal["secret", "public", ""]


class Credentials(NamedTuple):
    """What a request says about its client.

    :param secrets: the readings of the secret it brought: decoded as the standard has it, and as it stands. Empty when
        it brought none.
    :param basic: whether they came in the Authorization header.
    """

    client_id: str
    secrets: tuple[str, ...]
    basic: bool

    def __repr__(self) -> str:
        return f"Credentials({self.client_id!r})"


class Client(msgspec.Struct, frozen=True):
    """The client that asks.

    :param means: how it proved itself: ``secret``, ``public`` (it has none to show), or empty: not at all.
    :param presented: the secrets it brought, for grants that read something else into them.
    :param basic: whether it brought them in the Authorization header.
    """

    provider: OAuth2Provider
    application: Application
    means: Means
    presented: tuple[str, ...] = ()
    basic: bool = False

    def __repr__(self) -> str:
        return f"Client({self.provider.client_id!r}, {self.means!r})"


def read(request: OidcRequest) -> tuple[Credentials, Form]:
    """The client's credentials, and the form they came with.

    :raises Refusal: ``invalid_request`` for two ways at once or repeated parameters; ``invalid_client`` for a header or
        a way we do not know.
    """
    form = body_of(request)
    client_id, secret = one(form, "client_id"), one(form, "client_secret")
    if one(form, "client_assertion") or one(form, "client_assertion_type"):
        raise Refusal("invalid_client", "Clients authenticate here with client_secret_basic or client_secret_post.")
    if not request.authorization:
        return Credentials(client_id, (secret,) if secret else (), basic=False), form
    if secret:
        bad("The client authenticates twice; use the Authorization header or client_secret, not both.")
    try:
        plain = basic.decode(request.authorization)
    except basic.BasicError as exc:
        raise Refusal("invalid_client", str(exc), status=401, headers=_CHALLENGE) from None
    readings = [(plain.user, plain.password)]
    # Only with these characters do the two readings differ (RFC 6749 §2.3.1).
    if "%" in plain.user + plain.password or "+" in plain.user + plain.password:
        try:
            encoded = basic.decode_client(request.authorization)
            readings.insert(0, (encoded.user, encoded.password))
        except basic.BasicError:
            pass  # not form-encoded, as with many clients: it counts as it stands
    name = readings[0][0]
    if client_id and client_id not in {user for user, _ in readings}:
        bad("client_id differs from the one in the Authorization header.")
    secrets = tuple(dict.fromkeys(password for _, password in readings if password))
    return Credentials(name, secrets, basic=True), form


def authenticate(settings: Snapshot, credentials: Credentials) -> Client:
    """The client with these credentials; the caller looks at :attr:`Client.means`.

    :raises Refusal: ``invalid_client``: no such client, or none with an application.
    """
    provider = by_client_id(settings, credentials.client_id)
    application = applications.of_provider(settings, provider.pk) if provider else None
    if provider is None or application is None:
        for secret in credentials.secrets:
            _NOBODY.matches(secret)
        raise unauthenticated(credentials, "no such client" if provider is None else "the client has no application")
    means: Means = ""
    if any(provider.client_secret.matches(secret) for secret in credentials.secrets if secret.strip()):
        means = "secret"
    elif provider.public and not credentials.secrets:
        means = "public"
    return Client(provider, application, means, credentials.secrets, credentials.basic)


def unauthenticated(asker: Credentials | Client, reason: str) -> Refusal:
    """The refusal of a client that is unknown or did not prove itself; which of the two is for the log alone."""
    return Refusal(
        "invalid_client",
        "The client is unknown, or its authentication failed.",
        status=401 if asker.basic else 400,
        headers=_CHALLENGE if asker.basic else (),
        reason=reason,
    )


def proven(settings: Snapshot, credentials: Credentials) -> Client:
    """The client with these credentials, which must have proven itself.

    :raises Refusal: ``invalid_client``.
    """
    client = authenticate(settings, credentials)
    if not client.means:
        raise unauthenticated(credentials, "wrong or missing client secret")
    return client


def cors(settings: Snapshot, origin: str) -> tuple[tuple[str, str], ...]:
    """The headers that let a page of a registered client's origin read the answer.

    Credentials are never allowed: nothing here looks at cookies.
    """
    if not origin or origin not in settings.memo("oidc.origins", lambda: _origins(settings)):
        return ()
    return (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))


def _origins(settings: Snapshot) -> frozenset[str]:
    return frozenset(
        found
        for provider in settings.all(OAUTH2_PROVIDER)
        for uri in provider.redirect_uris
        if uri.matching_mode is MatchingModeEnum.STRICT and (found := redirects.origin(uri.url))
    )
