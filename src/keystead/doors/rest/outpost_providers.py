"""What outposts read: the providers they work for, and whether somebody they let in may in (outposts.md §6-8)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import PAGING, Operation
from keystead.doors.rest.verbs import json, key_of, query_of
from keystead.kinds import asked, grants, listing
from keystead.kinds.access import permitted, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.snapshot import in_order
from keystead.policies.engine import Engine
from keystead.providers import outposts
from keystead.providers.ldap import outpost as ldap
from keystead.providers.ldap.provider import LDAP_PROVIDER, SEARCH
from keystead.providers.oidc import issuer
from keystead.providers.oidc.mapping import SCOPE_MAPPING
from keystead.providers.proxy import outpost as proxy
from keystead.providers.proxy.provider import PROXY_PROVIDER, ProxyProvider
from keystead.providers.radius import outpost as radius
from keystead.providers.radius.provider import RADIUS_PROVIDER

_NAME: Final = Filter("name", str, note="The provider of this name.")
_LISTED: Final = (_NAME, *PAGING)
_FOR: Final = (Filter("app_slug", str, note="Slug of the application."),)
SCOPES: Final = ("openid", "profile", "email", "ak_proxy", "entitlements")
"""What a proxy's client asks for when its provider names no mappings."""
Pages = Annotated[dict[str, object], msgspec.Meta(title="Pagination")]


class PaginatedLDAPOutpostConfigList(msgspec.Struct):
    """A page of LDAP providers as outposts see them."""

    pagination: Pages
    results: list[ldap.LDAPOutpostConfig]
    autocomplete: dict[str, object]


class PaginatedProxyOutpostConfigList(msgspec.Struct):
    """A page of proxy providers as outposts see them."""

    pagination: Pages
    results: list[proxy.ProxyOutpostConfig]
    autocomplete: dict[str, object]


class PaginatedRadiusOutpostConfigList(msgspec.Struct):
    """A page of RADIUS providers as outposts see them."""

    pagination: Pages
    results: list[radius.RadiusOutpostConfig]
    autocomplete: dict[str, object]


def _page(request: Request, configs: Iterable[Any]) -> Response:
    """A page of what the caller works for, as the query asks for it."""
    query = query_of(request)
    page = listing.page(query)
    name, needle, ordering = asked.last(query, "name"), asked.needle(query), asked.last(query, "ordering")
    found = [
        one for one in configs if one is not None and (not name or one.name == name) and needle in one.name.lower()
    ]
    known = found and ordering.removeprefix("-") in type(found[0]).__struct_fields__
    found = in_order(found, (ordering if known else "name",))
    pages = listing.pagination(page, len(found))
    first = (page.number - 1) * page.size
    return json({"pagination": pages, "results": found[first : first + page.size], "autocomplete": {}})


async def ldap_list(request: Request, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The LDAP providers that the calling outpost works for; people who may view them see all."""
    found = outposts.concern(call, LDAP_PROVIDER, "view")
    return _page(request, [ldap.config(call.settings, one) for one in found])


async def radius_list(request: Request, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The RADIUS providers that the calling outpost works for, with their secrets; who may change them sees all."""
    found = outposts.concern(call, RADIUS_PROVIDER, "change")
    return _page(request, [radius.config(call.settings, one) for one in found])


async def proxy_list(request: Request, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The proxy providers that the calling outpost works for, with their secrets; who may change them sees all."""
    found = outposts.concern(call, PROXY_PROVIDER, "change")
    return _page(request, [_proxied(call, one) for one in found])


def _proxied(call: Call, provider: ProxyProvider) -> proxy.ProxyOutpostConfig | None:
    application = outposts.application_of(call.settings, provider.pk)
    if application is None:
        return None
    where = issuer.below(application.slug, call.origin.root)
    oidc = proxy.OpenIDConnectConfiguration(
        issuer=where.issuer,
        authorization_endpoint=where.authorize,
        token_endpoint=where.token,
        userinfo_endpoint=where.userinfo,
        end_session_endpoint=where.end_session,
        introspection_endpoint=where.introspect,
        jwks_uri=where.jwks,
        response_types_supported=["code"],
        id_token_signing_alg_values_supported=["HS256"],  # a proxy provider names no key: its secret signs
        subject_types_supported=["public"],
        token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_basic"],
    )
    mappings = (call.settings.get(SCOPE_MAPPING, pk) for pk in provider.property_mappings)
    scopes: Sequence[str] = list(dict.fromkeys(one.scope_name for one in mappings if one)) or SCOPES
    return proxy.config(call.settings, provider, oidc, scopes)


def _found(call: Call, kind: Kind[Any], params: dict[str, str]) -> Any:  # noqa: ANN401 - providers of every kind
    """The provider that the address names; whoever an outpost has signed in may ask about themselves.

    :raises Problem: ``NOT_FOUND``.
    """
    signed_in(call)
    pk = key_of(kind.fields[kind.pk], params["id"])
    provider = call.settings.get(kind, pk) if pk is not None else None
    if provider is None:
        raise not_found()
    return provider


def operations(engine: Engine) -> tuple[Operation, ...]:
    """The operations of outposts; ``app.py`` lists them."""

    async def ldap_access(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        """Whether the caller, who has just bound, may use the application, and search the whole directory."""
        provider = _found(call, LDAP_PROVIDER, params)
        application = outposts.named(call.settings, provider.pk, asked.last(query_of(request), "app_slug"))
        access = await outposts.checked(engine, call, site.state, application)
        call = await grants.on(call, site.state.store, LDAP_PROVIDER, [provider])
        return json(ldap.LDAPCheckAccess(permitted(call, LDAP_PROVIDER, SEARCH, provider), access))

    async def radius_access(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        """Whether the caller, who has just signed in, may use the application.

        A provider with property mappings is answered 501 for those whom it lets in: their attributes are not made yet.
        """
        provider = _found(call, RADIUS_PROVIDER, params)
        application = outposts.named(call.settings, provider.pk, asked.last(query_of(request), "app_slug"))
        access = await outposts.checked(engine, call, site.state, application)
        if access.passing and provider.property_mappings:
            raise Problem(Fault.NOT_BUILT, "Attributes of RADIUS answers are not made from property mappings yet.")
        return json(radius.RadiusCheckAccess(access))

    key = (("id", int),)
    return (
        Operation(
            "GET",
            "outposts/ldap/",
            ldap_list,
            "outposts_ldap_list",
            response=PaginatedLDAPOutpostConfigList,
            query=_LISTED,
        ),
        Operation(
            "GET",
            "outposts/proxy/",
            proxy_list,
            "outposts_proxy_list",
            response=PaginatedProxyOutpostConfigList,
            query=_LISTED,
        ),
        Operation(
            "GET",
            "outposts/radius/",
            radius_list,
            "outposts_radius_list",
            response=PaginatedRadiusOutpostConfigList,
            query=_LISTED,
        ),
        Operation(
            "GET",
            "outposts/ldap/{id}/check_access/",
            ldap_access,
            "outposts_ldap_access_check",
            response=ldap.LDAPCheckAccess,
            query=_FOR,
            params=key,
        ),
        Operation(
            "GET",
            "outposts/radius/{id}/check_access/",
            radius_access,
            "outposts_radius_access_check",
            response=radius.RadiusCheckAccess,
            query=_FOR,
            params=key,
        ),
    )
