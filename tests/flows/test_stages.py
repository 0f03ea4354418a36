"""Every stage by the same rules: it asks, it stays until it is answered, a restart changes nothing, none is skipped."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from keystead.base import rand
from keystead.base.secret import Secret
from keystead.flows.flow import Flow
from keystead.flows.register import STAGES
from keystead.flows.stages.authenticator_duo import AuthenticatorDuoStage
from keystead.flows.stages.authenticator_validate import AuthenticatorValidateStage
from keystead.flows.stages.consent import ConsentStage
from keystead.flows.stages.deny import DenyStage
from keystead.flows.stages.user_logout import UserLogoutStage
from keystead.flows.stages.user_write import UserCreationModeEnum, UserWriteStage
from keystead.people.devices.duo import DuoDevice
from keystead.store import Store
from tests.duo import AUTH, Duo, serving
from tests.flows.lists import BEGIN
from tests.flows.parts import SECRET, Given, enter, errors, secret, text_field, who
from tests.flows.support import Browser, Studio, opened, signed_in
from tests.strangers import Authority

NEXT = "ak-stage-prompt"
BODIES: Mapping[str, dict[str, object]] = {
    "ak-stage-identification": {"uid_field": "anna"},
    "ak-stage-password": {"password": SECRET},
    "ak-stage-user-login": {"remember_me": True},
    "ak-stage-consent": {"token": "whatever"},
    "ak-stage-dummy": {},
    "ak-stage-prompt": {"question": "42", "following": "yes"},
    "ak-stage-authenticator-validate": {"code": "123456"},
    "xak-flow-redirect": {"to": "/"},
}
"""An answer to each challenge, good for some stage."""


@dataclass(frozen=True)
class WithDuo(Studio):
    """A studio that asks a Duo of its own, whose people say yes to whatever they are asked."""

    duo: Duo = field(default_factory=Duo)

    async def keys(self) -> AuthenticatorDuoStage:
        """The stage in which people connect their accounts."""
        stage = AuthenticatorDuoStage(
            pk=rand.uuid4(), name="duo", client_id=AUTH[0], client_secret=Secret(AUTH[1]), api_hostname=self.duo.host
        )
        await self.put(stage)
        return stage


@pytest.fixture
async def studio(store: Store, authority: Authority) -> AsyncIterator[WithDuo]:
    """Flows, stages and browsers, and Duo."""
    made = await opened(store)
    async with serving(authority) as (duo, outbound):
        made.state.outbound = outbound
        duo.how_far, duo.verdict = "success", "allow"
        yield WithDuo(made.state, made.clock, made.executor, duo)


@dataclass(frozen=True)
class Scene:
    """A stage that asks, in a flow whose next stage is a prompt for ``following``.

    :param open: makes a browser that stands before the stage.
    :param good: an answer it takes.
    """

    component: str
    open: Callable[[WithDuo], Awaitable[Browser]]
    good: Mapping[str, object] = field(default_factory=dict)


async def _identification(studio: Studio) -> Browser:
    return studio.browser(await _flow(studio, who()))


async def _password(studio: Studio) -> Browser:
    browser = studio.browser(await _flow(studio, who(), secret(failed_attempts_before_cancel=100)))
    await browser.post(uid_field="anna")
    return browser


async def _login(studio: Studio) -> Browser:
    browser = studio.browser(await _flow(studio, who(), secret(), enter(remember_me_offset="days=1")))
    await browser.post(uid_field="anna")
    await browser.post(password=SECRET)
    return browser


async def _prompt(studio: Studio) -> Browser:
    return studio.browser(await _flow(studio, await studio.prompts(text_field("question", required=True))))


async def _consent(studio: Studio) -> Browser:
    anna = await studio.person("consenting")
    stage = ConsentStage(pk=rand.uuid4(), name=rand.hex128())
    browser = await signed_in(studio, anna, await _flow(studio, stage, designation="authorization"))
    await browser.begin(consent={"application": rand.uuid4(), "permissions": [{"id": "email", "name": "E-mail"}]})
    return browser


async def _connect(studio: WithDuo) -> Browser:
    berta = await studio.person("berta")
    return await signed_in(studio, berta, await _flow(studio, await studio.keys(), designation="stage_configuration"))


async def _confirm(studio: WithDuo) -> Browser:
    berta, keys = await studio.person("berta"), await studio.keys()
    studio.duo.accounts["berta"] = "DU1"
    seen: Given = {"created": BEGIN, "last_updated": BEGIN, "confirmed": True}
    await studio.put(DuoDevice(pk=1, name="Duo", user=berta.pk, duo_user_id="DU1", stage=keys.pk, **seen))
    validate = AuthenticatorValidateStage(pk=rand.uuid4(), name="validate")
    return await signed_in(studio, berta, await _flow(studio, validate, designation="stage_configuration"))


async def _flow(studio: Studio, *stages: object, **members: Given) -> Flow:
    return await studio.flow(*stages, await studio.prompts(text_field("following", required=True)), **members)


SCENES = {
    "authentik_stages_identification.identificationstage": Scene(
        "ak-stage-identification", _identification, {"uid_field": "anna"}
    ),
    "authentik_stages_password.passwordstage": Scene("ak-stage-password", _password, {"password": SECRET}),
    "authentik_stages_user_login.userloginstage": Scene("ak-stage-user-login", _login, {"remember_me": False}),
    "authentik_stages_prompt.promptstage": Scene("ak-stage-prompt", _prompt, {"question": "42"}),
    "authentik_stages_consent.consentstage": Scene("ak-stage-consent", _consent),
    "authentik_stages_authenticator_duo.authenticatorduostage": Scene("ak-stage-authenticator-duo", _connect),
    "authentik_stages_authenticator_validate.authenticatorvalidatestage": Scene(
        "ak-stage-authenticator-validate", _confirm, {"duo": 1}
    ),
}
ASKING = [stage for stage in STAGES if stage.component not in {"", "ak-stage-dummy"}]
"""Without the dummy stage, which takes whatever is answered."""


def test_every_stage_that_asks_has_a_scene() -> None:
    assert {stage.kind.model for stage in ASKING} == set(SCENES)
    assert {stage.kind.model: stage.component for stage in ASKING} == {
        model: scene.component for model, scene in SCENES.items()
    }


@pytest.fixture(params=sorted(SCENES))
def scene(request: pytest.FixtureRequest) -> Scene:
    """Each stage that asks, in turn."""
    name: str = request.param
    return SCENES[name]


async def stays(browser: Browser, scene: Scene) -> None:
    """The run is where it was: the stage asks, and the next one was not reached."""
    asked = await browser.get()
    assert asked["component"] == scene.component
    assert "following" not in str(asked)


def good(scene: Scene, asked: Mapping[str, Any]) -> dict[str, object]:
    return {**scene.good, **({"token": asked["token"]} if "token" in asked else {})}


async def test_it_cannot_be_skipped(studio: WithDuo, scene: Scene) -> None:
    """FL-01: an empty answer, the answers of all other stages, JSON of any shape, GET and POST in turn."""
    await studio.person()
    studio.duo.how_far, studio.duo.verdict = "waiting", "deny"
    browser = await scene.open(studio)
    empty: tuple[dict[str, object], ...] = (
        {},
        {"component": ""},
        {"component": scene.component},
        {"component": None},
        {"component": ["x"]},
    )
    for body in empty:
        await browser.post(**body)
        await stays(browser, scene)
    for component, body in BODIES.items():
        if component != scene.component:
            refused = await browser.post(component=component, **body)
            assert errors(refused) == {"non_field_errors": ["invalid"]}
            await stays(browser, scene)
    shapes: list[object] = [None, True, 0, 1.5, "", [], ["anna"], {}, {"a": 1}, "\x00", "x" * 100_000]
    for shape in shapes:
        for member in ("uid_field", "password", "remember_me", "token", "question"):
            if scene.component == "ak-stage-user-login" and shape is True:
                continue  # a good answer
            if member == "question" and scene.component == "ak-stage-prompt":
                continue  # any text is a good answer
            if member == "uid_field" and scene.component == "ak-stage-identification" and shape:
                continue  # a name, even if nobody's, leads to the password
            await browser.post(**{member: shape})
            await stays(browser, scene)


async def test_a_good_answer_leads_on_and_its_repetition_does_not_count_twice(studio: WithDuo, scene: Scene) -> None:
    """FL-04: the same answer posted again (back button, second tab) meets the next stage, which refuses it."""
    await studio.person()
    browser = await scene.open(studio)
    answer = good(scene, await browser.get())
    asked = await browser.post(component=scene.component, **answer)
    assert asked["component"] == NEXT
    assert [one["field_key"] for one in asked["fields"]] == ["following"]
    again = await browser.post(component=scene.component, **answer)
    assert again["component"] == NEXT
    assert errors(again)
    assert [one["field_key"] for one in (await browser.get())["fields"]] == ["following"]


async def test_component_may_be_missing(studio: WithDuo, scene: Scene) -> None:
    await studio.person()
    browser = await scene.open(studio)
    asked = await browser.post(**good(scene, await browser.get()))
    assert [one["field_key"] for one in asked["fields"]] == ["following"]


async def test_a_restart_between_question_and_answer_changes_nothing(studio: WithDuo, scene: Scene) -> None:
    await studio.person()
    browser = await scene.open(studio)
    asked = await browser.get()
    browser.studio = await studio.restarted()
    assert await browser.get() == asked
    answer = good(scene, asked)
    browser.studio = await studio.restarted()
    assert [one["field_key"] for one in (await browser.post(**answer))["fields"]] == ["following"]
    browser.studio = await studio.restarted()
    assert (await browser.post(following="yes"))["component"] == "xak-flow-redirect"


async def test_another_browser_is_not_where_this_one_is(studio: WithDuo, scene: Scene) -> None:
    """FL-05: the run belongs to the session key; another one begins at the beginning."""
    await studio.person()
    browser = await scene.open(studio)
    asked = await browser.post(**good(scene, await browser.get()))
    other = studio.browser(browser.flow)
    told = await other.get()
    assert told["component"] != asked["component"] or told["fields"] != asked["fields"]


async def test_silent_stages_take_no_answer(studio: Studio) -> None:
    silent = {stage.kind.name for stage in STAGES if not stage.component and not stage.kind.stored_only}
    own = {"redirectstage", "invitationstage", "userdeletestage", "accountlockdownstage"}  # each has a suite of its own
    assert silent - own == {"userlogoutstage", "userwritestage", "denystage"}
    stages = (
        UserLogoutStage(pk=rand.uuid4(), name="out"),
        UserWriteStage(pk=rand.uuid4(), name="write", user_creation_mode=UserCreationModeEnum.NEVER_CREATE),
        DenyStage(pk=rand.uuid4(), name="no", deny_message="Not today."),
    )
    for stage in stages:
        for body in BODIES.values():
            browser = studio.browser(await studio.flow(stage))
            ended = await browser.post(**body)
            assert ended["component"] in {"xak-flow-redirect", "ak-stage-access-denied"}
            assert await studio.runs() == []


async def test_deny_says_why(studio: Studio) -> None:
    stage = DenyStage(pk=rand.uuid4(), name="no", deny_message="Not today.")
    browser = studio.browser(await studio.flow(stage))
    denied = await browser.get()
    assert denied["component"] == "ak-stage-access-denied"
    assert denied["error_message"] == "Not today."
    assert denied["pending_user"] == denied["pending_user_avatar"] == ""
    assert (await browser.begin(deny_message="Come back tomorrow."))["error_message"] == "Come back tomorrow."


async def test_logout_ends_the_session(studio: Studio) -> None:
    anna = await studio.person()
    flow = await studio.flow(UserLogoutStage(pk=rand.uuid4(), name="out"), designation="invalidation")
    browser = await signed_in(studio, anna, flow, query={"next": "/bye"})
    before = browser.sid
    assert (await browser.get())["to"] == "/bye"
    assert browser.sid != before
    assert (await browser.visitor()).user is None
    assert await studio.sessions() == set()
    (event,) = await studio.events("logout")
    assert event["http_request"]["request_id"] == "r1"
    # Nobody signed in: no trace, and no error either.
    assert (await browser.get())["to"] == "/bye"
    assert len(await studio.events("logout")) == 1


async def test_logout_in_the_middle_keeps_the_run_but_not_the_person(studio: Studio) -> None:
    anna = await studio.person()
    out = UserLogoutStage(pk=rand.uuid4(), name="out")
    flow = await studio.flow(await studio.prompts("why"), out, await studio.prompts("bye"), designation="invalidation")
    browser = await signed_in(studio, anna, flow)
    asked = await browser.post(why="late")
    assert [one["field_key"] for one in asked["fields"]] == ["bye"]
    assert len(await studio.runs()) == 1
    assert (await browser.post(bye="bye"))["component"] == "xak-flow-redirect"
    assert await studio.runs() == []


async def test_an_answer_to_what_was_never_asked_is_not_taken(studio: Studio) -> None:
    """Where something silent comes first, it happens, and then the question is put: once each."""
    anna = await studio.person()
    write = UserWriteStage(pk=rand.uuid4(), name="write", user_creation_mode=UserCreationModeEnum.NEVER_CREATE)
    flow = await studio.flow(write, await studio.prompts("bye"), designation="stage_configuration")
    browser = await signed_in(studio, anna, flow)
    asked = await browser.post(bye="bye")
    assert [one["field_key"] for one in asked["fields"]] == ["bye"]
    assert len(await studio.events("user_write")) == 1
    assert (await browser.post(bye="bye"))["component"] == "xak-flow-redirect"
    assert len(await studio.events("user_write")) == 1
