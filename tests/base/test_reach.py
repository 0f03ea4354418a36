"""Connections go to the very addresses that were judged; ports of other protocols are left alone."""

from collections.abc import Sequence

import pytest

from keystead.base.reach import Reach, Unreached, check_port, host_of
from tests.strangers import LOCAL


def reaching(*addresses: str) -> Reach:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return Reach((LOCAL,), resolve)


async def tried(reach: Reach, answering: str) -> list[str]:
    """Where a connection is attempted until one answers."""
    asked: list[str] = []

    async def opened(address: str) -> str:
        asked.append(address)
        if address != answering:
            raise ConnectionRefusedError
        return address

    assert await reach.connect("friend.example", 389, opened) == answering
    return asked


async def test_only_what_may_be_reached_is_tried_and_in_order() -> None:
    reach = reaching("10.0.0.1", "127.0.0.2", "192.168.1.1", "127.0.0.1", "127.0.0.2", "8.8.8.8")
    assert await tried(reach, "127.0.0.2") == ["127.0.0.2"]
    assert await tried(reach, "8.8.8.8") == ["127.0.0.2", "127.0.0.1", "8.8.8.8"]
    with pytest.raises(ConnectionRefusedError):
        await tried(reach, "10.0.0.1")


async def test_nothing_is_tried_where_nothing_may_be_reached() -> None:
    for reach in (reaching("10.0.0.1", "::1"), reaching()):
        with pytest.raises(Unreached) as caught:
            await tried(reach, "")
        assert "friend.example" in caught.value.reason
        assert "friend.example" not in str(caught.value)


@pytest.mark.parametrize("port", [389, 636, 1024, 3268, 3389, 65535])
def test_ports_that_may_be_used(port: int) -> None:
    check_port(port, {389, 636}, "LDAP")


@pytest.mark.parametrize("port", [1, 25, 80, 443, 1023, 5432, 6379, 11211])
def test_ports_of_others(port: int) -> None:
    with pytest.raises(Unreached) as caught:
        check_port(port, {389, 636}, "LDAP")
    assert "LDAP" in caught.value.reason


def test_hosts_have_one_spelling() -> None:
    assert host_of("DC1.example.org.") == "dc1.example.org"
    assert host_of("2001:DB8:0::1") == "2001:db8::1"
    for text in ("0x7f.1", "127.1", "2130706433", "fe80::1%eth0", "a b", "", "."):
        with pytest.raises(Unreached):
            host_of(text)
