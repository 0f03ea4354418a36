"""Shared signals: a provider comes with the account and token that receivers bring, and takes them along."""

from keystead.base import rand
from keystead.providers.ssf.provider import account
from keystead.providers.ssf.stream import DeliveryMethodEnum, EventsRequestedEnum, SSFStream
from tests.house import House
from tests.providers import asked

PATH = "providers/ssf"


async def test_the_account_and_token_come_and_go_with_the_provider(house: House) -> None:
    made = await asked.made(house, PATH, name="signals", signing_key=await asked.pair(house))
    token = made["token_obj"]
    name = account(made["pk"])
    assert (token["identifier"], token["intent"], token["expiring"]) == (name, "api", False)
    assert (token["user_obj"]["username"], token["user_obj"]["type"]) == (name, "internal_service_account")
    assert token["user_obj"]["is_superuser"] is False
    assert made["ssf_url"] is None
    url = f"{asked.API}/{PATH}/{made['pk']}/"
    assert (await house.admin.patch(url, {"name": "other"})).json["token_obj"]["pk"] == token["pk"]

    assert (await house.admin.delete(f"{asked.API}/core/tokens/{name}/")).status == 204
    again = (await house.admin.patch(url, {"name": "third"})).json["token_obj"]
    assert (again["identifier"], again["user"]) == (name, token["user"])
    assert again["pk"] != token["pk"]

    assert (await house.admin.delete(url)).status == 204
    assert await asked.listed(house.admin, "core/users", username=name) == []
    assert await asked.listed(house.admin, "core/tokens", identifier=name) == []


async def test_what_signs_has_its_private_key(house: House) -> None:
    answered = await asked.post(house, PATH, signing_key=await asked.pair(house, key=False))
    assert asked.refused(answered, "signing_key")


async def test_other_providers_and_streams_are_told_of(house: House) -> None:
    client = await asked.made(house, "providers/oauth2", name="client", redirect_uris=[])
    made = await asked.made(
        house, PATH, name="signals", signing_key=await asked.pair(house), oidc_auth_providers=[client["pk"]]
    )
    assert [one["name"] for one in made["oidc_auth_providers_obj"]] == ["client"]
    stream = SSFStream(
        pk=rand.uuid4(),
        provider=made["pk"],
        delivery_method=DeliveryMethodEnum.PUSH,
        endpoint_url="https://receiver.example.org/",
        events_requested=(EventsRequestedEnum.SESSION_REVOKED,),
        format="iss_sub",
        aud=("receiver",),
        iss="https://id.example.org",
    )
    await house.put(stream)
    (seen,) = await asked.listed(house.admin, "ssf/streams", delivery_method="urn:ietf:rfc:8935")
    assert (seen["pk"], seen["status"], seen["aud"], seen["provider_obj"]["name"]) == (
        stream.pk,
        "enabled",
        ["receiver"],
        "signals",
    )
    assert (await house.admin.delete(f"{asked.API}/ssf/streams/{stream.pk}/")).status == 204
