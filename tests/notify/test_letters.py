"""Letters that the API sends on request: to whom, by which server, with which link, and who may ask for them."""

import re
from datetime import timedelta
from typing import Any

import pytest

from keystead.base import rand
from keystead.base.secret import Secret
from keystead.flows.binding import FlowStageBinding
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.flows.stages.email import EmailStage
from keystead.flows.stages.invitation import Invitation, InvitationStage
from keystead.people.user_actions import RESET
from keystead.store import Statement
from tests.house import House
from tests.notify.conftest import Post, deliver, events, words

SEND = "/api/v3/stages/email/send/"
VIEW_STAGE = "authentik_stages_email.view_emailstage"
_WAITING = Statement("test.letters", "SELECT count(*) FROM outbox")
_BODIES = Statement("test.letters.bodies", "SELECT body FROM outbox")


async def waiting(house: House) -> int:
    ((count,),) = await house.state.store.fetch(_WAITING)
    return int(str(count))


async def flow(house: House, designation: FlowDesignationEnum, slug: str) -> Flow:
    made = Flow(pk=rand.uuid4(), name=slug, title=slug, slug=slug, designation=designation)
    await house.put(made)
    return made


async def recovering(house: House) -> None:
    made = await flow(house, FlowDesignationEnum.RECOVERY, "recover")
    answered = await house.admin.patch(
        f"/api/v3/core/brands/{house.brand.brand_uuid}/", {"flow_recovery": made.pk, "branding_title": "The Library"}
    )
    assert answered.status == 200, answered.text


async def stage(house: House, **members: Any) -> EmailStage:  # noqa: ANN401 - members of a stage
    given: dict[str, Any] = {"name": rand.hex128(), "subject": "Back in", "use_global_settings": True} | members
    made = EmailStage(pk=rand.uuid4(), **given)
    await house.put(made)
    return made


async def test_a_user_is_welcomed(house: House, post: Post) -> None:
    answered = await house.admin.post(SEND, {"user": house.plain.pk, "template": "welcome"})
    assert answered.status == 200, answered.text
    assert answered.json == {"to": "plain@example.org", "subject": "Keystead: Welcome", "template": "welcome"}
    assert post.kept == [], "it is on its way, no more"
    assert await deliver(house, post) == 1
    (message,) = post.kept
    assert post.rcpts == ["plain@example.org"]
    assert message["subject"] == "Keystead: Welcome"
    assert re.search(r"https?://[^/\s]+/if/user/\s", words(message))
    assert "Hello Plain," in words(message)


@pytest.mark.parametrize(
    ("body", "member", "said"),
    [
        ({"template": "no-such"}, "template", "no-such"),
        ({"template": "../../etc/passwd"}, "template", "there are"),
        ({"template": "password_reset"}, "template", "expires"),
        ({"template": "email_otp"}, "template", "token"),
        ({"template": ""}, "template", ""),
        ({"user": 987654, "template": "welcome"}, "user", "987654"),
        ({"user": "everybody", "template": "welcome"}, "user", ""),
    ],
)
async def test_what_cannot_be_sent_is_told(house: House, body: dict[str, object], member: str, said: str) -> None:
    answered = await house.admin.post(SEND, {"user": house.plain.pk} | body)
    assert (answered.status, list(answered.json)) == (400, [member, "code"]), answered.text
    assert said in answered.json[member][0]
    assert await waiting(house) == 0


async def test_who_has_no_address_gets_nothing(house: House) -> None:
    await recovering(house)
    mute = await house.person("mute", email="")
    answered = await house.admin.post(SEND, {"user": mute.pk, "template": "welcome"})
    assert (answered.status, answered.json["user"]) == (400, ["mute has no e-mail address; give them one first."])
    by = {"email_stage": (await stage(house)).pk}
    answered = await house.admin.post(f"/api/v3/core/users/{mute.pk}/recovery_email/", by)
    assert answered.status == 400
    assert "no e-mail address" in answered.text
    assert await waiting(house) == 0


async def test_who_may_change_users_may_write_to_those_no_stronger(house: House) -> None:
    body = {"user": house.plain.pk, "template": "welcome"}
    assert (await house.nobody.post(SEND, body)).status == 403
    assert (await house.user.post(SEND, body)).status == 403
    other = await house.client_with("authentik_core.view_user", "authentik_stages_email.change_emailstage")
    assert (await other.post(SEND, body)).status == 403
    helper = await house.client_with("authentik_core.change_user")
    assert (await helper.post(SEND, body)).status == 200
    assert (await helper.post(SEND, body | {"user": house.superuser.pk})).status == 403
    assert await waiting(house) == 1


