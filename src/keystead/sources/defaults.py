"""What a fresh installation has of this floor, under the names and ids clients look up (defaults.md §5, §6)."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from keystead.base import rand
from keystead.sources.kerberos import KerberosSourcePropertyMapping
from keystead.sources.ldap.source import LDAPSourcePropertyMapping
from keystead.sources.mapping import SourcePropertyMapping
from keystead.sources.source import INBUILT, BuiltInSource

_MANAGED: Final = "goauthentik.io/sources/"
_LDAP: Final = "authentik default LDAP Mapping: "
_AD: Final = "authentik default Active Directory Mapping: "
_OPEN: Final = "authentik default OpenLDAP Mapping: "
_KERBEROS: Final = "authentik default Kerberos User Mapping: "


def _attribute(member: str, attribute: str) -> str:
    """The mapping of one attribute of a directory to one member; a directory may hold several values, one counts."""
    return f"""\
values = ldap.get("{attribute}") or []
return {{"{member}": values[0] if isinstance(values, list) and values else values or None}}
"""


def _kept(attribute: str, name: str = "") -> str:
    """The mapping of one attribute to one (of the same name, if none is given) among a user's attributes."""
    return f"""\
values = ldap.get("{attribute}") or []
return {{"attributes": {{"{name or attribute}": values[0] if isinstance(values, list) and values else values or None}}}}
"""


_PATH: Final = """\
# Units of the directory become folders: OU=Berlin,OU=Staff,DC=example -> Staff/Berlin. Groups have no folder.
if type == "group":
    return {}
units = [part.strip()[3:] for part in dn.split(",") if part.strip()[:3].lower() == "ou="]
return {"path": "/".join([source.get_user_path(), *reversed(units)])}
"""
_MACHINES: Final = """\
# host/www.example.org and its like are machines.
name = principal.split("@")[0]
return {"type": "service_account"} if "/" in name else {}
"""
_REALM: Final = """\
# People of other realms, known here through trust, are not taken over.
if principal.rpartition("@")[2].lower() != source.realm.lower():
    raise SkipObject
return {}
"""
_SYSTEM: Final = """\
# What the realm keeps for itself is nobody.
name = principal.rpartition("@")[0]
if name.split("/")[0] in ("K", "krbtgt", "kadmin", "WELLKNOWN") or name == "default":
    raise SkipObject
return {}
"""
_GROUP: Final = """\
# Everybody of a realm is in a group of the realm's name.
return {"groups": [principal.rpartition("@")[2]]}
"""


class _Default(NamedTuple):
    managed: str
    name: str
    expression: str


_OF_LDAP: Final = (
    _Default("ldap/default-name", _LDAP + "Name", _attribute("name", "name")),
    _Default("ldap/default-mail", _LDAP + "mail", _attribute("email", "mail")),
    _Default("ldap/default-dn-path", _LDAP + "DN to User Path", _PATH),
    _Default("ldap/ms-samaccountname", _AD + "sAMAccountName", _attribute("username", "sAMAccountName")),
    _Default("ldap/ms-userprincipalname", _AD + "userPrincipalName", _kept("userPrincipalName", "upn")),
    _Default("ldap/ms-givenName", _AD + "givenName", _kept("givenName")),
    _Default("ldap/ms-sn", _AD + "sn", _kept("sn")),
    _Default("ldap/openldap-uid", _OPEN + "uid", _attribute("username", "uid")),
    _Default("ldap/openldap-cn", _OPEN + "cn", _attribute("name", "cn")),
)
_OF_KERBEROS: Final = (
    _Default(
        "kerberos/user/default/multipart-principals-as-service-accounts",
        _KERBEROS + "Multipart principals as service accounts",
        _MACHINES,
    ),
    _Default("kerberos/user/default/ignore-other-realms", _KERBEROS + "Ignore other realms", _REALM),
    _Default("kerberos/user/default/ignore-system-principals", _KERBEROS + "Ignore system principals", _SYSTEM),
    _Default("kerberos/user/realm-as-group", _KERBEROS + "Add realm as group", _GROUP),
)
T = TypeVar("T", bound=SourcePropertyMapping)


def _made(struct: type[T], defaults: Sequence[_Default]) -> list[T]:
    return [
        struct(pk=rand.uuid4(), name=one.name, managed=_MANAGED + one.managed, expression=one.expression.strip())
        for one in defaults
    ]


def defaults() -> list[msgspec.Struct]:
    """The source that stands for our own users, and mappings for directories and realms."""
    return [
        BuiltInSource(pk=rand.uuid4(), name="authentik Built-in", slug="authentik-built-in", managed=INBUILT),
        *_made(LDAPSourcePropertyMapping, _OF_LDAP),
        *_made(KerberosSourcePropertyMapping, _OF_KERBEROS),
    ]
