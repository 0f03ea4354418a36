"""What lists of users can be narrowed by, besides the members themselves."""

from datetime import datetime
from typing import Final

from keystead.kinds.kind import Filter
from keystead.kinds.marks import Uuid

_IN_GROUP: Final = "t.id IN (SELECT m.user_id FROM group_members m"
_HAS_ROLE: Final = "t.id IN (SELECT r.user_id FROM user_roles r"
_SUPER: Final = (
    "t.id IN (WITH RECURSIVE down (id) AS (SELECT id FROM groups WHERE is_superuser"
    " UNION SELECT p.group_id FROM group_parents p JOIN down ON p.parent_id = down.id)"
    " SELECT m.user_id FROM group_members m JOIN down ON down.id = m.group_id)"
)


def _moments(name: str) -> tuple[Filter, ...]:
    return (
        Filter(name, datetime, sql=f"t.{name} = {{}}"),
        Filter(f"{name}__gt", datetime, sql=f"t.{name} > {{}}", note="After this instant."),
        Filter(f"{name}__lt", datetime, sql=f"t.{name} < {{}}", note="Before this instant."),
    )


FILTERS: Final = (
    *_moments("date_joined"),
    *_moments("last_login"),
    *_moments("last_updated"),
    Filter("last_login__isnull", bool, sql="t.last_login IS NULL|t.last_login IS NOT NULL"),
    Filter("path_startswith", str, sql="substr(t.path, 1, length({})) = {}"),
    Filter("is_superuser", bool, sql=_SUPER, note="Superusers through whatever group, or everybody else."),
    Filter("groups_by_pk", Uuid, many=True, sql=f"{_IN_GROUP} WHERE m.group_id = ANY({{}}::text[]))"),
    Filter(
        "groups_by_name",
        str,
        many=True,
        sql=f"{_IN_GROUP} JOIN groups g ON g.id = m.group_id WHERE g.name = ANY({{}}::text[]))",
    ),
    Filter("roles_by_pk", Uuid, many=True, sql=f"{_HAS_ROLE} WHERE r.role_id = ANY({{}}::text[]))"),
    Filter(
        "roles_by_name",
        str,
        many=True,
        sql=(
            f"{_HAS_ROLE} JOIN settings s ON s.id = r.role_id WHERE s.kind = 'authentik_rbac.role'"
            " AND s.doc::jsonb ->> 'name' = ANY({}::text[]))"
        ),
    ),
    Filter("attributes", str, note="A JSON object whose members the attributes have; `a__b` reaches inside."),
    Filter("include_groups", bool, note="Whether to show the groups (`groups_obj`); true unless said."),
    Filter("include_roles", bool, note="Whether to show the roles (`roles_obj`); true unless said."),
)
