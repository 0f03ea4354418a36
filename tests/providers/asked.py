"""What the suites of providers ask the API for: new objects, and what is listed."""

from typing import Any

from keystead.base import rand
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.providers.application import Application
from keystead.trust import keypair, keys
from tests.client import Answered, Client
from tests.house import BEGIN, House

API = "/api/v3"


async def flow(house: House, slug: str) -> Flow:
    """A new flow."""
    made = Flow(
        pk=rand.uuid4(),
        name=slug,
        slug=slug,
        title=slug,
        designation=FlowDesignationEnum.AUTHORIZATION,
        authentication=AuthenticationEnum.NONE,
    )
    await house.put(made)
    return made


async def post(house: House, path: str, **body: object) -> Answered:
    """A request to make something; flows are made and named where a provider wants them."""
    if path.startswith("providers/") and "authorization_flow" not in body:
        body["authorization_flow"] = (await flow(house, f"go-{rand.hex128()}")).pk
        body["invalidation_flow"] = (await flow(house, f"leave-{rand.hex128()}")).pk
    return await house.admin.post(f"{API}/{path}/", {"name": f"n-{rand.hex128()}", **body})


async def made(house: House, path: str, **body: object) -> Any:  # noqa: ANN401 - JSON
    """Something new, as the API shows it."""
    answered = await post(house, path, **body)
    assert answered.status == 201, answered.text
    return answered.json


async def shown(house: House, path: str, key: object) -> Any:  # noqa: ANN401 - JSON
    """Something as administrators see it."""
    answered = await house.admin.get(f"{API}/{path}/{key}/")
    assert answered.status == 200, answered.text
    return answered.json


async def listed(client: Client, path: str, **query: str) -> list[Any]:
    """The results of a list."""
    answered = await client.get(f"{API}/{path}/", query=query)
    assert answered.status == 200, answered.text
    found: list[Any] = answered.json["results"]
    return found


async def application(house: House, slug: str, provider: int | None = None, *behind: int) -> Application:
    """A new application."""
    one = Application(pk=rand.uuid4(), name=slug.title(), slug=slug, provider=provider, backchannel_providers=behind)
    await house.put(one)
    return one


async def pair(house: House, *, key: bool = True) -> str:
    """The key of a new certificate, with or without its private key."""
    one = keypair.make(f"c-{rand.hex128()}", "c", 30, BEGIN, keys.NewKey.ECDSA)
    body = {
        "name": one.name,
        "certificate_data": one.certificate_data,
        "key_data": one.key_data.reveal() if key else "",
    }
    answered = await house.admin.post(f"{API}/crypto/certificatekeypairs/", body)
    assert answered.status == 201, answered.text
    return str(answered.json["pk"])


def refused(answered: Answered, *members: str) -> bool:
    """Whether the answer is a complaint about these members and no other one."""
    return answered.status == 400 and set(answered.json) - {"code"} == set(members)
