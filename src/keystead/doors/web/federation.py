"""SAML and WS-Federation as browsers and applications find them: metadata, and a word at what is not built yet."""

from typing import Final, NoReturn, TypeVar

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Handler
from keystead.doors.http.site import Site
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.providers.application import APPLICATION
from keystead.providers.saml import own_metadata as saml
from keystead.providers.saml.provider import SAML_PROVIDER
from keystead.providers.wsfed import own_metadata as wsfed
from keystead.providers.wsfed.provider import WSFED_PROVIDER

P = TypeVar("P", bound=msgspec.Struct)
Params = dict[str, str]


async def saml_metadata(_request: Request, call: Call, _site: Site, params: Params) -> Response:
    """The metadata of the SAML provider that speaks for an application."""
    provider = _of(call, SAML_PROVIDER, params["slug"])
    return _xml(await saml.text(call, provider), saml.CONTENT_TYPE)


async def wsfed_metadata(_request: Request, call: Call, _site: Site, params: Params) -> Response:
    """The metadata of the WS-Federation provider that speaks for an application."""
    provider = _of(call, WSFED_PROVIDER, params["slug"])
    return _xml(await wsfed.text(call, provider), wsfed.CONTENT_TYPE)


async def no_saml(_request: Request, call: Call, _site: Site, params: Params) -> Response:
    """Where people will sign in and out with SAML."""
    _of(call, SAML_PROVIDER, params["slug"])
    _not_built("SAML")


async def no_wsfed(_request: Request, _call: Call, _site: Site, _params: Params) -> Response:
    """Where people will sign in and out with WS-Federation."""
    _not_built("WS-Federation")


def _not_built(protocol: str) -> NoReturn:
    raise Problem(
        Fault.NOT_BUILT,
        f"An application sent you here to sign in or out with {protocol}. Signing in with {protocol} is not built in "
        "this version. Tell the administrator, who can connect the application with OpenID Connect instead.",
    )


def _of(call: Call, kind: Kind[P], slug: str) -> P:
    """The provider of this kind that speaks for an application."""
    application = call.settings.by(APPLICATION, "slug", slug)
    provider = call.settings.get(kind, application.provider) if application else None
    if provider is None:
        raise not_found()
    return provider


def _xml(text: str, content_type: str) -> Response:
    headers = [(b"cache-control", b"no-store"), (b"content-security-policy", b"default-src 'none'; sandbox")]
    return Response(200, text.encode(), content_type.encode(), headers)


_SAML: Final = "/application/saml/{slug}/"
ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", f"{_SAML}metadata/", saml_metadata),
    ("GET", "/application/wsfed/{slug}/metadata/", wsfed_metadata),
    *(
        (method, f"{_SAML}{tail}", no_saml)
        for method, tail in (
            ("GET", ""),
            ("POST", ""),
            ("GET", "init/"),
            ("GET", "sso/binding/redirect/"),
            ("POST", "sso/binding/post/"),
            ("GET", "sso/binding/init/"),
            ("GET", "slo/binding/redirect/"),
            ("POST", "slo/binding/post/"),
        )
    ),
    ("GET", "/application/wsfed/", no_wsfed),
    ("POST", "/application/wsfed/", no_wsfed),
)
"""Method, path, handler."""
