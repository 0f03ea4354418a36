"""The outbox: messages that leave once the change that wants them has landed. Their rows are part of its unit.

A message is delivered at least once, by one process of the installation at a time; who delivers what is settled above.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from keystead.base import rand
from keystead.base.clock import instant, micros
from keystead.kinds.state import State
from keystead.store import Statement, Write

_POST: Final = Statement(
    "outbox.post",
    "INSERT INTO outbox (id, topic, body, created, due, attempts, error) VALUES ($1, $2, $3, $4, $4, 0, '')",
)
_DUE: Final = Statement(
    "outbox.due", "SELECT id, topic, body, created, attempts FROM outbox WHERE due <= $1 ORDER BY due, id LIMIT $2"
)
_DONE: Final = Statement("outbox.done", "DELETE FROM outbox WHERE id = $1")
_LATER: Final = Statement("outbox.later", "UPDATE outbox SET due = $2, attempts = $3, error = $4 WHERE id = $1")
_CONTEXT: Final = "outbox"
_FIRST: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(hours=4)
LIFE: Final = timedelta(days=1)
"""How long a message is tried."""
TOPIC: Final = "topic"
"""The member of an event's context that names the topic of a message that was given up."""


class Message(msgspec.Struct, frozen=True):
    """A message that waits.

    :param topic: what kind of message it is; settles who delivers it.
    :param body: JSON text, opened.
    :param attempts: how often it was tried.
    """

    id: str
    topic: str
    body: str
    created: datetime
    attempts: int


def post(state: State, topic: str, body: Mapping[str, object], at: datetime) -> Write:
    """The write that sends ``body`` on its way.

    :param body: JSON; kept sealed.
    """
    key = rand.uuid4()
    sealed = state.vault.seal(msgspec.json.encode(body).decode(), f"{_CONTEXT}/{key}")
    return Write(_POST, (key, topic, sealed, micros(at)))


async def due(state: State, at: datetime, most: int = 100) -> list[Message]:
    """The messages whose time has come, oldest first."""
    rows = await state.store.fetch(_DUE, micros(at), most)
    found = []
    for key, topic, sealed, created, tried in rows:
        body = state.vault.open(str(sealed), f"{_CONTEXT}/{key}")
        found.append(Message(str(key), str(topic), body, instant(int(str(created))), int(str(tried))))
    return found


def done(message: Message) -> Write:
    """The write after which nobody delivers ``message`` again."""
    return Write(_DONE, (message.id,))


def again(message: Message, at: datetime, error: str) -> Write | None:
    """The write that puts ``message`` off after a failure; None once it was tried for long enough."""
    if at - message.created >= LIFE:
        return None
    pause = min(_FIRST * 3**message.attempts, _LONGEST)
    return Write(_LATER, (message.id, micros(at + pause), message.attempts + 1, error[:500]))
