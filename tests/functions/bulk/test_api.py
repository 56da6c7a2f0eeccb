from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.bulk import api
from functions.bulk.api import cancel, job_view, listed, plan_import, resume, start_import
from functions.bulk.work_job import work
from oms.adapters.http_api import Problem, Request
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable, Step
from oms.contracts.api.jobs import JobQuery
from oms.domain.errors import Contended, IllegalTransition, NotFound
from oms.domain.inventory import IdempotencyConflict
from oms.domain.jobs import STUCK_AFTER, Job, JobStatus, Progress, Slice
from tests.functions.bulk.yard import Yard, now

pytestmark = pytest.mark.cloud

LEVELS = b"sku,location,on_hand\nMUG,AUSTIN,4\n"


@pytest.fixture
def yard(dynamodb: Any) -> Yard:
    return Yard.new(dynamodb)


def request(key: str = "once") -> Request:
    return Request("POST", "/", headers={"idempotency-key": key}, claims={"client_id": "shop"})


def planned(yard: Yard, size: int = len(LEVELS)) -> str:
    job = api.new_job(api.IMPORT, request(), now(), size=size)
    return plan_import(yard.desk, job, now()).job.job_id


def test_an_import_is_announced_uploaded_started_and_followed(yard: Yard) -> None:
    job_id = planned(yard)
    yard.files.stored[f"imports/{job_id}.csv"] = LEVELS

    started = start_import(yard.desk, job_id, now())
    yard.work_all()
    (seen,) = listed(yard.desk, JobQuery(), now()).items

    assert (started.status, seen.status) == ("queued", "done")
    assert (seen.progress.done, seen.progress.total) == (1, 1)
    assert yard.on_hand() == {("MUG", "AUSTIN"): 4}


def test_the_same_key_announces_the_same_import(yard: Yard) -> None:
    assert planned(yard) == planned(yard)

    with pytest.raises(IdempotencyConflict):
        planned(yard, size=1)


def test_what_is_not_uploaded_whole_is_not_started(yard: Yard) -> None:
    job_id = planned(yard)
    for stored in (None, LEVELS[:-1]):
        if stored:
            yard.files.stored[f"imports/{job_id}.csv"] = stored
        with pytest.raises(Problem):
            start_import(yard.desk, job_id, now())

    assert yard.queue.tasks == []


def test_only_imports_are_started_so(yard: Yard) -> None:
    with pytest.raises(NotFound):
        start_import(yard.desk, yard.asked("stock_export").job_id, now())


def test_a_cancelled_job_stops_where_it_is_and_stays_so(yard: Yard) -> None:
    job = yard.uploaded(LEVELS)
    yard.work(yard.queue.tasks.pop(0))
    part = yard.jobs.slice(job.job_id, 0)

    view = cancel(yard.desk, job.job_id, now())

    assert view.status == "cancelled"
    assert yard.jobs.slice(job.job_id, 0).version > part.version
    yard.work_all()
    assert yard.on_hand() == {}
    with pytest.raises(IllegalTransition):
        resume(yard.desk, job.job_id, now())
    assert cancel(yard.desk, job.job_id, now()).status == "cancelled"


def test_an_import_that_was_cancelled_before_its_file_came_is_not_started(yard: Yard) -> None:
    job_id = planned(yard)
    cancel(yard.desk, job_id, now())

    with pytest.raises(IllegalTransition):
        start_import(yard.desk, job_id, now())

    assert yard.queue.tasks == []


class CancelledMeanwhile(JobsTable):
    """At the first step, which does not get through, somebody cancels the job."""

    yard: Yard
    tries = 0

    def advance(self, job: Job, part: Slice, step: Step, at: datetime) -> Slice:
        self.tries += 1
        if self.tries == 1:
            cancel(self.yard.desk, job.job_id, now())
            raise Contended("a transaction did not get through")
        return super().advance(job, part, step, at)


def test_a_job_cancelled_while_a_step_does_not_get_through_goes_no_further(yard: Yard) -> None:
    job = yard.uploaded(LEVELS)
    yard.work(yard.queue.tasks.pop(0))
    jobs = CancelledMeanwhile(yard.client, yard.jobs_name)
    jobs.yard = yard

    work(replace(yard.crew, jobs=jobs), yard.queue.tasks.pop(0))

    assert jobs.tries == 1
    assert yard.on_hand() == {}
    assert yard.jobs.get(job.job_id).status is JobStatus.CANCELLED


def test_a_job_cancelled_just_as_it_begins_is_halted(yard: Yard) -> None:
    job = yard.uploaded(LEVELS)
    begin = yard.queue.tasks.pop(0)

    def cancelled(now_: Job, done: Progress) -> Job:
        if now_.status is JobStatus.QUEUED:
            yard.work(begin)
        return now_.cancelled(done, now())

    yard.jobs.stop(job.job_id, cancelled)

    assert yard.jobs.slice(job.job_id, 0).version == 2


def test_a_job_whose_messages_are_lost_is_seen_and_resumed(yard: Yard) -> None:
    job = yard.uploaded(LEVELS)
    yard.work(yard.queue.tasks.pop(0))
    yard.queue.tasks.clear()
    late = now() + STUCK_AFTER + timedelta(seconds=1)

    (seen,) = listed(yard.desk, JobQuery(), late).items
    resume(yard.desk, job.job_id, late)
    yard.work_all()

    assert seen.stuck
    assert seen.idle_seconds >= STUCK_AFTER.total_seconds()
    assert yard.jobs.get(job.job_id).status is JobStatus.DONE


def test_a_job_that_failed_goes_on_when_its_cause_is_gone(yard: Yard) -> None:
    job = yard.uploaded(LEVELS)
    file = job.params["file"]
    yard.work(yard.queue.tasks.pop(0))
    yard.files.etags[file] = "2"
    yard.work_all()
    assert yard.jobs.get(job.job_id).status is JobStatus.FAILED

    yard.files.etags[file] = "1"
    resume(yard.desk, job.job_id, now())
    yard.work_all()

    assert yard.jobs.get(job.job_id).status is JobStatus.DONE
    assert yard.on_hand() == {("MUG", "AUSTIN"): 4}


def test_a_kind_that_nobody_knows_fails(yard: Yard) -> None:
    job = yard.asked("alchemy")

    yard.work_all()

    assert "alchemy" in yard.jobs.get(job.job_id).reason


def test_jobs_are_listed_newest_first_page_by_page(yard: Yard) -> None:
    ids = [yard.asked("stock_export").job_id for _ in range(3)]

    first = listed(yard.desk, JobQuery(limit=2), now())
    second = listed(yard.desk, JobQuery(limit=2, cursor=first.cursor), now())

    assert [job.job_id for job in (*first.items, *second.items)] == ids[::-1]
    assert second.cursor is None


def test_what_has_ended_is_never_stuck(yard: Yard) -> None:
    job = yard.loaded(LEVELS)

    view = job_view(job, (), now() + timedelta(days=3))

    assert (view.stuck, view.idle_seconds) == (False, 0)
    assert yard.work(Task(job.job_id, 0)) == "the job is done"
