"""Requests as they arrive: headers, hosts and peers nobody can forge, and no bytes that break the reading of them."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.errors import Kind, Problem
from keystead.doors.http.message import Request, Response, address_of, below, redirect
from tests.house import BEGIN

PROXIES = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "::1/128", "fe80::/10", "2001:db8:1::/48"))
PROXY = "10.1.2.3"
STRANGER = "192.0.2.66"


def request(
    *headers: tuple[str, str],
    peer: str | None = STRANGER,
    path: str = "/x/",
    query: bytes = b"",
    body: bytes = b"",
    scheme: str = "http",
    root_path: str = "",
    base_url: str = "",
) -> Request:
    scope: dict[str, Any] = {
        "method": "GET",
        "path": path,
        "query_string": query,
        "scheme": scheme,
        "client": (peer, 1234) if peer is not None else None,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    return Request(scope, body, at=BEGIN, request_id="0" * 32, trusted=PROXIES, root_path=root_path, base_url=base_url)


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["auth.example.org"], "auth.example.org"),
        (["Auth.Example.ORG:9443"], "auth.example.org:9443"),
        (["auth.example.org."], "auth.example.org"),
        (["auth.example.org.:443"], "auth.example.org:443"),
        (["[2001:DB8::1]:9000"], "[2001:db8::1]:9000"),
        (["[::1]"], "[::1]"),
        (["10.0.0.1:80"], "10.0.0.1:80"),
        (["under_score.example"], "under_score.example"),
    ],
)
def test_the_host_is_told_in_one_form(hosts: list[str], host: str) -> None:
    asked = request(*(("host", one) for one in hosts))
    assert asked.host == host
    assert asked.root == f"http://{host}"


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["a.example", "b.example"],
        ["a.example", "a.example"],
        ["a.example/path"],
        ["a.example?x"],
        ["a.example#x"],
        ["user@a.example"],
        ["a.example b"],
        ["a.example\tb"],
        ["a.example,b.example"],
        ["a.example:"],
        ["a.example:port"],
        ["a.example:123456"],
        ["a.example:65536"],
        ["a.example:-1"],
        ["-a.example"],
        [".a.example"],
        ["a.example.."],
        ["."],
        ["[::1"],
        ["[::1]x"],
        ["[::1%eth0]"],
        ["a" * 300],
        ["ä.example"],
        ['a"b'],
        ["a\\b"],
        ["%61.example"],
        ["http://a.example"],
    ],
)
def test_a_host_that_is_none_or_several_is_refused(hosts: list[str]) -> None:
    with pytest.raises(Problem) as found:
        _ = request(*(("host", one) for one in hosts)).host
    assert found.value.kind is Kind.INVALID


@pytest.mark.parametrize(
    ("peer", "forwarded", "told"),
    [
        # From a stranger nothing of it counts.
        (STRANGER, ["1.2.3.4"], STRANGER),
        (STRANGER, ["127.0.0.1"], STRANGER),
        # From a proxy, the nearest address that is no proxy.
        (PROXY, [], PROXY),
        (PROXY, ["1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        (PROXY, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6, 1.2.3.4", "10.9.9.9", "10.8.8.8"], "1.2.3.4"),
        (PROXY, ["10.7.7.7, 10.8.8.8"], "10.7.7.7"),
        (PROXY, ["2001:db8::5"], "2001:db8::5"),
        (PROXY, ["2001:DB8:0::5"], "2001:db8::5"),
        # What is no address ends the search: nobody vouches for what stands before it.
        (PROXY, ["a"], PROXY),
        (PROXY, ["1.2.3.4, a"], PROXY),
        (PROXY, ["1.2.3.4, unknown, 10.9.9.9"], "10.9.9.9"),
        (PROXY, ["fe80::1%eth0"], PROXY),
        (PROXY, ["1.2.3.4:5555"], PROXY),
        (PROXY, ["[2001:db8::5]"], PROXY),
        (PROXY, ["0x7f000001"], PROXY),
        (PROXY, ["127.1"], PROXY),
        (PROXY, ["010.0.0.1"], PROXY),
        (PROXY, [", ,"], PROXY),
        (PROXY, ["1.2.3.4" + ", 10.0.0.1" * 10_000], "10.0.0.1"),
        # An IPv4 address in IPv6 clothes is itself, as on a listener for both.
        ("::ffff:10.1.2.3", ["1.2.3.4"], "1.2.3.4"),
        ("::ffff:192.0.2.66", ["1.2.3.4"], STRANGER),
        (PROXY, ["::ffff:1.2.3.4"], "1.2.3.4"),
        (PROXY, ["1.2.3.4, ::ffff:10.9.9.9"], "1.2.3.4"),
        ("fe80::1%eth0", ["1.2.3.4"], "1.2.3.4"),
        ("::1", ["1.2.3.4"], "1.2.3.4"),
        # A Unix socket has no address.
        ("", ["1.2.3.4"], ""),
        (None, ["1.2.3.4"], ""),
    ],
)
def test_the_peer_is_who_a_trusted_proxy_says(peer: str | None, forwarded: list[str], told: str) -> None:
    headers = [("x-forwarded-for", one) for one in forwarded]
    assert request(*headers, peer=peer).peer == told


@pytest.mark.parametrize("peer", [STRANGER, "::ffff:192.0.2.66", "2001:db8:2::1", "", None])
def test_forwarded_headers_of_strangers_are_ignored(peer: str | None) -> None:
    asked = request(
        ("host", "auth.example.org"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-port", "1"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-http-method-override", "DELETE"),
        peer=peer,
    )
    assert (asked.host, asked.secure, asked.root) == ("auth.example.org", False, "http://auth.example.org")
    assert (asked.method, asked.path) == ("GET", "/x/")


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ([("x-forwarded-proto", "https")], "https://auth.example.org"),
        ([("x-forwarded-proto", "HTTPS")], "https://auth.example.org"),
        ([("x-forwarded-proto", "http")], "http://auth.example.org"),
        # A client may have written the first; the nearest proxy wrote the last.
        ([("x-forwarded-proto", "https, http")], "http://auth.example.org"),
        ([("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")], "http://auth.example.org"),
        ([("x-forwarded-host", "Shown.example")], "http://shown.example"),
        ([("x-forwarded-host", "evil.example, shown.example")], "http://shown.example"),
        ([("x-forwarded-host", "evil.example"), ("x-forwarded-host", "shown.example")], "http://shown.example"),
        ([("x-forwarded-host", "")], "http://auth.example.org"),
    ],
)
def test_a_trusted_proxy_tells_scheme_and_host(headers: list[tuple[str, str]], root: str) -> None:
    assert request(("host", "auth.example.org"), *headers, peer=PROXY).root == root


def test_a_trusted_proxy_cannot_tell_a_host_that_is_none() -> None:
    with pytest.raises(Problem):
        _ = request(("host", "a.example"), ("x-forwarded-host", "a.example/x"), peer=PROXY).host


def test_a_configured_address_wins_over_what_the_request_says() -> None:
    asked = request(
        ("host", "evil.example"), base_url="https://auth.example.org/sso/", root_path="/sso", path="/sso/x/"
    )
    assert asked.root == "https://auth.example.org/sso"
    assert asked.path == "/x/"


@pytest.mark.parametrize(
    ("path", "root", "left"),
    [
        ("/auth/x/", "/auth", "/x/"),
        ("/auth/", "/auth", "/"),
        ("/auth", "/auth", "/"),
        ("/authority/x/", "/auth", "/authority/x/"),
        ("/x/auth/", "/auth", "/x/auth/"),
        ("/auth/auth/x", "/auth", "/auth/x"),
        ("/x/", "", "/x/"),
        ("", "", ""),
    ],
)
def test_a_prefix_is_taken_off_as_a_whole_part_of_the_path(path: str, root: str, left: str) -> None:
    assert below(path, root) == left


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (["a=1; b=2"], {"a": "1", "b": "2"}),
        (["a=1;b=2"], {"a": "1", "b": "2"}),
        (["a=1; a=2"], {"a": "1"}),
        (["a=1", "a=2; c=3"], {"a": "1", "c": "3"}),
        (["a=b=c"], {"a": "b=c"}),
        (["a"], {"a": ""}),
        (["=x"], {"": "x"}),
        ([""], {"": ""}),
        (["é=ü"], {"é": "ü"}),
        ([], {}),
    ],
)
def test_of_a_repeated_cookie_the_first_counts(header: list[str], cookies: dict[str, str]) -> None:
    assert request(*(("cookie", one) for one in header)).cookies == cookies


def test_more_cookies_than_anybody_needs_are_not_read() -> None:
    many = request(("cookie", "; ".join(f"c{number}=1" for number in range(5000)))).cookies
    assert len(many) == 100


def test_repeated_headers_are_told_one_by_one_or_the_last() -> None:
    asked = request(("x-a", "1"), ("x-a", "2"))
    assert asked.every(b"x-a") == ["1", "2"]
    assert asked.header(b"x-a") == "2"
    assert asked.header(b"x-b") == ""
    assert asked.every(b"x-b") == []


@pytest.mark.parametrize(
    ("value", "media"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (" text/plain ;x", "text/plain"),
        ("", ""),
    ],
)
def test_the_content_type_is_told_without_parameters(value: str, media: str) -> None:
    assert request(("content-type", value)).content_type == media


def test_forms_are_read_from_form_bodies_only() -> None:
    form = ("content-type", "application/x-www-form-urlencoded")
    assert request(form, body=b"a=1&b=%C3%A4").form.get("b") == "ä"
    for media in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        with pytest.raises(Problem) as found:
            _ = request(("content-type", media), body=b"a=1").form
        assert found.value.kind is Kind.MEDIA
    for body in (b"a=%", b"a=%zz", b"a=%ff", b"a=%00", b"\xff", b"&".join([b"a=1"] * 5000)):
        with pytest.raises(Problem) as found:
            _ = request(form, body=body).form
        assert found.value.kind is Kind.INVALID


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                ["host", "cookie", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "content-type", "origin"]
            ),
            st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
        ),
        max_size=8,
    ),
    query=st.binary(max_size=60),
    body=st.binary(max_size=60),
    peer=st.sampled_from([STRANGER, PROXY, "", None, "nonsense", "fe80::1%1"]),
)
def test_no_bytes_break_the_reading_of_a_request(
    headers: list[tuple[str, str]], query: bytes, body: bytes, peer: str | None
) -> None:
    asked = request(*headers, query=query, body=body, peer=peer)
    assert isinstance(asked.peer, str)
    assert isinstance(asked.secure, bool)
    assert isinstance(asked.cookies, dict)
    for member in ("host", "root", "query", "form", "origin"):
        try:
            getattr(asked, member)
        except Problem as exc:
            assert exc.kind in {Kind.INVALID, Kind.MEDIA}  # noqa: PT017 - whether it raises is up to the bytes


@given(st.text(max_size=40))
def test_an_address_is_told_in_one_form_or_is_none(text: str) -> None:
    found = address_of(text)
    if found is not None:
        assert address_of(str(found)) == found
        assert not (isinstance(found, ipaddress.IPv6Address) and (found.ipv4_mapped or found.scope_id))


def test_an_origin_tells_what_events_need() -> None:
    asked = request(("host", "a.example"), ("user-agent", "x"), query=b"a=1&b=2&a=3", path="/p/")
    origin = asked.origin
    assert (origin.method, origin.path, origin.root, origin.host) == ("GET", "/p/", "http://a.example", "a.example")
    assert origin.query == {"a": "3", "b": "2"}
    assert origin.user_agent == "x"


def test_responses_say_how_long_they_are_where_they_may_have_a_body() -> None:
    assert (b"content-length", b"2") in Response(200, b"{}").headers
    assert (b"content-type", b"application/json") in Response(200, b"{}").headers
    for status in (204, 304):
        assert not [name for name, _ in Response(status).headers if name in {b"content-length", b"content-type"}]
    assert (b"content-length", b"0") in Response(403).headers
    more = Response(200, b"x", b"text/plain", [(b"x-a", b"1")]).header(b"x-b", b"2")
    assert more.headers[-1] == (b"x-b", b"2")
    assert (b"x-a", b"1") in more.headers


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/a?b=c&d=%C3%A4#e", b"/a?b=c&d=%C3%A4#e"),
        ("https://a.example/ä?x=é", b"https://a.example/%C3%A4?x=%C3%A9"),
        ("/a\r\nSet-Cookie: x=1", b"/a%0D%0ASet-Cookie:%20x=1"),
        ('/"><script>', b"/%22%3E%3Cscript%3E"),
        ("/\\evil.example", b"/%5Cevil.example"),
        ("/\x00\x1f\x7f", b"/%00%1F%7F"),
    ],
)
def test_a_redirect_holds_no_character_that_ends_a_header(to: str, location: bytes) -> None:
    answered = redirect(to)
    assert answered.status == 302
    assert (b"location", location) in answered.headers
    assert (b"cache-control", b"no-store") in answered.headers
