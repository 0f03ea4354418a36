"""TLS with a directory: its certificate is verified, host name and all; there is no way to do without."""

import ssl

from keystead.base.secret import Secret
from keystead.sources.ldap.failure import DirectoryError
from keystead.trust.tls import load_chain, verifying


def context(authority: str | None, own: tuple[str, Secret] | None) -> ssl.SSLContext:
    """What a directory's servers are verified with (RFC 4513 §3.1.3); work for a thread.

    :param authority: PEM of the certificates that theirs must come from, or be; None: the system's authorities.
    :param own: what we prove ourselves with, a certificate and its key as PEM; None: nothing.
    :raises DirectoryError: one of them cannot be used.
    """
    try:
        made = verifying(authority)
    except ValueError as exc:
        raise DirectoryError(f"The authority's certificate cannot be used: {exc}", "peer_certificate") from None
    try:
        if own is not None:
            load_chain(made, *own)
    except (ssl.SSLError, ValueError) as exc:
        raise DirectoryError(f"The client certificate cannot be used: {exc}", "client_certificate") from None
    return made
