"""What administrators ask of a SAML provider."""

from typing import Final

from keystead.providers.assertion.setup import actions
from keystead.providers.saml import own_metadata
from keystead.providers.saml.provider import SAML_PROVIDER

ACTIONS: Final = actions(SAML_PROVIDER, own_metadata.answer, binding="Name the endpoints of this binding only.")
