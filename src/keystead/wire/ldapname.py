"""Distinguished names as texts (RFC 4514); blanks around ``,``, ``+`` and ``=`` are passed over, as in RFC 1779."""

import re
from typing import Final, NamedTuple

LONGEST: Final = 8 * 1024
"""Characters of a name."""
_PART: Final = re.compile(
    r" *+(?P<type>[A-Za-z][A-Za-z0-9-]*+|[0-9]++(?:\.[0-9]++)*+) *+= *+"
    r"(?:#(?P<hex>(?:[0-9A-Fa-f]{2})++) *+|(?P<value>(?:[^\\,+\"<>;\x00]|\\(?:[\\ \"#+,;<=>]|[0-9A-Fa-f]{2}))*+))"
    r"(?P<end>[,+]|\Z)"
)
_PAIR: Final = re.compile(r"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)
_SPECIAL: Final = re.compile(r'[\\,+"<>;]|\A[ #]| \Z')


class Part(NamedTuple):
    """An attribute that is part of a name, and its value.

    :param hex: the value is the attribute's BER, as ``#`` and hexadecimal digits write it.
    """

    attribute: str
    value: bytes
    hex: bool = False


def parse(text: str) -> tuple[tuple[Part, ...], ...]:
    """The relative names of a name, the nearest first; the empty text is the root, which has none.

    :raises ValueError: it is none.
    """
    if len(text) > LONGEST:
        raise ValueError(f"The name is longer than {LONGEST} characters.")
    found: list[tuple[Part, ...]] = []
    together: list[Part] = []
    at, sign = 0, ""
    while text and (at < len(text) or sign):
        match = _PART.match(text, at)
        if match is None:
            raise ValueError(f"The name breaks off at character {at + 1}.")
        if match["hex"]:
            together.append(Part(match["type"], bytes.fromhex(match["hex"]), hex=True))
        else:
            if match["value"].startswith("#"):
                raise ValueError(f"What follows “#” is no BER in hexadecimal digits (at character {at + 1}).")
            together.append(Part(match["type"], _value(match["value"])))
        at, sign = match.end(), match["end"]
        if sign != "+":
            found.append(tuple(together))
            together = []
    return tuple(found)


def _value(text: str) -> bytes:
    bare = text.rstrip(" ")
    if (len(bare) - len(bare.rstrip("\\"))) % 2:  # the first of the blanks is escaped
        bare += " "
    found = bytearray()
    at = 0
    for match in _PAIR.finditer(bare):
        pair = match[1]
        found += bare[at : match.start()].encode() + (bytes.fromhex(pair) if len(pair) > 1 else pair.encode())
        at = match.end()
    return bytes(found + bare[at:].encode())


def escape(value: str) -> str:
    """``value`` as it stands in a name and means nothing but itself (RFC 4514 §2.4)."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", value).replace("\x00", "\\00")


def below(part: str, base: str) -> str:
    """The name of ``part`` where it stands below ``base``; either may be blank."""
    return ",".join(one for one in (part.strip(), base.strip()) if one)
