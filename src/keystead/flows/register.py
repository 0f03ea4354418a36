"""The rooms of this floor in lists; a new stage is one line here."""

from typing import Any, Final

from keystead.flows import binding, diagram, flow, lockdown
from keystead.flows.stage import Stage
from keystead.flows.stages import (
    account_lockdown,
    authenticator_duo,
    authenticator_email,
    authenticator_endpoint_gdtc,
    authenticator_sms,
    authenticator_static,
    authenticator_totp,
    authenticator_validate,
    authenticator_webauthn,
    captcha,
    consent,
    deny,
    dummy,
    email,
    endpoints,
    identification,
    invitation,
    mtls,
    password,
    prompt,
    redirect,
    source,
    user_delete,
    user_login,
    user_logout,
    user_write,
)
from keystead.kinds.action import Action
from keystead.kinds.kind import Kind

STAGES: Final[tuple[Stage[Any], ...]] = (
    identification.STAGE,
    password.STAGE,
    user_login.STAGE,
    user_logout.STAGE,
    consent.STAGE,
    prompt.STAGE,
    user_write.STAGE,
    deny.STAGE,
    dummy.STAGE,
    redirect.STAGE,
    invitation.STAGE,
    user_delete.STAGE,
    email.STAGE,
    captcha.STAGE,
    source.STAGE,
    endpoints.STAGE,
    mtls.STAGE,
    account_lockdown.STAGE,
    authenticator_validate.STAGE,
    authenticator_totp.STAGE,
    authenticator_static.STAGE,
    authenticator_webauthn.STAGE,
    authenticator_email.STAGE,
    authenticator_sms.STAGE,
    authenticator_duo.STAGE,
    authenticator_endpoint_gdtc.STAGE,
)
KINDS: Final[tuple[Kind[Any], ...]] = (
    flow.FLOW,
    binding.FLOW_STAGE_BINDING,
    *(one.kind for one in STAGES),
    prompt.PROMPT,
    invitation.INVITATION,
)
ACTIONS: Final[tuple[Action, ...]] = (
    *flow.ACTIONS,
    *diagram.ACTIONS,
    *prompt.ACTIONS,
    *email.ACTIONS,
    *lockdown.ACTIONS,
    *authenticator_duo.ACTIONS,
)
