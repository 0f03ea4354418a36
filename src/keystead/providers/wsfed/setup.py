"""What administrators ask of a WS-Federation provider."""

from typing import Final

from keystead.providers.assertion.setup import actions
from keystead.providers.wsfed import own_metadata
from keystead.providers.wsfed.provider import WSFED_PROVIDER

ACTIONS: Final = actions(
    WSFED_PROVIDER, own_metadata.answer, binding="A binding of SAML; the one address has none, so it stays."
)
