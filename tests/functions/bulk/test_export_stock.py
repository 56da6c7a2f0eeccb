from __future__ import annotations

from typing import Any

import pytest

from oms.adapters.items_table import ItemsTable
from oms.adapters.job_queue import Task
from oms.domain.jobs import JobStatus, Progress
from tests.functions.bulk.yard import Yard, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def yard(dynamodb: Any) -> Yard:
    yard = Yard.new(dynamodb)
    for number in range(20):
        yard.receive(f"S{number}", number + 1)
    yard.receive("=SUM(A1)", 3, "RENO")
    yard.reserve("S9", 4)
    return yard


def test_every_level_is_exported_once(yard: Yard) -> None:
    yard.steps = 1
    job = yard.asked("stock_export")

    yard.work_all()

    done = yard.jobs.get(job.job_id)
    head, *rows = yard.files.stored[done.results["levels"]].decode().splitlines()
    assert (done.status, done.progress) == (JobStatus.DONE, Progress(21, 21, 0))
    assert head == "sku,location,on_hand,available,reserved,incoming"
    assert len(rows) == len(set(rows)) == 21
    assert {"S9,AUSTIN,10,6,4,0", "'=SUM(A1),RENO,3,3,0,0"} <= set(rows)


def test_an_export_that_is_loaded_again_changes_nothing(yard: Yard) -> None:
    before = yard.on_hand()
    export = yard.asked("stock_export")
    yard.work_all()
    results = yard.jobs.get(export.job_id).results

    job = yard.loaded(yard.files.stored[results["levels"]])

    assert job.progress == Progress(21, 21, 0)
    assert yard.on_hand() == before
    assert len(yard.stock.movements("S1").movements) == 1


def test_items_are_exported_as_they_are_called_now(yard: Yard) -> None:
    items = ItemsTable(yard.client, yard.stock_name)
    items.rename("S3", "CUP", at=now())
    items.retire("S4")
    job = yard.asked("stock_export")
    yard.work_all()

    text = yard.files.stored[yard.jobs.get(job.job_id).results["levels"]].decode()
    again = yard.loaded(text)

    assert "CUP,AUSTIN,4,4,0,0" in text
    assert not {"S3", "S4"} & {row.partition(",")[0] for row in text.splitlines()}
    assert again.progress == Progress(20, 20, 0)
    assert len(yard.stock.movements("S3").movements) == 1


def test_a_worker_that_dies_anywhere_leaves_a_whole_export(yard: Yard) -> None:
    job = yard.asked("stock_export")

    assert yard.until_done() > 10

    done = yard.jobs.get(job.job_id)
    rows = yard.files.stored[done.results["levels"]].decode().splitlines()[1:]
    assert len(rows) == len(set(rows)) == 21


def test_an_empty_house_has_an_empty_export(dynamodb: Any) -> None:
    yard = Yard.new(dynamodb)
    job = yard.asked("stock_export")

    yard.work_all()

    assert yard.jobs.get(job.job_id).status is JobStatus.DONE


def test_two_who_work_on_one_slice_do_it_once(yard: Yard) -> None:
    job = yard.asked("stock_export")
    yard.work(yard.queue.tasks.pop())
    part = yard.jobs.slice(job.job_id, 0)
    yard.work(Task(job.job_id, 0))

    assert yard.jobs.slice(job.job_id, 0).is_done
    assert part.version < yard.jobs.slice(job.job_id, 0).version
    assert yard.work(Task(job.job_id, 0)) == "slice done"
