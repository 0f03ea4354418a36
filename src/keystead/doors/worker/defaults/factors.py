"""Default flows in which people set up second factors, and the stage that asks for them.

That stage is not part of the default authentication flow: of second factors only Duo's is asked for yet, and whoever
has another one gets no further there.
"""

from collections.abc import Sequence

import msgspec

from keystead.base import rand
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum
from keystead.flows.stages.authenticator_static import AuthenticatorStaticStage
from keystead.flows.stages.authenticator_totp import AuthenticatorTOTPStage, DigitsEnum
from keystead.flows.stages.authenticator_validate import AuthenticatorValidateStage
from keystead.flows.stages.authenticator_webauthn import AuthenticatorWebAuthnStage


def _flow(slug: str, title: str) -> Flow:
    return Flow(
        pk=rand.uuid4(),
        slug=slug,
        name=title,
        title=title,
        designation=FlowDesignationEnum.STAGE_CONFIGURATION,
        authentication=AuthenticationEnum.REQUIRE_AUTHENTICATED,
    )


def factors() -> Sequence[msgspec.Struct]:
    """A flow with its stage for each sort of device, and the stage that asks for them."""
    totp = _flow("default-authenticator-totp-setup", "Set up an authenticator application")
    static = _flow("default-authenticator-static-setup", "Get recovery codes")
    webauthn = _flow("default-authenticator-webauthn-setup", "Set up a passkey")
    setups: tuple[tuple[Flow, AuthenticatorTOTPStage | AuthenticatorStaticStage | AuthenticatorWebAuthnStage], ...] = (
        (
            totp,
            AuthenticatorTOTPStage(
                pk=rand.uuid4(),
                name=totp.slug,
                configure_flow=totp.pk,
                friendly_name="TOTP Device",
                digits=DigitsEnum.SIX,
            ),
        ),
        (static, AuthenticatorStaticStage(pk=rand.uuid4(), name=static.slug, configure_flow=static.pk)),
        (webauthn, AuthenticatorWebAuthnStage(pk=rand.uuid4(), name=webauthn.slug, configure_flow=webauthn.pk)),
    )
    made: list[msgspec.Struct] = []
    for flow, stage in setups:
        made += [flow, stage, FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=stage.pk, order=0)]
    made.append(AuthenticatorValidateStage(pk=rand.uuid4(), name="default-authentication-mfa-validation"))
    return made
