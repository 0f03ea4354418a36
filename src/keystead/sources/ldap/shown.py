"""Objects of a directory as people read them: values as texts, and nothing by which somebody could be somebody else."""

import base64
import uuid
from typing import Final

from keystead.wire.ldap import Attribute, SearchEntry

VALUES: Final = 100
"""Values of an attribute that are shown."""
LONGEST: Final = 4096
"""Characters of a value that are shown."""
SECRET: Final = frozenset(
    (
        # OpenLDAP, RFC 2256, RFC 2307, RFC 3112, 389 Directory Server
        *(
            "userpassword",
            "authpassword",
            "pwdhistory",
            "passwordhistory",
            "userpkcs12",
            "olcrootpw",
            "nsslapd-rootpw",
        ),
        # Samba
        *(
            "sambantpassword",
            "sambalmpassword",
            "sambapasswordhistory",
            "sambacleartextpassword",
            "sambapreviouscleartextpassword",
            "sambacurrenttrustpassword",
            "sambaprevioustrustpassword",
        ),
        # Kerberos
        *(
            "krbprincipalkey",
            "krbmkey",
            "krbpwdhistory",
            "krb5key",
        ),
        # FreeIPA
        *(
            "ipanthash",
            "ipatokenotpkey",
            "ipasecretkey",
            "ipanttrustauthincoming",
            "ipanttrustauthoutgoing",
        ),
        # Active Directory
        *(
            "unicodepwd",
            "dbcspwd",
            "ntpwdhistory",
            "lmpwdhistory",
            "supplementalcredentials",
            "currentvalue",
            "priorvalue",
            "initialauthincoming",
            "initialauthoutgoing",
            "trustauthincoming",
            "trustauthoutgoing",
            "msds-managedpassword",
            "msds-executescriptpassword",
            "ms-mcs-admpwd",
            "mslaps-password",
            "mslaps-encryptedpassword",
            "mslaps-encryptedpasswordhistory",
            "mslaps-encrypteddsrmpassword",
            "mslaps-encrypteddsrmpasswordhistory",
            "msfve-recoverypassword",
            "msfve-keypackage",
            "mspki-accountcredentials",
            "mspki-dpapimasterkeys",
        ),
        # Novell eDirectory
        *(
            "nspmpassword",
            "nspmpasswordhistory",
            "sasloginsecret",
            "sasloginsecretkey",
        ),
        # their numbers, by which a server may call them
        *(
            "2.5.4.35",
            "1.2.840.113556.1.4.90",
            "1.2.840.113556.1.4.125",
        ),
    )
)
"""Attributes that hold passwords, what is made of them, or keys; in lower case. They are left out of what is shown."""
_SIDS: Final = frozenset({"objectsid", "sidhistory", "securityidentifier", "tokengroups"})
_GUIDS: Final = frozenset({"objectguid", "ms-ds-consistencyguid", "msexchmailboxguid", "schemaidguid"})
_GUID_OCTETS: Final = 16
_SID_HEAD: Final = 8
_SID_PART: Final = 4
_SID_PARTS: Final = 15


def is_secret(attribute: str) -> bool:
    """Whether values of this attribute are not shown, whatever options it comes with."""
    return _bare(attribute) in SECRET


def _bare(attribute: str) -> str:
    return attribute.partition(";")[0].strip().lower()


def text_of(attribute: str, value: bytes) -> str:
    """A value as text: as it is where it is text, identifiers of Active Directory as people know them, else base64.

    Base64 is how LDIF writes such values (RFC 2849).
    """
    name = _bare(attribute)
    found = _sid(value) if name in _SIDS else _guid(value) if name in _GUIDS else None
    if found is not None:
        return found
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
    plain = all(char.isprintable() or char.isspace() for char in decoded)
    return decoded if plain else base64.b64encode(value).decode()


def _sid(value: bytes) -> str | None:
    """A security identifier ([MS-DTYP] §2.4.2), such as ``S-1-5-21-…``."""
    if len(value) < _SID_HEAD or value[1] > _SID_PARTS or len(value) != _SID_HEAD + _SID_PART * value[1]:
        return None
    parts = (int.from_bytes(value[at : at + _SID_PART], "little") for at in range(_SID_HEAD, len(value), _SID_PART))
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:_SID_HEAD])), *map(str, parts)])


def _guid(value: bytes) -> str | None:
    """A GUID ([MS-DTYP] §2.3.4): a UUID whose first parts are written the other way round."""
    return str(uuid.UUID(bytes_le=value)) if len(value) == _GUID_OCTETS else None


def entry(found: SearchEntry) -> dict[str, object]:
    """An object: its name, its attributes and their values, but for secrets. What is very long is cut, and says so."""
    attributes = {one.name: _values(one) for one in found.attributes if not is_secret(one.name)}
    return {"dn": found.name, "attributes": attributes}


def _values(attribute: Attribute) -> list[str]:
    shown = [_cut(text_of(attribute.name, value)) for value in attribute.values[:VALUES]]
    if (more := len(attribute.values) - VALUES) > 0:
        shown.append(f"… and {more} more")
    return shown


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
