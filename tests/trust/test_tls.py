"""A chain and its key from memory, whatever the system has for that."""

import os
import ssl

import pytest

from keystead.base.secret import Secret
from keystead.trust.tls import load_chain
from tests.strangers import Authority


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_context_speaks_for_a_certificate(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    in_memory: bool,  # noqa: FBT001 - a case
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    certificate, mark, key = authority.issued("a.example").read_text().partition("-----BEGIN PRIVATE KEY-----")
    _, _, other = authority.issued("b.example").read_text().partition(mark)
    load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, Secret(mark + key))
    for wrong in (mark + other, "", "no key"):
        with pytest.raises(ssl.SSLError):
            load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, Secret(wrong))
