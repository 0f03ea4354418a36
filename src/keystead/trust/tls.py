"""TLS with others: what they are verified with, and certificates of ours, from memory into a context."""

import os
import ssl
import tempfile

from cryptography.hazmat.primitives.serialization import Encoding

from keystead.base.secret import Secret
from keystead.trust import keys


def verifying(authority: str | None) -> ssl.SSLContext:
    """What servers are verified with, name and all; work for a thread where it reads the system's authorities.

    :param authority: PEM of the certificates that theirs must come from, or be; None: the system's authorities.
    :raises ValueError: it cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 §3.1.1
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if authority is None:
        made.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return made
    trusted = keys.load_chain(authority)
    try:
        made.load_verify_locations(cadata=b"".join(one.public_bytes(Encoding.DER) for one in trusted))
    except ssl.SSLError as exc:
        raise ValueError(str(exc)) from None
    # What an administrator names is trusted as it is, though it be no root.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def load_chain(context: ssl.SSLContext, certificate: str, key: Secret) -> None:
    """Let ``context`` speak for a certificate. The library reads files only: it gets one in memory where it can.

    :param certificate: the chain, PEM.
    :param key: its private key, PEM.
    :raises ssl.SSLError: the texts are no chain with its key.
    """
    pem = f"{certificate}\n{key.reveal()}\n"
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("keystead-tls", os.MFD_CLOEXEC)
        try:
            os.write(handle, pem.encode())
            context.load_cert_chain(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # mode 0600
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
