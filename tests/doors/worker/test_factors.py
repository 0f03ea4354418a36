"""The default objects around second factors: there for clients that look for them, in nobody's way."""

import pytest

from keystead import app
from keystead.flows.binding import bindings_of
from keystead.flows.flow import FLOW
from keystead.flows.stages.authenticator_validate import AUTHENTICATOR_VALIDATE_STAGE, NotConfiguredActionEnum
from keystead.kinds.state import State
from keystead.people.devices.webauthn_type import WEBAUTHN_DEVICE_TYPE
from tests.doors.worker.test_opening import configured, opened
from tests.engines import Place


@pytest.fixture
async def state(place: Place) -> State:
    """An installation after its first start."""
    found = await opened(configured(place))
    await found.store.close()
    return found


async def test_each_sort_of_device_has_a_flow_of_its_own(state: State) -> None:
    settings = state.settings
    for sort in ("totp", "static", "webauthn"):
        slug = f"default-authenticator-{sort}-setup"
        flow = settings.by(FLOW, "slug", slug)
        assert flow is not None
        assert (flow.designation, flow.authentication) == ("stage_configuration", "require_authenticated")
        (binding,) = bindings_of(settings, flow.pk)
        found = settings.find("stages", binding.stage)
        assert found is not None
        assert (found[1].name, found[1].configure_flow, binding.order) == (slug, flow.pk, 0)


async def test_signing_in_does_not_lead_through_what_is_not_built(state: State) -> None:
    settings = state.settings
    asks = settings.by(AUTHENTICATOR_VALIDATE_STAGE, "name", "default-authentication-mfa-validation")
    assert asks is not None
    assert asks.not_configured_action is NotConfiguredActionEnum.SKIP
    kept = {kind.model for kind in app.KINDS if kind.stored_only}
    for slug in ("default-authentication-flow", "initial-setup", "default-user-settings-flow"):
        flow = settings.by(FLOW, "slug", slug)
        assert flow is not None
        for binding in bindings_of(settings, flow.pk):
            found = settings.find("stages", binding.stage)
            assert found is not None
            assert found[0].model not in kept, f"{slug} leads through {found[1].name}"


async def test_models_of_passkeys_are_found_by_name(state: State) -> None:
    found = {one.description: one.aaguid for one in state.settings.all(WEBAUTHN_DEVICE_TYPE)}
    assert found["1Password"] == "bada5566-a7aa-401f-bd96-45619a55120d"
    assert len(found) == len(state.settings.all(WEBAUTHN_DEVICE_TYPE))
