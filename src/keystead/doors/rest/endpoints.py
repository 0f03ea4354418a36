"""``endpoints/agents/``: what the agents on devices ask for; they carry keys of their own, none of which counts yet."""

from typing import Annotated, Final

import msgspec

from keystead.doors.rest.operation import Operation
from keystead.doors.rest.root import Config
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Text
from keystead.kinds.pending import Pending
from keystead.people.installation.license import LicenseStatusEnum
from keystead.people.oneself import UserSelf
from keystead.providers.endpoints.facts import DeviceFacts

_CONNECTORS: Final = "endpoints/agents/connectors/"
_NAME: Final = "endpoints_agents_connectors_"
_PSSO: Final = "endpoints/agents/psso/register/"


class AgentConfig(msgspec.Struct):
    """What an agent is told.

    :param refresh_interval: seconds from one check-in to the next.
    """

    device_id: str
    refresh_interval: int
    authorization_flow: str | None
    jwks_auth: dict[str, object]
    jwks_challenge: dict[str, object] | None
    nss_uid_offset: int
    nss_gid_offset: int
    auth_terminate_session_on_expiry: bool
    system_config: Config
    license_status: LicenseStatusEnum | None


class AgentTokenResponse(msgspec.Struct, omit_defaults=True):
    """The key of a device."""

    token: str
    expires_in: int | msgspec.UnsetType = msgspec.UNSET


class AgentAuthenticationResponse(msgspec.Struct):
    """Where somebody signs in at a device."""

    url: str


class EnrollRequest(msgspec.Struct):
    """Which device enrolls."""

    device_serial: Text
    device_name: Text


class AgentPSSODeviceRegistrationRequest(msgspec.Struct):
    """The keys of a Mac."""

    device_signing_key: Text
    device_encryption_key: Text
    sign_key_id: Text
    enc_key_id: Text


class AgentPSSODeviceRegistrationResponse(msgspec.Struct):
    """What a Mac needs to sign people in here."""

    client_id: str
    issuer: str
    token_endpoint: str
    jwks_endpoint: str
    audience: str
    nonce_endpoint: str


class AgentPSSOUserRegistrationRequest(msgspec.Struct):
    """The key of somebody on a Mac."""

    user_auth: Text
    user_secure_enclave_key: Text
    enclave_key_id: Text


OPERATIONS: Final = (
    Operation(
        "GET",
        f"{_CONNECTORS}agent_config/",
        Pending("No agent can enroll yet, so none is told anything."),
        f"{_NAME}agent_config_retrieve",
        response=AgentConfig,
        anonymous=True,
    ),
    Operation(
        "POST",
        f"{_CONNECTORS}auth_fed/",
        Pending("Tokens of other providers are not exchanged for those of devices yet."),
        f"{_NAME}auth_fed_create",
        response=AgentTokenResponse,
        anonymous=True,
        query=(Filter("device", str, note="Which device."),),
        also=((404, "There is no such device."),),
    ),
    Operation(
        "POST",
        f"{_CONNECTORS}auth_ia/",
        Pending("Nobody can sign in at a device yet."),
        f"{_NAME}auth_ia_create",
        response=AgentAuthenticationResponse,
        anonymous=True,
        query=(Filter("login_hint", str, note="Who it probably is."),),
    ),
    Operation(
        "POST",
        f"{_CONNECTORS}check_in/",
        Pending("What devices tell of themselves is not taken yet."),
        f"{_NAME}check_in_create",
        request=Annotated[DeviceFacts, msgspec.Meta(title="DeviceFactsRequest")] | None,
        status=204,
        anonymous=True,
    ),
    Operation(
        "POST",
        f"{_CONNECTORS}enroll/",
        Pending("No device can enroll yet."),
        f"{_NAME}enroll_create",
        request=EnrollRequest,
        response=AgentTokenResponse,
        anonymous=True,
    ),
    Operation(
        "POST",
        f"{_PSSO}device/",
        Pending("Platform single sign-on of Apple devices is not built yet."),
        "endpoints_agents_psso_register_device_create",
        request=AgentPSSODeviceRegistrationRequest,
        response=AgentPSSODeviceRegistrationResponse,
        anonymous=True,
    ),
    Operation(
        "POST",
        f"{_PSSO}user/",
        Pending("Platform single sign-on of Apple devices is not built yet."),
        "endpoints_agents_psso_register_user_create",
        request=AgentPSSOUserRegistrationRequest,
        response=UserSelf,
        anonymous=True,
    ),
)
