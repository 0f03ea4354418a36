"""An installation for each test, and a mail server that keeps what it is sent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from keystead.base.config.services import Email
from keystead.base.secret import Secret
from keystead.doors.worker.outbox import deliver_due
from keystead.notify import mail
from tests.doors.cli.program import free_port
from tests.house import House, house
from tests.patience import PATIENCE

__all__ = ["Post", "house", "post"]


@dataclass
class Post:
    """A mail server of a test's own.

    :param refuses: what it answers to every message instead of taking it.
    """

    kept: list[EmailMessage] = field(default_factory=list)
    rcpts: list[str] = field(default_factory=list)
    refuses: str = ""
    port: int = 0
    logins: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: ANN401, N802 - the library's name and type
        """Take a message."""
        if self.refuses:
            return self.refuses
        self.kept.append(message_from_bytes(envelope.content, policy=policy.default))
        self.rcpts += envelope.rcpt_tos
        return "250 kept"

    def authenticate(self, *given: object) -> AuthResult:
        """Let in who knows the password: the last of what the library tells."""
        data = given[-1]
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"keystead", b"the mail password")
        if known and isinstance(data, LoginPassword):
            self.logins.append(data.login.decode())
        return AuthResult(success=known)

    def server(self, **more: object) -> Email:
        """How it is reached."""
        return Email(host="127.0.0.1", port=self.port, timeout=int(PATIENCE), from_="Keystead <id@example.org>", **more)  # type: ignore[arg-type]  # members of Email


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    """A mail server."""
    made = Post(port=free_port())
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=made.port,
        ready_timeout=PATIENCE,
        authenticator=made.authenticate,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


async def deliver(house: House, post: Post, **server: object) -> int:
    """Deliver what is due; how many letters left."""
    return await deliver_due(house.state, {mail.TOPIC: partial(mail.deliver, post.server(**server))})


async def events(house: House, action: str) -> list[dict[str, Any]]:
    """The events of one action."""
    found: list[dict[str, Any]] = (await house.admin.get("/api/v3/events/events/", query={"action": action})).json[
        "results"
    ]
    return found


def words(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


PASSWORD = Secret("the mail password")
