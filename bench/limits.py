"""The bare limits of this machine: what the cryptography itself costs, on one core, in this run."""

import statistics
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SECONDS = 1.5


def rate(work: Callable[[], object], seconds: float = SECONDS) -> float:
    """How often a second ``work`` can be done: the median of three runs."""
    rates = []
    for _ in range(3):
        count = 0
        began = time.perf_counter()
        while time.perf_counter() - began < seconds / 3:
            work()
            count += 1
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates)


def rs256() -> float:
    """RSA-2048 signatures with SHA-256 a second."""
    key = rsa.generate_private_key(65537, 2048)
    return rate(lambda: key.sign(b"x" * 600, padding.PKCS1v15(), hashes.SHA256()))


def es256() -> float:
    """P-256 signatures a second."""
    key = ec.generate_private_key(ec.SECP256R1())
    return rate(lambda: key.sign(b"x" * 600, ec.ECDSA(hashes.SHA256())))


def argon2() -> float:
    """Password hashes a second, with the parameters the server uses."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    stored = hasher.hash("correct horse")
    return rate(lambda: hasher.verify(stored, "correct horse"), 3.0)
