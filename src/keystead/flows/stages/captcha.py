"""Captcha stage: tells people from programs, with the help of a service that knows better."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.flows.schema import CAPTCHA as COMPONENT
from keystead.flows.schema import Answered, CaptchaChallenge
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import not_built
from keystead.flows.weburl import WEB_URL
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State

_SERVICE: Final = "https://www.recaptcha.net/recaptcha"


class RequestContentTypeEnum(enum.StrEnum):
    """In which form the service is asked."""

    FORM = "application/x-www-form-urlencoded"
    JSON = "application/json"


class CaptchaStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for proof of being a person.

    :param public_key: our name at the service, told to browsers.
    :param js_url: the script that browsers load.
    :param api_url: where an answer is checked.
    :param interactive: people see something to do.
    :param score_min_threshold: the least score that passes.
    :param score_max_threshold: the highest score that passes.
    :param error_on_invalid_score: other scores are refused; else they are only noted for policies.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    public_key: Text
    private_key: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    js_url: Annotated[Text, WEB_URL] = f"{_SERVICE}/api.js"
    api_url: Annotated[Text, WEB_URL] = f"{_SERVICE}/api/siteverify"
    request_content_type: RequestContentTypeEnum = RequestContentTypeEnum.FORM
    interactive: bool = False
    score_min_threshold: float = 0.5
    score_max_threshold: float = 1.0
    error_on_invalid_score: bool = True


class CaptchaChallengeResponse(Answered, kw_only=True):
    """What the service gave the browser."""

    component: Text = COMPONENT
    token: Text


async def rules(_call: Call, _state: State, _old: CaptchaStage | None, new: CaptchaStage) -> CaptchaStage:
    """Some score passes."""
    if new.score_min_threshold > new.score_max_threshold:
        raise invalid({"score_min_threshold": ["May not be more than score_max_threshold."]})
    return new


CAPTCHA_STAGE = Kind(
    model="authentik_stages_captcha.captchastage",
    struct=CaptchaStage,
    path="stages/captcha",
    title=("Captcha Stage", "Captcha Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-captcha-form",
    shown=StageShown,
    view=view,
    rules=rules,
    filters=("name", "public_key"),
    stored_only="No service is asked about people yet: a run that reaches the stage is denied.",
)
STAGE = not_built(CAPTCHA_STAGE, CaptchaChallenge, CaptchaChallengeResponse)
