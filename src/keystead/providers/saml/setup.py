"""What administrators ask of a SAML provider: what it would say of somebody, its metadata."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.pending import Pending
from keystead.kinds.state import State
from keystead.providers.assertion import tell
from keystead.providers.mapping import FOR_USER, PropertyMappingPreview
from keystead.providers.saml.provider import SAML_PROVIDER, SAMLProvider


class SAMLMetadata(msgspec.Struct):
    """Metadata (SAML Metadata 2.0)."""

    metadata: str
    download_url: str | None = None


async def preview_user(call: Call, state: State, provider: SAMLProvider, query: Mapping[str, Sequence[str]]) -> Answer:
    """What an assertion would say of the caller, or of ``for_user``."""
    return await tell.preview(call, state, provider, query)


ACTIONS: Final = (
    Action(
        SAML_PROVIDER,
        "GET",
        "{key}/preview_user/",
        preview_user,
        "preview_user_retrieve",
        permission="change",  # it runs mappings, and to look is not to run
        response=PropertyMappingPreview,
        query=(FOR_USER,),
    ),
    Action(
        SAML_PROVIDER,
        "GET",
        "{key}/metadata/",
        Pending("SAML metadata is not made yet."),
        "metadata_retrieve",
        permission=None,
        response=SAMLMetadata,
        query=(
            Filter("download", bool, note="Send the XML itself, as a file."),
            Filter("force_binding", str, note="Name the endpoints of this binding only."),
        ),
    ),
)
