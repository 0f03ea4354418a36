"""What the flow suites run on: the kinds and stages of the lower floors, and what floors above would hand in."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keystead.base.secret import Secret, Vault
from keystead.flows.binding import FLOW_STAGE_BINDING
from keystead.flows.flow import FLOW
from keystead.flows.ports import Finish, Ports, Visitor
from keystead.flows.register import STAGES
from keystead.flows.stages.invitation import INVITATION
from keystead.flows.stages.prompt import PROMPT
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.brand import BRAND
from keystead.people.devices.duo import DUO_DEVICE
from keystead.people.group import GROUP
from keystead.people.role import ROLE
from keystead.people.session import SESSION
from keystead.people.token import TOKEN
from keystead.people.user import USER
from keystead.policies.binding import POLICY_BINDING
from keystead.policies.engine import Engine
from keystead.policies.expression import EXPRESSION_POLICY, POLICY
from keystead.providers.application import APPLICATION
from keystead.providers.consent import USER_CONSENT, Consents

BEGIN: Final = datetime(2026, 9, 1, 12, 0, 0, 123456, UTC)
VAULT: Final = Vault(Secret("a key for tests, long enough to be one of an installation"))
KINDS: Final[tuple[Kind[Any], ...]] = (
    USER,
    GROUP,
    ROLE,
    TOKEN,
    SESSION,
    BRAND,
    POLICY_BINDING,
    EXPRESSION_POLICY,
    FLOW,
    FLOW_STAGE_BINDING,
    *(stage.kind for stage in STAGES),
    PROMPT,
    INVITATION,
    APPLICATION,
    USER_CONSENT,
    DUO_DEVICE,
)


async def finish(call: Call, _state: State, visitor: Visitor, data: Mapping[str, object]) -> Finish:
    """The end of a run as a floor above would write it: an event, and a place to go."""
    changes = Changes()
    changes.event(call, "custom_finished", "tests", {"who": visitor.user.username if visitor.user else ""})
    if data.get("fails"):
        raise RuntimeError("the finisher fails")
    challenge = {"component": "ak-stage-autosubmit", "url": "https://rp", "attrs": {}} if data.get("form") else None
    return Finish(changes, to=str(data.get("to", "https://rp.example.org/")), challenge=challenge)


PORTS = Ports(engine=Engine({POLICY.kind.model: POLICY.evaluate}), finishers={"test": finish}, consents=Consents())


class HandClock:
    """A clock whose hands the test moves."""

    def __init__(self, at: datetime = BEGIN) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)
