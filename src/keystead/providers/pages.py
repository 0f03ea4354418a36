"""What a protocol shows a browser, free of HTTP: the door makes responses of these."""

import msgspec

from keystead.flows.flow import Flow
from keystead.flows.ports import Reply as Shown
from keystead.flows.ports import Visitor


class Redirect(msgspec.Struct, frozen=True):
    """Send the browser on.

    :param visitor: whose cookie the browser shall have from now on, if that changed.
    """

    url: str
    visitor: Visitor | None = None


class FormPost(msgspec.Struct, frozen=True):
    """Make the browser post ``fields`` to ``url`` (OAuth 2.0 Form Post Response Mode); every value is to be escaped."""

    url: str
    fields: dict[str, str]
    title: str = ""
    visitor: Visitor | None = None


class Asking(msgspec.Struct, frozen=True):
    """Show what a flow says: a refusal, mostly. The reply's visitor is whose cookie the browser shall have."""

    flow: Flow
    shown: Shown


class ErrorPage(msgspec.Struct, frozen=True):
    """Tell the person; the browser goes nowhere.

    :param code: the protocol's word, for the curious.
    """

    status: int
    title: str
    message: str
    code: str = ""


class Confirm(msgspec.Struct, frozen=True):
    """Ask the person; the button posts ``fields`` to ``url``."""

    url: str
    title: str
    message: str
    button: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)
