"""Keys that providers sign with."""

from keystead.base.errors import invalid
from keystead.kinds.snapshot import Snapshot
from keystead.trust.keypair import KEYPAIR


def check_signing_key(settings: Snapshot, member: str, pk: str | None) -> None:
    """Refuse a certificate without its private key.

    :raises Problem: ``INVALID`` on ``member``.
    """
    pair = settings.get(KEYPAIR, pk) if pk else None
    if pair is not None and not pair.key_data.reveal():
        raise invalid({member: ["Choose a certificate whose private key is stored here."]})
