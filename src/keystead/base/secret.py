"""Secrets as types that cannot be printed, and their sealing at rest."""

import base64
import hashlib
import hmac
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keystead.base import rand

_MASK: Final = "**********"
_PREFIX: Final = "ks1:"


class Secret:
    """A text that no log, error, event or renderer can show: only :meth:`reveal` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Call it only where it is used, never where it is shown."""
        return self._value

    def matches(self, given: str) -> bool:
        """Whether ``given`` is the secret, in time that does not depend on how much of it is right.

        An empty secret matches nothing: a blank client secret is not a way in.
        """
        if not self._value:
            return False
        return hmac.compare_digest(digest(self._value), digest(given))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(digest(self._value), digest(other._value))

    def __hash__(self) -> int:
        return hash(digest(self._value))

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    __str__ = __repr__

    def __format__(self, _spec: str, /) -> str:
        return _MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied into other forms; reveal() it where it is used")


def digest(value: str) -> bytes:
    """SHA-256 of a high-entropy text: how tokens and codes are kept and looked up."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def fingerprint(value: str) -> str:
    """:func:`digest` as hexadecimal text, the form of a look-up column."""
    return digest(value).hex()


class Vault:
    """Seals secrets with a key derived from the installation's secret key (AES-256-GCM, random nonce).

    :param secret_key: ``AUTHENTIK_SECRET_KEY``; losing it means losing every sealed secret.
    """

    def __init__(self, secret_key: Secret) -> None:
        self._aead = AESGCM(self._derive(secret_key, "seal"))
        self._signing = self._derive(secret_key, "sign")

    @staticmethod
    def _derive(secret_key: Secret, purpose: str) -> bytes:
        return hmac.digest(secret_key.reveal().encode(), b"keystead/" + purpose.encode(), "sha256")

    def seal(self, plain: str, context: str = "") -> str:
        """``plain`` encrypted and authenticated together with ``context`` (which must be given again to open it)."""
        nonce = bytes.fromhex(rand.hex128())[:12]
        box = self._aead.encrypt(nonce, plain.encode(), context.encode())
        return _PREFIX + base64.urlsafe_b64encode(nonce + box).decode()

    def open(self, sealed: str, context: str = "") -> str:
        """The reverse of :meth:`seal`; of all spellings of a sealed text only that one opens.

        :raises ValueError: the text is not one we sealed, was altered, or belongs to another context or key.
        """
        if not sealed.startswith(_PREFIX):
            raise ValueError("not a sealed text")
        try:
            raw = base64.urlsafe_b64decode(sealed[len(_PREFIX) :])
            if _PREFIX + base64.urlsafe_b64encode(raw).decode() != sealed:
                raise ValueError("it is spelled otherwise than sealed texts are")  # noqa: TRY301 - told as one failure
            return self._aead.decrypt(raw[:12], raw[12:], context.encode()).decode()
        except (InvalidTag, ValueError) as exc:
            raise ValueError("a sealed text does not open: altered, or sealed under another secret key") from exc

    def sign(self, purpose: str, message: str) -> str:
        """An HMAC-SHA256 of ``message`` under a key of its own for ``purpose``, base64url without padding."""
        key = hmac.digest(self._signing, purpose.encode(), "sha256")
        mac = hmac.digest(key, message.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def signing_key(self, purpose: str) -> bytes:
        """The 32-byte HMAC key for ``purpose`` (session cookies, form tokens)."""
        return hmac.digest(self._signing, purpose.encode(), "sha256")
