"""Metadata of ours: signed once for as long as the settings stay, and handed out as JSON or as a file."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from keystead.base.errors import invalid, not_found
from keystead.kinds.action import Answer
from keystead.kinds.asked import asked_for, last
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.providers.application import Application, of_provider
from keystead.trust import keys, xmlsign
from keystead.trust.assertion_terms import DigestAlgorithmEnum, SAMLBindingsEnum, SignatureAlgorithmEnum
from keystead.trust.keypair import KEYPAIR, CertificateKeyPair
from keystead.wire import xmldsig
from keystead.wire.xmlwrite import Tag, written

BINDINGS: Final[Mapping[SAMLBindingsEnum, str]] = {
    SAMLBindingsEnum.REDIRECT: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    SAMLBindingsEnum.POST: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
}
"""How messages travel, in the words of SAML Bindings §3."""
DOWNLOAD: Final = Filter("download", bool, note="Send the XML itself, as a file.")
_FORCED: Final = "force_binding"
_KEPT: Final = 256
"""How many documents are kept."""


class Signs(Protocol):
    """A provider that signs."""

    @property
    def pk(self) -> int:
        """Its number."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def signing_kp(self) -> str | None:
        """What it signs with."""

    @property
    def digest_algorithm(self) -> DigestAlgorithmEnum:
        """How it hashes."""

    @property
    def signature_algorithm(self) -> SignatureAlgorithmEnum:
        """How it signs."""


class Shown(msgspec.Struct):
    """Metadata as a text.

    :param download_url: where anybody may fetch them.
    """

    metadata: str
    download_url: str | None = None


def application_of(call: Call, provider: Signs) -> Application:
    """Whom the provider speaks for.

    :raises Problem: ``NOT_FOUND``: nobody.
    """
    found = of_provider(call.settings, provider.pk)
    if found is None:
        raise not_found("This provider speaks for no application yet, so it has no addresses to tell of.")
    return found


def forced(query: Mapping[str, Sequence[str]]) -> SAMLBindingsEnum | None:
    """The only binding to name, if one is asked for.

    :raises Problem: ``INVALID``, with what is taken.
    """
    text = last(query, _FORCED)
    if not text:
        return None
    known = {one.value: one for one in BINDINGS} | {address: one for one, address in BINDINGS.items()}
    if text not in known:
        raise invalid({_FORCED: [f"No such binding is spoken here; use one of {', '.join(known)}, or leave it out."]})
    return known[text]


def signing_pair(call: Call, provider: Signs) -> CertificateKeyPair | None:
    """What the provider signs with."""
    return call.settings.get(KEYPAIR, provider.signing_kp) if provider.signing_kp else None


def entity(provider: Signs, issuer: str, role: Tag) -> Tag:
    """A document about one entity with one role (SAML Metadata §2.3.2); its name in it lasts."""
    name = hashlib.sha256(f"{provider.name}-{provider.pk}".encode()).hexdigest()
    return Tag("md:EntityDescriptor", {"ID": f"_{name}", "entityID": issuer}, (role,))


def key_descriptors(pair: CertificateKeyPair | None) -> tuple[Tag, ...]:
    """What signatures are to be checked with (SAML Metadata §2.4.1.1); nothing without a pair."""
    if pair is None:
        return ()
    return (Tag("md:KeyDescriptor", {"use": "signing"}, (xmldsig.key_info(xmlsign.certificate(pair)),)),)


async def document(call: Call, provider: Signs, about: str, make: Callable[[], Tag]) -> str:
    """What ``make`` makes, signed if the provider signs.

    It is made once for these settings and the name the caller reaches us by, however many ask for it.

    :param about: what of the provider it is about.
    :raises Problem: ``INVALID``: the provider's key does not sign; ``BUSY``.
    """
    kept: dict[tuple[object, ...], asyncio.Task[str]] = call.settings.kept("assertion.metadata", _KEPT)
    name = (provider.pk, call.origin.root, about)
    task = kept.get(name)
    if task is None or (task.done() and (task.cancelled() or task.exception())):
        task = kept[name] = asyncio.create_task(_made(call, provider, make))
    return await asyncio.shield(task)  # who goes away takes it from nobody else


async def _made(call: Call, provider: Signs, make: Callable[[], Tag]) -> str:
    root, pair = make(), signing_pair(call, provider)
    if pair is None:
        return written(root)
    if not pair.key_data:
        raise invalid({"signing_kp": ["Its private key is no longer stored here; choose another one."]})
    try:
        return await xmlsign.signed(root, pair, provider.digest_algorithm, provider.signature_algorithm)
    except keys.BadKeyError as exc:
        raise invalid({"signing_kp": [str(exc)]}) from None


def answer(query: Mapping[str, Sequence[str]], text: str, download: str, *, filename: str, content_type: str) -> Answer:
    """``text`` as JSON, or as a file where ``download`` is asked for; our addresses carry that without a value.

    :param download: where the file is.
    """
    if "download" in query and asked_for(DOWNLOAD, query) is not False:
        return Answer(text, content_type=content_type, filename=filename)
    return Answer(Shown(text, download))
