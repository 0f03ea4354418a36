"""The LDAP client with OpenLDAP's server: TLS and who is trusted, binding, searching, and words for what goes wrong."""

import ssl
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from keystead.base.outbound import Outbound
from keystead.base.secret import Secret
from keystead.sources.ldap import tls
from keystead.sources.ldap.client import Directory, Session, opened
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.servers import servers
from keystead.wire import ldapfilter
from keystead.wire.ldap import Scope, SearchEntry
from keystead.wire.ldapfilter import Compare, escape
from tests.sources.slapd import BASE, LIMIT, MANY, NAME, PASSWORD, PHOTO, READER, Slapd, resolving
from tests.strangers import Authority

PEOPLE = f"ou=people,{BASE}"


def directory(slapd: Slapd, uri: str = "", **members: Any) -> Directory:  # noqa: ANN401 - members of a directory
    given = {
        "servers": servers(uri or slapd.tls_uri),
        "name": READER,
        "password": Secret(PASSWORD),
        "start_tls": True,
        "tls": partial(tls.context, slapd.authority.pem, None),
        **members,
    }
    return Directory(**given)


async def sought(
    session: Session,
    wanted: str,
    base: str = BASE,
    attributes: tuple[str, ...] = ("*",),
    **more: Any,  # noqa: ANN401 - as above
) -> list[SearchEntry]:
    return [one async for one in session.search(base, ldapfilter.parse(wanted), attributes, **more)]


async def uids(wanted: Directory) -> list[str]:
    async with opened(resolving(), wanted) as session:
        found = await sought(session, "(uid=*)", PEOPLE, ("uid",))
    return sorted(value.decode() for one in found for _, values in one.attributes for value in values)


async def refused(wanted: Directory, reach: Outbound | None = None) -> DirectoryError:
    with pytest.raises(DirectoryError) as caught:
        async with opened(reach or resolving(), wanted):
            pass
    assert PASSWORD not in caught.value.reason
    return caught.value


async def test_tls_from_the_beginning_and_on_request(slapd: Slapd) -> None:
    for uri in (slapd.tls_uri, slapd.uri):
        assert await uids(directory(slapd, uri)) == ["anna", "bert", "carl"]


async def test_nobody_in_particular_in_the_clear(slapd: Slapd) -> None:
    nobody = directory(slapd, slapd.uri, name="", password=Secret(""), start_tls=False)
    assert await uids(nobody) == ["anna", "bert", "carl"]


async def test_what_a_password_is_not_sent_without(slapd: Slapd) -> None:
    """The server wants TLS for it, and says so."""
    told = await refused(directory(slapd, slapd.uri, start_tls=False))
    assert (told.member, "confidentiality required" in told.reason) == ("start_tls", True)


@pytest.mark.parametrize("tls_first", [True, False])
async def test_who_is_trusted(slapd: Slapd, tmp_path: Path, tls_first: bool) -> None:  # noqa: FBT001 - a case
    uri = slapd.tls_uri if tls_first else slapd.uri
    other = Authority(tmp_path)
    for authority in (None, other.pem):
        told = await refused(directory(slapd, uri, tls=partial(tls.context, authority, None)))
        assert (told.member, told.on_the_way) == ("peer_certificate", True)
        assert "certificate is not accepted" in told.reason
    both = f"{other.pem}\n{slapd.authority.pem}"
    assert await uids(directory(slapd, uri, tls=partial(tls.context, both, None))) == ["anna", "bert", "carl"]
    another = await refused(directory(slapd, uri.replace(NAME, "another.example")))
    assert another.member == "server_uri"
    assert "another.example" in another.reason.rpartition("not accepted")[2]
    assert await uids(directory(slapd, uri.replace(NAME, "127.0.0.1"))) == ["anna", "bert", "carl"]


async def test_a_server_that_is_trusted_itself(slapd: Slapd) -> None:
    """What administrators name need be no authority: the server's own certificate will do."""
    own = ssl.get_server_certificate(("127.0.0.1", slapd.tls_port))
    assert await uids(directory(slapd, tls=partial(tls.context, own, None))) == ["anna", "bert", "carl"]
    wrong = directory(slapd, slapd.tls_uri.replace(NAME, "x.example"), tls=partial(tls.context, own, None))
    assert (await refused(wrong)).member == "server_uri"


async def test_we_prove_ourselves(authority: Authority, tmp_path: Path) -> None:
    demanding = Slapd(tmp_path, authority, demand=True)
    try:
        await demanding.ready()
        certificate, mark, key = authority.issued("client.example").read_text().partition("-----BEGIN PRIVATE KEY-----")
        own = (certificate, Secret(mark + key))
        for uri in (demanding.tls_uri, demanding.uri):
            proven = directory(demanding, uri, tls=partial(tls.context, authority.pem, own))
            assert await uids(proven) == ["anna", "bert", "carl"]
            assert (await refused(directory(demanding, uri))).on_the_way
    finally:
        demanding.end()


@pytest.mark.parametrize(
    ("trusted", "own", "member"),
    [
        ("no certificate", None, "peer_certificate"),
        (None, ("no certificate", Secret("no key")), "client_certificate"),
    ],
)
async def test_certificates_that_are_none(
    slapd: Slapd, trusted: str | None, own: tuple[str, Secret] | None, member: str
) -> None:
    assert (await refused(directory(slapd, tls=partial(tls.context, trusted, own)))).member == member


