"""Mail: a template and its values become a message in HTML and plain text, and leave by SMTP.

Whoever wants to write to somebody puts :func:`letter` into their unit; the worker calls :func:`deliver`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

import msgspec

from keystead.base.config.services import Email
from keystead.flows.stages.email import EMAIL_STAGE
from keystead.kinds import outbox
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.outbox import Message
from keystead.kinds.state import State
from keystead.store import Write

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

TOPIC: Final = "mail"
FOLDER: Final = "email/"
TRANSPORT: Final = "notification_transport"
"""The member of an event's context that names the transport which sent the letter."""
_APP: Final = "authentik.stages.email"
_BREAKS: Final = frozenset({"p", "br", "h1", "h2", "h3", "li", "tr", "div", "table", "ul", "ol"})
_SILENT: Final = frozenset({"head", "style", "script", "title"})


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent.

    :param bcc: who gets it without anybody being told.
    :param template: which template, such as ``email/welcome.html``; a bare name (``welcome``) does too.
    :param values: what it is filled with: texts, and ``user`` with ``name`` and ``username``.
    :param stage: the e-mail stage whose server carries it; empty for the installation's own.
    :param transport: the transport that sends it, where it tells of an event.
    """

    to: list[str]
    cc: list[str] = []
    bcc: list[str] = []
    subject: str
    template: str
    values: dict[str, object]
    stage: str = ""
    transport: str = ""


class TemplateError(LookupError):
    """A letter cannot be made of a template; the message says why."""


class UnknownTemplateError(TemplateError):
    """There is no template of that name; the message names those there are."""


class UnfilledTemplateError(TemplateError):
    """The template wants what the letter does not hold; the message names it."""


@cache
def _environment() -> "SandboxedEnvironment":
    # Sending is rare: what it needs is loaded when it is first needed.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415 - as above
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415 - as above

    return SandboxedEnvironment(
        loader=PackageLoader("keystead.flows", "templates"), autoescape=True, undefined=StrictUndefined
    )


def templates() -> list[str]:
    """The names of all templates."""
    return sorted(name for name in _environment().list_templates(["html"]) if name.startswith(FOLDER))


def named(template: str) -> str:
    """The whole name of a template that may be called by its bare name (``welcome``).

    :raises UnknownTemplateError: there is none.
    """
    known = templates()
    for name in (template, f"{FOLDER}{template}", f"{FOLDER}{template}.html"):
        if name in known:
            return name
    short = ", ".join(name.removeprefix(FOLDER).removesuffix(".html") for name in known)
    raise UnknownTemplateError(f"There is no template called {template!r}; there are: {short}.")


def words(template: str, values: Mapping[str, object]) -> str:
    """A template, filled, as HTML.

    :raises TemplateError: there is none of that name, or it wants more than ``values``.
    """
    from jinja2 import UndefinedError  # noqa: PLC0415 - as above

    name = named(template)
    try:
        return _environment().get_template(name).render(values)
    except UndefinedError as exc:
        raise UnfilledTemplateError(f"The template {name} wants more than this letter holds: {exc.message}.") from None


def letter(state: State, one: Letter, at: datetime) -> Write:
    """The write that sends a letter.

    :raises TemplateError: it cannot be made of its template.
    """
    words(one.template, one.values)
    return outbox.post(state, TOPIC, msgspec.to_builtins(one), at)


def composed(one: Letter, *, sender: str, at: datetime) -> EmailMessage:
    """``one`` as a message, in HTML and in plain text.

    :raises ValueError: an address or the subject holds a line break.
    :raises TemplateError: it cannot be made of its template.
    """
    html = words(one.template, one.values)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(one.to)
    if one.cc:
        message["Cc"] = ", ".join(one.cc)
    message["Subject"] = one.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's holiday notice answers us
    message.set_content(plain(html))
    message.add_alternative(html, subtype="html")
    return message


async def send(server: Email, message: EmailMessage, to: Sequence[str]) -> None:
    """Hand ``message``, for everybody in ``to``, to ``server``.

    :raises OSError: it cannot be reached, or does not answer in time.
    :raises aiosmtplib.SMTPException: it refuses.
    """
    import aiosmtplib  # noqa: PLC0415 - sending is rare

    await aiosmtplib.send(
        message,
        recipients=to,
        hostname=server.host,
        port=server.port,
        username=server.username or None,
        password=server.password.reveal() or None,
        use_tls=server.use_ssl,
        start_tls=server.use_tls,
        timeout=float(server.timeout),
    )


async def deliver(server: Email, state: State, call: Call, message: Message) -> Changes:
    """Send one message of the outbox; the event that tells so."""
    one = msgspec.json.decode(message.body, type=Letter)
    if one.stage:
        server = await _of_stage(server, state, one.stage)
    await send(server, composed(one, sender=server.from_, at=call.at), [*one.to, *one.cc, *one.bcc])
    told: dict[str, object] = {"message": one.subject, "to_email": one.to, "template": one.template}
    more = {"cc_email": one.cc, "bcc_email": one.bcc, TRANSPORT: one.transport}
    changes = Changes()
    changes.event(call, "email_sent", _APP, told | {name: value for name, value in more.items() if value})
    return changes


async def _of_stage(server: Email, state: State, pk: str) -> Email:
    """The server that an e-mail stage names, as the stage stands now."""
    stage = (await state.refresh()).get(EMAIL_STAGE, pk)
    if stage is None:
        raise LookupError("the e-mail stage that this letter goes by is gone")
    if stage.use_global_settings:
        return server
    return Email(
        host=stage.host,
        port=stage.port,
        username=stage.username,
        password=stage.password,
        use_tls=stage.use_tls,
        use_ssl=stage.use_ssl,
        timeout=stage.timeout,
        from_=stage.from_address,
    )


def plain(html: str) -> str:
    """The words of ``html``, paragraph by paragraph."""
    reader = _Words()
    reader.feed(html)
    lines = [" ".join(line.split()) for line in "".join(reader.found).split("\n")]
    return "\n\n".join(line for line in lines if line) + "\n"


class _Words(HTMLParser):
    """Gathers text; what is no text for people is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        del attrs
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        self._silent -= tag in _SILENT
        if tag in _BREAKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._silent:
            self.found.append(data.replace("\n", " "))
