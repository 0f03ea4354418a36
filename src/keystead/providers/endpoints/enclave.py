"""Independent secure enclave: the key in a Mac or iPhone with which its owner signs in at the platform."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import LINE, Column, Ref, Text, Uuid


class AppleIndependentSecureEnclave(msgspec.Struct, frozen=True, kw_only=True):
    """A key in a device of somebody's.

    :param apple_secure_enclave_key: its public part.
    :param apple_enclave_key_id: what the device calls it.
    """

    uuid: Annotated[Uuid, Column("id")] = ""
    user: Annotated[int, Ref("authentik_core.user"), Column("user_id")]
    apple_secure_enclave_key: Text
    apple_enclave_key_id: Annotated[Text, LINE]
    device_type: Text


ENCLAVE: Kind[AppleIndependentSecureEnclave] = Kind(
    model="authentik_endpoints_connectors_agent.appleindependentsecureenclave",
    struct=AppleIndependentSecureEnclave,
    path="endpoints/agents/psso/ise",
    title=("Apple Independent Secure Enclave", "Apple Independent Secure Enclaves"),
    key="uuid",
    key_name="uuid",
    table=Table("apple_secure_enclaves"),
    search=("apple_enclave_key_id",),
    order=("apple_enclave_key_id",),
    filters=("apple_enclave_key_id", "user"),
    stored_only="Nobody signs in with it yet.",
)
