"""The session cookie and the cross-site token: what is not ours is as no cookie at all."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.secret import Secret, Vault
from keystead.doors.http.cookies import CSRF, SESSION, Jar, fresh
from keystead.trust.signer import Signer
from keystead.wire import b64
from tests.house import BEGIN, VAULT

JAR = Jar.of(VAULT)
OTHER = Jar.of(Vault(Secret("the key of quite another installation")))


def cookie(jar: Jar, sid: str, **more: object) -> str:
    first, _ = jar.make(sid, secure=False, at=BEGIN, **more)  # type: ignore[arg-type]  # parameters of make
    return first[1].decode().partition(";")[0].partition("=")[2]


@given(st.text(alphabet=st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=60))
def test_what_was_put_in_comes_out(sid: str) -> None:
    assert JAR.read({SESSION: cookie(JAR, sid)}) == sid


@pytest.mark.parametrize("secure", [False, True])
def test_cookies_carry_the_attributes_of_the_contract(secure: bool) -> None:  # noqa: FBT001 - a parameter of the test
    made = JAR.make("sid", secure=secure, at=BEGIN, subject="uid", expires=BEGIN + timedelta(hours=2))
    session, csrf = (value.decode() for _, value in made)
    assert session.startswith(f"{SESSION}=")
    assert csrf.startswith(f"{CSRF}=")
    assert "; HttpOnly" in session
    assert "HttpOnly" not in csrf
    for text in (session, csrf):
        assert "; Path=/;" in text
        assert ("; Secure; SameSite=None" in text) == secure
        assert ("; SameSite=Lax" in text) == (not secure)
        assert "; Max-Age=7200; Expires=Tue, 01 Sep 2026 14:00:00 GMT" in text
        assert "Domain" not in text
        assert len(text.partition(";")[0]) < 512
    claims = msgspec.json.decode(b64.decode(session.partition("=")[2].split(".")[1]))
    assert claims == {
        "sid": "sid",
        "iss": "authentik",
        "sub": "uid",
        "iat": int(BEGIN.timestamp()),
        "authenticated": True,
        "acr": "goauthentik.io/core/default",
    }


def test_without_an_end_a_cookie_lasts_as_long_as_the_browser_and_a_domain_is_set_where_asked() -> None:
    (_, session), _ = Jar.of(VAULT, domain="example.org", path="/sso/").make("sid", secure=True, at=BEGIN)
    text = session.decode()
    assert "Max-Age" not in text
    assert "Expires" not in text
    assert "; Domain=example.org" in text
    assert "; Path=/sso/;" in text
    past, _ = JAR.make("sid", secure=True, at=BEGIN, expires=BEGIN - timedelta(hours=1))
    assert b"Max-Age=0" in past[1]


def forged(header: dict[str, object], claims: dict[str, object]) -> str:
    parts = [b64.encode(msgspec.json.encode(part)) for part in (header, claims)]
    return ".".join([*parts, ""])


TRUE = cookie(JAR, "sid")
HEAD, BODY, MAC = TRUE.split(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "..",
        "a.b.c",
        TRUE[:-1],
        TRUE[:-5] + "AAAAA",
        TRUE + "A",
        f"{HEAD}.{BODY}.",
        f"{HEAD}.{BODY}",
        f"{HEAD}.{b64.encode(msgspec.json.encode({'sid': 'other'}))}.{MAC}",
        cookie(OTHER, "sid"),
        forged({"alg": "none"}, {"sid": "sid"}),
        forged({"alg": "HS256"}, {"sid": "sid"}),
        TRUE * 100,
        "é" * 100,
        '"' + TRUE + '"',
        Signer.from_secret(VAULT.signing_key("form-token")).sign(msgspec.json.encode({"sid": "sid"})),
        Signer.from_secret(VAULT.signing_key("session-cookie")).sign(msgspec.json.encode({"sid": 5})),
        Signer.from_secret(VAULT.signing_key("session-cookie")).sign(msgspec.json.encode({"no": "sid"})),
    ],
    ids=range(19),
)
def test_a_cookie_that_is_not_ours_is_none(text: str) -> None:
    assert JAR.read({SESSION: text}) == ""
    assert JAR.read({}) == ""


@given(st.binary(max_size=400))
def test_no_cookie_breaks_the_reading_of_it(data: bytes) -> None:
    assert JAR.read({SESSION: data.decode("latin-1")}) == ""


def test_the_cross_site_token_belongs_to_one_session_of_one_installation() -> None:
    assert JAR.csrf("one") == JAR.csrf("one")
    assert len({JAR.csrf("one"), JAR.csrf("two"), OTHER.csrf("one"), JAR.csrf("")}) == 4
    (_, _), (_, csrf) = JAR.make("one", secure=False, at=BEGIN)
    assert csrf.decode().startswith(f"{CSRF}={JAR.csrf('one')};")


def test_session_keys_are_drawn_anew() -> None:
    assert len({fresh() for _ in range(100)}) == 100
    assert all(len(fresh()) >= 43 for _ in range(5))


def parked(jar: Jar, *keys: str, secure: bool = False) -> tuple[str, str]:
    _, value = jar.park(keys, secure=secure, at=BEGIN)
    name, _, rest = value.decode().partition("=")
    return name, rest.partition(";")[0]


@pytest.mark.parametrize("secure", [False, True])
def test_the_keys_of_other_sessions_come_back_to_this_host_only(secure: bool) -> None:  # noqa: FBT001 - a parameter of the test
    wide = Jar.of(VAULT, domain="example.org", path="/auth/")
    name, value = parked(wide, "a", "b", secure=secure)
    assert wide.parked({name: value}, secure=secure) == ("a", "b")
    assert wide.parked({name: value}, secure=not secure) == ()
    _, header = wide.park(("a",), secure=secure, at=BEGIN)
    text = header.decode()
    assert text.startswith("__Host-") == secure
    assert "; HttpOnly; Path=/; SameSite=Lax" in text
    assert text.endswith("; Secure") == secure
    assert "Domain" not in text
    assert "=; Max-Age=0;" in wide.park((), secure=secure, at=BEGIN)[1].decode()


def test_what_is_no_list_of_ours_holds_no_sessions() -> None:
    name, value = parked(JAR, "a")
    for text in (value[:-3], "", "x", parked(OTHER, "a")[1], "y" * 3000, cookie(JAR, "sid")):
        assert JAR.parked({name: text}, secure=False) == ()
    assert JAR.read({SESSION: value}) == "", "a list of sessions opens none"
