"""Tenants and their domains: kept for whoever manages them by the API; one database holds one installation."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, Kind, Verb
from keystead.kinds.marks import LINE, READ_ONLY, UNIQUE, Ref, Text, Uuid
from keystead.kinds.pending import Pending
from keystead.kinds.state import State

_SCHEMA: Final = re.compile(r"t_[a-z0-9_]{1,61}|public")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """An installation of its own within this one.

    :param schema_name: the schema of the database that would hold it: `t_` and a name of its own.
    :param ready: whether it can be used.
    """

    tenant_uuid: Annotated[Uuid, READ_ONLY]
    schema_name: Annotated[str, msgspec.Meta(min_length=1, max_length=63), UNIQUE]
    name: Text
    ready: bool = True


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A host name under which a tenant answers.

    :param is_primary: whether links name it.
    """

    id: Annotated[int, READ_ONLY]
    domain: Annotated[str, msgspec.Meta(min_length=1, max_length=253), LINE, UNIQUE]
    is_primary: bool = True
    tenant: Annotated[Uuid, Ref("authentik_tenants.tenant")]


class TenantAdminGroupRequestRequest(msgspec.Struct):
    """Who becomes an administrator."""

    user: Text


class TenantRecoveryKeyRequestRequest(msgspec.Struct):
    """Who gets back in, and for how long the key works."""

    user: Text
    duration_days: int


class TenantRecoveryKeyResponse(msgspec.Struct):
    """The link with which somebody gets back in."""

    expiry: datetime
    url: str


async def rules(_call: Call, _state: State, old: Tenant | None, new: Tenant) -> Tenant:
    """A name that a schema can have, and keeps."""
    if not _SCHEMA.fullmatch(new.schema_name):
        raise invalid({"schema_name": ["Write t_ and then lower-case letters, digits and underscores."]})
    if old is not None and old.schema_name != new.schema_name:
        raise invalid({"schema_name": ["A tenant keeps its schema."]})
    return new


async def domain_rules(_call: Call, _state: State, _old: Domain | None, new: Domain) -> Domain:
    """A name that a host can have."""
    if not _DOMAIN.fullmatch(new.domain):
        raise invalid({"domain": ["Write a host name, such as id.example.org."]})
    return new


_NO_TENANTS: Final = "Tenants are kept and not served yet: there is no schema behind them and no host leads to them."
TENANT: Kind[Tenant] = Kind(
    model="authentik_tenants.tenant",
    struct=Tenant,
    path="tenants/tenants",
    title=("Tenant", "Tenants"),
    key="tenant_uuid",
    key_name="tenant_uuid",
    verbs=ALL - {Verb.USED_BY},
    rules=rules,
    search=("name", "schema_name"),
    stored_only=_NO_TENANTS,
)
DOMAIN: Kind[Domain] = Kind(
    model="authentik_tenants.domain",
    struct=Domain,
    path="tenants/domains",
    title=("Domain", "Domains"),
    key="id",
    key_name="id",
    verbs=ALL - {Verb.USED_BY},
    rules=domain_rules,
    search=("domain",),
    order=("domain",),
    stored_only=_NO_TENANTS,
)
KINDS: Final[tuple[Kind[Any], ...]] = (TENANT, DOMAIN)
ACTIONS = (
    Action(
        TENANT,
        "POST",
        "{key}/create_admin_group/",
        Pending("Nobody can be made an administrator of a tenant that is not served yet."),
        "create_admin_group_create",
        request=TenantAdminGroupRequestRequest,
        status=204,
    ),
    Action(
        TENANT,
        "POST",
        "{key}/create_recovery_key/",
        Pending("Nobody gets back into a tenant that is not served yet."),
        "create_recovery_key_create",
        request=TenantRecoveryKeyRequestRequest,
        response=TenantRecoveryKeyResponse,
    ),
)
