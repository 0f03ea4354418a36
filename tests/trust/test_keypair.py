"""Certificate-key pairs through the API: whole PEM, keys that belong to their certificates, private keys kept in."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keystead.kinds.ledger import MASK
from keystead.trust import keypair, keypair_operations, keys
from keystead.trust.keypair import KEYPAIR, CertificateKeyPair
from tests.engines import Engine
from tests.house import BEGIN, House, fresh_house

PAIRS = "/api/v3/crypto/certificatekeypairs/"
ALGORITHMS = [keys.NewKey.ECDSA, keys.NewKey.ED25519, keys.NewKey.ED448]


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    """An installation; this folder's own conftest knows none."""
    async with fresh_house(engine) as made:
        yield made


@cache
def pair(alg: keys.NewKey = keys.NewKey.ECDSA, number: int = 0) -> CertificateKeyPair:
    return keypair.make(f"made {number}", f"host{number}.example", 30, BEGIN, alg, ["a.example", "10.0.0.1"])


def body(made: CertificateKeyPair, name: str = "pair") -> dict[str, str]:
    return {"name": name, "certificate_data": made.certificate_data, "key_data": made.key_data.reveal()}


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_pair_is_kept_and_described(house: House, alg: keys.NewKey) -> None:
    made = await house.admin.post(PAIRS, body(pair(alg)))
    assert made.status == 201, made.text
    shown = made.json
    assert shown["private_key_available"] is True
    assert shown["cert_expiry"].startswith("2026-10-01")
    assert "host0.example" in shown["cert_subject"]
    assert len(shown["fingerprint_sha256"].split(":")) == 32
    assert len(shown["fingerprint_sha1"].split(":")) == 20
    assert shown["key_type"] == {"ecdsa": "ec"}.get(alg.value, alg.value)
    assert not {"certificate_data", "key_data"} & set(shown)
    for name in ("certificate_download_url", "private_key_download_url"):
        answered = await house.admin.get(shown[name])
        assert answered.status == 200
        assert answered.header("content-type") == "application/x-pem-file"
        assert answered.header("content-disposition").startswith('attachment; filename="')
        assert answered.text.startswith("-----BEGIN ")


def bad_certificates() -> Iterator[str]:
    whole = pair().certificate_data
    yield from (
        "x",
        "-----BEGIN CERTIFICATE-----",
        whole[:-40],
        whole.replace("M", "N", 3),
        pair().key_data.reveal(),
        "\x00",
    )
    yield whole.replace("-----BEGIN CERTIFICATE-----", "-----BEGIN X-----")


@pytest.mark.parametrize("certificate", list(bad_certificates()), ids=range(7))
async def test_a_certificate_that_is_none_is_refused(house: House, certificate: str) -> None:
    answered = await house.admin.post(PAIRS, {"name": "pair", "certificate_data": certificate})
    assert answered.status == 400
    assert "certificate_data" in answered.json


async def test_a_key_belongs_to_its_certificate_or_is_refused(house: House) -> None:
    mine, other = pair(), pair(keys.NewKey.ECDSA, 1)
    for key in (other.key_data.reveal(), "x", mine.certificate_data, mine.key_data.reveal()[:-60]):
        answered = await house.admin.post(PAIRS, {**body(mine), "key_data": key})
        assert answered.status == 400
        assert "key_data" in answered.json
    made = (await house.admin.post(PAIRS, body(mine))).json
    url = f"{PAIRS}{made['pk']}/"
    # One half of another pair does not fit; both halves do.
    assert (await house.admin.patch(url, {"certificate_data": other.certificate_data})).status == 400
    assert (await house.admin.patch(url, {"key_data": other.key_data.reveal()})).status == 400
    assert (await house.admin.patch(url, body(other))).status == 200
    renamed = await house.admin.put(url, {"name": "new", "certificate_data": other.certificate_data})
    assert renamed.status == 200
    assert renamed.json["private_key_available"] is True, "a PUT without the key keeps it"
    without = await house.admin.patch(url, {"key_data": ""})
    assert without.json["private_key_available"] is False
    assert (await house.admin.get(f"{url}view_private_key/")).json == {"data": ""}
    assert (await house.admin.get(f"{url}view_private_key/?download")).status == 404


async def test_pem_comes_back_as_it_was_but_for_its_ends(house: House) -> None:
    mine = pair()
    sent = {**body(mine), "certificate_data": f"\n{mine.certificate_data}\n", "key_data": f"{mine.key_data.reveal()}\n"}
    made = (await house.admin.post(PAIRS, sent)).json
    certificate = (await house.admin.get(f"{PAIRS}{made['pk']}/view_certificate/")).json["data"]
    key = (await house.admin.get(f"{PAIRS}{made['pk']}/view_private_key/")).json["data"]
    assert (certificate, key) == (mine.certificate_data.strip(), mine.key_data.reveal().strip())


