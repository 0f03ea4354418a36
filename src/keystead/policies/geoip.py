"""GeoIPPolicy: from where people may come; and the countries it can name.

There is no database of places yet, so nobody's place is known: whatever asks such a policy hears no.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NoReturn

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.countries import CountryCodeEnum
from keystead.policies.judge import Asked, PolicyKind, Request
from keystead.policies.shown import bound_to

Count = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]


class GeoIPPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Lets through who comes from listed countries or networks, and not from too far away since the last time.

    :param execution_logging: write an event at every run, not only when it fails.
    :param asns: numbers of networks (autonomous systems) that may come.
    :param countries: countries that may come.
    :param check_history_distance: whether the distance from earlier places counts.
    :param history_max_distance_km: how far from earlier places somebody may be.
    :param distance_tolerance_km: how inexact places are taken to be.
    :param history_login_count: how many earlier logins are looked at.
    :param check_impossible_travel: whether nobody may be faster than an aeroplane.
    :param impossible_tolerance_km: how inexact places are taken to be for that.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    asns: tuple[Int32, ...] = ()
    countries: Annotated[tuple[CountryCodeEnum, ...], msgspec.Meta(max_length=len(CountryCodeEnum))]
    check_history_distance: bool = False
    history_max_distance_km: Annotated[int, msgspec.Meta(ge=0, le=9223372036854775807)] = 100
    distance_tolerance_km: Count = 50
    history_login_count: Count = 5
    check_impossible_travel: bool = False
    impossible_tolerance_km: Count = 100


class DetailedCountry(msgspec.Struct):
    """A country with its name."""

    code: CountryCodeEnum
    name: str


class GeoIPPolicyCountriesObjInner(msgspec.Struct):
    """A country that a policy names."""

    code: Annotated[str, msgspec.Meta(min_length=2, max_length=2)]
    name: str


class GeoIPPolicyShown(msgspec.Struct):
    """The computed members: how many things the policy is bound to, and its countries with their names."""

    bound_to: int
    countries_obj: list[GeoIPPolicyCountriesObjInner]


COUNTRIES: Final = tuple(DetailedCountry(one, one.label) for one in CountryCodeEnum)
"""Every country there is to choose from."""


@steady
async def shown(
    call: Call, _state: State, policies: Sequence[GeoIPPolicy], _query: Mapping[str, Sequence[str]]
) -> list[GeoIPPolicyShown]:
    """Count the bindings and name the countries."""
    return [
        GeoIPPolicyShown(
            bound_to(call, one.pk),
            [GeoIPPolicyCountriesObjInner(country.value, country.label) for country in one.countries],
        )
        for one in policies
    ]


def evaluate(_policy: GeoIPPolicy, _request: Request) -> NoReturn:
    """Nobody's place is known.

    :raises LookupError: always; to the engine that is a policy that failed to answer.
    """
    raise LookupError("there is no database of places yet, so nobody's place is known")


GEOIP_POLICY = Kind(
    model="authentik_policies_geoip.geoippolicy",
    struct=GeoIPPolicy,
    path="policies/geoip",
    title=("GeoIP Policy", "GeoIP Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-geoip-form",
    shown=GeoIPPolicyShown,
    view=shown,
    filters=("name",),
    stored_only="Without a database of places nobody's place is known: whoever is asked about is turned away.",
)
POLICY: PolicyKind = Asked(GEOIP_POLICY, evaluate)
