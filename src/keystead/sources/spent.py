"""Proofs from elsewhere that count once: what somebody has caught on its way is of no use to them."""

from datetime import datetime
from typing import Final

from keystead.base.clock import micros
from keystead.base.secret import fingerprint
from keystead.kinds.state import State
from keystead.store import Statement, Write

_FIND: Final = Statement("spent.find", "SELECT 1 FROM spent_proofs WHERE digest = $1")
_SPEND: Final = Statement(
    "spent.add", "INSERT INTO spent_proofs (digest, expires) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING"
)


async def is_spent(state: State, proof: str) -> bool:
    """Whether ``proof`` has counted before."""
    return await state.store.fetch_one(_FIND, fingerprint(proof)) is not None


def spend(proof: str, until: datetime) -> Write:
    """The write after which ``proof`` counts no more; its guard ``row`` fails for whoever comes second.

    :param until: when the proof is too old in any case.
    """
    return Write(_SPEND, (fingerprint(proof), micros(until)), expect=1, guard="row")