async def test_a_private_key_is_shown_to_who_may_see_keys_and_the_showing_is_told(house: House) -> None:
    made = (await house.admin.post(PAIRS, body(pair()))).json
    url = f"{PAIRS}{made['pk']}/"
    viewer = await house.client_with(KEYPAIR.permission("view"))
    keeper = await house.client_with(KEYPAIR.permission("view"), keypair_operations.VIEW_KEY)
    editor = await house.client_with(*(KEYPAIR.permission(word) for word in ("view", "add", "change", "delete")))
    reader = await house.client_with(keypair_operations.VIEW_CERTIFICATE)
    for client, status in ((viewer, 200), (reader, 200), (house.user, 404), (house.nobody, 403)):
        assert (await client.get(f"{url}view_certificate/")).status == status
    for client, status in ((viewer, 403), (editor, 403), (house.user, 404), (house.nobody, 403), (keeper, 200)):
        for tail in ("view_private_key/", "view_private_key/?download"):
            answered = await client.get(url + tail)
            assert answered.status == status
            assert (pair().key_data.reveal()[40:80] in answered.text.replace("\\n", "\n")) == (status == 200)
    told = (await house.admin.get("/api/v3/events/events/?action=secret_view")).json["results"]
    assert sorted(one["context"]["type"] for one in told) == [
        "certificate",
        "certificate",
        "private_key",
        "private_key",
    ]


async def test_an_event_about_a_key_does_not_hold_it(house: House) -> None:
    made = (await house.admin.post(PAIRS, body(pair()))).json
    other = pair(keys.NewKey.ECDSA, 1)
    assert (await house.admin.patch(f"{PAIRS}{made['pk']}/", body(other))).status == 200
    (told,) = (await house.admin.get("/api/v3/events/events/?action=model_updated")).json["results"]
    assert told["context"]["diff"]["key_data"] == {"previous_value": MASK, "new_value": MASK}
    assert other.key_data.reveal()[40:80] not in str(told)


@pytest.mark.parametrize("alg", [*ALGORITHMS, keys.NewKey.RSA])
async def test_a_pair_is_made_on_wish(house: House, alg: keys.NewKey) -> None:
    asked = {
        "common_name": "made.example",
        "subject_alt_name": "made.example, www.made.example,10.0.0.1",
        "validity_days": 10,
        "alg": alg.value,
    }
    made = await house.admin.post(f"{PAIRS}generate/", asked)
    assert made.status == 200, made.text
    kept = house.state.settings.get(KEYPAIR, made.json["pk"])
    assert kept
    certificate = x509.load_pem_x509_certificate(kept.certificate_data.encode())
    key = load_pem_private_key(kept.key_data.reveal().encode(), None)
    assert certificate.public_key() == key.public_key()
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc >= timedelta(days=10)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"made.example", "www.made.example"}
    again = await house.admin.post(f"{PAIRS}generate/", asked)
    assert again.status == 400
    assert "common_name" in again.json


@pytest.mark.parametrize(
    "wrong",
    [
        {"validity_days": 0},
        {"validity_days": -1},
        {"validity_days": 10**9},
        {"validity_days": "x"},
        {"common_name": ""},
        {"common_name": "x" * 5000},
        {"alg": "dsa"},
        {"subject_alt_name": "not a host name"},
        {"subject_alt_name": ",".join(["a.example"] * 5000)},
    ],
)
async def test_a_pair_that_cannot_be_is_not_made(house: House, wrong: dict[str, object]) -> None:
    asked = {"common_name": "made.example", "validity_days": 10, "alg": "ecdsa", **wrong}
    answered = await house.admin.post(f"{PAIRS}generate/", asked)
    assert answered.status in {200, 400}
    if answered.status == 200:
        assert wrong == {"subject_alt_name": ",".join(["a.example"] * 5000)}


async def test_pairs_are_found_by_their_keys(house: House) -> None:
    for number, alg in enumerate(ALGORITHMS):
        made = pair(alg, number)
        sent = body(made, f"p{number}")
        if number == 0:
            sent["key_data"] = ""
        assert (await house.admin.post(PAIRS, sent)).status == 201
    for query, count in (
        ("has_key=true", 2),
        ("has_key=false", 1),
        ("key_type=ec", 1),
        ("key_type=ed25519&key_type=ed448", 2),
        ("key_type=rsa", 0),
        ("name=p1", 1),
        ("managed=none", 0),
        ("search=P2", 1),
    ):
        assert (await house.admin.get(f"{PAIRS}?{query}")).json["pagination"]["count"] == count, query
    assert (await house.admin.get(f"{PAIRS}?key_type=pink")).status == 400


async def test_what_a_pair_signs_its_other_half_checks(house: House) -> None:
    made = (await house.admin.post(PAIRS, body(pair()))).json
    settings = house.state.settings
    signer, verifying = keypair.signer_for(settings, made["pk"]), keypair.verifying_key_for(settings, made["pk"])
    jwk = keypair.jwk_for(settings, made["pk"])
    assert signer
    assert verifying
    assert jwk
    assert jwk["kid"] == keypair.kid_of(made["pk"])
    assert not {"d", "p", "q"} & set(jwk)
    assert keypair.signer_for(settings, "no-such") is None
    assert keypair.verifying_key_for(settings, "no-such") is None
    assert keypair.jwk_for(settings, "no-such") is None
    public = (await house.admin.post(PAIRS, {"name": "public", "certificate_data": pair().certificate_data})).json
    assert keypair.signer_for(house.state.settings, public["pk"]) is None, "no private key, no signer"
