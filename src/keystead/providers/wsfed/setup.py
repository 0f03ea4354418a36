"""What administrators ask of a WS-Federation provider: what it would say of somebody, its metadata."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.state import State
from keystead.providers.assertion import metadata, tell
from keystead.providers.mapping import FOR_USER, PropertyMappingPreview
from keystead.providers.wsfed import own_metadata
from keystead.providers.wsfed.provider import WSFED_PROVIDER, WSFederationProvider


async def preview_user(
    call: Call, state: State, provider: WSFederationProvider, query: Mapping[str, Sequence[str]]
) -> Answer:
    """What an assertion would say of the caller, or of ``for_user``."""
    return await tell.preview(call, state, provider, query)


async def show_metadata(
    call: Call, _state: State, provider: WSFederationProvider, query: Mapping[str, Sequence[str]]
) -> Answer:
    """What a relying party has to know of us; anybody may.

    The address for signing in that it names is where we will be: it says so until that is built.
    """
    return await own_metadata.answer(call, provider, query)


ACTIONS: Final = (
    Action(
        WSFED_PROVIDER,
        "GET",
        "{key}/preview_user/",
        preview_user,
        "preview_user_retrieve",
        permission="change",  # it runs mappings, and to look is not to run
        response=PropertyMappingPreview,
        query=(FOR_USER,),
    ),
    Action(
        WSFED_PROVIDER,
        "GET",
        "{key}/metadata/",
        show_metadata,
        "metadata_retrieve",
        permission=None,
        response=Annotated[metadata.Shown, msgspec.Meta(title="SAMLMetadata")],
        query=(
            metadata.DOWNLOAD,
            Filter("force_binding", str, note="A binding of SAML; the one address has none, so it stays."),
        ),
    ),
)
