"""The times in a JSON Web Token (RFC 7519 §4.1.4 to §4.1.6)."""

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from keystead.base.clock import EPOCH
from keystead.wire.jws import JoseError

_SECOND: Final = timedelta(seconds=1)


def check_times(
    claims: Mapping[str, object], now: datetime, *, leeway: int = 0, require: Collection[str] = ("exp",)
) -> None:
    """Refuse a token that has expired, is not valid yet, or says it was issued in the future.

    :param claims: the token's claims, already verified.
    :param now: the present instant, with time zone.
    :param leeway: seconds by which the issuer's clock may differ from ours.
    :param require: which of ``exp``, ``nbf`` and ``iat`` must be there.
    :raises JoseError: with the reason.
    """
    for name in require:
        if name not in claims:
            raise JoseError(f"The token has no {name}.")
    moment = (now - EPOCH) / _SECOND
    if "exp" in claims and moment >= _numeric_date(claims, "exp") + leeway:
        raise JoseError("The token has expired.")
    if "nbf" in claims and moment < _numeric_date(claims, "nbf") - leeway:
        raise JoseError("The token is not valid yet.")
    if "iat" in claims and moment < _numeric_date(claims, "iat") - leeway:
        raise JoseError("The token says it was issued in the future.")


def _numeric_date(claims: Mapping[str, object], name: str) -> int | float:
    value = claims[name]
    # To Python a bool is an int. The comparison also denies NaN, and takes an int too long for a float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
        raise JoseError(f"The token's {name} is not a number of seconds.")
    return value
