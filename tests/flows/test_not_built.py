"""Stages that are kept only: nobody gets past one, whatever its settings would let pass (exception or doubt: deny)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.secret import Secret
from keystead.flows.mode import StageModeEnum
from keystead.flows.register import STAGES
from keystead.flows.stage import Stage
from keystead.flows.stages.authenticator_sms import ProviderEnum
from keystead.flows.stages.authenticator_totp import DigitsEnum
from keystead.flows.stages.mtls import CertAttributeEnum, UserAttributeEnum
from tests.flows.parts import DENIED, SECRET, enter, secret, who
from tests.flows.support import Studio

KEPT = [stage for stage in STAGES if stage.kind.stored_only]
MEMBERS: Mapping[str, dict[str, Any]] = {
    "authenticatorendpointgdtcstage": {"credentials": {}},
    "authenticatorsmsstage": {
        "provider": ProviderEnum.TWILIO,
        "from_number": "1",
        "account_sid": "a",
        "auth": Secret("b"),
    },
    "authenticatortotpstage": {"digits": DigitsEnum.SIX},
    "captchastage": {"public_key": "a", "private_key": Secret("b")},
    "endpointstage": {"connector": rand.uuid4(), "mode": StageModeEnum.OPTIONAL},
    "mutualtlsstage": {
        "mode": StageModeEnum.OPTIONAL,
        "cert_attribute": CertAttributeEnum.EMAIL,
        "user_attribute": UserAttributeEnum.EMAIL,
    },
    "sourcestage": {"source": rand.uuid4()},
}


def made(stage: Stage[Any]) -> msgspec.Struct:
    found: msgspec.Struct = stage.kind.struct(pk=rand.uuid4(), name=rand.hex128(), **MEMBERS.get(stage.kind.name, {}))
    return found


def test_there_are_some() -> None:
    assert {"authenticatortotpstage", "captchastage", "mutualtlsstage"} <= {stage.kind.name for stage in KEPT}


@pytest.mark.parametrize("stage", KEPT, ids=lambda stage: stage.kind.name)
async def test_nobody_gets_past_what_is_not_built(studio: Studio, stage: Stage[Any]) -> None:
    await studio.person()
    flow = await studio.flow(who(), secret(), made(stage), enter())
    browser = studio.browser(flow)
    await browser.post(uid_field="anna")
    denied = await browser.post(password=SECRET)
    assert denied["component"] == DENIED
    assert stage.kind.title[0] in denied["error_message"]
    assert await studio.sessions() == set()
    assert await studio.runs() == []
    for body in ({}, {"code": "123456"}, {"component": "ak-stage-authenticator-validate"}, {"token": "x"}):
        assert (await browser.post(**body))["component"] != "xak-flow-redirect"
    assert await studio.sessions() == set()


@pytest.mark.parametrize("stage", KEPT, ids=lambda stage: stage.kind.name)
async def test_it_is_no_way_out_as_the_only_stage_either(studio: Studio, stage: Stage[Any]) -> None:
    browser = studio.browser(await studio.flow(made(stage)))
    assert (await browser.get())["component"] == DENIED
    assert (await browser.post())["component"] == DENIED
