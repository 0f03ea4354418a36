"""Metrics: who may read them, and that they tell what happened."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from keystead.base import rand
from keystead.base.metrics import METRICS
from keystead.doors.http import metrics
from keystead.doors.http.front import MAX_INSIDE, Front, group_of
from keystead.doors.rest import errors
from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.kinds.changes import Changes
from keystead.people import session
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from tests.client import Client
from tests.house import House

PATH = "/-/metrics/"
ELSEWHERE = "203.0.113.9"


@pytest.fixture
def served(house: House) -> House:
    """An installation whose metrics can be asked for."""
    metrics.add(house.app.routes, errors.answer)
    return house


def number(text: str, name: str, **labels: str) -> float:
    """The value of one sample; 0 where it is not there."""
    braces = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
    found = re.search(rf"^{re.escape(name + braces)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_tells_peers_on_this_machine(served: House) -> None:
    for peer in ("127.0.0.1", "::1"):
        answered = await Client(served.app, peer=peer).get(PATH)
        assert answered.status == 200
        assert answered.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"


async def test_tells_others_only_with_the_right_to_see_the_system(served: House) -> None:
    allowed = await served.client_with("authentik_rbac.view_system_info")
    for client, status in ((served.nobody, 403), (served.user, 403), (served.admin, 200), (allowed, 200)):
        client.peer = ELSEWHERE
        assert (await client.get(PATH)).status == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_proxy_on_this_machine_does_not_make_strangers_near(served: House, header: str) -> None:
    assert (await served.nobody.get(PATH, headers={header: "127.0.0.1"})).status == 403


async def test_everything_is_in_the_format_prometheus_reads(served: House) -> None:
    await served.nobody.get("/")
    text = (await served.nobody.get(PATH)).text
    sample = re.compile(r'^[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+$')
    for line in text.rstrip("\n").split("\n"):
        assert re.match(r"# (HELP [a-z_]+ .|TYPE [a-z_]+ (counter|gauge|histogram)$)", line) or sample.match(line), line
    types = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(types) == len(set(types))


async def test_the_promised_names_are_there_from_the_first_scrape(served: House) -> None:
    text = (await served.nobody.get(PATH)).text
    for name in (
        "authentik_logins_total",
        "authentik_failed_logins_total",
        "authentik_active_sessions",
        "authentik_policy_executions_total",
        "authentik_flow_executions_total",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "keystead_commits_total",
    ):
        assert re.search(rf"^{name} [0-9]", text, re.MULTILINE), name


async def test_counts_logins_by_their_events(served: House) -> None:
    before = (await served.nobody.get(PATH)).text
    changes = Changes()
    for action in ("login", "login", "login_failed", "custom_one", "custom_two"):
        changes.event(served.call, action, "tests", {})
    await served.state.commit(changes, served.clock.now())
    after = (await served.nobody.get(PATH)).text

    def grown(name: str, **labels: str) -> float:
        return number(after, name, **labels) - number(before, name, **labels)

    assert grown("authentik_logins_total") == 2
    assert grown("authentik_failed_logins_total") == 1
    assert grown("keystead_events_total", action="custom_") == 2
    assert grown("keystead_commits_total") == 1


async def test_counts_flows_and_policies_that_are_run(served: House) -> None:
    policy = ExpressionPolicy(pk=rand.uuid4(), name="yes", expression="return True")
    flow = Flow(
        pk=rand.uuid4(), name="f", slug="counted", title="F", designation=FlowDesignationEnum.STAGE_CONFIGURATION
    )
    await served.put(policy, flow, PolicyBinding(pk=rand.uuid4(), policy=policy.pk, target=flow.pk, order=0))
    before = (await served.nobody.get(PATH)).text
    for _ in range(2):
        assert (await served.nobody.get("/api/v3/flows/executor/counted/")).status == 200
    after = (await served.nobody.get(PATH)).text
    for name in ("authentik_flow_executions_total", "authentik_policy_executions_total"):
        assert number(after, name) - number(before, name) == 2, name


async def test_a_commit_that_fails_counts_nothing(served: House) -> None:
    before = (await served.nobody.get(PATH)).text
    answered = await served.admin.post("/api/v3/core/users/", {"username": "akadmin", "name": "again"})
    assert answered.status == 400
    after = (await served.nobody.get(PATH)).text
    for name in ("keystead_commits_total", "authentik_logins_total"):
        assert number(after, name) == number(before, name)


async def test_counts_live_sessions(served: House) -> None:
    call = served.call
    changes = Changes()
    for life in (timedelta(hours=1), timedelta(hours=2), timedelta(seconds=-1)):
        made = session.start(call, served.plain.pk, rand.token(), expires=call.at + life, auth={})
        changes.write(*made[1])
    await served.state.commit(changes, call.at)
    text = await metrics.Exposition(served.site).text()
    assert number(text, "authentik_active_sessions") == 2


async def test_does_not_call_unknown_sessions_none(served: House) -> None:
    exposition = metrics.Exposition(served.site)
    assert "\nauthentik_active_sessions 0\n" in await exposition.text()
    await served.state.store.close()
    assert "\nauthentik_active_sessions " not in await metrics.Exposition(served.site).text()


async def test_counts_requests_by_what_answers(served: House) -> None:
    front = Front()
    front.application = served.app
    client = Client(front, token=served.admin.token)
    before = METRICS.text()
    await client.get("/api/v3/core/users/")
    await client.get("/api/v3/core/users/?page=99")
    await client.request("BREW", "/api/v3/core/users/")
    after = METRICS.text()

    def grown(name: str, **labels: str) -> float:
        return number(after, name, **labels) - number(before, name, **labels)

    count = "keystead_http_request_duration_seconds_count"
    assert grown(count, group="api", method="GET", status="200") == 1
    assert grown(count, group="api", method="GET", status="404") == 1
    assert grown(count, group="api", method="other", status="405") == 1
    assert grown("django_http_responses_total_by_status_total", status="404") == 1
    assert grown("django_http_requests_latency_seconds_by_view_method_count", view="api", method="GET") == 2
    assert grown("authentik_main_request_duration_seconds_count", dest="core") == 3


async def test_one_request_too_many_is_told_to_come_again(served: House) -> None:
    front = Front()
    front.application = served.app
    front.inside = MAX_INSIDE
    answered = await Client(front).get("/api/v3/root/config/")
    assert (answered.status, answered.header("retry-after")) == (503, "1")
    assert (await Client(front).get("/-/metrics/")).status == 200, "operators are let in all the same"
    front.inside = 0
    assert (await Client(front).get("/api/v3/core/brands/current/")).status == 200


def test_groups_are_ours_whatever_path_is_asked_for() -> None:
    wild = ["/application/o/token/", "/application/o/x/jwks/", "/%%", "/api/v3/" + "x" * 999, "", "/if/flow/a/", "//"]
    groups: Sequence[str] = [group_of(path) for path in wild]
    assert groups == ["oauth token", "oauth other", "other", "api", "other", "flow page", "other"]


async def test_the_listener_of_its_own_has_that_page_only(served: House) -> None:
    client = Client(metrics.Listener(metrics.Exposition(served.site)), peer=ELSEWHERE)
    assert number((await client.get("/metrics")).text, "process_open_fds") > 0
    assert (await client.get("/metrics/")).status == 200
    assert (await client.request("HEAD", "/metrics")).body == b""
    assert (await client.post("/metrics")).status == 405
    assert (await client.get("/")).status == 404
