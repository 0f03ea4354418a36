"""Certificates of ours for TLS: a chain and its key, from memory into a context."""

import os
import ssl
import tempfile

from keystead.base.secret import Secret


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
