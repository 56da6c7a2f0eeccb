"""Work on a job for a while: one slice, from its cursor on, and then hand it on to the next.

A worker that dies leaves its message in the queue, and what it has committed in the slice; two who
work on one slice collide at their first step, and one of them lets go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from functions.bulk.kind import Kind
from functions.bulk.kinds import KINDS
from oms.adapters.job_queue import Task, job_queue
from oms.adapters.jobs_table import JobsTable, Overtaken, jobs_table
from oms.domain.errors import Contended, IllegalTransition, OmsError
from oms.domain.jobs import Job, JobFailed, JobStatus, Slice, together
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    "JOBS_TABLE",
    "JOB_QUEUE",
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "FILES_BUCKET",
    "REPORTS_TABLE",
    *("CUSTOMERS_TABLE", "KEYS_TABLE", "VAULT_KEY_ID", "SECRET_ID"),
)

SECONDS = 60.0  # of the two minutes that the function has
TRIES = 20  # of a step whose writes are refused or do not get through, in one invocation


class Queue(Protocol):
    def send(self, tasks: Sequence[Task]) -> None: ...


@dataclass(frozen=True, slots=True)
class Crew:
    jobs: JobsTable
    queue: Queue
    kinds: Mapping[str, Callable[[], Kind]]
    is_late: Callable[[], bool]
    now: Callable[[], datetime]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    crew = Crew(
        jobs_table(),
        job_queue(),
        KINDS,
        lambda: time.monotonic() > late,
        lambda: datetime.now(UTC),
    )
    tasks = [Task.read(record["body"]) for record in event["Records"]]
    return {"outcome": ", ".join(work(crew, task) for task in tasks)}


def work(crew: Crew, task: Task) -> str:
    """How it ended, in a word or two for the log."""
    job = crew.jobs.get(task.job_id)
    try:
        if job.status is JobStatus.QUEUED:
            return _plan(crew, job)
        if job.status is not JobStatus.RUNNING:
            return f"the job is {job.status}"
        if task.slice is None:
            return _look_after(crew, job)
        return _work_on(crew, job, task.slice)
    except JobFailed as error:
        reason = str(error)
        crew.jobs.stop(job.job_id, lambda now, done: now.failed(reason, done, crew.now()))
        return "failed"
    except (Overtaken, IllegalTransition):
        return "overtaken"


def _plan(crew: Crew, job: Job) -> str:
    plans = _kind(crew, job).slices(job)
    crew.jobs.begin(job, plans, crew.now())
    crew.queue.send([Task(job.job_id, number) for number in range(len(plans))])
    return "begun"


def _look_after(crew: Crew, job: Job) -> str:
    """End it when all is done, or tell what is not done to go on."""
    parts = crew.jobs.slices(job.job_id)
    if unfinished := [Task(job.job_id, part.number) for part in parts if not part.is_done]:
        crew.queue.send(unfinished)
        return "told to go on"
    results = _kind(crew, job).finish(job, parts)
    crew.jobs.change(job.job_id, lambda now: now.done(results, together(parts), crew.now()))
    return "done"


def _work_on(crew: Crew, job: Job, number: int) -> str:
    """The slice is read before the job: who stops the job moves the slice."""
    part, tries = crew.jobs.slice(job.job_id, number), 0
    while not part.is_done:
        if (status := crew.jobs.get(job.job_id).status) is not JobStatus.RUNNING:
            return f"the job is {status}"
        if tries == TRIES:
            raise Contended(f"slice {part.number} of {job.job_id} comes no further")
        before, part = part, _steps(crew, job, part)
        tries = tries + 1 if part.version == before.version else 0
        if not part.is_done and crew.is_late():
            crew.queue.send([Task(job.job_id, part.number)])
            return "to be continued"
    if all(each.is_done for each in crew.jobs.slices(job.job_id)):
        crew.queue.send([Task(job.job_id)])
    return "slice done"


def _steps(crew: Crew, job: Job, part: Slice) -> Slice:
    """The slice after as many steps as there is time for, or up to one that was refused."""
    for step in _kind(crew, job).work(job, part):
        try:
            part = crew.jobs.advance(job, part, step, crew.now())
        except Overtaken:
            raise
        except OmsError:
            return crew.jobs.slice(job.job_id, part.number)  # an answer may be lost, not the step
        if crew.is_late():
            return part
    return crew.jobs.complete(job, part, crew.now())


def _kind(crew: Crew, job: Job) -> Kind:
    if job.kind not in crew.kinds:
        raise JobFailed(f"nobody knows how to do a {job.kind}")
    return crew.kinds[job.kind]()
