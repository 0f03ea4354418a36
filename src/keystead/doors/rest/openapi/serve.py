"""``/api/v3/schema/``: the document as YAML or JSON, made at the first request and then kept, compressed."""

import asyncio
import enum
import gzip
import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from keystead.base.errors import invalid
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import Operation
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter

Document: TypeAlias = dict[str, Any]
"""An OpenAPI document."""


class FormatEnum(enum.StrEnum):
    """How the document is written."""

    JSON = "json"
    YAML = "yaml"


# fmt: off  # a list of words reads best as lines of text
LangEnum: TypeAlias = Annotated[
    Literal[
        "af",
        "ar",
        "ar-dz",
        "ast",
        "az",
        "be",
        "bg",
        "bn",
        "br",
        "bs",
        "ca",
        "ckb",
        "cs",
        "cy",
        "da",
        "de",
        "dsb",
        "el",
        "en",
        "en-au",
        "en-gb",
        "eo",
        "es",
        "es-ar",
        "es-co",
        "es-mx",
        "es-ni",
        "es-ve",
        "et",
        "eu",
        "fa",
        "fi",
        "fr",
        "fy",
        "ga",
        "gd",
        "gl",
        "he",
        "hi",
        "hr",
        "hsb",
        "hu",
        "hy",
        "ia",
        "id",
        "ig",
        "io",
        "is",
        "it",
        "ja",
        "ka",
        "kab",
        "kk",
        "km",
        "kn",
        "ko",
        "ky",
        "lb",
        "lt",
        "lv",
        "mk",
        "ml",
        "mn",
        "mr",
        "ms",
        "my",
        "nb",
        "ne",
        "nl",
        "nn",
        "os",
        "pa",
        "pl",
        "pt",
        "pt-br",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sr",
        "sr-latn",
        "sv",
        "sw",
        "ta",
        "te",
        "tg",
        "th",
        "tk",
        "tr",
        "tt",
        "udm",
        "ug",
        "uk",
        "ur",
        "uz",
        "vi",
        "zh-hans",
        "zh-hant",
    ],
    msgspec.Meta(title="LangEnum"),
]
# fmt: on
"""The languages that clients of the contract may ask for."""
MEDIA: Final[Mapping[str, FormatEnum]] = {
    "application/vnd.oai.openapi": FormatEnum.YAML,
    "application/yaml": FormatEnum.YAML,
    "application/vnd.oai.openapi+json": FormatEnum.JSON,
    "application/json": FormatEnum.JSON,
}
"""Media types the document comes in; of those a client takes equally gladly, the first."""
_OF_FORMAT: Final = {
    FormatEnum.YAML: "application/vnd.oai.openapi",
    FormatEnum.JSON: "application/vnd.oai.openapi+json",
}


class Kept(NamedTuple):
    """One form of the document.

    :param tag: names its content, for entity tags.
    """

    packed: bytes
    tag: str


class Description:
    """The document of this installation's API, made when first asked for.

    :param make: makes it; that takes a good part of a second, so a thread does it.
    """

    def __init__(self, make: Callable[[], Document]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._kept: dict[FormatEnum, Kept] = {}

    async def kept(self, form: FormatEnum) -> Kept:
        """The document in a form, compressed with gzip."""
        async with self._lock:
            if not self._kept:
                self._kept = await asyncio.to_thread(self._written)
        return self._kept[form]

    def _written(self) -> dict[FormatEnum, Kept]:
        from keystead.doors.rest.openapi.yamltext import dump  # noqa: PLC0415 - most processes never write it

        found = self._make()
        texts = {FormatEnum.JSON: msgspec.json.encode(found), FormatEnum.YAML: dump(found)}
        return {
            form: Kept(gzip.compress(text, 6, mtime=0), hashlib.sha256(text).hexdigest()[:32])
            for form, text in texts.items()
        }

    async def read(self) -> Document:
        """The document itself."""
        text = gzip.decompress((await self.kept(FormatEnum.JSON)).packed)
        return msgspec.json.decode(text, type=Document)

    async def show(self, request: Request, _call: Call, _site: Site, _params: dict[str, str]) -> Response:
        """The description of this API.

        YAML, unless the `Accept` header or `format` asks for JSON.
        """
        media, form = chosen(request)
        kept = await self.kept(form)
        packed = "gzip" in request.header(b"accept-encoding").lower()
        tag = f'"{kept.tag}{"-gzip" if packed else ""}"'.encode()
        headers = [(b"etag", tag), (b"cache-control", b"no-cache"), (b"vary", b"accept, accept-encoding")]
        if tag in {part.strip().removeprefix(b"W/") for part in request.headers.get(b"if-none-match", b"").split(b",")}:
            return Response(304, headers=headers)
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        name = f'inline; filename="keystead-api.{form.value}"'.encode()
        headers.append((b"content-disposition", name))
        body = kept.packed if packed else gzip.decompress(kept.packed)
        return Response(200, body, media.encode(), headers)

    def operation(self) -> Operation:
        """The declaration of the endpoint."""
        return Operation(
            "GET",
            "schema/",
            self.show,
            "schema_retrieve",
            response=dict[str, object],
            query=(
                Filter("format", FormatEnum, note="How to write it, whatever the `Accept` header says."),
                Filter("lang", LangEnum, note="Taken from clients that send it; the document is in English."),
            ),
            anonymous=True,
            media=tuple(MEDIA),
        )


def chosen(request: Request) -> tuple[str, FormatEnum]:
    """The media type to answer with: ``format``, else what ``Accept`` prefers (RFC 9110 §12.5.1), else YAML.

    :raises Problem: ``INVALID`` for another format.
    """
    asked = next((value for name, value in reversed(list(request.query)) if name == "format" and value), "")
    if asked:
        if asked not in {one.value for one in FormatEnum}:
            raise invalid({"format": ["Not one of the accepted choices: json, yaml."]})
        form = FormatEnum(asked)
        return _OF_FORMAT[form], form
    best, liking = next(iter(MEDIA)), 0.0
    ranges = [_range(part) for part in request.header(b"accept").split(",")[:50] if part.strip()]
    for media in MEDIA:
        fitting = [(len(pattern), q) for pattern, q in ranges if pattern in {media, "application/*", "*/*"}]
        q = max(fitting)[1] if fitting else 0.0  # the most particular range counts
        if q > liking:
            best, liking = media, q
    return best, MEDIA[best]


def _range(part: str) -> tuple[str, float]:
    pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return pattern, max(0.0, min(1.0, float(weight)))
    except ValueError:
        return pattern, 0.0
