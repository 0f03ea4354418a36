"""What was issued, by the API: everybody's own, and to remove it is to end it."""

from datetime import timedelta
from typing import Any

from keystead.base import rand
from keystead.base.clock import micros
from keystead.kinds.changes import Changes
from keystead.people.user import User
from keystead.providers.oidc import family
from keystead.providers.oidc.standing import FOREVER, Proof, Terms
from tests.house import House
from tests.providers import asked

CODES, GRANTS, REFRESH = "oauth2/authorization_codes", "oauth2/access_tokens", "oauth2/refresh_tokens"
PROOF = Proof(auth_time=1, amr=("pwd",))


async def client(house: House) -> int:
    """The key of a new client."""
    made = await asked.made(house, "providers/oauth2", redirect_uris=[])
    return int(made["pk"])


async def kept(house: House, *writes: Any) -> None:  # noqa: ANN401 - writes
    """Commit writes."""
    changes = Changes()
    changes.write(*writes)
    await house.state.commit(changes, house.clock.at)


def end(house: House, **life: float) -> int:
    """When something made now is over."""
    return micros(house.clock.at + timedelta(**life))


async def grant(house: House, user: User, *, machine: bool = False) -> tuple[str, int]:
    """A new grant and its provider."""
    provider, name = await client(house), rand.hex128()
    expires = FOREVER if machine else end(house, days=1)
    scope = () if machine else ("openid", "email")
    await kept(
        house,
        family.new_grant(
            house.call,
            name,
            provider=provider,
            user=user.pk,
            session=None,
            scope=scope,
            proof=Proof() if machine else PROOF,
            expires=expires,
        ),
    )
    return name, provider


async def renewal(house: House, user: User, name: str, value: str, parent: str | None = None) -> None:
    """A refresh token of a grant."""
    await kept(
        house,
        family.new_refresh(house.call, value, grant_id=name, user=user.pk, parent=parent, expires=end(house, hours=1)),
    )


async def test_to_remove_an_access_token_ends_every_token_of_its_grant(house: House) -> None:
    name, provider = await grant(house, house.plain)
    await renewal(house, house.plain, name, "r-1")
    (seen,) = await asked.listed(house.user, GRANTS)
    assert (seen["provider"]["pk"], seen["user"]["username"], seen["scope"]) == (provider, "plain", ["openid", "email"])
    assert (seen["is_expired"], seen["revoked"], seen["id_token"]) == (False, False, '{"auth_time":1,"amr":["pwd"]}')
    assert await family.live(house.call, house.state, name, "j") is not None
    assert (await house.user.delete(f"{asked.API}/{GRANTS}/{seen['pk']}/")).status == 204
    assert await family.live(house.call, house.state, name, "j") is None
    assert await family.refresh(house.call, house.state, "r-1") is None
    assert await asked.listed(house.admin, GRANTS) == []
    assert await asked.listed(house.admin, REFRESH) == []


async def test_to_remove_a_refresh_token_ends_its_family(house: House) -> None:
    name, _ = await grant(house, house.plain)
    await renewal(house, house.plain, name, "r-1")
    await renewal(house, house.plain, name, "r-2", parent="r-1")
    (seen,) = await asked.listed(house.user, REFRESH)
    assert seen["scope"] == ["openid", "email"]
    assert (await house.user.delete(f"{asked.API}/{REFRESH}/{seen['pk']}/")).status == 204
    before = await family.refresh(house.call, house.state, "r-1")
    assert before is not None
    assert before.standing.ended, "the one that was replaced would count again"
    assert await family.live(house.call, house.state, name, "j") is None
    (left,) = await asked.listed(house.user, GRANTS)
    assert left["revoked"] is True


async def test_a_code_that_was_removed_redeems_nothing(house: House) -> None:
    provider = await client(house)
    said = Terms(redirect_uri="https://a.example/cb", scope=("openid",), proof=PROOF)
    for value, life in (("c-1", 60), ("c-2", 60), ("over", 0)):
        await kept(
            house,
            family.new_code(
                house.call,
                value,
                grant_id=rand.hex128(),
                provider=provider,
                user=house.plain.pk,
                session=None,
                asked=said,
                expires=end(house, seconds=life),
            ),
        )
    await kept(house, family.redeem(house.call, "c-2"))
    (seen,) = await asked.listed(house.user, CODES, provider=str(provider))
    assert (seen["scope"], seen["is_expired"]) == (["openid"], False)
    assert "'c-1'" not in str(seen)
    assert (await house.user.delete(f"{asked.API}/{CODES}/{seen['pk']}/")).status == 204
    assert await family.code(house.state, "c-1") is None


async def test_a_machines_grant_stays(house: House) -> None:
    await grant(house, house.plain, machine=True)
    (seen,) = await asked.listed(house.admin, GRANTS)
    assert (seen["expires"], seen["is_expired"], seen["scope"]) == (None, False, [])
    answered = await house.admin.delete(f"{asked.API}/{GRANTS}/{seen['pk']}/")
    assert answered.status == 400
    assert "machine" in answered.text
    assert len(await asked.listed(house.admin, GRANTS)) == 1


async def test_everybody_sees_what_is_theirs(house: House) -> None:
    anna = await house.person("anna")
    name, provider = await grant(house, anna)
    await renewal(house, anna, name, "r-1")
    own = await house.client_of(anna)
    for path in (GRANTS, REFRESH):
        (seen,) = await asked.listed(own, path)
        url = f"{asked.API}/{path}/{seen['pk']}/"
        assert (await own.get(url)).status == 200
        assert (await own.get(f"{url}used_by/")).json == []
        assert await asked.listed(house.user, path) == []
        assert (await house.user.get(url)).status == 404
        assert (await house.user.delete(url)).status == 404
        assert len(await asked.listed(house.admin, path, user=str(anna.pk), provider=str(provider))) == 1
        assert await asked.listed(house.admin, path, provider=str(provider + 100)) == []
        assert await asked.listed(house.admin, path, user=str(house.plain.pk)) == []


async def test_what_was_issued_goes_with_its_provider(house: House) -> None:
    name, provider = await grant(house, house.plain)
    await renewal(house, house.plain, name, "r-1")
    assert (await house.admin.delete(f"{asked.API}/providers/oauth2/{provider}/")).status == 204
    assert await asked.listed(house.admin, GRANTS) == []
    assert await family.refresh(house.call, house.state, "r-1") is None
