"""Tokens that somebody else made, on every endpoint that reads tokens (SECURITY OA-24 to OA-29)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from keystead.providers.pages import ErrorPage
from keystead.trust import keys
from keystead.trust.jwks import public_jwk
from keystead.trust.signer import Signer
from tests.providers.place import Party, Place, pair
from tests.providers.said import claims, error, header, parameters

SCOPES: Final = ("openid", "email", "profile", "goauthentik.io/api")
KEY: Final = pair(keys.NewKey.RSA)
STRANGER: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def spelled(head: dict[str, Any], body: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token of these parts."""
    text = f"{b64(msgspec.json.encode(head))}.{b64(msgspec.json.encode(body))}"
    return f"{text}.{b64(sign(text.encode()))}"


def mac(secret: bytes) -> Callable[[bytes], bytes]:
    """HS256."""
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def rs256(key: rsa.RSAPrivateKey) -> Callable[[bytes], bytes]:
    """RS256."""
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def es256(data: bytes) -> bytes:
    """Something with an EC key."""
    return ec.generate_private_key(ec.SECP256R1()).sign(data, ec.ECDSA(hashes.SHA256()))


def public() -> rsa.RSAPublicKey:
    """Our published RSA key."""
    found = keys.certified_key(keys.load_certificate(KEY.certificate_data))
    assert isinstance(found, rsa.RSAPublicKey)
    return found


def shapes() -> dict[str, bytes]:
    """The published key in every form somebody might take for a shared secret."""
    key = public()
    encoding, form = serialization.Encoding, serialization.PublicFormat
    pem = key.public_bytes(encoding.PEM, form.SubjectPublicKeyInfo)
    return {
        "pem": pem,
        "pem stripped": pem.strip(),
        "der": key.public_bytes(encoding.DER, form.SubjectPublicKeyInfo),
        "pkcs1": key.public_bytes(encoding.PEM, form.PKCS1),
        "ssh": key.public_bytes(encoding.OpenSSH, form.OpenSSH),
        "jwk": msgspec.json.encode(public_jwk(key, kid="x")),
        "certificate": KEY.certificate_data.encode(),
        "empty": b"",
    }


def forgeries(head: dict[str, Any], body: dict[str, Any]) -> dict[str, str]:
    """Forged copies of a token with ``head`` and ``body``."""
    kid = head["kid"]
    right = rs256(STRANGER)
    jwk = public_jwk(STRANGER.public_key(), kid=kid)
    made = {
        f"OA-24 hmac with {name}": spelled({**head, "alg": "HS256"}, body, mac(secret))
        for name, secret in shapes().items()
    }
    for alg in ("none", "None", "nOnE", ""):
        made[f"OA-25 alg {alg!r}"] = spelled({**head, "alg": alg}, body, lambda _: b"")
        made[f"OA-25 alg {alg!r} signed"] = spelled({**head, "alg": alg}, body, right)
    made["OA-25 no signature"] = spelled(head, body, lambda _: b"")
    made["OA-25 json serialisation"] = msgspec.json.encode(
        {"payload": b64(msgspec.json.encode(body)), "protected": b64(msgspec.json.encode(head)), "signatures": []}
    ).decode()
    made["OA-26 jwk"] = spelled({**head, "jwk": jwk}, body, right)
    made["OA-26 jku"] = spelled({**head, "jku": "https://evil.example/jwks"}, body, right)
    made["OA-26 x5c"] = spelled({**head, "x5c": ["x"]}, body, right)
    made["OA-26 x5u"] = spelled({**head, "x5u": "https://evil.example/x"}, body, right)
    for name in ("../../dev/null", "' OR 1=1 --", "", "x"):
        made[f"OA-26 kid {name!r}"] = spelled({**head, "kid": name}, body, mac(b""))
        made[f"OA-26 kid {name!r}, own key"] = spelled({**head, "kid": name}, body, right)
    made["OA-26 stranger's key"] = spelled(head, body, right)
    made["OA-26 another algorithm"] = spelled({**head, "alg": "ES256"}, body, es256)
    made["OA-28 no algorithm"] = spelled({"kid": kid, "typ": head["typ"]}, body, right)
    return made


