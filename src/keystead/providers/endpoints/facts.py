"""What a device tells of itself: the shapes of its facts."""

import enum
from datetime import datetime
from typing import Annotated, Any

import msgspec

from keystead.kinds.marks import READ_ONLY, Text, Uuid

Left = msgspec.UnsetType
UNSET = msgspec.UNSET


class DeviceFactsOSFamily(enum.StrEnum):
    """Families of operating systems."""

    LINUX = "linux"
    UNIX = "unix"
    BSD = "bsd"
    WINDOWS = "windows"
    MAC_OS = "mac_os"
    ANDROID = "android"
    I_OS = "i_os"
    OTHER = "other"


class VendorEnum(enum.StrEnum):
    """Who told the facts."""

    MERGED = "goauthentik.io/@merged"
    PLATFORM = "goauthentik.io/platform"
    FLEET = "fleetdm.com"
    CHROME = "chrome.google.com"


class OperatingSystem(msgspec.Struct, frozen=True):
    """What a device runs."""

    family: DeviceFactsOSFamily
    name: Text | Left = UNSET
    version: Text | Left = UNSET
    arch: Text | Left = UNSET


class Disk(msgspec.Struct, frozen=True):
    """A disk, or a part of one."""

    name: Text
    mountpoint: Text
    label: str | Left = UNSET
    capacity_total_bytes: int | Left = UNSET
    capacity_used_bytes: int | Left = UNSET
    encryption_enabled: bool = False


class NetworkInterface(msgspec.Struct, frozen=True):
    """A network card."""

    name: Text
    hardware_address: Text
    ip_addresses: list[Text] | Left = UNSET
    dns_servers: list[Text] | Left = UNSET


class Network(msgspec.Struct, frozen=True):
    """How a device stands in its network."""

    hostname: Text
    interfaces: list[NetworkInterface]
    firewall_enabled: bool | Left = UNSET
    gateway: Text | Left = UNSET


class Hardware(msgspec.Struct, frozen=True):
    """The machine."""

    serial: Text
    model: Text | Left = UNSET
    manufacturer: Text | Left = UNSET
    cpu_name: Text | Left = UNSET
    cpu_count: int | Left = UNSET
    memory_bytes: int | Left = UNSET


class Software(msgspec.Struct, frozen=True):
    """A program that is installed."""

    name: Text
    source: Text
    version: str | Left = UNSET
    path: Text | Left = UNSET


class Process(msgspec.Struct, frozen=True):
    """A program that runs."""

    id: int
    name: Text
    user: Text | Left = UNSET


class DeviceUser(msgspec.Struct, frozen=True):
    """An account on the device."""

    id: Text
    username: Text | Left = UNSET
    name: Text | Left = UNSET
    home: Text | Left = UNSET


class DeviceGroup(msgspec.Struct, frozen=True):
    """A group of accounts on the device."""

    id: Text
    name: Text | Left = UNSET


class DeviceFacts(msgspec.Struct, frozen=True):
    """What a device tells of itself; what it does not tell is left out."""

    os: OperatingSystem | None = None
    disks: list[Disk] | None = None
    network: Network | None = None
    hardware: Hardware | None = None
    software: list[Software] | None = None
    processes: list[Process] | None = None
    users: list[DeviceUser] | None = None
    groups: list[DeviceGroup] | None = None
    vendor: dict[str, Any] | Left = UNSET


class DeviceFactSnapshot(msgspec.Struct, frozen=True):
    """What a device told at one time.

    :param connection: by which connection.
    """

    data: DeviceFacts
    connection: Uuid
    created: Annotated[datetime, READ_ONLY]
    expires: Annotated[datetime | None, READ_ONLY]
    vendor: Annotated[VendorEnum, READ_ONLY]
