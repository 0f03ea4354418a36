"""``/api/v3/`` in a browser: the document as plain HTML - its parts, their operations, the schemas behind them."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final
from urllib.parse import quote

from keystead.base.errors import not_found
from keystead.doors.http.message import HTML, Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.openapi.schemas import REF, Schema
from keystead.doors.rest.openapi.serve import Description

_NAME: Final = "Keystead API"
_SHEET: Final = "/static/dist/keystead.css"
_STYLE: Final = (
    "main{max-inline-size:64rem;margin:0 auto;padding:2rem 1rem 6rem}"
    "main>p{margin-block:.5rem}"
    "details{border-block-start:1px solid var(--line);padding:.5rem 0}summary{cursor:pointer}"
    "details>:not(summary){margin-block-start:.75rem}h3{margin-block:1rem .25rem}"
    "code{font-family:var(--mono);font-size:.875em}"
    "table{border-collapse:collapse;inline-size:100%}td,th{text-align:start;vertical-align:top;padding:.25rem .75rem "
    ".25rem 0;border-block-start:1px solid var(--line)}td:first-child{inline-size:16rem;overflow-wrap:anywhere}"
    ".verb{display:inline-block;min-inline-size:4.25rem;font:650 .8rem var(--mono)}"
    ".get{color:var(--accent-deep)}.post{color:var(--good)}.put,.patch{color:var(--warning)}.delete{color:var(--danger)}"
)
_POLICY: Final = (
    "default-src 'none'; style-src 'self' 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-cache"),
)
_CODE: Final = re.compile(r"`([^`]+)`")


async def show(request: Request, site: Site, description: Description) -> Response:
    """A page: of a part (``?tag=``), of a schema (``?schema=``), or of all parts."""
    document = await description.read()
    asked = dict(iter(request.query))
    if name := asked.get("schema"):
        title, content = name, _schema_page(document, name)
    elif tag := asked.get("tag"):
        title, content = f"/{tag}/", _tag_page(document, tag)
    else:
        title, content = "", _index(document)
    body = _page(title, "".join(content), f"{site.root_path}/api/v3/", site.root_path)
    return Response(200, body.encode(), HTML, _HEADERS)


def _page(title: str, content: str, here: str, root: str) -> str:
    name = f"{title} · {_NAME}" if title else _NAME
    back = f'<p><a href="{escape(here)}">{_NAME}</a></p>' if title else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="{escape(root + _SHEET)}"><style>{_STYLE}</style></head><body><main>'
        f"{back}<h1>{escape(title or _NAME)}</h1>{content}</main></body></html>"
    )


def _words(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n\n", "<br>")


def _operations(document: Schema, tag: str = "") -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not tag or tag in operation["tags"]:
                yield path, method, operation


def _line(path: str, method: str, operation: Schema) -> str:
    return (
        f'<span class="verb {method}">{method.upper()}</span> <code>/api/v3{escape(path)}</code>'
        f' <span class="quiet">{_words(operation["summary"])}</span>'
    )


def _index(document: Schema) -> Iterator[str]:
    info = document["info"]
    yield f"<p>{_words(info['description'])}</p>"
    yield (
        f'<p class="quiet">Version {escape(info["version"])}. The same for programs:'
        ' <a href="schema/?format=yaml">YAML</a>, <a href="schema/?format=json">JSON</a> (OpenAPI 3).</p>'
    )
    for one in document["tags"]:
        tag = one["name"]
        found = list(_operations(document, tag))
        yield f"<details><summary><b>{escape(tag)}</b> <span class=quiet>{len(found)} operations</span></summary><ul>"
        for path, method, operation in found:
            link = f"?tag={quote(tag)}#{quote(operation['operationId'])}"
            yield f'<li><a href="{escape(link)}">{_line(path, method, operation)}</a></li>'
        yield "</ul></details>"


def _tag_page(document: Schema, tag: str) -> Iterator[str]:
    found = list(_operations(document, tag))
    if not found:
        raise not_found("The API has no such part.")
    for path, method, operation in found:
        name = escape(operation["operationId"])
        yield f'<details id="{name}" open><summary>{_line(path, method, operation)}</summary>'
        yield f"<p><code>{name}</code> {_words(operation.get('description', ''))}</p>"
        if parameters := operation.get("parameters"):
            rows = (
                (f"{one['name']}{' *' if one.get('required') else ''}", one["schema"], one.get("description", ""))
                for one in parameters
            )
            yield f"<h3>Parameters</h3>{_table(rows)}"
        if body := operation.get("requestBody"):
            media, content = next(iter(body["content"].items()))
            told = "" if media == "application/json" else f", {escape(media)}"
            yield f"<h3>Body{told}</h3><p>{_type(content['schema'])}</p>"
        yield "<h3>Answers</h3><ul>"
        for status, answer in operation["responses"].items():
            content = next(iter(answer.get("content", {}).values()), None)
            shape = f" {_type(content['schema'])}" if content else ""
            yield f"<li><b>{escape(status)}</b>{shape} <span class=quiet>{_words(answer['description'])}</span></li>"
        yield "</ul></details>"


def _schema_page(document: Schema, name: str) -> Iterator[str]:
    schema = document["components"]["schemas"].get(name)
    if schema is None:
        raise not_found("The API has no such schema.")
    yield f"<p>{_words(schema.get('description', ''))}</p>"
    if "enum" in schema:
        yield "<ul>" + "".join(f"<li><code>{escape(str(value))}</code></li>" for value in schema["enum"]) + "</ul>"
    required = set(schema.get("required", ()))
    yield _table(
        (f"{member}{' *' if member in required else ''}", one, one.get("description", ""))
        for member, one in schema.get("properties", {}).items()
    )
    yield '<p class="small">* always there, or required in a request</p>'


def _table(rows: Iterable[tuple[str, Schema, str]]) -> str:
    lines = (
        f"<tr><td><code>{escape(name)}</code></td><td>{_type(schema)}</td><td>{_words(note)}</td></tr>"
        for name, schema, note in rows
    )
    return f"<table>{''.join(lines)}</table>"


def _type(schema: Schema) -> str:
    """A schema in a few words, with links to those it refers to."""
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema["allOf"][0], **schema}
    told: list[str] = []
    if target := schema.get("$ref"):
        name = target.removeprefix(REF)
        told.append(f'<a href="?schema={quote(name)}">{escape(name)}</a>')
    elif schema.get("type") == "array":
        told.append(f"list of {_type(schema['items'])}")
    elif "oneOf" in schema:
        told.append(" or ".join(_type(one) for one in schema["oneOf"]))
    else:
        told.append(escape(str(schema.get("format") or schema.get("type") or "anything")))
    told.extend(_limits(schema))
    return ", ".join(told)


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    for word, text in (
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minimum", "from {}"),
        ("maximum", "to {}"),
        ("pattern", "like <code>{}</code>"),
        ("default", "<code>{}</code> unless said"),
    ):
        if word in schema:
            yield text.format(escape(str(schema[word])))
    if "enum" in schema and "$ref" not in schema:
        yield " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    for word, text in (("nullable", "may be null"), ("readOnly", "read only"), ("writeOnly", "never shown")):
        if schema.get(word):
            yield text
