"""The rooms of this floor in lists; a new source is one line here."""

from typing import Any, Final

from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.policies.engine import Engine
from keystead.sources import connection, kerberos, saml, source, telegram, vouching
from keystead.sources.ldap import debug as ldap_debug
from keystead.sources.ldap import source as ldap
from keystead.sources.oauth import source as oauth
from keystead.sources.oauth import vendors
from keystead.sources.plex import redeem as plex_redeem
from keystead.sources.plex import source as plex
from keystead.sources.scim import linked as scim_linked
from keystead.sources.scim import source as scim
from keystead.sources.way_in import buttons

KINDS: Final[tuple[Kind[Any], ...]] = (
    source.BUILT_IN,
    *ldap.KINDS,
    *oauth.KINDS,
    *saml.KINDS,
    *plex.KINDS,
    *kerberos.KINDS,
    *telegram.KINDS,
    scim.SCIM_SOURCE,
    scim.MAPPING,
    scim_linked.SCIM_SOURCE_USER,
    scim_linked.SCIM_SOURCE_GROUP,
    connection.USER_CONNECTION,
    connection.GROUP_CONNECTION,
)
LINKED: Final[tuple[Kind[Any], ...]] = (
    oauth.OAUTH_SOURCE,
    saml.SAML_SOURCE,
    plex.PLEX_SOURCE,
    kerberos.KERBEROS_SOURCE,
    telegram.TELEGRAM_SOURCE,
)
"""Sources that people can connect their own account with."""
OPTIONS: Final = buttons({plex.PLEX_SOURCE.model: plex_redeem.challenge})
"""The buttons of sources with which people sign in, for the page that asks who they are."""
KEEP: Final = vouching.keep
"""What is kept of a source's word once a run of a flow knows who somebody is."""
VARIANTS: Final = {oauth.OAUTH_SOURCE.model: vendors.VARIANTS}
"""Kinds that an administrator chooses from in several shapes."""


def actions(engine: Engine) -> tuple[Action, ...]:
    """Operations beside the verbs; ``engine`` says whom a source concerns."""
    return (
        *source.actions(engine, LINKED),
        *ldap_debug.ACTIONS,
        *oauth.ACTIONS,
        *saml.ACTIONS,
        *plex_redeem.actions(engine),
        *kerberos.ACTIONS,
        *telegram.actions(engine),
    )
