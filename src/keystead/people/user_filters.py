"""What lists of users can be narrowed by, besides the members themselves."""

import re
from datetime import datetime
from typing import Final

from keystead.kinds.kind import Filter
from keystead.kinds.marks import Uuid

_IN_GROUP: Final = "t.id IN (SELECT m.user_id FROM group_members m"
_IS_IN_GROUP: Final = "EXISTS (SELECT 1 FROM group_members m"
_GROUPS: Final = "m.group_id = ANY({}::text[])"
_NAMED: Final = "m.group_id IN (SELECT g.id FROM groups g WHERE g.name = ANY({}::text[]))"
_IN_GROUPS: Final = "SELECT m.user_id AS n FROM group_members m"
_HAS_ROLE: Final = "t.id IN (SELECT r.user_id FROM user_roles r"
_DOES_HAVE_ROLE: Final = "EXISTS (SELECT 1 FROM user_roles r"
_HAVE_ROLES: Final = "SELECT r.user_id AS n FROM user_roles r"
_ROLES: Final = "r.role_id = ANY({}::text[])"
_ROLES_NAMED: Final = (
    "r.role_id IN (SELECT s.id FROM settings s WHERE s.kind = 'authentik_rbac.role'"
    " AND s.doc::jsonb ->> 'name' = ANY({}::text[]))"
)
_DOWN: Final = (
    "WITH RECURSIVE down (id) AS (SELECT id FROM groups WHERE is_superuser = true"
    " UNION SELECT p.group_id FROM group_parents p JOIN down ON p.parent_id = down.id)"
)
_SUPER: Final = f"t.id IN ({_DOWN} SELECT m.user_id FROM group_members m JOIN down ON down.id = m.group_id)"  # noqa: S608 - constants
_IN_LISTED: Final = f"m.group_id = ANY(ARRAY({_DOWN} SELECT id FROM down))"  # noqa: S608 - constants
_SUPERUSERS: Final = f"t.id = ANY(ARRAY(SELECT m.user_id FROM group_members m WHERE {_IN_LISTED}))"  # noqa: S608 - constants
_IS_SUPER: Final = f"{_IS_IN_GROUP} WHERE m.user_id = t.id AND m.group_id IN ({_DOWN} SELECT id FROM down))"  # noqa: S608 - constants


def _moments(name: str) -> tuple[Filter, ...]:
    return (
        Filter(name, datetime, sql=f"t.{name} = {{}}", column=name),
        Filter(f"{name}__gt", datetime, sql=f"t.{name} > {{}}", column=name, note="After this instant."),
        Filter(f"{name}__lt", datetime, sql=f"t.{name} < {{}}", column=name, note="Before this instant."),
    )


def _looked_up(condition: str) -> str:
    """PostgreSQL's planner takes a list of unknown length to be short, and what IN asks for to be long."""
    return re.sub(r" IN \((SELECT .*)\)$", r" = ANY(ARRAY(\1))", condition)


def _members(name: str, type_: object, condition: str) -> Filter:
    return Filter(
        name,
        type_,
        many=True,
        sql=f"{_IN_GROUP} WHERE {condition})",
        each=f"{_IS_IN_GROUP} WHERE m.user_id = t.id AND {condition})",
        few=f"t.id = ANY(ARRAY(SELECT m.user_id FROM group_members m WHERE {_looked_up(condition)}))",  # noqa: S608 - constants
        alone=f"{_IN_GROUPS} WHERE {condition}",
    )


def _holders(name: str, type_: object, condition: str) -> Filter:
    return Filter(
        name,
        type_,
        many=True,
        sql=f"{_HAS_ROLE} WHERE {condition})",
        each=f"{_DOES_HAVE_ROLE} WHERE r.user_id = t.id AND {condition})",
        few=f"t.id = ANY(ARRAY(SELECT r.user_id FROM user_roles r WHERE {_looked_up(condition)}))",  # noqa: S608 - constants
        alone=f"{_HAVE_ROLES} WHERE {condition}",
    )


FILTERS: Final = (
    *_moments("date_joined"),
    *_moments("last_login"),
    *_moments("last_updated"),
    Filter("last_login__isnull", bool, sql="t.last_login IS NULL|t.last_login IS NOT NULL", column="last_login"),
    Filter(
        "path_startswith",
        str,
        sql="t.path IN (SELECT c.path FROM user_census c WHERE substr(c.path, 1, length({})) = {})",
        each="substr(t.path, 1, length({})) = {}",
        few="t.path = ANY(ARRAY(SELECT c.path FROM user_census c WHERE substr(c.path, 1, length({})) = {}))",
        column="path",
    ),
    Filter(
        "is_superuser",
        bool,
        sql=_SUPER,
        each=_IS_SUPER,
        few=_SUPERUSERS,
        note="Superusers through whatever group, or everybody else.",
    ),
    _members("groups_by_pk", Uuid, _GROUPS),
    _members("groups_by_name", str, _NAMED),
    _holders("roles_by_pk", Uuid, _ROLES),
    _holders("roles_by_name", str, _ROLES_NAMED),
    Filter("attributes", str, note="A JSON object whose members the attributes have; `a__b` reaches inside."),
    Filter("include_groups", bool, note="Whether to show the groups (`groups_obj`); true unless said."),
    Filter("include_roles", bool, note="Whether to show the roles (`roles_obj`); true unless said."),
)
