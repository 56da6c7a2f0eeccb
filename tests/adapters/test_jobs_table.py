from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.dynamodb import Write, key
from oms.adapters.jobs_table import JobsTable, Overtaken, Step
from oms.domain.errors import Conflict, NotFound
from oms.domain.jobs import Job, JobStatus, Progress, SlicePlan
from tests.tables import create_table

pytestmark = pytest.mark.cloud

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NAME = f"jobs-{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def table(dynamodb: Any) -> str:
    return create_table(dynamodb, "jobs", NAME)


@pytest.fixture
def jobs(dynamodb: Any, table: str) -> JobsTable:
    return JobsTable(dynamodb, table)


def running(jobs: JobsTable, slices: int = 2) -> Job:
    job = Job(f"job_{uuid4().hex[:12]}", "counting", {"to": 3}, "test", NOW, started_at=NOW)
    plans = [SlicePlan({"from": number}, total=10) for number in range(slices)]
    return jobs.begin(jobs.add(job), plans, NOW)


def a_row(table: str, name: str, condition: str = "attribute_not_exists(PK)") -> Write:
    put = {"TableName": table, "Item": key(name, "ROW"), "ConditionExpression": condition}
    return Write({"Put": put}, lambda _: Conflict("no"))


def is_there(dynamodb: Any, table: str, name: str) -> bool:
    return "Item" in dynamodb.get_item(TableName=table, Key=key(name, "ROW"))


def test_a_step_moves_its_slice_and_does_its_work_in_one(
    dynamodb: Any, table: str, jobs: JobsTable
) -> None:
    job = running(jobs)
    (first, _) = jobs.slices(job.job_id)
    name = uuid4().hex

    step = Step({"at": 5}, done=5, refused=1, kept=b"[1]", writes=[a_row(table, name)])
    jobs.advance(job, first, step, NOW)

    moved = jobs.slice(job.job_id, 0)
    assert (moved.cursor, moved.progress) == ({"at": 5}, Progress(5, 10, 1))
    assert is_there(dynamodb, table, name)
    assert list(jobs.kept(job.job_id)) == [b"[1]"]


def test_a_step_whose_work_is_refused_moves_nothing(table: str, jobs: JobsTable) -> None:
    job = running(jobs)
    (first, _) = jobs.slices(job.job_id)

    step = Step(1, done=1, kept=b"x", writes=[a_row(table, "x", "attribute_exists(PK)")])
    with pytest.raises(Conflict):
        jobs.advance(job, first, step, NOW)

    assert jobs.slice(job.job_id, 0) == first
    assert list(jobs.kept(job.job_id)) == []


def test_of_two_who_work_on_a_slice_one_lets_go_and_does_nothing(
    dynamodb: Any, table: str, jobs: JobsTable
) -> None:
    job = running(jobs)
    (first, _) = jobs.slices(job.job_id)
    jobs.advance(job, first, Step(1, done=1), NOW)
    name = uuid4().hex

    with pytest.raises(Overtaken):
        jobs.advance(job, first, Step(1, done=1, writes=[a_row(table, name)]), NOW)

    assert jobs.slice(job.job_id, 0).progress.done == 1
    assert not is_there(dynamodb, table, name)


def test_a_job_that_is_stopped_stops_steps_on_their_way(jobs: JobsTable) -> None:
    job = running(jobs)
    (first, _) = jobs.slices(job.job_id)

    jobs.stop(job.job_id, lambda now, done: now.cancelled(done, NOW))

    with pytest.raises(Overtaken):
        jobs.advance(job, first, Step(1, done=1), NOW)
    assert jobs.get(job.job_id).status is JobStatus.CANCELLED


def test_a_job_begins_once(jobs: JobsTable) -> None:
    job = Job(f"job_{uuid4().hex[:12]}", "counting", {}, "test", NOW, started_at=NOW)
    jobs.add(job)
    jobs.begin(job, [SlicePlan({})], NOW)

    with pytest.raises(Overtaken):
        jobs.begin(job, [SlicePlan({}), SlicePlan({})], NOW)

    assert len(jobs.slices(job.job_id)) == 1


def test_a_slice_that_is_done_says_so(jobs: JobsTable) -> None:
    job = running(jobs)
    (first, second) = jobs.slices(job.job_id)

    jobs.complete(job, first, NOW)

    assert [part.is_done for part in jobs.slices(job.job_id)] == [True, False]
    assert second.params == {"from": 1}


def test_what_is_kept_comes_back_in_the_order_of_the_work(jobs: JobsTable) -> None:
    job = running(jobs)
    parts = list(jobs.slices(job.job_id))
    for number in (1, 0, 0, 1):
        said = f"{number}{parts[number].version}".encode()
        parts[number] = jobs.advance(job, parts[number], Step(1, kept=said), NOW)

    assert list(jobs.kept(job.job_id)) == [b"01", b"02", b"11", b"12"]


def test_an_unknown_job_is_not_found(jobs: JobsTable) -> None:
    with pytest.raises(NotFound):
        jobs.get("job_nobody")
    with pytest.raises(NotFound):
        jobs.slice("job_nobody", 0)
