"""What is done with certificates and key pairs beside the verbs: making one, handing out its PEM."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid, not_found
from keystead.kinds import listing
from keystead.kinds.access import may, permitted, require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Text
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.trust import keys
from keystead.trust.keypair import KEYPAIR, CertificateKeyPair, make

VIEW_CERTIFICATE: Final = "authentik_crypto.view_certificatekeypair_certificate"
VIEW_KEY: Final = "authentik_crypto.view_certificatekeypair_key"
"""The permission to read private keys (outposts.md)."""

_DOWNLOAD: Final = Filter("download", bool, note="Send the PEM text itself, as a file.")


class CertificateData(msgspec.Struct):
    """PEM text."""

    data: str


class CertificateGenerationRequest(msgspec.Struct):
    """What to make.

    :param subject_alt_name: host names, addresses or URIs, parted by commas.
    """

    common_name: Text
    validity_days: int
    subject_alt_name: str = ""
    alg: Annotated[keys.NewKey, msgspec.Meta(title="AlgEnum")] = keys.NewKey.RSA


async def generate(call: Call, state: State, _obj: None, body: CertificateGenerationRequest) -> Answer:
    """Make a pair."""
    from keystead.trust import x509  # noqa: PLC0415 - certificates load slowly, and the start has none to read

    power = require(call, KEYPAIR, "add")
    if any(pair.name == body.common_name for pair in call.settings.all(KEYPAIR)):
        raise invalid({"common_name": ["A certificate-key pair with this name already exists."]})
    if not 1 <= body.validity_days <= x509.MAX_DAYS:
        raise invalid({"validity_days": [f"Write a number of days from 1 to {x509.MAX_DAYS}."]})
    names = [part.strip() for part in body.subject_alt_name.split(",") if part.strip()]
    try:
        pair = await asyncio.to_thread(
            make, body.common_name, body.common_name, body.validity_days, call.at, body.alg, names
        )
    except ValueError as exc:
        raise invalid({"non_field_errors": [str(exc)]}) from None
    changes = Changes()
    changes.create(power, pair)
    return Answer((await render(call, state, KEYPAIR, [pair], {}))[0], changes=changes)


def _as_file(query: Mapping[str, Sequence[str]]) -> bool:
    """Whether ``download`` is asked for; the addresses we give out carry it without a value."""
    return "download" in query and listing.asked_for(_DOWNLOAD, query) is not False


def _pem(name: str, text: str, query: Mapping[str, Sequence[str]]) -> Answer:
    if _as_file(query):
        return Answer(text, content_type="application/x-pem-file", filename=name)
    return Answer(CertificateData(text))


async def view_certificate(
    call: Call, _state: State, pair: CertificateKeyPair, query: Mapping[str, Sequence[str]]
) -> Answer:
    """The certificate, to who may view the pair or holds the permission for this; showing it is written down."""
    if not (may(call, KEYPAIR, "view", pair) or permitted(call, KEYPAIR, VIEW_CERTIFICATE, pair)):
        raise not_found()
    changes = Changes()
    changes.event(call, "secret_view", KEYPAIR.app, {"type": "certificate"}, about=(KEYPAIR, pair))
    return replace(_pem("certificate.pem", pair.certificate_data, query), changes=changes)


async def view_private_key(
    call: Call, _state: State, pair: CertificateKeyPair, query: Mapping[str, Sequence[str]]
) -> Answer:
    """The private key, to those who hold a permission of its own."""
    if _as_file(query) and not pair.key_data:
        raise not_found()
    changes = Changes()
    changes.event(call, "secret_view", KEYPAIR.app, {"type": "private_key"}, about=(KEYPAIR, pair))
    return replace(_pem("private_key.pem", pair.key_data.reveal(), query), changes=changes)


ACTIONS = (
    Action(
        KEYPAIR,
        "POST",
        "generate/",
        generate,
        "generate_create",
        permission="add",
        request=CertificateGenerationRequest,
        response=CertificateKeyPair,
    ),
    Action(
        KEYPAIR,
        "GET",
        "{key}/view_certificate/",
        view_certificate,
        "view_certificate_retrieve",
        permission="",
        response=CertificateData,
        query=(_DOWNLOAD,),
    ),
    Action(
        KEYPAIR,
        "GET",
        "{key}/view_private_key/",
        view_private_key,
        "view_private_key_retrieve",
        permission=VIEW_KEY,
        response=CertificateData,
        query=(_DOWNLOAD,),
    ),
)
