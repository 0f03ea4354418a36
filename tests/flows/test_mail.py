"""Stages that send mail: their rules, and the templates that come with Keystead."""

from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.flows.mail import built_in, check
from keystead.flows.stages.authenticator_email import AuthenticatorEmailStage
from keystead.flows.stages.email import EmailStage
from tests.flows.support import Studio


@pytest.mark.parametrize("stage", [EmailStage, AuthenticatorEmailStage])
@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"use_tls": True, "use_ssl": True}, "use_ssl"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"timeout": 0}, "timeout"),
        ({"subject": "one\ntwo"}, "subject"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_refused(
    studio: Studio, stage: type[Any], members: dict[str, object], named: str
) -> None:
    good = stage(pk=rand.uuid4(), name="s")
    assert await check(studio.call, studio.state, None, good) == good
    with pytest.raises(Problem) as caught:
        await check(studio.call, studio.state, None, msgspec.structs.replace(good, **members))
    assert list(caught.value.fields or {}) == [named]


def test_every_template_says_what_it_is_for() -> None:
    names = [one.name for one in built_in()]
    assert names == sorted(names)
    for stage in (EmailStage(pk="", name=""), AuthenticatorEmailStage(pk="", name="")):
        assert stage.template in names
    assert {"email/invitation.html", "email/welcome.html"} <= set(names)
    for one in built_in():
        assert one.description
        assert "<" not in one.description
