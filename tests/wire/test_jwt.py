from datetime import UTC, datetime, timedelta

import pytest

from keystead.wire.jws import JoseError
from keystead.wire.jwt import check_times

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("claims", "leeway", "reason"),
    [
        ({"exp": AT + 1}, 0, ""),
        ({"exp": AT}, 0, "expired"),
        ({"exp": AT - 1}, 0, "expired"),
        ({"exp": AT - 8}, 9, ""),
        ({"exp": AT - 9}, 9, "expired"),
        ({"exp": AT + 0.5}, 0, ""),
        ({"exp": AT - 0.5}, 0, "expired"),
        ({"exp": 10**4000}, 0, ""),
        ({"exp": -(10**4000)}, 0, "expired"),
        ({"exp": AT + 9, "nbf": AT}, 0, ""),
        ({"exp": AT + 9, "nbf": AT + 1}, 0, "not valid yet"),
        ({"exp": AT + 9, "nbf": AT + 1}, 1, ""),
        ({"exp": AT + 9, "iat": AT}, 0, ""),
        ({"exp": AT + 9, "iat": AT + 1}, 0, "in the future"),
        ({"exp": AT + 9, "iat": AT + 1}, 1, ""),
        ({}, 0, "no exp"),
        ({"exp": None}, 0, "exp is not a number"),
        ({"exp": str(AT + 9)}, 0, "exp is not a number"),
        ({"exp": True}, 0, "exp is not a number"),
        ({"exp": float("nan")}, 0, "exp is not a number"),
        ({"exp": float("inf")}, 0, "exp is not a number"),
        ({"exp": [AT + 9]}, 0, "exp is not a number"),
        ({"exp": AT + 9, "nbf": "0"}, 0, "nbf is not a number"),
        ({"exp": AT + 9, "iat": {}}, 0, "iat is not a number"),
    ],
)
def test_times(claims: dict[str, object], leeway: int, reason: str) -> None:
    def check() -> None:
        check_times(claims, NOW, leeway=leeway)

    if reason:
        with pytest.raises(JoseError, match=reason):
            check()
    else:
        check()


@pytest.mark.parametrize("require", [("iat",), ("exp", "iat"), ("nbf", "exp")])
def test_required_times(require: tuple[str, ...]) -> None:
    with pytest.raises(JoseError, match="has no"):
        check_times({"exp": AT + 9}, NOW, require=require)
    check_times({"exp": AT + 9, "iat": AT, "nbf": AT}, NOW, require=require)
    check_times({}, NOW, require=())


def test_an_instant_has_a_fraction() -> None:
    check_times({"exp": AT + 1}, NOW + timedelta(microseconds=999_999))
    with pytest.raises(JoseError, match="expired"):
        check_times({"exp": AT}, NOW + timedelta(microseconds=1))
