from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.bulk import load_stock
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.jobs_table import JobsTable
from oms.domain.errors import Contended
from oms.domain.jobs import JobStatus, Progress
from tests.functions.bulk.yard import Yard, now

pytestmark = pytest.mark.cloud

HEAD = "sku,location,on_hand\n"


@pytest.fixture
def yard(dynamodb: Any) -> Yard:
    return Yard.new(dynamodb)


def test_rows_set_levels_and_begin_stock_items(yard: Yard) -> None:
    yard.receive("MUG", 10)

    job = yard.loaded(HEAD + "MUG,AUSTIN,7\nMUG,RENO,3\nPAN,RENO,0\n")

    assert (job.status, job.progress) == (JobStatus.DONE, Progress(3, 3, 0))
    assert yard.on_hand() == {("MUG", "AUSTIN"): 7, ("MUG", "RENO"): 3, ("PAN", "RENO"): 0}
    assert yard.stock.known(["MUG", "PAN"]) == {"MUG", "PAN"}
    (counted,) = [m for m in yard.stock.movements("MUG").movements if m.quantity == -3]
    assert (counted.kind, counted.cause) == ("counted", f"{job.job_id}#2")


def test_a_row_that_finds_what_is_there_leaves_no_movement(yard: Yard) -> None:
    yard.receive("MUG", 10)

    job = yard.loaded(HEAD + "MUG,AUSTIN,10\n")

    assert job.progress == Progress(1, 1, 0)
    assert len(yard.stock.movements("MUG").movements) == 1


HOSTILE = [
    ("MUG,NOWHERE,1", "location,is not known"),
    ("MUG,AUSTIN,-1", "on_hand,is negative"),
    ("MUG,AUSTIN,1.5", "on_hand,is no whole number"),
    ("MUG,AUSTIN,\u0661", "on_hand,is no whole number"),
    ("MUG,AUSTIN,", "on_hand,is empty"),
    ("MUG,AUSTIN,9999999999", '"is more than 1,000,000,000"'),
    (",AUSTIN,1", "sku,is empty"),
    ("M\x07UG,AUSTIN,1", "sku,has control characters"),
    ("M" * 101 + ",AUSTIN,1", "sku,is longer than 100 characters"),
    ("MUG,a place,1", "location,is no location id"),
    ("MUG,AUSTIN", ',"has 2 cells, not 3"'),
    ("MUG,AUSTIN,1,2", ',"has 4 cells, not 3"'),
    ('"MUG,AUSTIN,1', ",has a quote that does not end on its line"),
    ("M" * 4_100 + ",AUSTIN,1", ',"is longer than 4,000 bytes"'),
    ("MUG,AUSTIN,2", "on_hand,is less than the 4 that are reserved"),
    ("PAN,AUSTIN,6", "sku,is counted on line 2"),
]


@pytest.mark.parametrize(("row", "refusal"), HOSTILE)
def test_a_row_that_cannot_be_is_refused_with_its_line_and_reason(
    yard: Yard, row: str, refusal: str
) -> None:
    yard.receive("MUG", 10)
    yard.reserve("MUG", 4)

    job = yard.loaded(HEAD + f"PAN,AUSTIN,5\n{row}\nPAN,RENO,6\n")

    assert job.progress == Progress(3, 3, 1)
    (refused,) = yard.refused(job)
    assert ",3," in refused
    assert refusal in refused
    assert yard.on_hand() == {("MUG", "AUSTIN"): 10, ("PAN", "AUSTIN"): 5, ("PAN", "RENO"): 6}


def test_a_line_that_is_no_utf8_is_refused_alone(yard: Yard) -> None:
    job = yard.loaded(HEAD.encode() + b"M\xfcG,AUSTIN,1\nPAN,AUSTIN,1\n")

    assert yard.refused(job) == [",,,2,,is no UTF-8"]
    assert yard.on_hand() == {("PAN", "AUSTIN"): 1}


def test_what_was_refused_can_be_mended_and_loaded_again(yard: Yard) -> None:
    job = yard.loaded(HEAD + '"=CMD(1,2)",AUSTIN,-1\n')
    text = yard.files.stored[job.results["refused"]].decode()
    assert "\"'=CMD(1,2)\",AUSTIN,'-1" in text

    yard.loaded(text.replace("'-1", "1"))

    assert yard.on_hand() == {("=CMD(1,2)", "AUSTIN"): 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"sku,location\n", "no column on_hand"),
        (b"sku,sku,location,on_hand\n", "twice"),
        (b"sku,location,on_hand,colour\n", "unknown column 'colour'"),
        (HEAD.encode(), "no other"),
        (HEAD.encode("utf-16"), "no CSV in UTF-8"),
        (b"sku;location;on_hand\nMUG;AUSTIN;1\n", "no column sku"),
    ],
)
def test_a_file_that_is_no_list_of_levels_fails_with_a_reason(
    yard: Yard, content: bytes, reason: str
) -> None:
    job = yard.loaded(content)

    assert job.status is JobStatus.FAILED
    assert reason in job.reason
    assert yard.on_hand() == {}


def test_a_spreadsheets_file_is_read(yard: Yard) -> None:
    text = (
        '\ufeff"SKU","Location","On_Hand","Reason"\r\n"MUG, blue",AUSTIN,3,"said ""so"""\r\n,,,\r\n'
    )

    job = yard.loaded(text)

    assert job.progress == Progress(1, 1, 0)
    (movement,) = yard.stock.movements("MUG, blue").movements
    assert (movement.quantity, movement.note) == (3, 'said "so"')


