"""Mutual TLS stage: people are known by the certificate their browser shows."""

import enum
from typing import Annotated

import msgspec

from keystead.flows.mode import StageModeEnum
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid


class CertAttributeEnum(enum.StrEnum):
    """What of a certificate names a person."""

    SUBJECT = "subject"
    COMMON_NAME = "common_name"
    EMAIL = "email"


class UserAttributeEnum(enum.StrEnum):
    """What of a user it has to equal."""

    USERNAME = "username"
    EMAIL = "email"


class MutualTLSStage(msgspec.Struct, frozen=True, kw_only=True):
    """Finds the person by a client certificate.

    :param mode: whether a run without a certificate ends.
    :param certificate_authorities: who may have signed it; empty: the brand's client certificates.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    mode: StageModeEnum
    certificate_authorities: tuple[
        Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.CASCADE_MANY)], ...
    ] = ()
    cert_attribute: CertAttributeEnum
    user_attribute: UserAttributeEnum


MUTUAL_TLS_STAGE = Kind(
    model="authentik_stages_mtls.mutualtlsstage",
    struct=MutualTLSStage,
    path="stages/mtls",
    title=("Mutual TLS Stage", "Mutual TLS Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-mtls-form",
    shown=StageShown,
    view=view,
    filters=("cert_attribute", "certificate_authorities", "mode", "name", BY_UUID, "user_attribute"),
    stored_only="Client certificates are not looked at yet: a run that reaches the stage is denied, even if optional.",
)
STAGE = not_built(MUTUAL_TLS_STAGE)
