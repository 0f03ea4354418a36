"""Delivery of what waits in the outbox: each topic by its own sender, each message until it arrives or is given up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from keystead.base import log, metrics, rand
from keystead.doors.worker.timetable import Job
from keystead.kinds import outbox
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.outbox import Message
from keystead.kinds.state import State

_LOG = log.get("worker.outbox")
_SENT: Final = metrics.counter("keystead_messages_total", "Messages by topic and outcome.", "topic", "outcome")
EVERY: Final = 1.0
"""Seconds between looks."""
_AT_ONCE: Final = 8
"""Messages under way at once; a mail server that hangs holds up no more."""

Sender: TypeAlias = Callable[[State, Call, Message], Awaitable[Changes]]
"""Delivers one message and says what is to be written about it; raises whatever goes wrong."""


def job(senders: Mapping[str, Sender]) -> Job:
    """The job that delivers."""

    async def run(state: State) -> int:
        return await deliver_due(state, senders)

    return Job("outbox", EVERY, run)


async def deliver_due(state: State, senders: Mapping[str, Sender]) -> int:
    """Deliver what is due; how many messages left."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(message: Message) -> bool:
        async with places:
            return await _deliver(state, senders, message)

    waiting = await outbox.due(state, state.clock.now())
    return sum(await asyncio.gather(*(one(message) for message in waiting)))


async def _deliver(state: State, senders: Mapping[str, Sender], message: Message) -> bool:
    at = state.clock.now()
    call = Call(SYSTEM, at, state.settings, "", rand.hex128())
    try:
        sender = senders.get(message.topic)
        if sender is None:
            raise LookupError(f"nothing here delivers {message.topic}")  # noqa: TRY301 - one place handles every failure
        changes = await sender(state, call, message)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the message waits and the others go on
        await _put_off(state, call, message, exc)
        return False
    changes.write(outbox.done(message))
    await state.commit(changes, at)
    _SENT.inc(message.topic, "sent")
    return True


async def _put_off(state: State, call: Call, message: Message, exc: Exception) -> None:
    changes = Changes()
    reason = f"{type(exc).__name__}: {exc}"
    later = outbox.again(message, call.at, reason)
    if later is None:
        changes.write(outbox.done(message))
        text = f"A message was given up after {message.attempts + 1} attempts: {reason}"
        told = {"message": text, outbox.TOPIC: message.topic}
        changes.event(call, "system_task_exception", "authentik_tasks", told)
    else:
        changes.write(later)
    _LOG.warning("a message did not leave", topic=message.topic, attempts=message.attempts + 1, reason=reason)
    _SENT.inc(message.topic, "failed" if later else "given up")
    await state.commit(changes, call.at)
