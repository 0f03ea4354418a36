"""ScopeMapping: an expression that yields the claims of one scope."""

import ast
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.expression import check_expression

PROTECTED: Final = frozenset(
    {
        "acr",
        "active",
        "amr",
        "at_hash",
        "auth_time",
        "azp",
        "c_hash",
        "client_id",
        "cnf",
        "exp",
        "iat",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "scope",
        "sid",
        "sub",
        "token_type",
        "uid",
    }
)
"""Claims that say who a token is about, for whom, since when and how proven: ours alone. ``aud`` may be replaced, as
documented clients do; tokens are bound to their client by ``azp``."""
_TOLERATED: Final = frozenset({"sid"})
"""Protected, but not refused in an expression: documented mappings yield it with the value that it has anyway."""


class ScopeMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What one scope tells about a person.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict of claims.
    :param scope_name: the scope that clients ask for; several mappings may share it.
    :param description: what the consent page says the scope gives away; empty: it is not mentioned.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text
    scope_name: Annotated[Text, msgspec.Meta(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]
    description: str = ""


def literal_claims(expression: str) -> frozenset[str]:
    """The claims that an expression visibly returns: the keys of dict displays behind ``return``.

    Read from the text, so it finds what is written plainly and no more. Empty for what does not parse.
    """
    try:
        tree = ast.parse(expression)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    returned = (node.value for node in ast.walk(tree) if isinstance(node, ast.Return))
    keys = (key for value in returned if isinstance(value, ast.Dict) for key in value.keys)
    return frozenset(key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


async def rules(_call: Call, _state: State, _old: ScopeMapping | None, new: ScopeMapping) -> ScopeMapping:
    """The expression compiles and does not set out to write claims that are ours."""
    check_expression(new.expression, new.name)
    if taken := sorted(literal_claims(new.expression) & (PROTECTED - _TOLERATED)):
        names = ", ".join(taken)
        raise invalid({"expression": [f"These claims are the server's own and cannot be set by a mapping: {names}."]})
    return new


SCOPE_MAPPING: Kind[ScopeMapping] = Kind(
    model="authentik_providers_oauth2.scopemapping",
    struct=ScopeMapping,
    path="propertymappings/provider/scope",
    title=("Scope Mapping", "Scope Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-scope-form",
    rules=rules,
    search=("name", "scope_name", "description"),
    filters=(
        "name",
        "scope_name",
        Filter("managed", str, many=True, test=lambda one, values: one.managed in values),
        Filter("managed__isnull", bool, test=lambda one, value: (one.managed is None) is value),
    ),
)
