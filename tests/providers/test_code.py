from tests.providers.oidc import Place, claims, header, ok


async def test_happy(place: Place) -> None:
    anna = await place.person()
    party = await place.party()
    got = await place.tokens(party, await place.visit(anna))
    print(got, claims(got["access_token"]), claims(got["id_token"]), header(got["access_token"]))
    print(ok(await place.userinfo(got["access_token"])))
    print(await place.introspect(party, got["access_token"]))
