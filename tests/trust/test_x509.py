import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.base.clock import SystemClock
from keystead.trust import keys, x509
from keystead.trust.keys import BadKeyError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = keys.generate(keys.NewKey.ECDSA)


def made(
    key: keys.PrivateKey = KEY,
    *,
    common_name: str = "Keystead Self-signed Certificate",
    organization: str = "Keystead",
    names: tuple[str, ...] = (),
    days: int = 365,
    now: datetime = NOW,
) -> pyca.Certificate:
    return x509.self_signed(
        key,
        common_name=common_name,
        organization=organization,
        subject_alt_names=names,
        validity_days=days,
        now=now,
    )


DER = made(names=("localhost",)).public_bytes(Encoding.DER)


def test_a_certificate_describes_itself(any_key: keys.PrivateKey) -> None:
    certificate = made(any_key)
    facts = x509.describe(certificate)
    assert facts.subject == "OU=Self-signed,O=Keystead,CN=Keystead Self-signed Certificate"
    assert facts.expiry == NOW + timedelta(days=365)
    assert facts.expiry.tzinfo is not None
    assert facts.key_type is keys.key_type(any_key)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(certificate.public_bytes(Encoding.DER))
    assert bytes.fromhex(facts.fingerprint_sha256.replace(":", "")) == digest.finalize()
    assert len(facts.fingerprint_sha1.split(":")) == 20
    assert facts.fingerprint_sha1 == facts.fingerprint_sha1.lower()


def test_it_is_signed_by_its_own_key(any_key: keys.PrivateKey) -> None:
    certificate = made(any_key)
    certificate.verify_directly_issued_by(certificate)
    keys.check_match(any_key, certificate)


def test_it_may_not_sign_other_certificates() -> None:
    extensions = made().extensions
    assert extensions.get_extension_for_class(pyca.BasicConstraints).value.ca is False
    assert extensions.get_extension_for_class(pyca.KeyUsage).value.key_cert_sign is False


def test_serial_numbers_are_positive_short_and_new() -> None:
    numbers = {made().serial_number for _ in range(20)}
    assert len(numbers) == 20
    assert all(0 < number < 1 << 159 for number in numbers)


def test_alternative_names_of_every_kind() -> None:
    names = ("localhost", "*.apps.example", "127.0.0.1", "::1", "https://id.example/", "admin@id.example")
    found = made(names=names).extensions.get_extension_for_class(pyca.SubjectAlternativeName).value
    assert found.get_values_for_type(pyca.DNSName) == ["localhost", "*.apps.example"]
    assert [str(address) for address in found.get_values_for_type(pyca.IPAddress)] == ["127.0.0.1", "::1"]
    assert found.get_values_for_type(pyca.UniformResourceIdentifier) == ["https://id.example/"]
    assert found.get_values_for_type(pyca.RFC822Name) == ["admin@id.example"]


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "münchen.example", "a..b", ".a", "a.", "-a", "*", "a.*.b", "a\n", "x" * 64 + ".y", "a" * 2000],
)
def test_malformed_alternative_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        made(names=(name,))


@pytest.mark.parametrize("name", ["", "a" * 65, "a\nb", "a\0"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"common name .* 1 to 64 printable"):
        made(common_name=name)
    with pytest.raises(ValueError, match=r"organization .* 1 to 64 printable"):
        made(organization=name)


@pytest.mark.parametrize("days", [-1, 0, 36_501, 10**12])
def test_days_out_of_range_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match="1 to 36500 days"):
        made(days=days)


def test_the_calendar_ends() -> None:
    with pytest.raises(ValueError, match="9999"):
        made(days=36_500, now=datetime(9990, 1, 1, tzinfo=UTC))


def test_too_many_names_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 100"):
        made(names=("a.example",) * 101)


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT])
@pytest.mark.parametrize("kind", [keys.NewKey.RSA, keys.NewKey.ECDSA, keys.NewKey.ED25519])
async def test_a_tls_server_works_with_it(kind: keys.NewKey, flags: ssl.VerifyFlags, tmp_path: Path) -> None:
    key = keys.generate(kind)
    # TLS reads the machine's clock, so this once we do too.
    certificate = made(key, names=("localhost", "127.0.0.1"), now=SystemClock().now() - timedelta(days=1))
    pem = certificate.public_bytes(Encoding.PEM).decode()
    (tmp_path / "pair.pem").write_text(keys.private_pem(key) + pem)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tmp_path / "pair.pem")
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.load_verify_locations(cadata=pem)
    client_side.verify_flags |= flags

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname="localhost")
        assert await reader.read() == b"hello"
        seen = writer.get_extra_info("peercert")  # as OpenSSL reads it
        assert seen["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"))
        assert ssl.cert_time_to_seconds(seen["notAfter"]) == int(x509.describe(certificate).expiry.timestamp())
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname="other.example")


def test_a_name_of_the_wrong_type_is_refused() -> None:
    name = b"\x06\x03\x55\x04\x03\x0c\x20K"  # commonName, a UTF-8 text of 32 bytes, its first letter
    der = DER.replace(name, b"\x06\x03\x55\x04\x03\x03\x20\x00")  # a string of bits instead
    assert der != DER
    with pytest.raises(BadKeyError, match="name or dates"):
        x509.describe(keys.load_certificate(ssl.DER_cert_to_PEM_cert(der)))


# Some damage is of a kind that the parser only plans to refuse, and says so.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_damaged_certificate_raises_only_the_declared_error(changes: list[tuple[int, int]]) -> None:
    der = bytearray(DER)
    for place, value in changes:
        der[place % len(der)] = value
    pem = ssl.DER_cert_to_PEM_cert(bytes(der))
    try:
        facts = x509.describe(keys.load_certificate(pem))
    except BadKeyError:
        return
    assert facts.expiry.tzinfo is not None
