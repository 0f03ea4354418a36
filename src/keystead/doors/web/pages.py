"""What every page starts from: the brand, the nonce, the cross-site token; and how failures look in a browser."""

from typing import Final

from keystead.base import rand
from keystead.base.errors import Kind, Problem, not_found
from keystead.doors.http.cookies import Jar
from keystead.doors.http.message import HTML, Request, Response
from keystead.doors.http.site import Site
from keystead.doors.web import render
from keystead.doors.web.headers import security_headers
from keystead.kinds.snapshot import Snapshot
from keystead.people.brand import Brand, brand_for
from keystead.people.picture import address

_WORDS: Final = {
    Kind.INVALID: (400, "This request cannot be read", "Go back and try again."),
    Kind.UNAUTHENTICATED: (403, "Please sign in", "Sign in and open the page again."),
    Kind.DENIED: (403, "You may not open this", "Ask an administrator if you think you should."),
    Kind.NOT_FOUND: (404, "There is nothing here", "Check the address, or start from your applications."),
    Kind.METHOD: (405, "This page does not take that", "Open it from a link instead."),
    Kind.CONFLICT: (409, "Somebody else was faster", "Open the page again and repeat the change."),
    Kind.TOO_LARGE: (413, "That is too much at once", "Send less."),
    Kind.MEDIA: (415, "This form cannot be read", "Go back and try again."),
    Kind.NOT_BUILT: (501, "This is not built yet", "It will come with a later version."),
    Kind.BUSY: (503, "Too busy at the moment", "Wait a moment, then try again."),
    Kind.INTERNAL: (500, "Something went wrong here", "Tell the administrator the request id below."),
}

_UNSAID: Final = str(not_found())
"""What a failure says that names nothing; the page says it better."""


def nonce() -> str:
    """A nonce for one response's Content-Security-Policy."""
    return rand.token(18)


def look(request: Request, site: Site, settings: Snapshot, *, csrf: str = "") -> dict[str, object]:
    """The members every page shares, for the brand that answers at the request's host."""
    try:
        brand = brand_for(settings, request.host)
    except Problem:
        brand = brand_for(settings, "")
    return {
        "nonce": nonce(),
        "csrf": csrf,
        "request_id": request.id,
        "root": site.root_path,
        "brand": brand.branding_title,
        "logo": picture(site, address(brand.branding_logo) or ""),
        "favicon": picture(site, address(brand.branding_favicon) or ""),
        "custom_css": _custom_css(site, brand),
    }


def picture(site: Site, url: str) -> str:
    """A picture's address as a browser needs it: our own paths below the sub-path we live under."""
    return f"{site.root_path}{url}" if url.startswith("/") and not url.startswith("//") else url


def _custom_css(site: Site, brand: Brand) -> str:
    return f"{site.root_path}/-/brand/{brand.brand_uuid}.css" if brand.branding_custom_css else ""


def page(body: bytes, page_nonce: str, *, status: int = 200, form_action: tuple[str, ...] = ()) -> Response:
    """``body`` as a page with the headers that every page has."""
    return Response(status, body, HTML, security_headers(page_nonce, form_action=form_action))


def failed(request: Request, site: Site, exc: BaseException) -> Response:
    """A failure as a page."""
    problem = exc if isinstance(exc, Problem) else Problem(Kind.INTERNAL)
    status, title, hint = _WORDS[problem.kind]
    members = look(request, site, site.state.settings)
    explanation = problem.detail or "The request could not be answered."
    if problem.kind is Kind.NOT_FOUND and explanation == _UNSAID:
        explanation = "No page has this address, or it is not yours to see."
    if problem.fields:
        explanation = "; ".join(f"{name}: {_first(text)}" for name, text in problem.fields.items())
    body = render.error_page(status, title, explanation, hint, render.Page(**members))  # type: ignore[arg-type]  # members of Page
    response = page(body, str(members["nonce"]), status=status)
    if problem.retry_after:
        response.header(b"retry-after", str(problem.retry_after).encode())
    return response


def _first(messages: object) -> str:
    return str(messages[0]) if isinstance(messages, (list, tuple)) and messages else str(messages)


def sid_of(request: Request, jar: Jar) -> str:
    """The session key the browser brought, or empty."""
    return jar.read(request.cookies)
