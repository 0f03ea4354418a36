"""A small relying party: signs people in with OpenID Connect (authorization code with PKCE) and shows what it learnt.

    python examples/relying_party.py --issuer http://localhost:9000/application/o/demo/ --client-id … --client-secret …

It keeps sessions in memory and serves plain HTTP on localhost: an example to read and to try, not one to deploy.
"""

import argparse
import contextlib
import hashlib
import html
import json
import secrets  # noqa: TID251 - an application of its own, which has no room of ours to draw from
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #16202a;
  background: #fbfaf7 } a.button { display: inline-block; padding: .6rem 1.2rem; border-radius: .5rem; color: #fff;
  background: #1f7a72; text-decoration: none } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .4rem; border-bottom: 1px solid #e9e4da; vertical-align: top }
td { overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { body { color: #f2efe8; background: #16202a } td, th { border-color: #33404c } }
"""


@dataclass
class Provider:
    """What discovery told us, and who we are there."""

    client_id: str
    client_secret: str
    redirect_uri: str
    metadata: dict[str, str]
    http: httpx.Client

    def begin(self, attempt: "Attempt") -> str:
        """Where to send the browser (OpenID Connect Core §3.1.2.1)."""
        challenge = urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.metadata['authorization_endpoint']}?{urlencode(query)}"

    def finish(self, attempt: "Attempt", code: str) -> tuple[dict[str, object], str]:
        """The claims of whoever signed in, and the ID token they came in."""
        answer = self.http.post(
            self.metadata["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": attempt.verifier,
            },
            auth=(self.client_id, self.client_secret),
        )
        answer.raise_for_status()
        id_token = answer.json()["id_token"]
        keys = KeySet.import_key_set(self.http.get(self.metadata["jwks_uri"]).json())
        claims = jwt.decode(id_token, keys, algorithms=["RS256", "ES256", "EdDSA"]).claims
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.metadata["issuer"]},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": attempt.nonce},
            exp={"essential": True},
        )
        registry.validate(claims)
        return dict(claims), id_token


@dataclass
class Attempt:
    """One attempt to sign in, bound to one browser."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))


@dataclass
class Browser:
    """What we remember of one browser."""

    attempt: Attempt | None = None
    claims: dict[str, object] | None = None
    id_token: str = ""


class Handler(BaseHTTPRequestHandler):
    """The pages of the example."""

    provider: Provider
    browsers: dict[str, Browser]
    home: str

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        morsel = SimpleCookie(self.headers.get("cookie", "")).get("demo")
        key = morsel.value if morsel and morsel.value in self.browsers else secrets.token_urlsafe(24)
        browser = self.browsers.setdefault(key, Browser())
        if url.path == "/":
            self._page(key, self._home(browser))
        elif url.path == "/login":
            browser.attempt = Attempt()
            self._go(key, self.provider.begin(browser.attempt))
        elif url.path == "/auth/callback":
            self._callback(key, browser, query)
        elif url.path == "/logout":
            hint = browser.id_token
            self.browsers.pop(key, None)
            end = self.provider.metadata["end_session_endpoint"]
            self._go(key, f"{end}?{urlencode({'id_token_hint': hint})}" if hint else self.home)
        else:
            self._page(key, "<h1>Nothing here</h1>", status=404)

    def _callback(self, key: str, browser: Browser, query: dict[str, str]) -> None:
        attempt, browser.attempt = browser.attempt, None
        if attempt is None or not secrets.compare_digest(query.get("state", ""), attempt.state):
            self._page(
                key, "<h1>This answer is not one we asked for</h1><p><a href='/'>Start again</a></p>", status=400
            )
            return
        if "error" in query:
            told = html.escape(query.get("error_description", query["error"]))
            self._page(key, f"<h1>Not signed in</h1><p>{told}</p><p><a href='/'>Back</a></p>", status=403)
            return
        try:
            browser.claims, browser.id_token = self.provider.finish(attempt, query.get("code", ""))
        except (httpx.HTTPError, ValueError, KeyError) as exc:
            self._page(key, f"<h1>Not signed in</h1><p>{html.escape(str(exc))}</p>", status=502)
            return
        self._go(key, self.home)

    def _home(self, browser: Browser) -> str:
        if browser.claims is None:
            button = "<a class=button href=/login>Sign in</a>"
            return f"<h1>A small application</h1><p>You are not signed in.</p><p>{button}</p>"
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(json.dumps(value))}</td></tr>"
            for name, value in browser.claims.items()
        )
        name = html.escape(str(browser.claims.get("name") or browser.claims["sub"]))
        return (
            f"<h1>Hello {name}</h1><p>This is what the identity provider says about you.</p>"
            f"<table>{rows}</table><p><a class=button href=/logout>Sign out</a></p>"
        )

    def _page(self, key: str, body: str, status: int = 200) -> None:
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<link rel=icon href='data:,'><title>Example application</title><style>{STYLE}</style>{body}</html>"
        ).encode()
        self.send_response(status)
        self._common(key, len(text))
        self.wfile.write(text)

    def _go(self, key: str, to: str) -> None:
        self.send_response(303)
        self.send_header("Location", to)
        self._common(key, 0)

    def _common(self, key: str, length: int) -> None:
        self.send_header("Set-Cookie", f"demo={key}; HttpOnly; SameSite=Lax; Path=/")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Stay quiet: codes travel in addresses."""


class Server(ThreadingHTTPServer):
    """The example, bound to its port on localhost."""

    def __init__(self, provider: Provider, port: int) -> None:
        self._http = provider.http
        members = {"provider": provider, "browsers": {}, "home": f"http://localhost:{port}/"}
        super().__init__(("localhost", port), type("BoundHandler", (Handler,), members))

    def server_close(self) -> None:
        """Let go of the port and of the connections to the provider."""
        super().server_close()
        self._http.close()


def serve(issuer: str, client_id: str, client_secret: str, port: int) -> Server:
    """The example, bound to ``port`` on localhost and not yet serving."""
    http = httpx.Client(timeout=30.0)
    metadata = http.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
    return Server(Provider(client_id, client_secret, f"http://localhost:{port}/auth/callback", metadata, http), port)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A small OpenID Connect relying party.")
    parser.add_argument("--issuer", required=True, help="as the application's page or `keystead app create` tells it")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--port", type=int, default=3000)
    given = parser.parse_args()
    server = serve(given.issuer, given.client_id, given.client_secret, given.port)
    print(f"The example application is on http://localhost:{given.port}/", flush=True)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
