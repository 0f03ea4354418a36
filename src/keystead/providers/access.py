"""Who may use an application: its policies, asked the same way by the portal and by every protocol."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows.flow import PolicyEngineMode
from keystead.kinds.access import holds, permitted
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.listing import Query
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.kinds.state import State
from keystead.people.person import Person, person_by_pk
from keystead.people.user import USER, User
from keystead.policies.engine import Engine
from keystead.policies.judge import PolicyResult
from keystead.policies.sandbox import make_view
from keystead.providers.application import APPLICATION, Application, launch_url

_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
APPLICATION_VIEW: Final = make_view(
    "application",
    {
        name: name
        for name in (
            "pk",
            "name",
            "slug",
            "group",
            "meta_launch_url",
            "meta_description",
            "meta_publisher",
            "open_in_new_tab",
        )
    },
    text=lambda application: application.name,
    key=lambda application: ("application", application.pk),
)
"""An application as expressions see it (``request.obj``)."""


class PolicyTestResult(msgspec.Struct):
    """How policies judged."""

    passing: bool
    messages: list[str]
    log_messages: list[LogEvent]


async def judge(
    engine: Engine,
    call: Call,
    state: State,
    application: Application,
    user: User | Person,
    context: dict[str, object] | None = None,
) -> PolicyResult:
    """Whether ``user`` may use ``application``. An inactive user may not, whatever policies say."""
    known = user.user if isinstance(user, Person) else user
    if not known.is_active:
        return PolicyResult(passing=False, messages=("The account is deactivated.",))
    return await engine.judge(
        call,
        state,
        application.pk,
        user=user,
        mode="all" if application.policy_engine_mode is PolicyEngineMode.ALL else "any",
        context=context,
        subject=APPLICATION_VIEW(application),
    )


def _flag(query: Query, name: str) -> bool:
    values = query.get(name) or [""]
    return values[-1].strip().lower() in _TRUE


async def _whom(call: Call, state: State, query: Query) -> Person | None:
    """The person a list or check is about: the caller, or ``for_user`` for those who may view users.

    :raises Problem: ``INVALID`` on ``for_user``: no such user, or not the caller's business.
    """
    text = (query.get("for_user") or [""])[-1].strip()
    if not text:
        return await person_by_pk(state, call.actor.pk)
    pk = int(text[:18]) if text.isascii() and text.isdigit() else 0
    if pk != call.actor.pk and not holds(call, USER.permission("view")):
        raise invalid({"for_user": ["You may not ask on behalf of other users."]})
    person = await person_by_pk(state, pk)
    if person is None:
        raise invalid({"for_user": [f'Invalid pk "{text}" - object does not exist.']})
    return person


async def narrow(
    engine: Engine, call: Call, state: State, page: Sequence[Application], query: Query
) -> list[Application]:
    """Of a page of applications those that the caller (or ``for_user``) may use (rest.md §3).

    ``superuser_full_list`` lets superusers see all; ``only_with_launch_url`` leaves out what cannot be opened.
    """
    found = list(page)
    if _flag(query, "only_with_launch_url"):
        found = [one for one in found if launch_url(call.settings, one, {})]
    if call.actor.is_superuser and _flag(query, "superuser_full_list"):
        return found
    person = await _whom(call, state, query)
    if person is None:
        return []
    return [one for one in found if (await judge(engine, call, state, one, person)).passing]


def actions(engine: Engine) -> tuple[Action, ...]:
    """The operations beside the verbs of applications; ``app.py`` lists them."""

    async def check_access(
        call: Call, state: State, application: Application, query: Mapping[str, Sequence[str]]
    ) -> Answer:
        """How the application's policies judge the caller, or ``for_user``."""
        person = await _whom(call, state, query)
        if person is None:
            return Answer(PolicyTestResult(passing=False, messages=[], log_messages=[]))
        result = await judge(engine, call, state, application, person)
        told = permitted(call, APPLICATION, APPLICATION.permission("view"), application)
        lines = [LogEvent(call.at, LogLevelEnum.INFO, "policies", text, {}) for text in (result.log if told else ())]
        return Answer(PolicyTestResult(passing=result.passing, messages=list(result.messages), log_messages=lines))

    return (
        Action(
            APPLICATION,
            "GET",
            "{key}/check_access/",
            check_access,
            "check_access_retrieve",
            permission="",
            response=PolicyTestResult,
            query=(Filter("for_user", int, note="Ask on behalf of this user."),),
        ),
    )
