"""Property mappings of providers that a fresh installation has, under the names clients look up (defaults.md §6)."""

from typing import Final, NamedTuple

import msgspec

from keystead.base import rand
from keystead.providers.assertion.mapping import SAMLPropertyMapping
from keystead.providers.google_workspace.mapping import GoogleWorkspaceProviderMapping
from keystead.providers.microsoft_entra.mapping import MicrosoftEntraProviderMapping
from keystead.providers.rac.mapping import RACPropertyMapping
from keystead.providers.scim.mapping import SCIMMapping

_MANAGED: Final = "goauthentik.io/providers/"
_NAME: Final = "authentik default {} Mapping: {}"
_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_OURS: Final = "http://schemas.goauthentik.io/2021/02/saml/"


class _Attribute(NamedTuple):
    name: str
    managed: str
    saml_name: str
    expression: str


_ATTRIBUTES: Final = (
    _Attribute("UPN", "upn", f"{_CLAIMS}upn", 'return request.user.attributes.get("upn", request.user.email)'),
    _Attribute("Name", "name", f"{_CLAIMS}name", "return request.user.name"),
    _Attribute("Email", "email", f"{_CLAIMS}emailaddress", "return request.user.email"),
    _Attribute("Username", "username", f"{_OURS}username", "return request.user.username"),
    _Attribute("User ID", "uid", f"{_OURS}uid", "return request.user.pk"),
    _Attribute(
        "Groups",
        "groups",
        "http://schemas.xmlsoap.org/claims/Group",
        "return [group.name for group in request.user.groups.all()]",
    ),
    _Attribute(
        "WindowsAccountname (Username)",
        "ms-windowsaccountname",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname",
        "return request.user.username",
    ),
)
_PARTS: Final = """\
# There is one field for the whole name: its first word counts as the given name, the rest as the family name.
given, _, family = request.user.name.partition(" ")
"""
_SCIM_USER: Final = f"""\
{_PARTS}
emails = [{{"value": request.user.email, "type": "other", "primary": True}}] if request.user.email else []
return {{
    "userName": request.user.username,
    "externalId": request.user.uid,
    "displayName": request.user.name,
    "name": {{"formatted": request.user.name, "givenName": given, "familyName": family}},
    "emails": emails,
    "active": request.user.is_active,
}}
"""
_SCIM_GROUP: Final = 'return {"displayName": group.name, "externalId": str(group.pk)}'
_GOOGLE_USER: Final = f"""\
{_PARTS}
return {{
    "primaryEmail": request.user.email,
    # A family name may not be missing there.
    "name": {{"givenName": given, "familyName": family or given, "displayName": request.user.name}},
    "suspended": not request.user.is_active,
}}
"""
_GOOGLE_GROUP: Final = 'return {"name": group.name}'
_ENTRA_USER: Final = """\
return {
    "displayName": request.user.name,
    "userPrincipalName": request.user.email,
    "mailNickname": request.user.username,
    "accountEnabled": request.user.is_active,
}
"""
_ENTRA_GROUP: Final = """\
return {
    "displayName": group.name,
    # A name without blanks and signs is demanded even where no mail goes to it.
    "mailNickname": str(group.pk),
    "mailEnabled": False,
    "securityEnabled": True,
}
"""
_RDP: Final = {"resize-method": "display-update", "enable-wallpaper": "true", "enable-font-smoothing": "true"}
_RICH: Final = ("enable-theming", "enable-full-window-drag", "enable-desktop-composition", "enable-menu-animations")
_CONNECTIONS: Final[tuple[tuple[str, str, dict[str, object]], ...]] = (
    ("RDP Default settings", "rdp-default", {**_RDP}),
    ("RDP High Fidelity", "rdp-high-fidelity", {**_RDP, **dict.fromkeys(_RICH, "true")}),
    ("SSH Default settings", "ssh-default", {"terminal-type": "xterm-256color"}),
)


def mappings() -> tuple[msgspec.Struct, ...]:
    """The mappings, with fresh keys."""
    attributes = tuple(
        SAMLPropertyMapping(
            pk=rand.uuid4(),
            managed=f"{_MANAGED}saml/{one.managed}",
            name=_NAME.format("SAML", one.name),
            expression=one.expression,
            saml_name=one.saml_name,
        )
        for one in _ATTRIBUTES
    )
    told = tuple(
        struct(
            pk=rand.uuid4(),
            managed=f"{_MANAGED}{room}/{what.lower()}",
            name=_NAME.format(title, what),
            expression=expression.strip(),
        )
        for struct, room, title, expressions in (
            (SCIMMapping, "scim", "SCIM", (_SCIM_USER, _SCIM_GROUP)),
            (MicrosoftEntraProviderMapping, "microsoft_entra", "Microsoft Entra", (_ENTRA_USER, _ENTRA_GROUP)),
            (GoogleWorkspaceProviderMapping, "google_workspace", "Google Workspace", (_GOOGLE_USER, _GOOGLE_GROUP)),
        )
        for what, expression in zip(("User", "Group"), expressions, strict=True)
    )
    connections = tuple(
        RACPropertyMapping(
            pk=rand.uuid4(),
            managed=f"{_MANAGED}rac/{managed}",
            name=_NAME.format("RAC", name),
            static_settings=settings,
        )
        for name, managed, settings in _CONNECTIONS
    )
    return (*attributes, *told, *connections)
