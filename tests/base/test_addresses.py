from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.addresses import (
    NETWORK_WORDS,
    ListenAddress,
    parse_listen,
    parse_listen_list,
    parse_networks,
)

HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"[a-z][a-z0-9_-]{0,10}[a-z0-9](\.[a-z][a-z0-9]{0,5}){0,3}", fullmatch=True),
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("[::]:9000", "::", 9000),
        (":9000", "::", 9000),
        ("0.0.0.0:9000", "0.0.0.0", 9000),  # noqa: S104 - nothing is bound here
        ("localhost:9000", "localhost", 9000),
        ("LocalHost:0", "localhost", 0),
        ("my_proxy.internal:65535", "my_proxy.internal", 65535),
        (" [2001:0DB8:0:0::1]:443 ", "2001:db8::1", 443),
        ("[fe80::1%eth0]:636", "fe80::1%eth0", 636),
        ("1password.example:80", "1password.example", 80),
    ],
)
def test_a_listen_address_is_read(text: str, host: str, port: int) -> None:
    assert parse_listen(text) == ListenAddress(host, port)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no port"),
        ("9000", "no port"),
        ("localhost", "no port"),
        ("localhost:", "not a number from 0 to 65535"),
        ("localhost:http", "not a number"),
        ("localhost:65536", "not a number from 0 to 65535"),
        ("localhost:-1", "not a number"),
        ("localhost:٩", "not a number"),
        ("::1:9000", "brackets"),
        ("[::1]", "not a number"),
        ("[::g]:9000", "not an IPv6 address"),
        ("[127.0.0.1]:9000", "not an IPv6 address"),
        ("[fe80::1%e th0]:9000", "not an IPv6 zone"),
        ("256.0.0.1:9000", "not an IPv4 address"),
        ("1.2.3:9000", "not an IPv4 address"),
        ("a..b:9000", "neither an address nor a host name"),
        ("-a:9000", "neither an address nor a host name"),
        ("http://localhost:9000", "brackets"),
        ("a b:9000", "neither an address nor a host name"),
        (f"{'a.' * 130}b:9000", "neither an address nor a host name"),
    ],
)
def test_what_is_no_listen_address_is_refused_with_its_reason(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_listen(text)


@given(host=HOSTS, port=st.integers(0, 65535))
def test_an_address_is_what_its_text_reads_as(host: str, port: int) -> None:
    address = ListenAddress(host, port)
    assert parse_listen(str(address)) == address


@given(text=st.text(max_size=40) | st.text("0123456789.:[]%a,", max_size=30))
def test_any_text_is_a_list_or_refused_and_lists_read_back(text: str) -> None:
    try:
        addresses = parse_listen_list(text)
    except ValueError:
        return
    assert parse_listen_list(",".join(map(str, addresses))) == addresses
    assert all(0 <= address.port <= 65535 for address in addresses)


def test_lists_keep_their_order_and_an_empty_one_is_a_list() -> None:
    assert parse_listen_list(" localhost:1 , [::1]:2") == (ListenAddress("localhost", 1), ListenAddress("::1", 2))
    assert parse_listen_list("  ") == ()


def test_an_address_that_stands_twice_cannot_be_bound_twice() -> None:
    with pytest.raises(ValueError, match=r"\[::\]:9000 stands there twice"):
        parse_listen_list(":9000,[::]:9000")
    assert len(parse_listen_list("localhost:0,localhost:0")) == 2  # two ports that the system chooses


def test_a_hole_in_a_list_is_named() -> None:
    with pytest.raises(ValueError, match="empty entry"):
        parse_listen_list(":9000,,:9001")


def test_only_the_unspecified_ipv6_address_is_everywhere() -> None:
    assert parse_listen(":80").everywhere
    assert not parse_listen("0.0.0.0:80").everywhere
    assert not parse_listen("[::1]:80").everywhere


def test_networks_are_read_in_all_their_forms() -> None:
    assert parse_networks("10.0.0.0/8, 2001:db8::/32,192.0.2.7") == (
        IPv4Network("10.0.0.0/8"),
        IPv6Network("2001:db8::/32"),
        IPv4Network("192.0.2.7/32"),
    )
    assert parse_networks("") == ()


def test_words_stand_for_networks_and_repeats_vanish() -> None:
    assert parse_networks("Private,loopback,10.0.0.0/8") == NETWORK_WORDS["private"]
    assert IPv6Address("fe80::1") in NETWORK_WORDS["private"][-1]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("10.0.0.1/8", r"write 10\.0\.0\.0/8"),
        ("10.0.0.0/33", "not a network"),
        ("localhost", "not a network"),
        ("10.0.0.0/8,,", "not a network"),
        ("*", "not a network"),
    ],
)
def test_what_is_no_network_is_refused_with_its_reason(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_networks(text)


@given(
    networks=st.lists(
        st.one_of(
            st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
            st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
        ).map(lambda pair: ip_network(f"{pair[0]}/{pair[1]}", strict=False)),
        unique=True,
    )
)
def test_networks_are_what_their_text_reads_as(networks: list[IPv4Network | IPv6Network]) -> None:
    assert parse_networks(",".join(map(str, networks))) == tuple(networks)
