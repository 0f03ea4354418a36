"""Schedules and tasks: work comes when it is due, at once when somebody sends it, again when somebody retries it."""

from collections.abc import Mapping
from typing import Any

from keystead.base import rand
from keystead.doors.worker import timetable
from keystead.doors.worker.job import Job
from keystead.doors.worker.schedules import job, tend
from keystead.kinds.state import State
from keystead.kinds.sync import TaskAggregatedStatusEnum
from keystead.people.installation.task import Task, TaskStatusEnum
from tests.house import House

TASKS = "/api/v3/tasks/tasks/"
SCHEDULES = "/api/v3/tasks/schedules/"


class Work:
    """A job that counts its runs, and fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.failing = False
        self.name = f"work-{rand.hex128()[:8]}"

    async def __call__(self, _state: State) -> int:
        self.runs += 1
        if self.failing:
            raise RuntimeError("no such luck")
        return 3

    @property
    def jobs(self) -> Mapping[str, Job]:
        return {self.name: Job(self.name, 3600, self, "0 * * * *", "Works.")}


async def one(house: House, url: str, **query: str) -> dict[str, Any]:
    results = (await house.admin.get(url, query=query)).json["results"]
    assert len(results) == 1, results
    found: dict[str, Any] = results[0]
    return found


async def test_work_comes_when_it_is_due(house: House) -> None:
    work = Work()
    assert await tend(house.state, work.jobs) == 0
    schedule = await one(house, SCHEDULES)
    assert (schedule["uid"], schedule["crontab"], schedule["description"]) == (work.name, "0 * * * *", "Works.")
    assert schedule["next_run"] == "2026-09-01T13:00:00Z"
    assert (await house.admin.get(TASKS)).json["results"] == []
    for hour in (1, 2):
        house.clock.move(hours=1)
        assert await tend(house.state, work.jobs) == 1
        assert await tend(house.state, work.jobs) == 0
        assert work.runs == hour
    task = await one(house, TASKS)
    assert (task["state"], task["aggregated_status"], task["actor_name"]) == ("done", "info", work.name)
    assert task["rel_obj_id"] == schedule["id"]
    assert [line["event"] for line in task["logs"]] == ["Done: 3."]
    after = await one(house, SCHEDULES)
    assert (after["next_run"], after["last_task_status"]) == ("2026-09-01T15:00:00Z", "info")


async def test_a_schedule_that_rests_or_is_moved(house: House) -> None:
    work = Work()
    await tend(house.state, work.jobs)
    url = f"{SCHEDULES}{(await one(house, SCHEDULES))['id']}/"
    assert (await house.admin.patch(url, {"paused": True})).status == 200
    house.clock.move(hours=5)
    assert await tend(house.state, work.jobs) == 0
    back = await house.admin.patch(url, {"paused": False, "crontab": "*/5 * * * *"})
    assert back.json["next_run"] == "2026-09-01T17:05:00Z"
    assert await tend(house.state, work.jobs) == 0
    house.clock.move(minutes=5)
    assert await tend(house.state, work.jobs) == 1
    refused = await house.admin.patch(url, {"crontab": "0 0 31 2 *"})
    assert refused.status == 400
    assert "never comes" in refused.json["crontab"][0]


async def test_a_schedule_is_sent_at_once_and_once(house: House) -> None:
    work = Work()
    await tend(house.state, work.jobs)
    url = f"{SCHEDULES}{(await one(house, SCHEDULES))['id']}/"
    await house.admin.patch(url, {"paused": True})
    viewer = await house.client_with("authentik_tasks_schedules.view_schedule")
    assert (await viewer.post(f"{url}send/")).status == 403
    assert (await house.user.post(f"{url}send/")).status == 404
    sender = await house.client_with("authentik_tasks_schedules.send_schedule")
    for _ in range(3):
        assert (await sender.post(f"{url}send/")).status == 204
    assert (await one(house, TASKS))["state"] == "queued"
    assert (await house.admin.get(f"{TASKS}status/")).json["queued"] == 1
    assert await tend(house.state, work.jobs) == 1
    assert work.runs == 1
    assert (await one(house, TASKS))["state"] == "done"
    told = (await house.admin.get("/api/v3/events/events/", query={"context_model_name": "task"})).json["results"]
    assert [one["action"] for one in told] == ["model_created"]


async def test_a_task_is_done_again(house: House) -> None:
    work = Work()
    work.failing = True
    await tend(house.state, work.jobs)
    house.clock.move(hours=1)
    assert await tend(house.state, work.jobs) == 0
    failed = await one(house, TASKS)
    assert (failed["state"], failed["aggregated_status"]) == ("done", "error")
    assert failed["logs"][0]["event"] == "RuntimeError: no such luck"
    query = {"action": "system_task_exception"}
    assert "no such luck" in (await one(house, "/api/v3/events/events/", **query))["context"]["message"]
    url = f"{TASKS}{failed['message_id']}/retry/"
    assert (await house.user.post(url)).status == 404
    work.failing = False
    assert (await house.admin.post(url)).status == 204
    refused = await house.admin.post(url)
    assert refused.status == 400
    assert "not over yet" in refused.json["non_field_errors"][0]
    assert await tend(house.state, work.jobs) == 1
    again = await one(house, TASKS)
    assert (again["state"], again["aggregated_status"], again["retries"]) == ("done", "info", 1)
    assert again["previous_logs"] == failed["logs"]
    assert work.runs == 2


async def test_what_nothing_here_does_is_rejected(house: House) -> None:
    task = Task(
        message_id=rand.uuid4(),
        actor_name="something.else",
        state=TaskStatusEnum.DONE,
        aggregated_status=TaskAggregatedStatusEnum.INFO,
    )
    await house.put(task)
    assert (await house.admin.post(f"{TASKS}{task.message_id}/retry/")).status == 204
    assert await tend(house.state, {}) == 0
    told = await one(house, TASKS)
    assert (told["state"], told["aggregated_status"]) == ("rejected", "rejected")
    assert "something.else" in told["logs"][0]["event"]


async def test_a_task_that_was_left_is_done_by_whoever_comes_next(house: House) -> None:
    work = Work()
    left = Task(
        message_id=rand.uuid4(),
        actor_name=work.name,
        state=TaskStatusEnum.RUNNING,
        aggregated_status=TaskAggregatedStatusEnum.RUNNING,
    )
    await house.put(left)
    assert await tend(house.state, work.jobs) == 1
    assert work.runs == 1


async def test_every_job_with_a_time_has_a_schedule(house: House) -> None:
    assert await timetable.run(house.state, job(timetable.JOBS))
    found = (await house.admin.get(SCHEDULES)).json["results"]
    assert {one["uid"] for one in found} == {"cleanup", "forget_passwords", "offboarding", "reviews"}
    house.clock.move(minutes=11)
    assert await timetable.run(house.state, job(timetable.JOBS))
    assert {one["state"] for one in (await house.admin.get(TASKS)).json["results"]} == {"done"}
    assert await timetable.run(house.state, job(timetable.JOBS))
    assert len((await house.admin.get(SCHEDULES)).json["results"]) == 4
