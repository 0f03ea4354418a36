"""Claims: subjects, mappings, and what mappings may not say (SECURITY OA-55, OA-58, oauth2.md §3, §4)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind, Problem
from keystead.kinds.call import Actor, Origin
from keystead.people.person import Person, person_of
from keystead.people.user import USER, uid
from keystead.policies.plain import merged
from keystead.policies.values import evaluate_mapping
from keystead.providers.defaults import defaults
from keystead.providers.mapping import PropertyMappingPreview
from keystead.providers.oidc import claims as module
from keystead.providers.oidc.claims import tell
from keystead.providers.oidc.mapping import PROTECTED, SCOPE_MAPPING, ScopeMapping, literal_claims, rules
from keystead.providers.oidc.provider import SubModeEnum
from keystead.providers.oidc.setup import preview_user, try_mapping
from tests.providers.place import Party, Place
from tests.providers.said import claims, ok


def mapping(expression: str, scope: str = "extra", name: str = "") -> ScopeMapping:
    """A mapping."""
    return ScopeMapping(pk=rand.uuid4(), name=name or rand.hex128(), expression=expression, scope_name=scope)


async def told(place: Place, *expressions: str, **members: Any) -> tuple[dict[str, Any], dict[str, Any], Party]:  # noqa: ANN401 - of a provider
    """What access token and userinfo say when the mappings of one scope are these."""
    made = [mapping(one) for one in expressions]
    await place.put(*made)
    pks = (place.scopes["openid"].pk, *(one.pk for one in made))
    party = await place.party(property_mappings=pks, **members)
    anna = await place.person(attributes={"upn": "anna@corp.example", "n": 7})
    got = await place.tokens(party, await place.visit(anna), scope="openid extra")
    return claims(got["access_token"]), ok(await place.userinfo(got["access_token"])), party


async def test_oa_55_mappings_cannot_say_what_is_ours(place: Place) -> None:
    lie = "return {" + ", ".join(f'"{name}": "lie"' for name in sorted(PROTECTED)) + ', "fine": 1}'
    access, info, party = await told(
        place, "name = dict(fine=0)\n" + lie.replace("return", "name.update(") + ")\nreturn name"
    )
    assert "lie" not in access.values()
    assert "lie" not in info.values()
    assert (access["fine"], info["fine"]) == (1, 1)
    assert (access["aud"], access["azp"]) == (party.id, party.id)
    assert set(info) == {"sub", "fine"}


@pytest.mark.parametrize("name", sorted(PROTECTED - {"sid"}))
async def test_oa_55_mappings_that_set_out_to_are_refused_when_saved(place: Place, name: str) -> None:
    with pytest.raises(Problem) as caught:
        await rules(place.call(), place.state, None, mapping(f'return {{"{name}": "x", "mine": 1}}'))
    assert caught.value.kind is Kind.INVALID
    assert list(caught.value.fields or {}) == ["expression"]


@pytest.mark.parametrize("expression", ["return {", "import os\nreturn {}", "return {}.__class__"])
async def test_expressions_that_do_not_compile_are_refused_when_saved(place: Place, expression: str) -> None:
    with pytest.raises(Problem) as caught:
        await rules(place.call(), place.state, None, mapping(expression))
    assert list(caught.value.fields or {}) == ["expression"]


@pytest.mark.parametrize(
    ("value", "aud"),
    [
        ('"https://api.example"', "https://api.example"),
        ('["a", "b"]', ["a", "b"]),
        ('""', None),
        ("[]", None),
        ("[1]", None),
        ("None", None),
        ('{"a": 1}', None),
    ],
)
async def test_the_audience_may_be_replaced_by_one(place: Place, value: str, aud: object) -> None:
    access, info, party = await told(place, f'return {{"aud": {value}}}')
    assert access["aud"] == (party.id if aud is None else aud)
    assert access["azp"] == party.id
    assert "aud" not in info


async def test_several_mappings_make_one_answer(place: Place) -> None:
    access, info, _ = await told(
        place,
        'return {"deep": {"a": 1, "list": [1]}, "list": ["x"], "last": 1}',
        'return {"deep": {"b": 2, "list": [2]}, "list": ["y"], "last": 2}',
        "return None",
    )
    expected = {"deep": {"a": 1, "b": 2, "list": [1, 2]}, "list": ["x", "y"], "last": 2}
    assert {name: access[name] for name in expected} == {name: info[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ([1], [1], [1, 1]),
        ([1], {"a": 1}, {"a": 1}),
        ("x", ["y"], ["y"]),
        ({"a": {"b": [1]}}, {"a": {"b": [2], "c": 3}}, {"a": {"b": [1, 2], "c": 3}}),
    ],
)
def test_merging(one: object, other: object, both: object) -> None:
    assert merged(one, other) == both


@pytest.mark.parametrize("expression", ["return 1 / 0", "return [1]", "return user.nothing", "while True:\n    pass"])
async def test_a_mapping_that_fails_tells_nothing_and_is_told_of(place: Place, expression: str) -> None:
    access, info, _ = await told(place, expression, 'return {"fine": 1}')
    assert access["fine"] == info["fine"] == 1
    assert len(await place.events("property_mapping_exception")) == 1  # when tokens are made, not at each look


async def test_values_arrive_as_json(place: Place) -> None:
    access, _, _ = await told(
        place,
        'return {"who": user, "groups": user.groups.all(), "set": sorted({3, 1}), "big": 2 ** 70,'
        ' "upn": user.attributes["upn"], "client": provider.client_id, "none": None, "t": (1, 2), 5: "number"}',
    )
    assert (access["who"], access["groups"], access["set"]) == ("anna", [], [1, 3])
    assert (access["big"], access["upn"], access["t"]) == (str(2**70), "anna@corp.example", [1, 2])
    assert (access["client"], access["none"]) == (access["azp"], None)


@pytest.mark.parametrize("mode", list(SubModeEnum))
async def test_the_subject_is_what_the_provider_says(place: Place, mode: SubModeEnum) -> None:
    access, info, _ = await told(place, "return {}", sub_mode=mode)
    rows = await place.rows("SELECT id, uuid FROM users WHERE username = $1", "anna")
    pk, uuid = int(str(rows[0][0])), str(rows[0][1])
    expected = {
        SubModeEnum.HASHED_USER_ID: uid(place.state, pk),
        SubModeEnum.USER_ID: str(pk),
        SubModeEnum.USER_UUID: uuid,
        SubModeEnum.USER_USERNAME: "anna",
        SubModeEnum.USER_EMAIL: "anna@example.org",
        SubModeEnum.USER_UPN: "anna@corp.example",
    }[mode]
    assert access["sub"] == info["sub"] == expected


async def test_oa_58_who_comes_after_somebody_is_somebody_else(place: Place) -> None:
    party = await place.party()
    subjects = []
    for _ in range(2):
        anna = await place.person()
        subjects.append(claims((await place.tokens(party, await place.visit(anna)))["id_token"])["sub"])
        await place.remove(USER, anna)
    assert subjects[0] != subjects[1]
    assert all(len(one) == 64 for one in subjects)


async def test_default_mappings_compile_and_say_what_the_contract_says(place: Place) -> None:
    for one in defaults():
        await rules(place.call(), place.state, None, one)
    staff = await place.group("staff")
    anna = await place.person(groups=(staff.pk,), attributes={"shirt": "M"})
    party = await place.party([one.scope_name for one in defaults()])
    call = place.call(Actor(pk=anna.pk, means="token"))
    preview = (await preview_user(call, place.state, party.provider, {"for_user": [str(anna.pk)]})).body
    assert isinstance(preview, PropertyMappingPreview)
    with pytest.raises(Problem):
        await preview_user(place.call(), place.state, party.provider, {"for_user": [str(anna.pk)]})
    got = await place.tokens(party, await place.visit(anna), scope=" ".join(one.scope_name for one in defaults()))
    said = claims(got["access_token"])
    assert preview.preview.items() <= said.items()
    assert (said["email"], said["email_verified"]) == ("anna@example.org", False)
    assert (said["name"], said["given_name"], said["nickname"]) == ("Anna", "Anna", "anna")
    assert (said["groups"], said["entitlements"], said["roles"]) == (["staff"], [], [])
    assert said["ak_proxy"] == {"user_attributes": {"shirt": "M"}, "is_superuser": False}
    assert {one.managed for one in defaults()} == {
        "goauthentik.io/providers/oauth2/scope-openid",
        "goauthentik.io/providers/oauth2/scope-email",
        "goauthentik.io/providers/oauth2/scope-profile",
        "goauthentik.io/providers/oauth2/scope-entitlements",
        "goauthentik.io/providers/oauth2/scope-offline_access",
        "goauthentik.io/providers/oauth2/scope-authentik_api",
        "goauthentik.io/providers/proxy/scope-proxy",
    }


async def test_trying_a_mapping_shows_result_or_complaint(place: Place) -> None:
    good, bad = mapping('return {"x": context["y"]}'), mapping("return nothing")
    assert try_mapping(place.call(), good, None, {"context": {"y": 1}}) == ('{\n  "x": 1\n}', True)
    text, worked = try_mapping(place.call(), bad, None, {})
    assert not worked
    assert "nothing" in text
    assert place.state.settings.all(SCOPE_MAPPING)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('return {"a": 1, "b": {"c": 2}}', {"a", "b"}),
        ('if user:\n    return {"a": 1}\nreturn {"b": 2, **more}', {"a", "b"}),
        ("return dict(a=1)", set()),
        ("return {", set()),
        ("", set()),
    ],
)
def test_claims_are_read_from_the_text(expression: str, names: set[str]) -> None:
    assert literal_claims(expression) == names


async def test_claims_follow_person_request_and_settings(place: Place) -> None:
    """What is kept of them counts only as long as nothing that they come from has changed."""
    steady = mapping('return {"n": user.attributes.get("n"), "groups": [one.name for one in user.ak_groups.all()]}')
    direct = mapping('return {"path": http_request.path}', "direct")
    around = mapping('return {"method": request.http_request.method}', "around")
    await place.put(steady, direct, around)
    party = await place.party(property_mappings=tuple(one.pk for one in (steady, direct, around)))
    anna = await person_of(place.state, await place.person(attributes={"n": 1}))

    def said(person: Person, **origin: str) -> dict[str, object]:
        call = msgspec.structs.replace(place.call(), settings=place.state.settings, origin=Origin(**origin))  # type: ignore[arg-type]  # texts
        return tell(call, party.provider, person, ("extra", "direct", "around")).claims

    first = said(anna, method="GET", path="/a/")
    first["n"] = "spoilt"
    assert said(anna, method="GET", path="/a/")["n"] == 1
    assert said(anna, method="POST", path="/b/") == {
        "n": 1, "groups": [], "path": "/b/", "method": "POST",
    }  # fmt: skip  # one line a state
    user = msgspec.structs.replace(anna.user, attributes={"n": 2})
    assert said(msgspec.structs.replace(anna, user=user))["n"] == 2
    await place.put(msgspec.structs.replace(steady, pk=rand.uuid4(), name="another", scope_name="other"))
    assert said(anna)["n"] == 1


async def test_a_mapping_that_looks_at_the_person_alone_runs_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def counted(source: str, name: str, names: Mapping[str, Any]) -> object:
        runs.append(name)
        return evaluate_mapping(source, name, names)

    monkeypatch.setattr(module, "evaluate_mapping", counted)
    person, request = mapping('return {"n": user.pk}', name="person"), mapping("return {}", "also", name="request")
    request = msgspec.structs.replace(request, expression='return {"p": http_request.path}')
    await place.put(person, request)
    party = await place.party(property_mappings=(person.pk, request.pk))
    anna = await person_of(place.state, await place.person())
    call = msgspec.structs.replace(place.call(), settings=place.state.settings)
    for scope in (("extra",), ("extra",), ("extra", "also"), ("extra", "also")):
        assert tell(call, party.provider, anna, scope).claims["n"] == anna.user.pk
    assert runs == ["person", *(["person", "request"] * 2)]
