"""The headers of every page: what the browser may load, run, frame, remember and tell others."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_NONCE: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_NEVER: Final = frozenset({"javascript", "data", "vbscript", "blob", "filesystem", "about", "file"})

_FIXED: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
            b"microphone=(), midi=(), payment=(), serial=(), usb=(), "
            b"publickey-credentials-create=(self), publickey-credentials-get=(self)"
        ),
    ),
    (b"cache-control", b"no-store"),
)


def source_of(url: str) -> str:
    """The CSP source expression (CSP 3 §2.3.1) that covers ``url``: its origin, or ``scheme:`` for an own scheme.

    :raises ValueError: the URL is not absolute, its scheme can run script, or its host could end the directive.
    """
    parts = urlsplit(url)
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _NEVER:
        raise ValueError(f"{url!r} cannot be a form target: write an absolute URL such as 'https://app.example/acs'.")
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme}:"
    host = parts.netloc.rpartition("@")[2]
    if not _HOST.fullmatch(host):
        raise ValueError(f"{url!r} cannot be a form target: {host!r} is not a host.")
    return f"{parts.scheme}://{host}"


def security_headers(nonce: str, *, form_action: Sequence[str] = ()) -> list[tuple[bytes, bytes]]:
    """The headers to send with a page, as ASGI name/value pairs with lower-case names.

    :param nonce: this response's nonce, the one its page carries; at least 16 characters of base64 or base64url.
    :param form_action: absolute URLs the page's forms may reach besides our own: the target of a self-submitting form,
        and where a POST of this page may be *redirected* to, because Chromium checks ``form-action`` there too.
    :raises ValueError: the nonce or a URL has a shape that could break out of its directive.

    Strict-Transport-Security is left to the lane that knows whether the connection is TLS.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("The nonce must be at least 16 characters of base64.")
    targets = " ".join(["'self'", *dict.fromkeys(source_of(url) for url in form_action)])
    policy = (
        "default-src 'none'; style-src 'self'; "
        f"script-src 'nonce-{nonce}'; img-src 'self' data: https:; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    return [(b"content-security-policy", policy.encode("ascii")), *_FIXED]
