from datetime import UTC, datetime

import pytest

from keystead.trust import keys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def rsa_key() -> keys.PrivateKey:
    return keys.generate(keys.NewKey.RSA)


@pytest.fixture(scope="session")
def ec_key() -> keys.PrivateKey:
    return keys.generate(keys.NewKey.ECDSA)


@pytest.fixture(scope="session", params=list(keys.NewKey), ids=str)
def any_key(request: pytest.FixtureRequest) -> keys.PrivateKey:
    return keys.generate(request.param)
