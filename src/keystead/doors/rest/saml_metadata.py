"""A SAML provider made from the metadata of the application it is for."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from keystead.base.errors import FieldErrors, Problem, invalid
from keystead.base.errors import Kind as Fault
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import version
from keystead.doors.rest.body import REQUIRED
from keystead.doors.rest.files import form_of, text_of
from keystead.doors.rest.making import Making
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json, new_key
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Verb
from keystead.kinds.marks import Text, Uuid
from keystead.kinds.render import render
from keystead.providers.saml import metadata
from keystead.providers.saml.provider import SAML_PROVIDER, SAMLProvider
from keystead.trust.keypair import KEYPAIR

_ASKED: Final = ("name", "authorization_flow", "invalidation_flow")
_FILE: Final = "file"


class SAMLProviderImport(msgspec.Struct):
    """What the provider is to be called, how people come and go, and the application's metadata.

    :param file: one EntityDescriptor, or a group that holds one service provider.
    """

    name: Text | msgspec.UnsetType = msgspec.UNSET
    authorization_flow: Uuid | msgspec.UnsetType = msgspec.UNSET
    invalidation_flow: Uuid | msgspec.UnsetType = msgspec.UNSET
    file: bytes = b""


async def import_metadata(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Make a SAML provider from an application's metadata.

    Taken from them are where answers and logouts go, for whom assertions are, the form of names, and certificates: the
    one that all requests are signed with, if they say that all are, and the one to encrypt for. A certificate that is
    not kept yet is added, which needs the permission for that. The metadata's own signature is not checked.
    """
    require(call, SAML_PROVIDER, Verb.CREATE)
    state, form = site.state, form_of(request)
    given: dict[str, object] = {name: text_of(form, name) for name in _ASKED}
    wrong = {name: [REQUIRED] for name, text in given.items() if not text}
    told: metadata.ServiceProvider | None = None
    if _FILE not in form:
        wrong[_FILE] = ["No file was sent."]
    else:
        try:
            told = await asyncio.to_thread(metadata.read, form[_FILE].body, call.at)
        except ValueError as exc:
            wrong[_FILE] = [str(exc)]
    if wrong or told is None:
        raise invalid(wrong)
    body = _body(told) | given
    pk = await new_key(state, SAML_PROVIDER)

    async def decide(call: Call) -> tuple[Changes, SAMLProvider]:
        making = Making(call, state)
        try:
            if told.signs_requests and told.signing:
                body["verification_kp"] = await _pair(making, f"{given['name']}: requests", told.signing)
            if told.encryption:
                body["encryption_kp"] = await _pair(making, f"{given['name']}: encryption", told.encryption)
            made = await making.make(SAML_PROVIDER, body, pk, _FILE)
        except Problem as exc:
            raise _about_the_form(exc) from None
        return making.changes, made

    made = await state.change(call, decide)
    after = replace(call, settings=state.settings)
    shown = json((await render(after, state, SAML_PROVIDER, [made], {}))[0], 201)
    return shown.header(*version.header(state, SAML_PROVIDER, made))


def _body(told: metadata.ServiceProvider) -> dict[str, object]:
    """The members of a provider that metadata tell."""
    body: dict[str, object] = {"acs_url": told.acs[0], "sp_binding": told.acs[1].value, "audience": told.entity_id}
    if told.sls:
        body |= {"sls_url": told.sls[0], "sls_binding": told.sls[1].value}
    if told.name_id:
        body["default_name_id_policy"] = told.name_id.value
    if told.wants_signed:
        body["sign_assertion"] = True
    return body


async def _pair(making: Making, name: str, certificate: str) -> object:
    """The key of the kept pair with this certificate; of a new one, where there is none."""
    settings = making.call.settings
    known = next((one for one in settings.all(KEYPAIR) if one.certificate_data == certificate), None)
    if known is not None:
        return known.pk
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    free = next(one for one in names if settings.by(KEYPAIR, "name", one) is None)
    pk = await new_key(making.state, KEYPAIR)
    await making.make(KEYPAIR, {"name": free, "certificate_data": certificate}, pk, _FILE)
    return pk


def _about_the_form(exc: Problem) -> Problem:
    """Complaints about members that the metadata told are complaints about the file."""
    inner: Any = (exc.fields or {}).get(_FILE)
    if exc.kind is not Fault.INVALID or not isinstance(inner, Mapping):
        return exc
    complaints: FieldErrors = inner
    wrong: dict[str, list[str]] = {}
    for name, messages in complaints.items():
        for text in _sentences(messages):
            asked = name in _ASKED
            wrong.setdefault(name if asked else _FILE, []).append(text if asked else f"{name}: {text}")
    return invalid(wrong)


def _sentences(messages: object) -> Iterator[str]:
    if isinstance(messages, Mapping):
        for inner in messages.values():
            yield from _sentences(inner)
    elif isinstance(messages, (list, tuple)):
        yield from map(str, messages)


OPERATIONS: Final = (
    Operation(
        "POST",
        "providers/saml/import_metadata/",
        import_metadata,
        "providers_saml_import_metadata_create",
        request=SAMLProviderImport,
        response=SAMLProvider,
        status=201,
        permission=SAML_PROVIDER.permission("add"),
        takes="multipart/form-data",
    ),
)
