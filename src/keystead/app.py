"""The composition root: the only file that sees the whole house. Plain lists; a new variant is one line here."""

from typing import Any, Final

from keystead.doors.rest.families import Family
from keystead.kinds.kind import Action, Kind
from keystead.people import brand, event, group, role, session, token, user, user_actions
from keystead.policies import binding as policy_binding
from keystead.trust import keypair

KINDS: Final[tuple[Kind[Any], ...]] = (
    user.USER,
    group.GROUP,
    role.ROLE,
    token.TOKEN,
    session.SESSION,
    event.EVENT,
    brand.BRAND,
    keypair.KEYPAIR,
    policy_binding.POLICY_BINDING,
)

FAMILIES: Final = (
    Family("stages", "stages/all", "stage_uuid", "Stage"),
    Family("policies", "policies/all", "policy_uuid", "Policy"),
    Family("providers", "providers/all", "id", "Provider"),
    Family("propertymappings", "propertymappings/all", "pm_uuid", "PropertyMapping", search=("name",)),
)

ACTIONS: Final[tuple[Action, ...]] = (
    *user_actions.ACTIONS,
    *group.ACTIONS,
    *role.ACTIONS,
    *token.ACTIONS,
    *session.ACTIONS,
    *event.ACTIONS,
    *brand.ACTIONS,
    *keypair.ACTIONS,
)
