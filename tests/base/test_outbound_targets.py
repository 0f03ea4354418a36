"""Where outgoing requests may lead: addresses, and what people type in."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.addresses import parse_networks
from keystead.base.outbound import UNREACHED, Outbound, Unreached, public, target
from tests.strangers import LOCAL

NAME = "friend.example"
NOT_THE_INTERNET = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.8.9.10 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.7 203.0.113.7
    224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.1.2.3
    64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00::1
    fd12:3456::1 fe80::1 fe80::1%lo fec0::1 ff02::1 ff05::1:3
"""
HOSTS = """
    127.0.0.1 127.0.0.1. [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [::] 0.0.0.0 localhost LOCALHOST
    localhost. 10.0.0.1 169.254.169.254 [fd00::1] [fe80::1] 100.64.0.1 224.0.0.1 [64:ff9b::7f00:1]
    127.1 127.0.1 2130706433 017700000001 0177.0.0.1 127.0.0.01 0x7f000001 0x7f.0.0.1 0X7F.1 0x7f.1 127.0.0.0x1 0x
    4294967296 1.2.3 1.2.3.4.5 256.1.1.1 127\u30020\u30020\u30021 \uff11\uff12\uff17.0.0.1 \u2460\u2461\u2466.0.0.1
    b\u00fccher.example %3127.0.0.1 [fe80::1%25eth0] [::1 ::1 [127.0.0.1] a..example -a.example host_/x\\@y
"""
"""Escaped: other dots, and digits that are digits for some readers."""


async def refused(outbound: Outbound, url: str) -> str:
    """Why nobody is asked."""
    with pytest.raises(Unreached) as caught:
        await outbound.send("GET", url, plain=True)
    assert str(caught.value) == UNREACHED
    return caught.value.reason


@pytest.mark.parametrize(
    "address",
    NOT_THE_INTERNET.split(),
)
def test_what_is_not_the_internet_may_not_be_reached(address: str) -> None:
    assert not Outbound().may_reach(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_the_internet_may_be_reached(address: str) -> None:
    assert Outbound().may_reach(ip_address(address))


def test_networks_that_are_allowed_may_be_reached_and_no_others() -> None:
    outbound = Outbound(parse_networks("192.168.7.0/24, fd00:7::/32"))
    for address in ("192.168.7.1", "::ffff:192.168.7.1", "fd00:7::1"):
        assert outbound.may_reach(ip_address(address))
    for address in ("192.168.8.1", "::ffff:192.168.8.1", "fd00:8::1", "127.0.0.1", "64:ff9b::192.168.7.1"):
        assert not outbound.may_reach(ip_address(address))
    assert not public(ip_address("192.168.7.1"))


@pytest.mark.parametrize(
    "host",
    HOSTS.split(),
)
async def test_every_way_to_write_a_private_address_is_refused(host: str) -> None:
    for scheme in ("http", "https"):
        await refused(Outbound(), f"{scheme}://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        *(f"{scheme}://friend.example/" for scheme in ("file", "ftp", "gopher", "ws", "ldap", "unix", "jar", "httpx")),
        *(
            "file:///etc/passwd",
            "data:text/plain,x",
            "unix:/run/x",
            "//friend.example/",
            "friend.example",
            "",
            "https:",
        ),
        *(
            "https://",
            "https:///x",
            "https://u@friend.example/",
            "https://u:p@friend.example/",
            "https://@friend.example",
        ),
        *(
            "https://friend.example\t/",
            "https://friend.example/a b",
            "https://friend.example/\r\nHost: x",
            "https://f\x00",
        ),
        *("https://friend.example:99999/", "https://friend.example:x/", "https://friend.example:-1/"),
        *(f"https://friend.example:{port}/" for port in (0, 1, 21, 22, 23, 25, 110, 143, 389, 445, 465, 587, 636, 993)),
        *(f"https://friend.example:{port}/" for port in (2049, 3306, 5432, 6379, 11211, 27017, 6667, 10080)),
    ],
)
async def test_what_is_no_address_of_http_is_refused(url: str) -> None:
    assert "Accepted" not in await refused(Outbound((LOCAL,)), url)


_PIECES = st.sampled_from(
    [*"/\\@:?#[]%.-_~ \t\x00aé0", "https://", "//", "::1", "127.0.0.1", "0x7f", "friend.example", ":25"]
)


@given(
    st.one_of(st.text(), st.lists(_PIECES).map("".join), st.lists(_PIECES).map(lambda some: "https://" + "".join(some)))
)
def test_whatever_is_typed_in_is_an_address_or_refused(url: str) -> None:
    try:
        to = target(url, plain=True)
    except Unreached:
        return
    assert target(f"{to.scheme}://{to.authority}{to.path}", plain=True) == to
    assert not set(to.host + to.path) & set(" \t\r\n\\@\x00#") or "@" in to.path


def test_an_url_is_taken_apart() -> None:
    assert target("https://Friend.Example.:8443?a=b#c") == ("https", NAME, 8443, "/?a=b")
    assert target("https://friend.example:443/x").authority == NAME
    assert target("https://[2001:DB8::1]:8443/x").authority == "[2001:db8::1]:8443"
