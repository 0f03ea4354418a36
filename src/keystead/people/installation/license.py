"""License: kept for clients that install one. Keystead needs none: everything is open, whatever is written here."""

import enum
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, cast

import msgspec

from keystead.base.clock import EPOCH, micros
from keystead.base.errors import invalid
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.store import Statement
from keystead.wire import jws

NO_LIMIT: Final = 2147483647
"""What stands where others count seats."""
_LONGEST: Final = 64 * 1024
ALWAYS: Final = datetime(9999, 12, 31, tzinfo=UTC)


class LicenseStatusEnum(enum.StrEnum):
    """How things stand with licences."""

    UNLICENSED = "unlicensed"
    VALID = "valid"
    EXPIRED = "expired"
    EXPIRY_SOON = "expiry_soon"
    LIMIT_EXCEEDED_ADMIN = "limit_exceeded_admin"
    LIMIT_EXCEEDED_USER = "limit_exceeded_user"
    READ_ONLY = "read_only"


class LicenseFlagsEnum(enum.StrEnum):
    """What a licence is good for."""

    TRIAL = "trial"
    NON_PRODUCTION = "non_production"


class License(msgspec.Struct, frozen=True, kw_only=True):
    """A licence that somebody has.

    :param name: to whom it says it was given; nothing of it is verified, because nothing depends on it.
    """

    license_uuid: Annotated[Uuid, READ_ONLY]
    name: Annotated[str, READ_ONLY] = ""
    key: Annotated[Text, UNIQUE]
    expiry: Annotated[datetime, READ_ONLY] = EPOCH
    internal_users: Annotated[int, READ_ONLY] = 0
    external_users: Annotated[int, READ_ONLY] = 0


class LicenseSummary(msgspec.Struct):
    """What licences allow: everything, to everybody, for ever."""

    internal_users: int
    external_users: int
    status: Annotated[LicenseStatusEnum, msgspec.Meta(title="LicenseSummaryStatusEnum")]
    latest_valid: datetime
    license_flags: list[LicenseFlagsEnum]


class LicenseForecast(msgspec.Struct):
    """How many people there are, and will be in a month if as many come as in the last one."""

    internal_users: int
    external_users: int
    forecasted_internal_users: int
    forecasted_external_users: int


class InstallID(msgspec.Struct):
    """What names this installation."""

    install_id: str


class _Told(msgspec.Struct):
    """What a licence says of itself, as far as we show it."""

    name: str = ""
    exp: int = 0
    internal_users: int = 0
    external_users: int = 0


async def rules(_call: Call, _state: State, old: License | None, new: License) -> License:
    """What the key says of itself."""
    if old is not None and old.key == new.key:
        return new
    try:
        told = msgspec.json.decode(jws.parse(new.key, max_bytes=_LONGEST).payload, type=_Told)
        expiry = datetime.fromtimestamp(told.exp, UTC)
    except (ValueError, OverflowError, OSError):  # msgspec's complaints are among the first
        raise invalid({"key": ["This is no licence: one is a signed token (JWT)."]}) from None
    return msgspec.structs.replace(
        new, name=told.name, expiry=expiry, internal_users=told.internal_users, external_users=told.external_users
    )


_PEOPLE: Final = Statement(
    "license.people",
    "SELECT count(*) FILTER (WHERE type = 'internal'), count(*) FILTER (WHERE type = 'external'),"
    " count(*) FILTER (WHERE type = 'internal' AND date_joined > $1),"
    " count(*) FILTER (WHERE type = 'external' AND date_joined > $1) FROM users WHERE is_active",
)
_MONTH: Final = timedelta(days=30)


async def summary(_call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """What licences allow: everything, because none is needed."""
    return Answer(LicenseSummary(NO_LIMIT, NO_LIMIT, LicenseStatusEnum.VALID, ALWAYS, []))


async def forecast(call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """How many people there are, and will be in a month if as many come as in the last one."""
    (row,) = await state.store.fetch(_PEOPLE, micros(call.at - _MONTH), heavy=True)
    internal, external, new_internal, new_external = (cast("int", number) for number in row)
    return Answer(LicenseForecast(internal, external, internal + new_internal, external + new_external))


async def install_id(_call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """What names this installation."""
    return Answer(InstallID(state.install_id))


LICENSE: Kind[License] = Kind(
    model="authentik_enterprise.license",
    struct=License,
    path="enterprise/license",
    title=("License", "Licenses"),
    key="license_uuid",
    key_name="license_uuid",
    rules=rules,
    search=("name",),
    filters=("name",),
    stored_only="Nothing depends on licences: everything is open without one.",
)
ACTIONS = (
    Action(
        LICENSE,
        "GET",
        "summary/",
        summary,
        "summary_retrieve",
        permission="",
        response=LicenseSummary,
        query=(Filter("cached", bool, note="Changes nothing: there is nothing to look up."),),
    ),
    Action(LICENSE, "GET", "forecast/", forecast, "forecast_retrieve", permission="", response=LicenseForecast),
    Action(LICENSE, "GET", "install_id/", install_id, "install_id_retrieve", permission="", response=InstallID),
)
