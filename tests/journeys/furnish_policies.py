"""A policy of every type, and what tells people, reviews and asks for access, as an administrator makes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.journeys.server import Api

NAME: Final = "everything"


async def policies(api: Api, application: str) -> None:
    """One of each."""
    await api.make("policies/dummy/", name=f"{NAME} dummy", wait_min=0, wait_max=0)
    await api.make("policies/event_matcher/", name=f"{NAME} matcher", action="login", app="authentik.core")
    await api.make("policies/geoip/", name=f"{NAME} geoip", countries=["DE"], asns=[64496])
    await api.make("policies/password/", name=f"{NAME} password", length_min=12)
    await api.make("policies/password_expiry/", name=f"{NAME} expiry", days=90)
    await api.make("policies/reputation/", name=f"{NAME} reputation")
    await api.make("policies/unique_password/", name=f"{NAME} unique", num_historical_passwords=12)
    mapping = await api.make("propertymappings/notification/", name=f"{NAME} webhook", expression="return {}")
    hook = {"mode": "webhook", "webhook_url": "https://hooks.example.org/1", "webhook_mapping_body": mapping["pk"]}
    await api.make("events/transports/", name=f"{NAME} webhook", **hook)
    local = await api.make("events/transports/", name=f"{NAME} local", send_once=True)
    await api.ask("POST", f"events/transports/{local['pk']}/test/", {})
    me = (await api.get("core/users/me/"))["user"]
    found = (await api.get(f"core/users/?username={me['username']}"))["results"][0]
    transports = [local["pk"]]
    subject = {"content_type": "authentik_core.application", "object_id": application}
    await api.make(
        "lifecycle/rules/", name=NAME, reviewers=[found["uuid"]], notification_transports=transports, **subject
    )
    leaving = await api.make("core/users/", username=f"{NAME}-leaving", name="Leaving")
    soon = (datetime.now(UTC) + timedelta(days=30)).isoformat()  # noqa: TID251 - a real server has a real clock
    await api.make("lifecycle/user_offboarding/", user=leaving["pk"], scheduled_at=soon)
    rule = await api.make("requests/rules/", name=NAME, notification_transports=transports)
    other = (await api.make("core/applications/", name=f"{NAME} asked", slug=f"{NAME}-asked"))["pk"]
    binding = await api.make("requests/rule-bindings/", rule=rule["uuid"], target=application)
    await api.make("requests/rule-child-bindings/", binding=binding["uuid"], target=other)
