"""XML from strangers, read strictly (XML 1.0, Namespaces in XML 1.0) into plain elements.

There is no document type declaration in what we read, so there are no entities that swell or lead elsewhere; depth and
number of elements have limits, and nothing is ever fetched.
"""

from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 20_000


class XmlError(ValueError):
    """The text is not XML we accept; the message says what is wrong and where, and is safe to show."""


class Element(msgspec.Struct):
    """One element.

    :param name: ``{namespace}local``, or the local name alone outside every namespace; attributes are named likewise.
    :param text: its own text, without that of its children.
    """

    name: str
    attributes: dict[str, str]
    children: list["Element"] = []
    text: str = ""

    def every(self, name: str) -> list["Element"]:
        """The children of this name, in order."""
        return [child for child in self.children if child.name == name]


class _Reader:
    """What a parser tells, as elements."""

    def __init__(self, parser: "XMLParserType", max_depth: int, max_elements: int) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._depth = max_depth
        self._left = max_elements
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise XmlError("It has more elements than are read here.")
        if len(self._open) == self._depth:
            raise XmlError(f"Its elements nest deeper than {self._depth}.")
        made = Element(_name(name), {_name(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)

    def _doctype(self, *_told: object) -> NoReturn:
        raise XmlError("It has a document type declaration, which is not read here.")


def parse(data: bytes, *, max_depth: int = MAX_DEPTH, max_elements: int = MAX_ELEMENTS) -> Element:
    """The root element of a document.

    :param data: the whole document. Callers cap its length.
    :raises XmlError: see the head of this file.
    """
    from xml.parsers import expat  # noqa: PLC0415 - few processes read XML; and what is unsafe of it is refused

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    reader = _Reader(parser, max_depth, max_elements)
    try:
        parser.Parse(data, True)  # noqa: FBT003 - whether this is all of it; the call takes no names
    except expat.ExpatError as exc:
        raise XmlError(f"It is no XML: {expat.errors.messages[exc.code]} (line {exc.lineno}).") from None
    except (LookupError, ValueError) as exc:
        if isinstance(exc, XmlError):
            raise
        raise XmlError("It is written in an encoding that is not read here; send UTF-8.") from None
    if reader.root is None:
        raise XmlError("It is empty.")
    return reader.root


def _name(told: str) -> str:
    return "{" + told if "}" in told else told
