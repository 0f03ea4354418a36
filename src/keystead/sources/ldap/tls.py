"""TLS with a directory: its certificate is verified, host name and all; there is no way to do without."""

import ssl

from cryptography.hazmat.primitives.serialization import Encoding

from keystead.base.secret import Secret
from keystead.sources.ldap.failure import DirectoryError
from keystead.trust import keys
from keystead.trust.tls import load_chain


def context(authority: str | None, own: tuple[str, Secret] | None) -> ssl.SSLContext:
    """What a directory's servers are verified with (RFC 4513 §3.1.3); work for a thread.

    :param authority: PEM of the certificates that theirs must come from, or be; None: the system's authorities.
    :param own: what we prove ourselves with, a certificate and its key as PEM; None: nothing.
    :raises DirectoryError: one of them cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 §3.1.1
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        if authority is None:
            made.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            trusted = keys.load_chain(authority)
            made.load_verify_locations(cadata=b"".join(one.public_bytes(Encoding.DER) for one in trusted))
            # What an administrator names is trusted as it is, though it be no root.
            made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except (ssl.SSLError, ValueError) as exc:
        raise DirectoryError(f"The authority's certificate cannot be used: {exc}", "peer_certificate") from None
    try:
        if own is not None:
            load_chain(made, *own)
    except (ssl.SSLError, ValueError) as exc:
        raise DirectoryError(f"The client certificate cannot be used: {exc}", "client_certificate") from None
    return made
