"""Google Chrome connector: devices whose browser Google vouches for."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import UNIQUE, Json, Text, Uuid
from keystead.kinds.state import State
from keystead.providers.endpoints import connector


class GoogleChromeConnector(msgspec.Struct, frozen=True, kw_only=True):
    """Asks Google about devices (Chrome Device Trust).

    :param credentials: the key of a Google service account, as Google hands it out.
    """

    connector_uuid: Uuid = ""
    name: Annotated[Text, UNIQUE]
    enabled: bool = True
    credentials: Json


class GoogleChromeConnectorShown(msgspec.Struct):
    """The computed members of a Google Chrome connector.

    :param chrome_url: what to enter at Google; null as long as nothing answers there.
    """

    chrome_url: str | None


@steady
async def view(
    _call: Call, _state: State, connectors: Sequence[GoogleChromeConnector], _query: Mapping[str, Sequence[str]]
) -> list[GoogleChromeConnectorShown]:
    """Nothing answers yet."""
    return [GoogleChromeConnectorShown(None) for _ in connectors]


GOOGLE_CHROME_CONNECTOR: Kind[GoogleChromeConnector] = Kind(
    model="authentik_endpoints_connectors_google_chrome.googlechromeconnector",
    struct=GoogleChromeConnector,
    path="endpoints/google_chrome/connectors",
    title=("Google Chrome Connector", "Google Chrome Connectors"),
    key="connector_uuid",
    key_name="connector_uuid",
    family=connector.FAMILY,
    component="ak-endpoints-connector-google-chrome-form",
    shown=GoogleChromeConnectorShown,
    view=view,
    filters=connector.NAME,
    stored_only="Google is not asked about devices yet.",
)
