"""Applications, their provider, and who may use them; consents (rest.md §3, §11)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.base.secret import Secret
from keystead.kinds.call import Actor
from keystead.kinds.changes import Changes
from keystead.kinds.render import render
from keystead.people.group import GROUP
from keystead.people.user import User
from keystead.providers import access
from keystead.providers.application import APPLICATION, Application, launch_url, of_provider, rules
from keystead.providers.consent import USER_CONSENT, Consents, UserConsent
from keystead.providers.oidc import provider as providers
from keystead.providers.oidc.provider import (
    DEFAULT_GRANTS,
    OAUTH2_PROVIDER,
    ClientTypeEnum,
    GrantTypeEnum,
    OAuth2Provider,
)
from keystead.providers.oidc.routes import destination
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI
from keystead.trust.keypair import KEYPAIR
from tests.providers.place import Place, strict


def application(**members: Any) -> Application:  # noqa: ANN401 - members of an application
    """An application."""
    return Application(**{"pk": rand.uuid4(), "name": "One", "slug": "one", **members})


async def complaints(place: Place, new: Application) -> set[str]:
    """The members that a new application is refused for."""
    try:
        await rules(place.call(), place.state, None, new)
    except Problem as exc:
        return set(exc.fields or {})
    return set()


@pytest.mark.parametrize("slug", ["authorize", "token", "device", "userinfo", "introspect", "revoke", "Token"])
async def test_slugs_that_are_endpoints_are_taken(place: Place, slug: str) -> None:
    assert await complaints(place, application(slug=slug)) == {"slug"}


async def test_a_provider_speaks_for_one_application(place: Place) -> None:
    party = await place.party()
    assert await complaints(place, application(provider=party.provider.pk)) == {"provider"}
    assert await complaints(place, party.application) == set()
    assert of_provider(place.state.settings, party.provider.pk) == party.application


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JavaScript:x", "java\nscript:x", "data:text/html,x", "vbscript:x"]
)
async def test_links_run_no_script(place: Place, url: str) -> None:
    assert await complaints(place, application(meta_launch_url=url)) == {"meta_launch_url"}
    assert await complaints(place, application(meta_icon=url)) == {"meta_icon"}


async def test_a_launch_address_knows_the_person(place: Place) -> None:
    settings = place.state.settings
    filled = application(meta_launch_url="https://a.example/%(username)s?m=%(email)s&x=%(other)s&y=%(")
    person = {"username": "anna", "email": "a@example.org"}
    assert launch_url(settings, filled, person) == "https://a.example/anna?m=a@example.org&x=%(other)s&y=%("
    assert launch_url(settings, application(), person) is None
    assert launch_url(settings, application(meta_launch_url="blank://blank"), person) is None


async def test_without_an_address_the_providers_first_origin_is_opened(place: Place) -> None:
    pattern = RedirectURI(matching_mode=MatchingModeEnum.REGEX, url="https://.*")
    for uris, expected in (
        (
            (pattern, *strict("com.example:/cb", "https://a.example:8443/x/cb?y", "https://b.example/")),
            "https://a.example:8443",
        ),
        ((pattern,), None),
        ((), None),
    ):
        party = await place.party(redirect_uris=uris)
        assert launch_url(place.state.settings, party.application, {}) == expected


async def test_an_application_is_shown_with_its_provider(place: Place) -> None:
    party = await place.party()
    (shown,) = await render(place.call(), place.state, APPLICATION, [party.application], {})
    assert (shown["pbm_uuid"], shown["provider"]) == (party.application.pk, party.provider.pk)
    inner: Any = shown["provider_obj"]
    assert (inner["pk"], inner["component"]) == (party.provider.pk, "ak-provider-oauth2-form")
    assert inner["assigned_application_slug"] == party.application.slug
    assert "client_secret" not in str(shown)
    assert party.secret not in str(shown)
    bare = application(slug="bare", meta_icon="/static/x-%(theme)s.svg")
    (alone,) = await render(place.call(), place.state, APPLICATION, [bare], {})
    assert (alone["provider_obj"], alone["backchannel_providers_obj"], alone["launch_url"]) == (None, [], None)
    themed: Any = alone["meta_icon_themed_urls"]
    assert (themed.light, themed.dark) == ("/static/x-light.svg", "/static/x-dark.svg")


async def test_a_secret_is_shown_to_who_may_change_it(place: Place) -> None:
    party = await place.party()
    admin = place.call(Actor(pk=1, username="root", is_superuser=True, means="token"))
    reader = place.call(Actor(pk=2, permissions=frozenset({OAUTH2_PROVIDER.permission("view")}), means="token"))
    (full,) = await render(admin, place.state, OAUTH2_PROVIDER, [party.provider], {})
    (less,) = await render(reader, place.state, OAUTH2_PROVIDER, [party.provider], {})
    assert full["client_secret"] == party.secret
    assert "client_secret" not in less
    assert (less["meta_model_name"], less["verbose_name"]) == (OAUTH2_PROVIDER.model, "OAuth2/OpenID Provider")


async def test_a_deleted_provider_leaves_its_application(place: Place) -> None:
    party = await place.party()
    await place.remove(OAUTH2_PROVIDER, party.provider)
    kept = place.state.settings.get(APPLICATION, party.application.pk)
    assert kept is not None
    assert kept.provider is None


async def test_new_clients_are_ready_to_use(place: Place) -> None:
    made = OAuth2Provider(
        pk=1,
        name="x",
        authorization_flow=place.flows["implicit"].pk,
        invalidation_flow=place.flows["leave"].pk,
        redirect_uris=(),
    )
    assert (len(made.client_id), len(made.client_secret.reveal())) == (40, 128)
    assert made.client_id.isalnum()
    assert made.grant_types == DEFAULT_GRANTS
    assert GrantTypeEnum.PASSWORD not in DEFAULT_GRANTS
    assert (made.access_code_validity, made.access_token_validity, made.refresh_token_validity) == (
        "minutes=1",
        "hours=1",
        "days=30",
    )
    assert await providers.rules(place.call(), place.state, None, made) == made


PROVIDER_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no secret": ({"client_secret": Secret("")}, "client_secret"),
    "blank secret": ({"client_secret": Secret("   ")}, "client_secret"),
    "long secret": ({"client_secret": Secret("x" * 256)}, "client_secret"),
    "nothing to sign with": (
        {"client_secret": Secret(""), "client_type": ClientTypeEnum.PUBLIC, "signing_key": None},
        "signing_key",
    ),
    "encryption": ({"encryption_key": rand.uuid4()}, "encryption_key"),
    "certificate without key": ({"signing_key": "bare"}, "signing_key"),
}


@pytest.mark.parametrize("what", list(PROVIDER_FAULTS))
async def test_clients_that_could_not_be_served_are_refused(place: Place, what: str) -> None:
    members, member = PROVIDER_FAULTS[what]
    party = await place.party()
    if members.get("signing_key") == "bare":
        full = place.state.settings.all(KEYPAIR)[0]
        bare = msgspec.structs.replace(full, pk=rand.uuid4(), name="bare", key_data=Secret(""))
        await place.put(bare)
        members = {"signing_key": bare.pk}
    new = msgspec.structs.replace(party.provider, **members)
    with pytest.raises(Problem) as caught:
        await providers.rules(place.call(), place.state, party.provider, new)
    assert list(caught.value.fields or {}) == [member]


async def _narrowed(place: Place, user: User | None, *, superuser: bool = False, **query: str) -> list[str]:
    actor = Actor(pk=user.pk if user else 0, is_superuser=superuser, means="token")
    asked = {name: [value] for name, value in query.items()}
    every = place.state.settings.all(APPLICATION)
    found = await access.narrow(place.parts.engine, place.call(actor), place.state, every, asked)
    return [one.slug for one in found]


async def test_lists_hold_what_the_caller_may_use(place: Place) -> None:
    anna, berta = await place.person(), await place.person("berta")
    first, second = await place.party(), await place.party(redirect_uris=())
    staff = await place.group("staff", anna)
    await place.only(first.application, staff)
    assert await _narrowed(place, anna) == ["app-1", "app-2"]
    assert await _narrowed(place, berta) == ["app-2"]
    assert await _narrowed(place, berta, superuser=True) == ["app-2"]
    assert await _narrowed(place, berta, superuser=True, superuser_full_list="true") == ["app-1", "app-2"]
    assert await _narrowed(place, berta, superuser_full_list="true") == ["app-2"]
    assert await _narrowed(place, anna, only_with_launch_url="true") == ["app-1"]
    assert await _narrowed(place, berta, superuser=True, for_user=str(anna.pk)) == ["app-1", "app-2"]
    for text in (str(anna.pk), "999999", "x"):
        with pytest.raises(Problem) as caught:
            await _narrowed(place, berta, for_user=text)
        assert list(caught.value.fields or {}) == ["for_user"]
    assert await _narrowed(place, None) == []
    await place.remove(GROUP, staff)
    assert await _narrowed(place, anna) == ["app-1", "app-2"]
    assert second.application.slug == "app-2"


async def test_check_access_says_how_policies_judge(place: Place) -> None:
    anna, berta = await place.person(), await place.person("berta")
    party = await place.party()
    await place.only(party.application, await place.group("staff", anna))
    (action,) = access.actions(place.parts.engine)
    for user, passing in ((anna, True), (berta, False)):
        call = place.call(Actor(pk=user.pk, means="token"))
        answer = await action.run(call, place.state, party.application, {})
        assert isinstance(answer.body, access.PolicyTestResult)
        assert answer.body.passing is passing


async def test_consents_are_kept_once_and_run_out(place: Place) -> None:
    anna = await place.person()
    party = await place.party()
    store, call = Consents(), place.call()
    pk = party.application.pk

    async def save(*permissions: str, days: int | None) -> None:
        changes = Changes()
        until = place.at + timedelta(days=days) if days else None
        changes.write(*await store.save(call, place.state, anna.pk, pk, permissions, until))
        await place.state.commit(changes, place.at)

    assert await store.load(call, place.state, anna.pk, pk) is None
    await save("email", days=7)
    await save("email", "profile", "once", days=7)
    assert await store.load(call, place.state, anna.pk, pk) == frozenset({"email", "profile"})
    assert await place.rows("SELECT count(*) FROM consents") == [(1,)]
    kept = UserConsent(pk=1, user=anna.pk, application=pk, permissions="email profile")
    (shown,) = await render(call, place.state, USER_CONSENT, [kept], {})
    user: Any = shown["user"]
    about: Any = shown["application"]
    assert (user["username"], about["slug"]) == ("anna", party.application.slug)
    place.later(days=8)
    assert await store.load(place.call(), place.state, anna.pk, pk) is None
    await save("email", days=None)
    place.later(days=8000)
    assert await store.load(place.call(), place.state, anna.pk, pk) == frozenset({"email"})
    await place.remove(APPLICATION, party.application)
    assert await place.rows("SELECT count(*) FROM consents") == [(0,)]


async def test_paths_know_their_application(place: Place) -> None:
    party = await place.party()
    call, pk = place.call(), party.application.pk
    for onward, expected in (
        (f"/application/o/authorize/?client_id={party.id}&scope=openid", pk),
        ("/application/o/authorize/?client_id=unknown", None),
        ("/application/o/authorize/?client_id=%", None),
        (f"/application/o/{party.application.slug}/end-session/", pk),
        (f"/application/launch/{party.application.slug}/", pk),
        ("/application/launch/unknown/", None),
        ("/if/user/", None),
        ("", None),
    ):
        assert destination(call, onward) == expected, onward
