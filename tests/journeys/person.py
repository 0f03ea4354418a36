"""Somebody with a browser but without pages: cookies, the flow executor's JSON, and addresses that redirect."""

import base64
import hashlib
import itertools
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.journeys.furnish import Client
from tests.journeys.server import PASSWORD
from tests.patience import PATIENCE

EXECUTOR: Final = "/api/v3/flows/executor/default-authentication-flow/"
VERIFIER: Final = "a-verifier-of-forty-three-letters-or-more-0123456789"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
_REDIRECTS: Final = frozenset({302, 303, 307})
_numbers: Final = itertools.count(1)


class Person:
    """One cookie jar; to be closed."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False)

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def ask(self, **answer: object) -> Any:  # noqa: ANN401 - JSON
        """The challenge after an answer to the present one; without an answer the present one."""
        if not answer:
            answered = await self.http.get(EXECUTOR)
        else:
            answered = await self.http.post(EXECUTOR, json=answer, follow_redirects=True)
        assert answered.status_code == 200, answered.text
        return answered.json()

    async def sign_in(self, username: str = "akadmin", password: str = PASSWORD) -> None:
        """Go through the default login."""
        assert (await self.ask())["component"] == "ak-stage-identification"
        assert (await self.ask(uid_field=username))["component"] == "ak-stage-password"
        last = await self.ask(password=password)
        assert last["component"] == "xak-flow-redirect", last

    async def visit(self, url: str) -> str:
        """Where ``url`` leads to in the end: the first address that is not the server's own."""
        ours = self.http.base_url.netloc.decode()
        for _ in range(10):
            answered = await self.http.get(url)
            assert answered.status_code in _REDIRECTS, f"{url}: {answered.status_code} {answered.text}"
            url = str(httpx.URL(url).join(answered.headers["location"]))
            if urlsplit(url).netloc not in {"", ours}:
                return url
        raise AssertionError(f"{url} leads nowhere")

    async def code(self, client: Client, scope: str = "openid profile email offline_access") -> str:
        """A code for a client, by authorization with PKCE."""
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": scope,
            "state": f"state-{next(_numbers)}",
            "nonce": "a nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        to = await self.visit(f"/application/o/authorize/?{urlencode(query)}")
        sent = parse_qs(urlsplit(to).query)
        assert to.startswith(client.redirect_uri), to
        assert "code" in sent, to
        assert sent["state"] == [query["state"]]
        return sent["code"][0]

    async def consents(self, client: Client) -> str:
        """A code for a client whose flow asks for consent, which is given."""
        query = {"response_type": "code", "client_id": client.client_id, "redirect_uri": client.redirect_uri}
        page = await self.http.get(
            "/application/o/authorize/", params=query | {"scope": "openid profile"}, follow_redirects=True
        )
        executor = f"/api/v3/flows/executor/{page.url.path.rstrip('/').rpartition('/')[2]}/"
        asked = (await self.http.get(executor)).json()
        assert asked["component"] == "ak-stage-consent", asked
        last = await self.http.post(executor, json={"token": asked["token"]}, follow_redirects=True)
        return str(parse_qs(urlsplit(last.json()["to"]).query)["code"][0])


def redemption(client: Client, code: str) -> dict[str, str]:
    """The token request that redeems a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": VERIFIER,
    }
