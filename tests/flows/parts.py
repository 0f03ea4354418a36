"""Stages in a line, and what a test looks for in a challenge."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from keystead.base import rand
from keystead.flows.password_check import BackendsEnum
from keystead.flows.prompt import Prompt, PromptTypeEnum
from keystead.flows.stages.identification import IdentificationStage, UserFieldsEnum
from keystead.flows.stages.password import PasswordStage
from keystead.flows.stages.user_login import UserLoginStage

Given: TypeAlias = Any
"""An object of whatever kind, or members handed on to a struct."""

REDIRECT = "xak-flow-redirect"
DENIED = "ak-stage-access-denied"
BROKEN = "ak-stage-flow-error"
PROMPT_COMPONENT = "ak-stage-prompt"
SECRET = "correct horse battery staple"


def text_field(key: str, kind: str = "text", **members: Given) -> Prompt:
    """A prompt."""
    name = f"{key} {rand.hex128()}"
    return Prompt(pk=rand.uuid4(), name=name, field_key=key, label=key.title(), type=PromptTypeEnum(kind), **members)


def who(**members: Given) -> IdentificationStage:
    """A stage that asks for the name."""
    fields = (UserFieldsEnum.USERNAME, UserFieldsEnum.EMAIL)
    return IdentificationStage(pk=rand.uuid4(), name=rand.hex128(), **{"user_fields": fields, **members})


def secret(**members: Given) -> PasswordStage:
    """A stage that asks for the password."""
    backends = (BackendsEnum.INBUILT, BackendsEnum.TOKEN)
    return PasswordStage(pk=rand.uuid4(), name=rand.hex128(), **{"backends": backends, **members})


def enter(**members: Given) -> UserLoginStage:
    """A stage that signs in."""
    return UserLoginStage(pk=rand.uuid4(), name=rand.hex128(), **members)


def errors(challenge: Mapping[str, Any]) -> dict[str, list[str]]:
    """Member -> codes of the complaints in a challenge."""
    found: Mapping[str, Any] = challenge.get("response_errors", {})
    return {member: [one["code"] for one in told] for member, told in found.items()}


def fields(challenge: Mapping[str, Any]) -> list[str]:
    """The keys of the form that a challenge is."""
    assert challenge["component"] == PROMPT_COMPONENT, challenge
    return [one["field_key"] for one in challenge["fields"]]