def test_a_file_that_is_uploaded_again_meanwhile_fails_the_job(yard: Yard) -> None:
    job = yard.uploaded(HEAD + "MUG,AUSTIN,1\n")
    yard.files.etags[job.params["file"]] = "2"

    yard.work_all()

    assert yard.jobs.get(job.job_id).status is JobStatus.FAILED


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few lines, steps of fewer."""
    monkeypatch.setattr(load_stock, "BYTES_A_SLICE", 30)
    monkeypatch.setattr(load_stock, "ROWS_READ", 3)


def a_file(rows: int) -> str:
    return HEAD + "".join(f"S{row},AUSTIN,{row + 1}\n" for row in range(rows))


def test_slices_load_side_by_side_and_their_workers_take_turns(yard: Yard, small: None) -> None:
    yard.steps = 1

    job = yard.loaded(a_file(20) + "S3,AUSTIN,9\nS4,NOWHERE,9\n")

    assert len(yard.jobs.slices(job.job_id)) > 5
    assert job.progress == Progress(22, 22, 2)
    assert yard.on_hand() == {(f"S{row}", "AUSTIN"): row + 1 for row in range(20)}
    assert [row.split(",")[3] for row in yard.refused(job)] == ["22", "23"]


def test_a_worker_that_dies_anywhere_has_done_each_row_once(
    yard: Yard, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_stock, "BYTES_A_SLICE", 60)
    yard.receive("S1", 50)

    job = yard.uploaded(a_file(8) + "S7,NOWHERE,1\n")
    deaths = yard.until_done()

    done = yard.jobs.get(job.job_id)
    assert deaths > 10
    assert (done.status, done.progress) == (JobStatus.DONE, Progress(9, 9, 1))
    assert yard.on_hand() == {(f"S{row}", "AUSTIN"): row + 1 for row in range(8)}
    movements = [m for row in range(8) for m in yard.stock.movements(f"S{row}").movements]
    assert len(movements) == 9
    assert len(yard.refused(done)) == 1


def test_a_level_that_moves_meanwhile_is_looked_at_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.receive("MUG", 10)
    advance, tries = JobsTable.advance, iter(range(100))

    def late(*arguments: Any) -> Any:
        if next(tries) == 0:
            yard.reserve("MUG", 2)
            yard.receive("MUG", 5)
        return advance(*arguments)

    monkeypatch.setattr(JobsTable, "advance", late)
    job = yard.loaded(HEAD + "MUG,AUSTIN,4\n")

    assert job.progress == Progress(1, 1, 0)
    (level,) = yard.stock.levels(["MUG"])["MUG"]
    assert level.on_hand == 4


def test_a_step_whose_answer_is_lost_counts_once(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, tries = JobsTable.advance, iter(range(100))

    def lost(*arguments: Any) -> Any:
        moved = advance(*arguments)
        if next(tries) == 0:
            raise Contended("the answer is lost")
        return moved

    monkeypatch.setattr(JobsTable, "advance", lost)
    job = yard.loaded(HEAD + "MUG,AUSTIN,4\nMUG,NOWHERE,4\n")

    assert job.progress == Progress(2, 2, 1)
    assert len(yard.refused(job)) == 1
    assert yard.on_hand() == {("MUG", "AUSTIN"): 4}


def test_a_step_that_is_refused_for_ever_is_given_up(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise Contended("busy")

    monkeypatch.setattr(JobsTable, "advance", never)
    yard.uploaded(HEAD + "MUG,AUSTIN,4\n")
    yard.work(yard.queue.tasks.pop(0))

    with pytest.raises(Contended, match="comes no further"):
        yard.work(yard.queue.tasks.pop(0))


def test_a_renamed_item_is_counted_under_its_new_name_and_kits_are_not(yard: Yard) -> None:
    yard.receive("MUG", 10)
    items = ItemsTable(yard.client, yard.stock_name)
    items.rename("MUG", "CUP", at=now())
    items.put("SET", Wanted(components=(("CUP", 2),)), at=now(), identity="itm_1")

    job = yard.loaded(HEAD + "CUP,AUSTIN,7\nMUG,AUSTIN,9\nSET,AUSTIN,1\n")

    assert yard.on_hand() == {("MUG", "AUSTIN"): 7}
    assert yard.refused(job) == [
        "MUG,AUSTIN,9,3,sku,stands for no stock item any more",
        "SET,AUSTIN,1,4,sku,is a kit: its components have the stock",
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    counts=st.lists(
        st.tuples(st.sampled_from(["A", "B", "C"]), st.sampled_from(["AUSTIN", "RENO"]),
                  st.integers(0, 9)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_the_first_count_of_each_place_is_what_lies_there(
    dynamodb: Any, counts: list[tuple[str, str, int]]
) -> None:
    yard = Yard.new(dynamodb)
    first = {(sku, at): many for sku, at, many in reversed(counts)}

    job = yard.loaded(HEAD + "".join(f"{sku},{at},{many}\n" for sku, at, many in counts))

    assert yard.on_hand() == first
    assert job.progress == Progress(len(counts), len(counts), len(counts) - len(first))
