"""CertificateKeyPair: a certificate, perhaps with its private key; what tokens and TLS are signed with."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.base.secret import Secret, fingerprint
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, WRITE_ONLY, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.trust import keys
from keystead.trust.jwks import public_jwk
from keystead.trust.signer import Signer
from keystead.trust.verifier import VerifyingKey

if TYPE_CHECKING:
    from keystead.trust import x509

ORGANIZATION: Final = "Keystead"
_KEY_TYPE: Final = Annotated[keys.KeyType, msgspec.Meta(title="KeyTypeEnum")]


class CertificateKeyPair(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and, where we sign with it, its private key.

    :param certificate_data: PEM, without white space at the ends.
    :param key_data: PEM of the private key, or empty.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    certificate_data: Annotated[Text, WRITE_ONLY]
    key_data: Secret = Secret("")
    managed: Annotated[str | None, READ_ONLY] = None


class CertificateKeyPairShown(msgspec.Struct):
    """The computed members of a pair."""

    fingerprint_sha256: str | None
    fingerprint_sha1: str | None
    cert_expiry: datetime | None
    cert_subject: str | None
    private_key_available: bool
    key_type: Annotated[keys.KeyType | None, msgspec.Meta(title="CertificateKeyPairKeyTypeEnum")]
    certificate_download_url: str
    private_key_download_url: str


@lru_cache(maxsize=4096)
def _described(certificate: str) -> "x509.Description":
    from keystead.trust import x509  # noqa: PLC0415 - certificates load slowly, and the start has none to read

    return x509.describe(keys.load_certificate(certificate))


def signer_for(settings: Snapshot, pk: str) -> Signer | None:
    """The signer of a pair with a private key; the parsed key stays in memory."""
    pair = settings.get(KEYPAIR, pk)
    return _signer(pair.pk, pair.key_data) if pair and pair.key_data else None


@lru_cache(maxsize=256)
def _signer(pk: str, key: Secret) -> Signer:
    # The pair was checked when it was saved; checking an RSA key again would cost tens of milliseconds.
    return Signer.from_key(keys.load_private_key(key.reveal(), checked=False), kid=kid_of(pk))


def kid_of(pk: str) -> str:
    """The key id of a pair: lasting, and the same in header and key set."""
    return fingerprint(pk)[:32]


@lru_cache(maxsize=1024)
def _verifying(certificate: str) -> VerifyingKey:
    return VerifyingKey.from_key(keys.certified_key(keys.load_certificate(certificate)))


def verifying_key_for(settings: Snapshot, pk: str) -> VerifyingKey | None:
    """The key that checks what :func:`signer_for` signs."""
    pair = settings.get(KEYPAIR, pk)
    return _verifying(pair.certificate_data) if pair else None


def jwk_for(settings: Snapshot, pk: str) -> dict[str, object] | None:
    """The pair's public half as a JSON Web Key."""
    pair = settings.get(KEYPAIR, pk)
    if pair is None:
        return None
    certificates = keys.load_chain(pair.certificate_data)
    return dict(public_jwk(keys.certified_key(certificates[0]), kid=kid_of(pk), chain=certificates))


@steady
async def view(
    _call: Call, _state: State, pairs: Sequence[CertificateKeyPair], _query: Mapping[str, Sequence[str]]
) -> list[CertificateKeyPairShown]:
    """What the certificates say."""
    shown = []
    for pair in pairs:
        try:
            told: x509.Description | None = _described(pair.certificate_data)
        except ValueError:
            told = None
        below = f"/api/v3/crypto/certificatekeypairs/{pair.pk}"
        shown.append(
            CertificateKeyPairShown(
                fingerprint_sha256=told.fingerprint_sha256 if told else None,
                fingerprint_sha1=told.fingerprint_sha1 if told else None,
                cert_expiry=told.expiry if told else None,
                cert_subject=told.subject if told else None,
                private_key_available=bool(pair.key_data),
                key_type=told.key_type if told else None,
                certificate_download_url=f"{below}/view_certificate/?download",
                private_key_download_url=f"{below}/view_private_key/?download",
            )
        )
    return shown


def _check(certificate: str, key: str) -> dict[str, list[str]]:
    """What is wrong with a pair, by member; work for a thread."""
    try:
        parsed = keys.load_certificate(certificate)
    except ValueError as exc:
        return {"certificate_data": [str(exc)]}
    if key:
        try:
            keys.check_match(keys.load_private_key(key), parsed)
        except ValueError as exc:
            return {"key_data": [str(exc)]}
    return {}


async def rules(
    _call: Call, _state: State, old: CertificateKeyPair | None, new: CertificateKeyPair
) -> CertificateKeyPair:
    """Whole PEM, and the key belongs to the certificate."""
    if old is None or (old.certificate_data, old.key_data) != (new.certificate_data, new.key_data):
        wrong = await asyncio.to_thread(_check, new.certificate_data, new.key_data.reveal())
        if wrong:
            raise invalid(wrong)
    return new


def make(
    name: str,
    common_name: str,
    days: int,
    at: datetime,
    alg: keys.NewKey,
    names: Sequence[str] = (),
    organization: str = ORGANIZATION,
) -> CertificateKeyPair:
    """A new pair with a self-signed certificate, valid from ``at``; an RSA key takes a good part of a second."""
    from keystead.trust import x509  # noqa: PLC0415 - certificates load slowly, and the start has none to read

    key = keys.generate(alg)
    certificate = x509.self_signed(
        key,
        common_name=common_name,
        organization=organization,
        subject_alt_names=names,
        validity_days=days,
        now=at,
    )
    return CertificateKeyPair(
        pk=rand.uuid4(),
        name=name,
        certificate_data=certificate.public_bytes(Encoding.PEM).decode().strip(),
        key_data=Secret(keys.private_pem(key).strip()),
    )


def _key_type(pair: CertificateKeyPair) -> str | None:
    try:
        found = _described(pair.certificate_data).key_type
    except ValueError:
        return None
    return found.value if found else None


KEYPAIR = Kind(
    model="authentik_crypto.certificatekeypair",
    struct=CertificateKeyPair,
    path="crypto/certificatekeypairs",
    title=("Certificate-Key Pair", "Certificate-Key Pairs"),
    key_name="kp_uuid",
    shown=CertificateKeyPairShown,
    view=view,
    rules=rules,
    permissions=(
        ("view_certificatekeypair_certificate", "Can view the certificate of a pair"),
        ("view_certificatekeypair_key", "Can view the private key of a pair"),
    ),
    search=("name",),
    filters=(
        "name",
        "managed",
        Filter("has_key", bool, test=lambda pair, value: bool(pair.key_data) is value),
        Filter("key_type", _KEY_TYPE, many=True, test=lambda pair, values: _key_type(pair) in values),
    ),
)
