"""The rooms of this floor in lists; a new kind is one line here."""

from typing import Any, Final

from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.people import (
    agent,
    brand,
    event,
    event_more,
    export,
    group,
    impersonation,
    initial,
    object_attribute,
    oneself,
    role,
    session,
    token,
    user,
    user_actions,
)
from keystead.people.devices import every as devices
from keystead.people.devices import webauthn_type
from keystead.people.installation import blueprint, task, tenant
from keystead.people.installation import license as licence
from keystead.people.installation import settings as installation
from keystead.people.lifecycle import iteration, offboarding, rounds
from keystead.people.lifecycle import rule as lifecycle_rule

KINDS: Final[tuple[Kind[Any], ...]] = (
    user.USER,
    agent.AGENT,
    group.GROUP,
    role.ROLE,
    initial.INITIAL_PERMISSIONS,
    token.TOKEN,
    session.SESSION,
    event.EVENT,
    brand.BRAND,
    installation.SETTINGS,
    object_attribute.OBJECT_ATTRIBUTE,
    licence.LICENSE,
    *tenant.KINDS,
    blueprint.BLUEPRINT,
    *task.KINDS,
    webauthn_type.WEBAUTHN_DEVICE_TYPE,
    *devices.KINDS,
    export.DATA_EXPORT,
    lifecycle_rule.LIFECYCLE_RULE,
    iteration.LIFECYCLE_ITERATION,
    iteration.REVIEW,
    offboarding.USER_OFFBOARDING,
)
TWINS: Final[tuple[Kind[Any], ...]] = (*devices.TWINS,)
"""Second paths to objects of kinds above."""
OPENED: Final[tuple[Kind[Any], ...]] = tenant.KINDS
"""Kinds whose callers prove themselves by a key of their own."""
ACTIONS: Final[tuple[Action, ...]] = (
    *user_actions.ACTIONS,
    *oneself.ACTIONS,
    *impersonation.ACTIONS,
    *agent.ACTIONS,
    *group.ACTIONS,
    *role.ACTIONS,
    *token.ACTIONS,
    *session.ACTIONS,
    *event.ACTIONS,
    *event_more.ACTIONS,
    *export.ACTIONS,
    *brand.ACTIONS,
    *rounds.ACTIONS,
    *licence.ACTIONS,
    *tenant.ACTIONS,
    *task.ACTIONS,
)
