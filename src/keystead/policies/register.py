"""The rooms of this floor in lists; a new policy is one line here."""

from typing import Any, Final

from keystead.kinds.kind import Kind
from keystead.policies import (
    binding,
    dummy,
    event_matcher,
    expiry,
    expression,
    geoip,
    password,
    reputation,
    unique_password,
)
from keystead.policies.judge import PolicyKind

POLICIES: Final[tuple[PolicyKind, ...]] = (
    expression.POLICY,
    dummy.POLICY,
    event_matcher.POLICY,
    expiry.POLICY,
    geoip.POLICY,
    password.POLICY,
    reputation.POLICY,
    unique_password.POLICY,
)
KINDS: Final[tuple[Kind[Any], ...]] = (
    binding.POLICY_BINDING,
    *(one.kind for one in POLICIES),
    reputation.SCORE,
)
