"""Signing a person in past the flows, for tests of what a session is good for."""

from datetime import timedelta

from keystead.doors.http.cookies import CSRF, Jar, fresh
from keystead.kinds.changes import Changes
from keystead.people import session
from keystead.people.session import Session
from keystead.people.user import User
from tests.client import Client
from tests.house import VAULT, House

JAR = Jar.of(VAULT)


async def sign_in(house: House, user: User, *, hours: float = 2) -> tuple[Client, Session]:
    """A browser in which ``user`` is signed in, and the session."""
    sid = fresh()
    call = house.call
    made, writes = session.start(call, user.pk, sid, expires=call.at + timedelta(hours=hours), auth={})
    changes = Changes()
    changes.write(*writes)
    await house.state.commit(changes, call.at)
    browser = Client(house.app)
    for _, value in JAR.make(sid, secure=False, at=call.at, subject="uid"):
        name, _, rest = value.decode().partition("=")
        browser.cookies[name] = rest.partition(";")[0]
    return browser, made


def token_of(browser: Client) -> dict[str, str]:
    """The header that a page of ours sends with what changes something."""
    return {"x-authentik-csrf": browser.cookies[CSRF]}
