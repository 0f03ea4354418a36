"""A stage of every type, an invitation, and a device of every sort, as an administrator's script makes them."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

Make = Callable[..., Awaitable[Any]]
"""``(path, **members) -> the new object as JSON``; ``path`` is below ``/api/v3/`` and ends in a slash."""
STAGES: Final[dict[str, dict[str, object]]] = {
    "dummy": {},
    "redirect": {"mode": "static", "target_static": "/"},
    "invitation/stages": {},
    "user_delete": {},
    "email": {},
    "captcha": {"public_key": "a", "private_key": "b"},
    "mtls": {"mode": "optional", "cert_attribute": "email", "user_attribute": "email"},
    "account_lockdown": {},
    "authenticator/validate": {},
    "authenticator/totp": {"digits": "6"},
    "authenticator/static": {},
    "authenticator/webauthn": {},
    "authenticator/email": {},
    "authenticator/sms": {"provider": "twilio", "from_number": "1", "account_sid": "a", "auth": "b"},
    "authenticator/duo": {"client_id": "a", "client_secret": "b", "api_hostname": "c"},
    "authenticator/endpoint_gdtc": {"credentials": {"private_key": "x"}},
}
"""Those that can stand alone; source and endpoint stages need what other rooms make."""
DEVICES: Final = ("duo", "email", "endpoint", "sms", "static", "totp", "webauthn")


async def furnish_stages(make: Make, flow: str) -> None:
    """One of each; the stages are bound to ``flow``, into which the invitation leads."""
    for number, (name, members) in enumerate(STAGES.items(), 100):
        stage = await make(f"stages/{name}/", name=f"every {name}", **members)
        await make("flows/bindings/", target=flow, stage=stage["pk"], order=number)
    await make("stages/invitation/invitations/", name="every", flow=flow)
    for name in DEVICES:
        await make(f"authenticators/admin/{name}/", name=f"every {name}")