async def test_a_link_back_in_is_mailed_in_the_words_of_a_stage(house: House, post: Post) -> None:
    await recovering(house)
    by = await stage(house)
    path = f"/api/v3/core/users/{house.plain.pk}/recovery_email/"
    answered = await house.admin.post(path, {"email_stage": by.pk, "token_duration": "hours=2"})
    assert (answered.status, answered.text) == (204, "")
    assert await deliver(house, post) == 1
    (message,) = post.kept
    assert (message["subject"], message["to"]) == ("Back in", "plain@example.org")
    text = words(message)
    assert "2026-09-01 14:00 UTC" in text
    assert "The Library" in text
    link = re.search(r"https?://[^/\s]+(/recovery/use-token/\S+)", text)
    assert link is not None
    shown = await house.nobody.get(link[1])
    assert shown.status == 200, "the link leads to the page that uses it"
    (sent,) = await events(house, "email_sent")
    assert "use-token" not in str(sent)
    house.clock.move(hours=3)
    assert (await house.nobody.get(link[1])).status != 200


async def test_a_stage_with_a_server_of_its_own_is_asked_when_the_letter_leaves(house: House, post: Post) -> None:
    await recovering(house)
    by = await stage(
        house,
        use_global_settings=False,
        host="127.0.0.1",
        port=1,
        timeout=60,
        username="keystead",
        password=Secret("a wrong password"),
        from_address="library@example.org",
    )
    answered = await house.admin.post(f"/api/v3/core/users/{house.plain.pk}/recovery_email/", {"email_stage": by.pk})
    assert answered.status == 204
    ((sealed,),) = await house.state.store.fetch(_BODIES)
    assert "password" not in str(sealed)
    assert await deliver(house, post) == 0, "the server that was named is not there, and no other is asked"
    told = {"port": post.port, "password": "the mail password"}
    assert (await house.admin.patch(f"/api/v3/stages/email/{by.pk}/", told)).status == 200
    house.clock.move(seconds=10)
    assert await deliver(house, post) == 1
    assert post.logins == ["keystead"]
    assert post.kept[0]["from"] == "library@example.org"


async def test_a_letter_of_a_stage_that_is_gone_does_not_leave(house: House, post: Post) -> None:
    await recovering(house)
    by = await stage(house, use_global_settings=False)
    await house.admin.post(f"/api/v3/core/users/{house.plain.pk}/recovery_email/", {"email_stage": by.pk})
    assert (await house.admin.delete(f"/api/v3/stages/email/{by.pk}/")).status == 204
    assert await deliver(house, post) == 0


async def test_a_link_back_in_wants_a_recovery_flow_a_stage_and_some_time(house: House) -> None:
    path = f"/api/v3/core/users/{house.plain.pk}/recovery_email/"
    by = await stage(house)
    answered = await house.admin.post(path, {"email_stage": by.pk})
    assert answered.status == 400
    assert "recovery flow" in answered.text
    await recovering(house)
    other = await stage(house, template="email/email_otp.html")
    for body, member in (
        ({}, "email_stage"),
        ({"email_stage": rand.uuid4()}, "email_stage"),
        ({"email_stage": other.pk}, "email_stage"),
        ({"email_stage": by.pk, "token_duration": "soon"}, "token_duration"),
        ({"email_stage": by.pk, "token_duration": "hours=-1"}, "token_duration"),
        ({"email_stage": by.pk, "token_duration": "days=999999999"}, "token_duration"),
    ):
        answered = await house.admin.post(path, body)
        assert (answered.status, list(answered.json)) == (400, [member, "code"]), answered.text
    assert await waiting(house) == 0
    keys = await house.admin.get("/api/v3/core/tokens/", query={"intent": "recovery"})
    assert keys.json["pagination"]["count"] == 0, "what is refused leaves no key behind"


async def test_nobody_weaker_than_the_user_mails_a_link(house: House) -> None:
    await recovering(house)
    body = {"email_stage": (await stage(house)).pk}
    plain, strong = (f"/api/v3/core/users/{one.pk}/recovery_email/" for one in (house.plain, house.superuser))
    assert (await house.nobody.post(plain, body)).status == 403
    assert (await house.user.post(strong, body)).status == 404
    helper = await house.client_with(RESET, VIEW_STAGE, "authentik_core.view_user")
    assert (await helper.post(strong, body)).status == 403
    assert (await helper.post(plain, body)).status == 204
    blind = await house.client_with(RESET, "authentik_core.view_user")
    assert (await blind.post(plain, body)).status == 400, "whoever may not see the stage does not speak in its name"
    assert await waiting(house) == 1


