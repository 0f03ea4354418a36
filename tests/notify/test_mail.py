"""Mail that leaves: composed, delivered by a real server, tried again, given up."""

from datetime import UTC, datetime
from functools import partial

import pytest

from keystead.base.config.services import Email
from keystead.doors.worker.outbox import deliver_due
from keystead.kinds import outbox
from keystead.kinds.changes import Changes
from keystead.notify import mail
from keystead.store import Statement
from tests.house import House
from tests.notify.conftest import PASSWORD, Post, deliver, events

VALUES: dict[str, object] = {
    "title": "Welcome",
    "user": {"name": "Anna <b>Berg</b>", "username": "anna"},
    "url": "https://id.example.org/if/user/?a=1&b=2",
    "brand": "Keystead",
    "expires": "tomorrow",
    "token": "123456",
    "body": "Something happened.",
}
_WAITING = Statement("test.outbox", "SELECT body, attempts, error FROM outbox")


async def wanted(house: House, template: str = "welcome", **more: object) -> None:
    changes = Changes()
    at = house.clock.now()
    one = mail.Letter(to=["anna@example.org"], subject="Grüße", template=template, values=VALUES | more)
    changes.write(mail.letter(house.state, one, at))
    await house.state.commit(changes, at)


async def test_a_letter_arrives_in_html_and_in_words_and_is_told_of(house: House, post: Post) -> None:
    await wanted(house)
    assert await deliver(house, post) == 1
    (message,) = post.kept
    assert post.rcpts == ["anna@example.org"]
    assert (message["subject"], message["to"], message["from"]) == (
        "Grüße",
        "anna@example.org",
        "Keystead <id@example.org>",
    )
    html = message.get_body(("html",))
    words = message.get_body(("plain",))
    assert html is not None
    assert words is not None
    assert "Anna &lt;b&gt;Berg" in html.get_content()
    assert "Anna <b>Berg</b>" in words.get_content()
    assert "https://id.example.org/if/user/?a=1&b=2" in words.get_content()
    (told,) = await events(house, "email_sent")
    assert told["context"]["to_email"] == ["anna@example.org"]
    assert "id.example.org" not in str(told["context"]), "links open accounts: the log does not hold them"
    assert await deliver(house, post) == 0, "once"


async def test_what_waits_is_sealed(house: House) -> None:
    await wanted(house, url="https://id.example.org/recovery/use-token/secret-link/")
    ((body, _, _),) = await house.state.store.fetch(_WAITING)
    assert "secret-link" not in str(body)


async def test_a_server_that_wants_a_name_gets_it(house: House, post: Post) -> None:
    await wanted(house)
    assert await deliver(house, post, username="keystead", password=PASSWORD) == 1
    assert post.logins == ["keystead"]


async def test_what_cannot_leave_waits_longer_each_time_and_is_given_up_after_a_day(house: House, post: Post) -> None:
    post.refuses = "451 come back later"
    await wanted(house)
    assert await deliver(house, post) == 0
    assert await deliver(house, post) == 0
    ((_, attempts, error),) = await house.state.store.fetch(_WAITING)
    assert attempts == 1, "not before its time"
    assert "come back later" in str(error)
    house.clock.move(seconds=10)
    assert await deliver(house, post) == 0
    ((_, attempts, _),) = await house.state.store.fetch(_WAITING)
    assert attempts == 2
    house.clock.move(hours=25)
    assert await deliver(house, post) == 0
    assert await house.state.store.fetch(_WAITING) == []
    (told,) = await events(house, "system_task_exception")
    assert "given up" in str(told["context"])


async def test_one_that_cannot_leave_holds_up_no_other(house: House, post: Post) -> None:
    for number in range(3):
        await wanted(house)
        if number == 1:
            changes = Changes()
            bad = {"to": ["x@example.org"], "subject": "s", "template": "email/none.html", "values": {}}
            changes.write(outbox.post(house.state, mail.TOPIC, bad, house.clock.now()))
            await house.state.commit(changes, house.clock.now())
    assert await deliver(house, post) == 3
    post.refuses = ""
    assert len(post.kept) == 3


async def test_a_server_that_is_not_there_is_no_fault(house: House) -> None:
    await wanted(house)
    gone = Email(host="127.0.0.1", port=1, timeout=2)
    assert await deliver_due(house.state, {mail.TOPIC: partial(mail.deliver, gone)}) == 0


def test_every_template_is_filled() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    for name in mail.templates():
        one = mail.Letter(to=["a@example.org"], subject="s", template=name, values=VALUES)
        text = mail.composed(one, sender="k@example.org", at=at).get_body(("plain",))
        assert text is not None
        assert "Keystead" in text.get_content(), name


def test_a_line_break_is_no_way_into_the_head() -> None:
    one = mail.Letter(
        to=["a@example.org"], subject="s\r\nBcc: everybody@example.org", template="email/welcome.html", values=VALUES
    )
    with pytest.raises(ValueError, match="linefeed"):
        mail.composed(one, sender="k@example.org", at=datetime(2026, 11, 22, tzinfo=UTC))


def test_an_unknown_template_is_told_with_those_there_are() -> None:
    assert mail.named("welcome") == "email/welcome.html"
    with pytest.raises(mail.UnknownTemplateError, match="welcome"):
        mail.named("../../etc/passwd")
