"""An account locked from the API to the end of the flow: everything that acts for it ends, in the whole house."""

from urllib.parse import quote, urlsplit

from keystead.base import rand
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.stages.account_lockdown import AccountLockdownStage
from keystead.store import Statement, Unit, Write
from tests.doors.http.signed_in import sign_in
from tests.house import House

URL = "/api/v3/core/users/account_lockdown/"
HELD = Statement("test.held", "SELECT count(*) FROM oauth_grants")
GRANT = Statement(
    "test.grant",
    "INSERT INTO oauth_grants (id, provider, user_id, scope, auth, created, expires)"
    " VALUES ($1, 1, $2, '', '{}', 1, 1)",
)


async def test_everything_that_acts_for_an_account_ends(house: House) -> None:
    refused = await house.admin.post(URL, {"user": house.plain.pk})
    assert refused.status == 400
    assert "flow_lockdown" in refused.json["non_field_errors"][0]
    flow = Flow(
        pk=rand.uuid4(), name="Panic", slug="panic", title="Panic", designation=FlowDesignationEnum.STAGE_CONFIGURATION
    )
    stage = AccountLockdownStage(pk=rand.uuid4(), name="lock")
    await house.put(flow, stage, FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=stage.pk, order=0))
    set_up = await house.admin.patch(f"/api/v3/core/brands/{house.brand.brand_uuid}/", {"flow_lockdown": flow.pk})
    assert set_up.status == 200, set_up.text
    await house.state.store.commit(Unit((Write(GRANT, (rand.uuid4(), house.plain.pk)),)))
    assert (await house.nobody.post(URL, {"user": house.plain.pk})).status == 403
    assert (await house.user.post(URL, {"user": house.superuser.pk})).status == 404
    assert (await house.user.post(URL, {"user": 4711})).status == 404
    assert (await house.admin.post(URL, {"user": 4711})).status == 400
    link = (await house.admin.post(URL, {"user": house.plain.pk})).json["link"]
    parts = urlsplit(link)
    assert parts.path == "/if/flow/panic/"
    assert (await house.user.get("/api/v3/core/users/me/")).status == 200
    browser, _ = await sign_in(house, house.superuser)
    reached = await browser.get(f"/api/v3/flows/executor/panic/?query={quote(parts.query, safe='')}")
    assert reached.json["component"] == "xak-flow-redirect", reached.text
    assert (await house.user.get("/api/v3/core/users/me/")).status == 403
    assert await house.state.store.fetch_one(HELD) == (0,)
    shown = (await house.admin.get(f"/api/v3/core/users/{house.plain.pk}/")).json
    assert shown["is_active"] is False
