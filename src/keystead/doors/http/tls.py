"""TLS for the HTTPS listener: which certificate answers for which host, looked up at every handshake.

The brand that answers for the host chooses (``web_certificate``); else the pair that came with the installation; else
one that we make for ourselves and keep in the data folder. So a certificate that an administrator replaces is used from
the next connection on.
"""

import os
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

from keystead.base import log
from keystead.base.clock import Clock
from keystead.base.secret import Secret
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.brand import brand_for
from keystead.trust import keys
from keystead.trust.keypair import KEYPAIR, CertificateKeyPair, make
from keystead.trust.tls import load_chain

_LOG = log.get("http.tls")
DEFAULT_PAIR: Final = "authentik Self-signed Certificate"
"""The name under which clients of the contract look the default pair up."""
_FILE: Final = "https.pem"
_NAME: Final = "Keystead HTTPS"
_DAYS: Final = 3650
_MARK: Final = "-----BEGIN PRIVATE KEY-----"


class Certificates:
    """Chooses a certificate for each connection.

    :param state: where brands and pairs are.
    :param folder: where a pair of our own making is kept.
    """

    def __init__(self, state: State, folder: Path) -> None:
        self._state = state
        self._own = folder / _FILE
        self._made: CertificateKeyPair | None = None

    def context(self) -> ssl.SSLContext:
        """The context of the listener: at each handshake it changes to the one for the host that is asked for."""
        first = _context(*_parts(self._chosen("")))
        first.sni_callback = self._choose
        return first

    def _choose(self, connection: ssl.SSLObject, host: str | None, _first: ssl.SSLContext) -> None:
        connection.context = _cached(*_parts(self._chosen(host or "")))

    def _chosen(self, host: str) -> CertificateKeyPair:
        """The pair for ``host``, which can be used."""
        pair = _configured(self._state.settings, host)
        # Where it cannot, our own answers: better a warning in a browser than no page to mend it on.
        return pair if pair is not None and _usable(pair) else self._our_own()

    def _our_own(self) -> CertificateKeyPair:
        if self._made is None:
            kept = _kept(self._own)
            self._made = kept if kept is not None and _usable(kept) else _new(self._own, self._state.clock)
        return self._made


def _configured(settings: Snapshot, host: str) -> CertificateKeyPair | None:
    """The pair that the brand for ``host`` names, else the default one; only pairs that hold their private key."""
    chosen = brand_for(settings, host).web_certificate
    pair = settings.get(KEYPAIR, chosen) if chosen else None
    if pair is None or not pair.key_data:
        pair = settings.by(KEYPAIR, "name", DEFAULT_PAIR)
    return pair if pair is not None and pair.key_data else None


def _kept(file: Path) -> CertificateKeyPair | None:
    try:
        certificate, mark, key = file.read_text("ascii").partition(_MARK)
    except OSError:
        return None
    return CertificateKeyPair(pk="", name=_NAME, certificate_data=certificate, key_data=Secret(mark + key))


def _new(file: Path, clock: Clock) -> CertificateKeyPair:
    """A pair made now, and kept if the folder lets us."""
    pair = make(_NAME, "localhost", _DAYS, clock.now(), keys.NewKey.ECDSA, ["localhost", "127.0.0.1", "::1"])
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(f"{pair.certificate_data}\n{pair.key_data.reveal()}\n")
    except FileExistsError:
        kept = _kept(file)  # another process was first; or it is what we could not use
        return kept if kept is not None and _usable(kept) else pair
    except OSError as exc:
        _LOG.warning("the certificate of HTTPS is new at every start", file=str(file), reason=exc.strerror)
    return pair


def _usable(pair: CertificateKeyPair) -> bool:
    try:
        _cached(*_parts(pair))
    except (ssl.SSLError, OSError, ValueError) as exc:
        _LOG.error("a certificate cannot be used for HTTPS", name=pair.name, pk=pair.pk, reason=str(exc))
        return False
    return True


def _parts(pair: CertificateKeyPair) -> tuple[str, Secret]:
    return pair.certificate_data, pair.key_data


def _context(certificate: str, key: Secret) -> ssl.SSLContext:
    """A server's context with this certificate chain; TLS 1.2 at least (RFC 9325 §3.1.1)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    load_chain(made, certificate, key)
    return made


_cached: Final = lru_cache(maxsize=64)(_context)
