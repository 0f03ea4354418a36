"""ReputationPolicy and the scores it looks at: failed logins lower those of name and address, good ones raise them."""

from datetime import datetime, timedelta
from typing import Annotated, Final, cast

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.kinds import ledger
from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, UNIQUE, Column, Int32, Json, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.judge import Asked, Looks, PolicyKind, PolicyResult, Request
from keystead.policies.shown import PolicyShown, common, view
from keystead.store import Statement, Write

_MODEL: Final = "authentik_policies_reputation.reputationpolicy"
LOWEST: Final = -5
HIGHEST: Final = 5
"""No score goes beyond these, so that no attack takes long to forget."""
LIFE: Final = timedelta(days=1)
"""How long a score is kept after its last change."""
LONGEST: Final = 255
"""Characters of a name that are kept; nobody has a longer one."""
_KEEP: Final = (
    (
        "INSERT INTO reputation_scores (id, identifier, ip, ip_geo_data, ip_asn_data, score, updated, expires)"
        " VALUES ($1, $2, $3, '{}', '{}', $4, $5, $6) ON CONFLICT (identifier, ip) DO UPDATE SET"
        " score = CASE WHEN reputation_scores.expires <= excluded.updated THEN excluded.score"
        " ELSE @most(@lowest, @least(@highest, reputation_scores.score + excluded.score)) END,"
        " updated = excluded.updated, expires = excluded.expires"
    )
    .replace("@lowest", str(LOWEST))
    .replace("@highest", str(HIGHEST))
)
_SCORE: Final = Statement(
    "reputation.score",
    _KEEP.replace("@most", "greatest").replace("@least", "least"),
    sqlite=_KEEP.replace("@most", "max").replace("@least", "min"),
)
_SUM: Final = Statement(
    "reputation.sum",
    "SELECT coalesce(sum(score), 0)::bigint FROM reputation_scores WHERE expires > $1 AND (ip = $2 OR identifier = $3)",
)


class ReputationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Lets through whoever has a bad name: bind it to what only they shall meet, such as a captcha.

    :param execution_logging: write an event at every run, not only when it fails.
    :param check_ip: the scores of the address count.
    :param check_username: the scores of the username count.
    :param threshold: a sum of scores up to this is a bad name.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    check_ip: bool = True
    check_username: bool = True
    threshold: Int32 = LOWEST


class Reputation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one name tried from one address.

    :param identifier: the name as it was typed.
    :param score: how many logins went well, less how many failed; from -5 to 5.
    """

    pk: Annotated[Uuid, Column("id")]
    identifier: str
    ip: str
    ip_geo_data: Json = {}
    ip_asn_data: Json = {}
    score: Annotated[int, msgspec.Meta(ge=-9223372036854775808, le=9223372036854775807)] = 0
    updated: Annotated[datetime, READ_ONLY]
    expires: Annotated[datetime, HIDDEN]


def scored(call: Call, identifier: str, by: int) -> Write:
    """The write that changes the score of a name and of the address it was tried from."""
    at, until = micros(call.at), micros(call.at + LIFE)
    name = str(ledger.cleaned(identifier))[:LONGEST]
    return Write(_SCORE, (rand.uuid4(), name, call.peer, by, at, until))


async def evaluate(state: State, policy: ReputationPolicy, request: Request) -> PolicyResult:
    """Whether the scores of address and name sum up to a bad name."""
    if request.person is not None:
        name = request.person.user.username
    else:
        name = str(request.context.get("pending_user_identifier") or "")
    # What does not count is looked for under a value that no row has.
    ip = request.call.peer if policy.check_ip and request.call.peer else None
    identifier = name[:LONGEST] if policy.check_username and name else None
    row = await state.store.fetch_one(_SUM, micros(request.call.at), ip, identifier)
    total = int(cast("int", row[0])) if row else 0
    return PolicyResult(passing=total <= policy.threshold, log=(f"The scores sum up to {total}.",))


REPUTATION_POLICY = Kind(
    model=_MODEL,
    struct=ReputationPolicy,
    path="policies/reputation",
    title=("Reputation Policy", "Reputation Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-reputation-form",
    shown=PolicyShown,
    view=view,
    filters=("check_ip", "check_username", "threshold", *common(_MODEL)),
)
POLICY: PolicyKind = Asked(REPUTATION_POLICY, Looks(evaluate))
SCORE: Kind[Reputation] = Kind(
    model="authentik_policies_reputation.reputation",
    struct=Reputation,
    path="policies/reputation/scores",
    title=("Reputation Score", "Reputation Scores"),
    key_name="reputation_uuid",
    table=Table("reputation_scores", narrow="t.expires > {}"),
    verbs=READ | {Verb.DESTROY},
    search=("identifier", "ip"),
    order=("-updated",),
    filters=(
        "identifier",
        Filter("identifier_in", str, many=True, sql="t.identifier = ANY({}::text[])", note="One of these names."),
        "ip",
        "score",
    ),
)