@pytest.mark.parametrize(
    ("members", "member", "words"),
    [
        ({"password": Secret("wrong")}, "bind_password", "invalid credentials"),
        ({"name": f"cn=nobody,{BASE}"}, "bind_password", "invalid credentials"),
        ({"name": "reader"}, "bind_cn", "invalid DN"),
        ({"password": Secret("")}, "bind_password", "takes a password"),
    ],
)
async def test_who_is_not_let_in(slapd: Slapd, members: dict[str, Any], member: str, words: str) -> None:
    for uri in (slapd.tls_uri, f"{slapd.uri},{slapd.tls_uri}"):
        told = await refused(directory(slapd, uri, **members))
        assert (told.member, told.on_the_way, words in told.reason) == (member, False, True), told.reason
        assert told.reason.count(NAME) <= 1, "one server says it for all: each more would count as an attempt"


async def test_servers_are_tried_in_turn(slapd: Slapd) -> None:
    dead = "ldap://gone.example:1389"
    assert await uids(directory(slapd, f"{dead},{slapd.uri}")) == ["anna", "bert", "carl"]
    told = await refused(directory(slapd, f"{dead},{slapd.tls_uri.replace('ldaps:', 'ldap:')},ldaps://x.example:1636"))
    assert told.on_the_way
    assert all(name in told.reason for name in ("gone.example:1389", NAME, "x.example:1636"))
    # TLS where none is spoken, and the other way round
    for uri in (slapd.uri.replace("ldap:", "ldaps:"), slapd.tls_uri.replace("ldaps:", "ldap:")):
        assert (await refused(directory(slapd, uri))).on_the_way


async def test_where_nobody_is(slapd: Slapd) -> None:
    told = await refused(directory(slapd, "ldaps://dc1.invalid"), Outbound())
    assert "has no address" in told.reason
    for address in ("10.1.2.3", "192.168.1.10", "127.0.0.1", "169.254.169.254", "::1"):
        inward = Outbound(resolve=resolving(address)._resolve)  # noqa: SLF001 - every name is there
        told = await refused(directory(slapd), inward)
        assert address in told.reason
        assert "KEYSTEAD_OUTBOUND__ALLOWED_CIDRS" in told.reason
        assert told.on_the_way


@pytest.mark.parametrize("port", [22, 25, 80, 443, 6379, 11211, 1, 65536, "x"])
def test_ports_of_other_protocols(port: object) -> None:
    with pytest.raises(DirectoryError):
        servers(f"ldap://dc1.example:{port}")


@pytest.mark.parametrize("uri", ["ldap://0x7f.1", "ldap://2130706433", "ldap://u@dc1.example", "http://x", "ldap://[x"])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(DirectoryError):
        servers(uri)


def test_addresses_as_people_read_them() -> None:
    found = servers("ldaps://DC1.example.org, ldap://[2001:db8::1],ldap://dc2.example.org:3389/")
    assert [str(one) for one in found] == [
        "ldaps://dc1.example.org:636",
        "ldap://[2001:db8::1]:389",
        "ldap://dc2.example.org:3389",
    ]


async def test_all_of_many_in_pages(slapd: Slapd) -> None:
    """More than the server gives at once."""
    assert MANY > LIMIT
    async with opened(resolving(), directory(slapd)) as session:
        for page in (50, 7, 500, 2000):
            found = await sought(session, "(objectClass=device)", attributes=("cn",), page=page)
            assert len({one.name for one in found}) == len(found) == MANY
        for most in (1, 10, 60):
            assert len(await sought(session, "(objectClass=device)", attributes=("1.1",), most=most)) == most
        assert len(await sought(session, "(objectClass=organizationalUnit)", most=60)) == 3
        assert len(await sought(session, "(objectClass=*)", scope=Scope.BASE)) == 1
        assert {one.name for one in await sought(session, "(ou=*)", scope=Scope.ONE)} >= {PEOPLE}


async def test_values_come_as_they_are(slapd: Slapd) -> None:
    async with opened(resolving(), directory(slapd)) as session:
        (anna,) = await sought(session, "(uid=anna)", attributes=("*", "entryUUID"))
        (named,) = await sought(session, "(cn=Anna M\\c3\\bcller)", attributes=("uid",))
    told = dict(anna.attributes)
    assert told["jpegPhoto"] == (PHOTO,)
    assert told["cn"] == ("Anna Müller".encode(),)
    assert set(told["mail"]) == {b"anna@example.org", b"a.mueller@example.org"}
    assert len(told["entryUUID"][0]) == 36
    assert (named.name, len(named.attributes)) == (f"uid=anna,{PEOPLE}", 1)


@pytest.mark.parametrize("value", ["*", "Carl (temporary)", ")(uid=*", "\\", "a\0b", "anna)(|(uid=*", "\\2a", "Müller"])
async def test_values_in_filters_are_values(slapd: Slapd, value: str) -> None:
    """SECURITY LD-04: as another server reads what is escaped here, and what is sent as it is."""
    there = {"*": "carl", "Carl (temporary)": "carl", "Müller": "anna"}.get(value)
    async with opened(resolving(), directory(slapd)) as session:
        for wanted in (
            ldapfilter.parse(f"(|(sn={escape(value)})(cn={escape(value)}))"),
            ldapfilter.Or((Compare("sn", value.encode()), Compare("cn", value.encode()))),
        ):
            found = [one async for one in session.search(PEOPLE, wanted, ("uid",))]
            assert [one.attributes[0].values[0].decode() for one in found] == ([there] if there else [])


async def test_bases_that_are_none(slapd: Slapd) -> None:
    async with opened(resolving(), directory(slapd)) as session:
        for base, words in (
            (f"ou=x,{BASE}", "no such object"),
            ("nonsense", "invalid dn"),
            ("dc=else", "no such object"),
        ):
            with pytest.raises(DirectoryError, match=words) as caught:
                await sought(session, "(uid=*)", base)
            assert (caught.value.member, caught.value.on_the_way) == ("base_dn", False)
            assert base in caught.value.reason
