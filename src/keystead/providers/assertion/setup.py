"""What administrators ask of a provider that asserts: what it would say of somebody, its metadata."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.state import State
from keystead.providers.assertion import metadata, tell
from keystead.providers.mapping import FOR_USER, PropertyMappingPreview

Query: TypeAlias = Mapping[str, Sequence[str]]
Tells: TypeAlias = Callable[[Call, Any, Query], Awaitable[Answer]]
"""``(call, provider, query) -> its metadata``."""


def actions(kind: Kind[Any], tells: Tells, *, binding: str) -> tuple[Action, ...]:
    """The operations of providers of ``kind``.

    :param tells: its metadata.
    :param binding: what ``force_binding`` does, for the API's documentation.
    """

    async def show_metadata(call: Call, _state: State, provider: Any, query: Query) -> Answer:  # noqa: ANN401 - of kind
        """What an application has to know of us; anybody may.

        The addresses for signing in that it names are where we will be: they say so until that is built.
        """
        return await tells(call, provider, query)

    return (
        Action(
            kind,
            "GET",
            "{key}/preview_user/",
            tell.preview,
            "preview_user_retrieve",
            permission="change",  # it runs mappings, and to look is not to run
            response=PropertyMappingPreview,
            query=(FOR_USER,),
        ),
        Action(
            kind,
            "GET",
            "{key}/metadata/",
            show_metadata,
            "metadata_retrieve",
            permission=None,
            response=Annotated[metadata.Shown, msgspec.Meta(title="SAMLMetadata")],
            query=(metadata.DOWNLOAD, Filter("force_binding", str, note=binding)),
        ),
    )