def resigned(head: dict[str, Any], body: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - header members
    """The same token with another header, signed with the right key."""
    signer = keys.load_private_key(KEY.key_data.reveal())
    assert isinstance(signer, rsa.RSAPrivateKey)
    return spelled({**head, **more}, body, rs256(signer))


async def scene(place: Place) -> tuple[Party, Any, Any]:
    """A client that signs with RS256, its person's browser, and the tokens they got."""
    party = await place.party(SCOPES, signing_key=KEY.pk)
    visitor = await place.visit(await place.person())
    return party, visitor, await place.tokens(party, visitor, scope=" ".join(SCOPES))


async def believed(place: Place, party: Party, visitor: Any, token: str) -> set[str]:  # noqa: ANN401 - a visitor
    """Where a token is taken for one of ours: as access token, as hint of identity, as hint at logout."""
    found = set()
    if (await place.userinfo(token)).status == 200:
        found.add("userinfo")
    if (await place.introspect(party, token))["active"]:
        found.add("introspection")
    if "code" in parameters(await place.authorize(party, visitor, prompt="none", id_token_hint=token)):
        found.add("authorization")
    out = {"id_token_hint": token}
    page = await place.send(
        "GET", "/application/o/{slug}/end-session/", out, slug=party.application.slug, visitor=visitor
    )
    if not isinstance(page, ErrorPage):
        found.add("logout")
    return found


async def test_our_own_tokens_are_believed_where_they_belong(place: Place) -> None:
    party, visitor, got = await scene(place)
    assert await believed(place, party, visitor, got["access_token"]) == {"userinfo", "introspection"}
    assert await believed(place, party, visitor, got["id_token"]) == {"authorization", "logout"}


@pytest.mark.parametrize("which", ["access_token", "id_token"])
async def test_forged_tokens_are_believed_nowhere(place: Place, which: str) -> None:
    party, visitor, got = await scene(place)
    head, body = header(got[which]), claims(got[which])
    # A forgery is a copy of what counts, so that nothing but its signature can give it away.
    assert await believed(place, party, visitor, resigned(head, body))
    for name, token in forgeries(head, body).items():
        assert await believed(place, party, visitor, token) == set(), name


@pytest.mark.parametrize("which", ["access_token", "id_token"])
async def test_oa_27_critical_extensions_are_refused(place: Place, which: str) -> None:
    party, visitor, got = await scene(place)
    head, body = header(got[which]), claims(got[which])
    extensions: tuple[dict[str, Any], ...] = (
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
    )
    for more in extensions:
        assert await believed(place, party, visitor, resigned(head, body, **more)) == set(), more


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "dpop+jwt", "secevent+jwt", "", "jwt+at", None])
async def test_oa_29_an_access_token_says_that_it_is_one(place: Place, typ: str | None) -> None:
    party, visitor, got = await scene(place)
    token = resigned(header(got["access_token"]), claims(got["access_token"]), typ=typ)
    assert await believed(place, party, visitor, token) & {"userinfo", "introspection"} == set()


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "secevent+jwt", ""])
async def test_oa_29_a_hint_is_an_id_token(place: Place, typ: str) -> None:
    party, visitor, got = await scene(place)
    token = resigned(header(got["id_token"]), claims(got["id_token"]), typ=typ)
    assert await believed(place, party, visitor, token) == set()


async def test_a_token_of_another_client_is_no_hint(place: Place) -> None:
    _, visitor, got = await scene(place)
    other = await place.party(SCOPES, signing_key=KEY.pk)
    assert await believed(place, other, visitor, got["id_token"]) == set()
    assert (await place.introspect(other, got["access_token"]))["active"] is False


async def test_a_client_that_knows_its_secret_cannot_write_itself_rights(place: Place) -> None:
    party = await place.party(SCOPES, signing_key=None)
    visitor = await place.visit(await place.person())
    got = await place.tokens(party, visitor, scope="email")
    signer = Signer.from_secret(party.secret.encode())
    body = {**claims(got["access_token"]), "scope": "openid email goauthentik.io/api", "exp": 1 << 40}
    forged = signer.sign(body, typ="at+jwt")
    assert error(await place.userinfo(forged)) == "insufficient_scope"
    assert (await place.introspect(party, forged))["scope"] == "email"
    stolen = signer.sign({**body, "uid": "somebody else's"}, typ="at+jwt")
    assert (await place.introspect(party, stolen))["active"] is False
    place.later(hours=2)
    assert (await place.introspect(party, forged))["active"] is False
