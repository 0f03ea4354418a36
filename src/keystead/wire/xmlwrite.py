"""XML of our own, written the way Exclusive XML Canonicalization 1.0 writes it, so that it can be signed as it stands.

Namespaces are declared where they are first used, attributes stand in their order, and nothing stands between elements.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from keystead.wire.xmlstrict import XmlError

SPACES: Final[Mapping[str, str]] = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "ec": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "fed": "http://docs.oasis-open.org/wsfed/federation/200706",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
"""The prefixes we write, and their namespaces."""
TYPE: Final = "xsi:type"
"""The attribute whose value is a name with a prefix (XML Schema Part 1 §2.6.1)."""

_FOREIGN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no place for."""
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_VALUE: Final = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"})


class Tag(msgspec.Struct, frozen=True):
    """An element.

    :param name: with one of the prefixes in :data:`SPACES`.
    :param children: elements and texts, in order.
    """

    name: str
    attributes: Mapping[str, str] = {}
    children: tuple["Tag | str", ...] = ()


def written(tag: Tag, declared: frozenset[str] = frozenset()) -> str:
    """``tag`` in canonical form (Canonical XML 1.0 §2.3; Exclusive XML Canonicalization 1.0 §3).

    The prefix in the value of an ``xsi:type`` counts as used: see :func:`typed`.

    :param declared: the prefixes that are declared around it.
    :raises XmlError: a text holds a character that XML has no place for.
    """
    new = sorted(_used(tag) - declared)
    inside = declared.union(new)
    spaces = "".join(f' xmlns:{prefix}="{SPACES[prefix]}"' for prefix in new)
    attributes = "".join(
        f' {name}="{_escaped(tag.attributes[name], _VALUE)}"' for name in sorted(tag.attributes, key=_rank)
    )
    body = "".join(
        _escaped(child, _TEXT) if isinstance(child, str) else written(child, inside) for child in tag.children
    )
    return f"<{tag.name}{spaces}{attributes}>{body}</{tag.name}>"


def typed(tag: Tag) -> set[str]:
    """The prefixes that values of ``xsi:type`` use in ``tag`` and below it.

    To canonicalization they are text. Who checks a signature must be told of them as an InclusiveNamespaces PrefixList.
    """
    found = {tag.attributes[TYPE].partition(":")[0]} if TYPE in tag.attributes else set()
    return found.union(*(typed(child) for child in tag.children if isinstance(child, Tag)))


def _used(tag: Tag) -> set[str]:
    names = [tag.name, *tag.attributes]
    if TYPE in tag.attributes:
        names.append(tag.attributes[TYPE])
    return {name.partition(":")[0] for name in names if ":" in name}


def _rank(name: str) -> tuple[str, str]:
    """By namespace, then by local name; those outside every namespace stand first."""
    prefix, colon, local = name.partition(":")
    return (SPACES[prefix], local) if colon else ("", name)


def _escaped(text: str, how: Mapping[int, str]) -> str:
    if found := _FOREIGN.search(text):
        raise XmlError(f"XML has no place for the character U+{ord(found[0]):04X}.")
    return text.translate(how)
