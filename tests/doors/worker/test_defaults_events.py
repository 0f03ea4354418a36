"""What a fresh installation has for events and passwords, under the names that clients look up (defaults.md §1, §2)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.base.clock import SystemClock
from keystead.base.config import load
from keystead.doors.worker.first_start import ADMINS
from keystead.doors.worker.opening import begin
from keystead.flows.stages.prompt import PROMPT_STAGE
from keystead.kinds import records
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.state import State
from keystead.notify.rule import NOTIFICATION_RULE
from keystead.notify.transport import NOTIFICATION_TRANSPORT
from keystead.people.event import Event
from keystead.people.group import GROUP
from keystead.policies.judge import Request
from keystead.policies.password import PASSWORD_POLICY
from keystead.policies.values import event_view
from tests import engines
from tests.engines import Engine
from tests.house import BEGIN

KEY = "the key of an installation that only tests know, long enough"


@pytest.fixture
async def state(engine: Engine) -> AsyncIterator[State]:
    """A fresh installation."""
    async with engines.fresh_place(engine, migrated=False) as place:
        url: Any = getattr(place, "database", None)
        found = (
            f"postgresql://{place.user}@/{url}?host={place.host}"  # type: ignore[union-attr]  # it has a database, so it is one
            if url
            else f"sqlite:///{place}"
        )
        made = await begin(load({}, flags={"secret_key": KEY, "database_url": found}), app.KINDS, SystemClock())
        yield made
        await made.store.close()


async def judged(state: State, rule: str, action: str) -> bool:
    found = state.settings.by(NOTIFICATION_RULE, "name", rule)
    assert found is not None
    event = Event(pk=rand.uuid4(), action=action, app="authentik_core", created=BEGIN, expires=BEGIN)
    call = Call(SYSTEM, BEGIN, state.settings)
    return (await app.ENGINE.judge(call, state, found.pk, user=None, context={"event": event_view(event)})).passing


async def test_administrators_are_told_when_something_is_wrong(state: State) -> None:
    (admins,) = await records.load(state.store, GROUP, "name", [ADMINS])
    transports = {one.name: one for one in state.settings.all(NOTIFICATION_TRANSPORT)}
    assert {name: one.mode.value for name, one in transports.items()} == {
        "default-email-transport": "email",
        "default-local-transport": "local",
    }
    for rule in state.settings.all(NOTIFICATION_RULE):
        assert (rule.destination_group, rule.severity.value) == (admins.pk, "alert")
        assert set(rule.transports) == {one.pk for one in transports.values()}
    wanted = {
        "default-notify-configuration-error": {"configuration_error"},
        "default-notify-update": {"update_available"},
        "default-notify-exception": {"policy_exception", "property_mapping_exception"},
    }
    every = set().union(*wanted.values()) | {"login"}
    for name, actions in wanted.items():
        assert {action for action in every if await judged(state, name, action)} == actions


async def test_a_new_password_is_not_too_short(state: State) -> None:
    policy = state.settings.by(PASSWORD_POLICY, "name", "default-password-change-password-policy")
    stage = state.settings.by(PROMPT_STAGE, "name", "default-password-change-prompt")
    assert policy is not None
    assert stage is not None
    assert stage.validation_policies == (policy.pk,)
    call = Call(SYSTEM, BEGIN, state.settings)
    for given, passes in (("seven77", False), ("eight888", True)):
        asked = Request(call, None, {"prompt_data": {"password": given}})
        assert (await app.ENGINE.ask(state, PASSWORD_POLICY, policy, asked)).passing is passes
