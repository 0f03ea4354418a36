"""The keys of a provider: what signs its tokens, what checks them, and the key set it publishes."""

from typing import Final, NamedTuple

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds.snapshot import Snapshot
from keystead.providers.oidc.provider import OAuth2Provider
from keystead.trust.jwks import jwks_document
from keystead.trust.keypair import jwk_for, signer_for, verifying_key_for
from keystead.trust.signer import Signer
from keystead.trust.verifier import VerifyingKey

NO_KEYS: Final = b'{"keys":[]}'
"""The key set of a provider that signs with its secret."""


class Keys(NamedTuple):
    """A provider's signer and the key that checks what it signed."""

    signer: Signer
    verifier: VerifyingKey


def keys_of(settings: Snapshot, provider: OAuth2Provider) -> Keys:
    """The provider's keys, made once for these settings.

    :raises Problem: ``INTERNAL``: the provider's pair has no private key, or one that signs no tokens.
    """
    return settings.memo(("oidc.keys", provider.pk), lambda: _keys(settings, provider))


def _keys(settings: Snapshot, provider: OAuth2Provider) -> Keys:
    if provider.signing_key is None:
        secret = provider.client_secret.reveal().encode()
        if not secret.strip():
            raise Problem(Fault.INTERNAL, "The provider has neither a signing key nor a client secret.")
        return Keys(Signer.from_secret(secret), VerifyingKey.from_secret(secret))
    try:
        signer = signer_for(settings, provider.signing_key)
        verifier = verifying_key_for(settings, provider.signing_key)
    except ValueError as exc:
        raise Problem(Fault.INTERNAL, f"The provider's signing key is unusable: {exc}") from exc
    if signer is None or verifier is None:
        raise Problem(Fault.INTERNAL, "The provider's signing key has no private key.")
    return Keys(signer, verifier)


def jwks(settings: Snapshot, provider: OAuth2Provider) -> bytes:
    """The provider's published keys as JSON."""
    found = jwk_for(settings, provider.signing_key) if provider.signing_key else None
    return jwks_document([found]) if found else NO_KEYS
