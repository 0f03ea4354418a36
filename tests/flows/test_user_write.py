"""User write stage: new users, changed users, and what no form can write."""

import asyncio

import pytest

from keystead.base import rand
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from keystead.kinds import records
from keystead.people import password
from keystead.people.finding import by_pk, by_username
from keystead.people.group import Group
from keystead.people.user import USER, User, UserTypeEnum
from tests.flows.parts import DENIED, REDIRECT, SECRET, Given, enter, errors, text_field
from tests.flows.support import Browser, Studio, signed_in

Mode = UserCreationModeEnum


def write(**members: Given) -> UserWriteStage:
    return UserWriteStage(pk=rand.uuid4(), name=rand.hex128(), **{"create_users_as_inactive": False, **members})


async def enrolment(studio: Studio, *fields: str, **members: Given) -> Browser:
    asked = await studio.prompts(*(text_field(key, "password" if "password" in key else "text") for key in fields))
    return studio.browser(await studio.flow(asked, write(**members), enter(), designation="enrollment"))


async def settings(studio: Studio, user: User, *fields: str, **members: Given) -> Browser:
    asked = await studio.prompts(*(text_field(key, "password" if "password" in key else "text") for key in fields))
    flow = await studio.flow(asked, write(**members), designation="stage_configuration")
    return await signed_in(studio, user, flow)


async def test_a_new_user(studio: Studio) -> None:
    group = Group(pk=rand.uuid4(), name="newcomers", num_pk=7)
    await studio.put(group)
    browser = await enrolment(
        studio,
        "username",
        "name",
        "email",
        "password",
        "attributes.team",
        "attributes.settings.theme",
        "locale",
        create_users_group=group.pk,
        user_path_template="users/new",
    )
    answer = {
        "username": "carla",
        "name": "Carla C.",
        "email": "carla@example.org",
        "password": SECRET,
        "attributes.team": "blue",
        "attributes.settings.theme": "dark",
        "locale": "de",
    }
    assert (await browser.post(**answer))["component"] == REDIRECT
    carla = await by_username(studio.state, "carla")
    assert carla is not None
    assert (carla.name, carla.email, carla.path, carla.type) == (
        "Carla C.",
        "carla@example.org",
        "users/new",
        UserTypeEnum.EXTERNAL,
    )
    assert carla.is_active
    assert carla.groups == (group.pk,)
    assert carla.attributes == {"team": "blue", "settings": {"theme": "dark", "locale": "de"}}
    assert await password.verify(carla.password, SECRET)
    assert carla.date_joined == carla.password_change_date == studio.clock.now()
    assert len(carla.uuid) == 36
    visitor = await browser.visitor()
    assert visitor.user is not None
    assert visitor.user.pk == carla.pk
    (created,) = await studio.events("model_created")
    assert created["model"]["pk"] == carla.pk
    (written,) = await studio.events("user_write")
    assert (written["created"], written["username"]) == (True, "carla")
    assert SECRET not in str(await studio.events("user_write"))
    assert len(await studio.events("login")) == 1


async def test_no_form_makes_anybody_more_powerful(studio: Studio) -> None:
    """Whatever fields an administrator's form has, these members are not written from it."""
    root = await studio.superuser()
    keys = (
        "username",
        "pk",
        "is_superuser",
        "groups",
        "roles",
        "type",
        "path",
        "is_active",
        "uuid",
        "attributes",
        "attributes.",
        "attributes..x",
        "password_change_date",
        "last_login",
        "__class__",
        "attributes.__proto__",
    )
    browser = await enrolment(studio, *keys)
    await browser.post(
        **{**dict.fromkeys(keys, root.groups[0]), "username": "mallory", "pk": "1", "is_active": "false"}
    )
    mallory = await by_username(studio.state, "mallory")
    assert mallory is not None
    assert mallory.pk != 1
    assert mallory.groups == mallory.roles == ()
    assert mallory.type is UserTypeEnum.EXTERNAL
    assert mallory.path == "users"
    assert mallory.is_active
    assert mallory.attributes == {"__proto__": root.groups[0]}


@pytest.mark.parametrize(
    ("mode", "pending", "result"),
    [
        (Mode.NEVER_CREATE, False, "denied"),
        (Mode.NEVER_CREATE, True, "changed"),
        (Mode.CREATE_WHEN_REQUIRED, False, "created"),
        (Mode.CREATE_WHEN_REQUIRED, True, "changed"),
        (Mode.ALWAYS_CREATE, False, "created"),
        (Mode.ALWAYS_CREATE, True, "created"),
    ],
)
async def test_when_a_user_is_made(studio: Studio, mode: Mode, *, pending: bool, result: str) -> None:
    anna = await studio.person()
    flow = await studio.flow(
        await studio.prompts("username"), write(user_creation_mode=mode), designation="stage_configuration"
    )
    browser = await signed_in(studio, anna, flow) if pending else studio.browser(flow)
    told = await browser.post(username="other")
    assert told["component"] == (DENIED if result == "denied" else REDIRECT)
    found, before = await by_username(studio.state, "other"), await by_pk(studio.state, anna.pk)
    assert before is not None
    if result == "denied":
        assert found is None
    else:
        assert found is not None
        assert (found.pk == anna.pk) is (result == "changed")
        assert before.username == ("other" if result == "changed" else "anna")


