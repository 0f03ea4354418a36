"""TLS: which certificate answers for which name, and with which protocol at least."""

import asyncio
import socket
import ssl
import stat
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from keystead.base import rand
from keystead.doors.http.tls import DEFAULT_PAIR, Certificates
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.people.brand import BRAND, Brand
from keystead.trust import keys
from keystead.trust.keypair import CertificateKeyPair, make
from tests.doors.http.serving import application, echo, serving
from tests.house import House
from tests.patience import PATIENCE


def shown(port: int, host: str | None, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[str, str]:
    """The common name of the certificate that a client asking for ``host`` is shown, and the protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = highest
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True) or b""
        version = wrapped.version() or ""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value), version


async def asked(port: int, host: str | None, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[str, str]:
    """:func:`shown`, while the loop of the server goes on."""
    return await asyncio.to_thread(shown, port, host, highest)


def content(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(one.name for one in folder.iterdir())


def pair(house: House, name: str) -> CertificateKeyPair:
    """A new pair whose certificate says ``name``."""
    return make(name, name, 30, house.clock.now(), keys.NewKey.ECDSA)


async def test_the_brand_of_a_host_chooses_its_certificate(house: House, tmp_path: Path) -> None:
    default, special, without_key = (pair(house, name) for name in (DEFAULT_PAIR, "special", "keyless"))
    without_key = msgspec.structs.replace(without_key, key_data=type(without_key.key_data)(""))
    brands = (
        Brand(brand_uuid=rand.uuid4(), domain="special.example", web_certificate=special.pk),
        Brand(brand_uuid=rand.uuid4(), domain="keyless.example", web_certificate=without_key.pk),
    )
    await house.put(default, special, without_key, *brands)
    context = Certificates(house.state, tmp_path).context()
    async with serving(application(echo), context) as (_, port):
        assert (await asked(port, "sso.special.example"))[0] == "special"
        assert (await asked(port, "keyless.example"))[0] == DEFAULT_PAIR
        assert (await asked(port, "other.example"))[0] == DEFAULT_PAIR
        assert (await asked(port, None))[0] == DEFAULT_PAIR
    assert content(tmp_path) == [], "nothing is made where a pair is configured"


async def test_a_certificate_that_is_replaced_answers_from_then_on(house: House, tmp_path: Path) -> None:
    default, later = pair(house, DEFAULT_PAIR), pair(house, "later")
    await house.put(default, later)
    async with serving(application(echo), Certificates(house.state, tmp_path).context()) as (_, port):
        assert (await asked(port, "localhost"))[0] == DEFAULT_PAIR

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            new = msgspec.structs.replace(house.brand, web_certificate=later.pk)
            changes.update(system(call, BRAND, "change"), house.brand, new)
            return changes, None

        await house.state.change(house.call, decide)
        assert (await asked(port, "localhost"))[0] == "later"


async def test_makes_a_certificate_once_where_none_is_configured(house: House, tmp_path: Path) -> None:
    kept = tmp_path / "data" / "https.pem"
    texts = set()
    for _ in range(2):
        async with serving(application(echo), Certificates(house.state, kept.parent).context()) as (_, port):
            assert (await asked(port, "localhost"))[0] == "localhost"
        texts.add(kept.read_text())
    assert len(texts) == 1
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_serves_though_the_certificate_cannot_be_kept(house: House, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    async with serving(application(echo), Certificates(house.state, tmp_path / "file").context()) as (_, port):
        assert (await asked(port, "localhost"))[0] == "localhost"


async def test_pairs_that_cannot_be_used_do_not_shut_the_door(house: House, tmp_path: Path) -> None:
    (tmp_path / "https.pem").write_text("no certificate either")
    broken = msgspec.structs.replace(pair(house, DEFAULT_PAIR), certificate_data="no certificate at all")
    await house.put(broken)
    async with serving(application(echo), Certificates(house.state, tmp_path).context()) as (_, port):
        assert (await asked(port, "localhost"))[0] == "localhost"


async def test_speaks_tls_1_2_and_1_3_and_nothing_older(house: House, tmp_path: Path) -> None:
    await house.put(pair(house, DEFAULT_PAIR))
    context = Certificates(house.state, tmp_path).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    async with serving(application(echo), context) as (_, port):
        assert (await asked(port, "localhost"))[1] == "TLSv1.3"
        assert (await asked(port, "localhost", ssl.TLSVersion.TLSv1_2))[1] == "TLSv1.2"


async def test_requests_arrive_over_tls_as_such(house: House, tmp_path: Path) -> None:
    await house.put(pair(house, DEFAULT_PAIR))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    async def scheme(scope: object, _body: bytes) -> tuple[int, bytes]:
        return 200, str(scope["scheme"]).encode() if isinstance(scope, dict) else b""

    async with serving(application(scheme), Certificates(house.state, tmp_path).context()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nhttps")
        writer.close()