async def invitation(house: House, **members: Any) -> tuple[Invitation, str]:  # noqa: ANN401 - members of an invitation
    made = Invitation(pk=rand.uuid4(), name="for-them", created_by=house.superuser.pk, **members)
    await house.put(made)
    return made, f"/api/v3/stages/invitation/invitations/{made.pk}/send_email/"


async def test_an_invitation_goes_to_each_in_a_letter_of_their_own(house: House, post: Post) -> None:
    into = await flow(house, FlowDesignationEnum.ENROLLMENT, "join")
    made, path = await invitation(house, flow=into.pk, expires=house.clock.now() + timedelta(days=1))
    answered = await house.admin.post(
        path,
        {
            "email_addresses": ["a@example.org", "b@example.org", "a@example.org"],
            "cc_addresses": ["c@example.org"],
            "bcc_addresses": ["blind@example.org"],
        },
    )
    assert (answered.status, answered.text) == (204, "")
    assert await deliver(house, post) == 2
    assert {message["to"] for message in post.kept} == {"a@example.org", "b@example.org"}
    for message in post.kept:
        assert (message["cc"], message["bcc"]) == ("c@example.org", None)
        assert "blind@example.org" not in message.as_string()
        assert f"/if/flow/join/?itoken={made.pk}" in words(message)
        assert "2026-09-02 12:00 UTC" in words(message)
    assert sorted(post.rcpts) == sorted(["a@example.org", "b@example.org", *["c@example.org", "blind@example.org"] * 2])


async def test_an_invitation_without_a_flow_leads_into_the_one_that_asks_for_it(house: House, post: Post) -> None:
    _, path = await invitation(house)
    body = {"email_addresses": ["a@example.org"]}
    answered = await house.admin.post(path, body)
    assert answered.status == 400
    assert "no flow asks" in answered.text
    asks = InvitationStage(pk=rand.uuid4(), name="asks")
    first = await flow(house, FlowDesignationEnum.ENROLLMENT, "first")
    await house.put(asks, FlowStageBinding(pk=rand.uuid4(), target=first.pk, stage=asks.pk, order=0))
    assert (await house.admin.post(path, body)).status == 204
    assert await deliver(house, post) == 1
    assert "/if/flow/first/?itoken=" in words(post.kept[0])
    second = await flow(house, FlowDesignationEnum.ENROLLMENT, "second")
    await house.put(FlowStageBinding(pk=rand.uuid4(), target=second.pk, stage=asks.pk, order=0))
    answered = await house.admin.post(path, body)
    assert answered.status == 400
    assert "2 flows ask" in answered.text


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "email_addresses"),
        ({"email_addresses": []}, "email_addresses"),
        ({"email_addresses": "a@example.org"}, "email_addresses"),
        ({"email_addresses": ["nobody"]}, "email_addresses"),
        ({"email_addresses": ["a@example.org", 5]}, "email_addresses"),
        ({"email_addresses": [""]}, "email_addresses"),
        ({"email_addresses": ["a@example.org\r\nBcc: everybody@example.org"]}, "email_addresses"),
        ({"email_addresses": ["a@example.org"] * 101}, "email_addresses"),
        ({"email_addresses": ["a@example.org"], "cc_addresses": ["c"]}, "cc_addresses"),
        ({"email_addresses": ["a@example.org"], "bcc_addresses": ["x" * 250 + "@example.org"]}, "bcc_addresses"),
        ({"email_addresses": ["a@example.org"], "template": "no-such"}, "template"),
        ({"email_addresses": ["a@example.org"], "template": "email_otp"}, "template"),
    ],
)
async def test_an_invitation_that_cannot_be_sent(house: House, body: dict[str, object], member: str) -> None:
    into = await flow(house, FlowDesignationEnum.ENROLLMENT, "join")
    _, path = await invitation(house, flow=into.pk)
    answered = await house.admin.post(path, body)
    assert (answered.status, list(answered.json)) == (400, [member, "code"]), answered.text
    assert await waiting(house) == 0


async def test_who_may_change_an_invitation_may_send_it(house: House) -> None:
    into = await flow(house, FlowDesignationEnum.ENROLLMENT, "join")
    _, path = await invitation(house, flow=into.pk)
    body = {"email_addresses": ["a@example.org"]}
    viewer = await house.client_with("authentik_stages_invitation.view_invitation")
    assert (await viewer.post(path, body)).status == 403
    assert (await house.user.post(path, body)).status == 404
    changer = await house.client_with("authentik_stages_invitation.change_invitation")
    assert (await changer.post(path, body)).status == 204
