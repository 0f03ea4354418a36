"""Blueprints in a registry of OCI artifacts: ``oci://host/repository:tag``, with ``user:password@`` where it wants one.

What is asked, and how, is the distribution specification's (github.com/opencontainers/distribution-spec, 1.1): the
manifest, then the one layer that is a blueprint; a registry that wants a token says where it is to be had.
"""

import base64
import hashlib
import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlencode, urljoin

import msgspec

from keystead.base.outbound import Answer, Outbound, Unreached
from keystead.people.installation.blueprint import REGISTRY
from keystead.wire.tagged_yaml import MOST_BYTES

MEDIA: Final = "application/vnd.goauthentik.blueprint.v1+yaml"
"""The media type of the layer that is a blueprint."""
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_NAME: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"  # distribution-spec, "Pulling manifests"
_PLACE: Final = re.compile(
    rf"(?:(?P<user>[^:@/\s]+):(?P<password>[^@/\s]+)@)?(?P<host>[A-Za-z0-9.\-]+(?::[0-9]{{1,5}})?)"
    rf"/(?P<repository>{_NAME}(?:/{_NAME})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PARAMETER: Final = re.compile(r'([a-z]+)="([^"\\]{0,1000})"')
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_FOUND, _WHO, _FORBIDDEN, _UNKNOWN = 200, 401, 403, 404


class Place(NamedTuple):
    """Where a blueprint is.

    :param reference: a tag or a digest.
    """

    host: str
    repository: str
    reference: str
    user: str = ""
    password: str = ""

    @property
    def root(self) -> str:
        """The repository's address."""
        return f"https://{self.host}/v2/{self.repository}"


class _Layer(msgspec.Struct):
    digest: str
    media_type: str = msgspec.field(name="mediaType")
    size: int = 0


class _Manifest(msgspec.Struct):
    layers: list[_Layer]


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


def place(path: str) -> Place:
    """``path`` taken apart.

    :raises ValueError: it names no place in a registry.
    """
    found = _PLACE.fullmatch(path.removeprefix(REGISTRY)) if path.startswith(REGISTRY) else None
    if found is None:
        raise ValueError("Write an address like oci://registry.example/team/blueprint:tag.")
    reference = found["digest"] or found["tag"] or "latest"
    return Place(
        found["host"], found["repository"], reference, unquote(found["user"] or ""), unquote(found["password"] or "")
    )


async def pulled(outbound: Outbound, path: str, *, whole: bool = False) -> str:
    """The blueprint at ``path``.

    :param whole: tell why a registry could not be asked, which is for those only who look after this machine.
    :raises ValueError: there is none to be had; the text is for whoever wrote the path.
    """
    there = place(path)
    try:
        return await _Pull(outbound, there).text()
    except Unreached as exc:
        raise ValueError(f"The registry {there.host}: {exc.reason if whole else exc}") from None


class _Pull:
    def __init__(self, outbound: Outbound, there: Place) -> None:
        self._outbound = outbound
        self._there = there
        self._authorization = ""

    async def text(self) -> str:
        there = self._there
        answer = await self._asked(f"{there.root}/manifests/{there.reference}", _MANIFEST)
        if there.reference.startswith("sha256:"):
            _check(answer.body, there.reference)
        try:
            manifest = msgspec.json.decode(answer.body, type=_Manifest)
        except (msgspec.DecodeError, RecursionError):
            raise ValueError(f"What {there.host} tells of {there.repository} is no manifest of an artifact.") from None
        layers = [layer for layer in manifest.layers if layer.media_type == MEDIA]
        if len(layers) != 1 or not re.fullmatch(r"sha256:[0-9a-f]{64}", layers[0].digest):
            raise ValueError(f"The artifact has {len(layers)} layers of the type {MEDIA}; it must have one.")
        if layers[0].size > MOST_BYTES:
            raise ValueError(f"The blueprint has more than {MOST_BYTES // 1024} KiB.")
        blob = await self._asked(f"{there.root}/blobs/{layers[0].digest}", MEDIA)
        _check(blob.body, layers[0].digest)
        try:
            return blob.body.decode()
        except UnicodeDecodeError:
            raise ValueError("The blueprint is not written in UTF-8.") from None

    async def _asked(self, url: str, accepted: str) -> Answer:
        answer = await self._sent(url, accepted)
        if answer.status == _WHO and not self._authorization:
            self._authorization = await self._proof(answer.headers.get("www-authenticate", ""))
            answer = await self._sent(url, accepted)
        if answer.status in _MOVED and "location" in answer.headers:
            # Registries lend their blobs from elsewhere: asked once, and told nothing of who asks.
            answer = await self._outbound.send("GET", urljoin(url, answer.headers["location"]), limit=MOST_BYTES)
        if answer.status == _FOUND:
            return answer
        there = self._there
        if answer.status == _UNKNOWN:
            raise ValueError(f"{there.host} has nothing at {there.repository}:{there.reference}.")
        if answer.status in {_WHO, _FORBIDDEN}:
            raise ValueError(
                f"{there.host} does not let {there.user or 'anybody'} read {there.repository}. "
                "Name a user: oci://user:password@…"
            )
        raise ValueError(f"{there.host} answered with the status {answer.status}.")

    async def _sent(self, url: str, accepted: str) -> Answer:
        headers = {"accept": accepted}
        if self._authorization:
            headers["authorization"] = self._authorization
        return await self._outbound.send("GET", url, headers=headers, limit=MOST_BYTES)

    async def _proof(self, challenge: str) -> str:
        """What proves who we are (RFC 9110 §11.6.1; the token's way is that of registries, distribution/token)."""
        there = self._there
        scheme, _, rest = challenge.partition(" ")
        basic = ""
        if there.user:
            basic = "Basic " + base64.b64encode(f"{there.user}:{there.password}".encode()).decode()
        if scheme.lower() == "basic":
            return basic
        told = dict(_PARAMETER.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in told:
            return ""
        query = {"service": told.get("service", ""), "scope": f"repository:{there.repository}:pull"}
        url = f"{told['realm']}{'&' if '?' in told['realm'] else '?'}{urlencode(query, quote_via=quote)}"
        answer = await self._outbound.send("GET", url, headers={"authorization": basic} if basic else {})
        try:
            given = msgspec.json.decode(answer.body, type=_Token) if answer.status == _FOUND else _Token()
        except (msgspec.DecodeError, RecursionError):
            given = _Token()
        token = given.token or given.access_token
        return f"Bearer {token}" if token.isascii() and token.isprintable() and token else ""


def _check(body: bytes, digest: str) -> None:
    if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
        raise ValueError("What came is not what the registry's digest says.")
