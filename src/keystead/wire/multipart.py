"""Forms that carry files: ``multipart/form-data`` (RFC 7578, RFC 2046 §5.1), parsed from a body already in memory."""

import re
from typing import Final

import msgspec

MOST_PARTS: Final = 100
_LONGEST_HEAD: Final = 8 * 1024
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9*_-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))')
_ESCAPED: Final = {"%22": '"', "%0D": "\r", "%0A": "\n", "%0d": "\r", "%0a": "\n"}


class Part(msgspec.Struct, frozen=True):
    """One field of a form.

    :param filename: what the client calls the file; None for a plain value.
    """

    name: str
    filename: str | None
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text.

        :raises ValueError: it is not UTF-8.
        """
        return self.body.decode()


def parse(content_type: str, body: bytes) -> list[Part]:
    """The fields of a form, in order.

    :param content_type: the header field, with its boundary.
    :raises ValueError: it is no such form, or a broken one.
    """
    media, _, _ = content_type.partition(";")
    if media.strip().lower() != "multipart/form-data":
        raise ValueError("The body is no multipart/form-data.")
    boundary = _parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("The Content-Type names no boundary.")
    mark = b"--" + boundary.encode("ascii")
    # A line break belongs to the delimiter after it (RFC 2046 §5.1.1); the first one may lack it.
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 - what stands before the first and after the last
        raise ValueError("The form breaks off.")
    if len(pieces) - 2 > MOST_PARTS:
        raise ValueError(f"A form may have at most {MOST_PARTS} parts.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    padding, _, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t"):
        raise ValueError("A boundary has more on its line than it may.")
    if rest.startswith(b"\r\n"):
        raise ValueError("A part of the form has no name.")
    head, found, content = rest.partition(b"\r\n\r\n")
    if not found or len(head) > _LONGEST_HEAD:
        raise ValueError("A part of the form has no end of its header, or a header too long.")
    fields: dict[str, str] = {}
    for line in head.decode("utf-8").split("\r\n"):
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError("A part of the form has a broken header.")
        fields[key.strip().lower()] = value.strip()
    disposition = fields.get("content-disposition", "")
    given = _parameters(disposition)
    if disposition.partition(";")[0].strip().lower() != "form-data" or "name" not in given:
        raise ValueError("A part of the form has no name.")
    kind = fields.get("content-type", "text/plain").partition(";")[0].strip().lower()
    return Part(given["name"], given.get("filename"), kind, content)


def _parameters(field: str) -> dict[str, str]:
    return {name.lower(): _unescaped(quoted) or plain for name, quoted, plain in _PARAMETER.findall(field)}


def _unescaped(text: str) -> str:
    """A quoted value as meant: browsers escape by percent (RFC 7578 §2), others by backslash (RFC 9110 §5.6.4)."""
    for escape, letter in _ESCAPED.items():
        text = text.replace(escape, letter)
    return re.sub(r"\\([\"\\])", r"\1", text)
