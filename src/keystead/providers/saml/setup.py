"""What administrators ask of a SAML provider: what it would say of somebody, its metadata."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.state import State
from keystead.providers.assertion import metadata, tell
from keystead.providers.mapping import FOR_USER, PropertyMappingPreview
from keystead.providers.saml import own_metadata
from keystead.providers.saml.provider import SAML_PROVIDER, SAMLProvider


async def preview_user(call: Call, state: State, provider: SAMLProvider, query: Mapping[str, Sequence[str]]) -> Answer:
    """What an assertion would say of the caller, or of ``for_user``."""
    return await tell.preview(call, state, provider, query)


async def show_metadata(
    call: Call, _state: State, provider: SAMLProvider, query: Mapping[str, Sequence[str]]
) -> Answer:
    """What an application has to know of us; anybody may.

    The addresses for signing in and out that it names are where we will be: they say so until that is built.
    """
    return await own_metadata.answer(call, provider, query)


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
        show_metadata,
        "metadata_retrieve",
        permission=None,
        response=Annotated[metadata.Shown, msgspec.Meta(title="SAMLMetadata")],
        query=(
            metadata.DOWNLOAD,
            Filter("force_binding", str, note="Name the endpoints of this binding only."),
        ),
    ),
)