async def test_inactive_newcomers_wait(studio: Studio) -> None:
    """The account is made although the login behind it says no."""
    browser = await enrolment(studio, "username", create_users_as_inactive=True)
    assert (await browser.post(username="waiting"))["component"] == DENIED
    waiting = await by_username(studio.state, "waiting")
    assert waiting is not None
    assert not waiting.is_active
    assert await studio.sessions() == set()


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"username": "anna"}, {"username": ["unique"]}),
        ({"username": ""}, {"username": ["invalid"]}),
        ({"username": "white space"}, {"username": ["invalid"]}),
        ({"username": "x" * 151}, {"username": ["invalid"]}),
        ({"username": "fine", "email": "not one"}, {"email": ["invalid"]}),
    ],
)
async def test_what_does_not_fit_is_asked_for_again(
    studio: Studio, answer: dict[str, object], refused: dict[str, list[str]]
) -> None:
    await studio.person()
    browser = await enrolment(studio, "username", "email")
    told = await browser.post(**answer)
    assert told["component"] == "ak-stage-prompt"
    assert errors(told) == refused
    assert (await browser.post(username="fine"))["component"] == REDIRECT


async def test_one_of_many_gets_the_name(studio: Studio) -> None:
    """20 people at once ask for one username: one gets it, the others are asked for another."""
    first = await enrolment(studio, "username")
    browsers = [studio.browser(first.flow) for _ in range(20)]
    told = await asyncio.gather(*(browser.post(username="wanted") for browser in browsers))
    assert sorted(one["component"] for one in told) == ["ak-stage-prompt"] * 19 + [REDIRECT]
    assert all("username" in errors(one) for one in told if one["component"] == "ak-stage-prompt")
    assert len(await records.load(studio.state.store, USER, "username", ["wanted"])) == 1
    assert len(await studio.sessions()) == 1


async def test_a_changed_user(studio: Studio) -> None:
    anna = await studio.person("anna", attributes={"team": "blue", "settings": {"theme": "dark"}}, path="users/berlin")
    browser = await settings(studio, anna, "name", "attributes.settings.locale")
    studio.clock.move(minutes=5)
    await browser.post(**{"name": "Anna Berg", "attributes.settings.locale": "de"})
    changed = await by_pk(studio.state, anna.pk)
    assert changed is not None
    assert changed.name == "Anna Berg"
    assert changed.attributes == {"team": "blue", "settings": {"theme": "dark", "locale": "de"}}
    assert (changed.username, changed.email, changed.path) == (anna.username, anna.email, anna.path)
    assert changed.password == anna.password
    assert changed.last_updated == studio.clock.now()
    (updated,) = await studio.events("model_updated")
    assert updated["diff"]["name"] == {"previous_value": "Anna", "new_value": "Anna Berg"}
    assert len(await studio.sessions()) == 1


async def test_keeping_the_own_name_is_no_conflict(studio: Studio) -> None:
    anna = await studio.person()
    browser = await settings(studio, anna, "username", "name")
    assert (await browser.post(username="anna", name="A."))["component"] == REDIRECT


async def test_a_new_password_ends_the_other_sessions(studio: Studio) -> None:
    """FL-28: whoever knew the old password may sit in one of them. An empty or missing one changes nothing."""
    anna = await studio.person()
    stay = await studio.flow()
    for _ in range(2):
        await signed_in(studio, anna, stay)
    browser = await settings(studio, anna, "password", "password_repeat")
    for answer in ({}, {"password": "", "password_repeat": ""}, {"password": None}):
        await browser.post(**answer)
        unchanged = await by_pk(studio.state, anna.pk)
        assert unchanged is not None
        assert unchanged.password == anna.password
    assert len(await studio.sessions()) == 3
    studio.clock.move(minutes=1)
    await browser.post(password="another good password", password_repeat="another good password")
    changed = await by_pk(studio.state, anna.pk)
    assert changed is not None
    assert await password.verify(changed.password, "another good password")
    assert changed.password_change_date == studio.clock.now()
    assert len(await studio.sessions()) == 1
    assert (await browser.visitor()).user is not None
    assert len(await studio.events("password_set")) == 1
    for action in ("model_updated", "user_write", "password_set"):
        assert changed.password not in str(await studio.events(action))


async def test_nothing_to_write_writes_nothing(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(write(user_creation_mode=Mode.NEVER_CREATE), designation="stage_configuration")
    browser = await signed_in(studio, anna, flow)
    assert (await browser.get())["component"] == REDIRECT
    assert await studio.events("model_updated") == []


async def test_passwords_are_forgotten_once_written(studio: Studio) -> None:
    """A run that goes on after the account was made does not carry the password any further."""
    asked = await studio.prompts("username", text_field("password", "password"))
    shows = text_field("seen", placeholder="return sorted(prompt_context)", placeholder_expression=True)
    flow = await studio.flow(asked, write(), await studio.prompts(shows), designation="enrollment")
    told = await studio.browser(flow).post(username="dora", password=SECRET)
    assert told["fields"][0]["placeholder"] == "['username']"
