"""Files of orders: each order whole or not at all, however often and by whomever it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.bulk import load_orders
from functions.bulk.load_orders import OrderImport, groups, plans, survey
from functions.bulk.take_drops import take
from functions.bulk.work_job import Crew, work
from oms.adapters.files import StoredFile
from oms.adapters.job_queue import Task
from oms.contracts import csv_rows
from oms.contracts.api.orders import ChannelOrder
from oms.domain.errors import Conflict
from oms.domain.ids import order_id_of
from oms.domain.jobs import Job, JobFailed, JobStatus, Progress
from tests.functions.bulk.yard import FilesFake, now
from tests.functions.jobs import LongJobs, QueueFake
from tests.functions.world import Mortal, World
from tests.tables import create_table

HEAD = "order,currency,sku,quantity,unit_price,paid\n"


@dataclass
class Till(LongJobs):
    """Orders are placed over real tables, from files in memory."""

    world: World
    jobs_name: str
    files: FilesFake = field(default_factory=FilesFake)
    queue: QueueFake = field(default_factory=QueueFake)
    steps: int = 1_000

    @classmethod
    def new(cls, client: Any) -> Till:
        world = World.new(client)
        name = world.orders_name.replace("orders", "jobs")
        return cls(world, create_table(client, "jobs", name))

    @property
    def jobs(self) -> Any:
        from oms.adapters.jobs_table import JobsTable

        return JobsTable(self.world.client, self.jobs_name)

    def place(self, said: ChannelOrder, actor: str) -> object:
        return self.world.desk.place(said, at=now(), actor=actor, request_key=None)

    @property
    def crew(self) -> Crew:
        kinds = {load_orders.KIND: lambda: OrderImport(self.files, self.place, self.jobs)}
        watch = iter(range(1, 1_000_000))
        return Crew(self.jobs, self.queue, kinds, lambda: next(watch) % self.steps == 0, now)

    def mortal(self, dies_at: int, *, after: bool) -> Till:
        world = World(
            Mortal(self.world.client, dies_at, after),
            self.world.orders_name,
            self.world.stock_name,
        )
        return Till(world, self.jobs_name, self.files, self.queue, self.steps)

    def work(self, task: Task) -> str:
        return work(self.crew, task)

    def uploaded(self, text: str, name: str = "imports/a.csv") -> Job:
        self.files.stored[name], self.files.etags[name] = text.encode(), "1"
        params = {"size": len(text.encode()), "file": name, "etag": "1", "channel": "till"}
        return self.asked(load_orders.KIND, **params)

    def loaded(self, text: str) -> Job:
        job = self.uploaded(text)
        self.work_all()
        done: Job = self.jobs.get(job.job_id)
        return done

    def refused(self, job: Job) -> list[str]:
        return self.files.stored[job.results["refused"]].decode().splitlines()[1:]

    def lines(self, number: str) -> list[tuple[str, int]]:
        order = self.world.orders.get(order_id_of("till", number))
        return [(line.sku, line.quantity) for line in order.lines]

    @property
    def placed(self) -> int:
        rows = self.world.client.scan(TableName=self.world.orders_name)["Items"]
        return sum(row["SK"] == {"S": "ORDER"} for row in rows)


@pytest.fixture
def till(dynamodb: Any) -> Till:
    return Till.new(dynamodb)


FILE = HEAD + "T-1,EUR,MUG,2,10.00,\nT-1,,PAN,1,5.00,\nT-2,JPY,TEA,1,350,no\n"


@pytest.mark.cloud
def test_each_order_of_a_file_is_placed_with_all_its_lines(till: Till) -> None:
    job = till.loaded(FILE)

    assert (job.status, job.progress) == (JobStatus.DONE, Progress(3, 3, 0))
    assert till.lines("T-1") == [("MUG", 2), ("PAN", 1)]
    order = till.world.orders.get(order_id_of("till", "T-2"))
    assert (order.total, order.active_holds[0].type) == (350, "payment")
    assert till.placed == 2


@pytest.mark.cloud
def test_the_same_file_again_places_nothing_anew(till: Till) -> None:
    till.loaded(FILE)

    job = till.loaded(FILE)

    assert job.progress == Progress(3, 3, 0)
    assert till.placed == 2


@pytest.mark.cloud
def test_an_order_that_says_something_else_now_is_refused(till: Till) -> None:
    till.loaded(FILE)

    job = till.loaded(FILE.replace("MUG,2", "MUG,3"))

    assert job.progress == Progress(3, 3, 2)
    assert till.lines("T-1") == [("MUG", 2), ("PAN", 1)]


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("rows", "refused", "placed"),
    [
        ("T-1,EUR,MUG,2,10.00,\nT-1,,PAN,one,5.00,\nT-2,EUR,TEA,1,1,\n", 2, 1),
        ("T-1,EUR,MUG,2,10.00,\nT-1,,PAN\nT-1,,TEA,1,1,\nT-2,EUR,TEA,1,1,\n", 3, 1),
        ("T-1,EUR,MUG,2,10.00,\nT-2,EUR,TEA,1,1,\nT-1,,PAN,1,1,\n", 2, 1),
        ("T-1,EUR,MUG,2,10.00,\n,,PAN,1,1,\nT-2,EUR,TEA,1,1,\n", 3, 0),
    ],
)
def test_no_order_is_placed_by_half(till: Till, rows: str, refused: int, placed: int) -> None:
    job = till.loaded(HEAD + rows)

    assert job.status is JobStatus.DONE
    assert job.progress.refused == refused
    assert till.placed == placed
    assert len(till.refused(job)) == refused


@pytest.mark.cloud
def test_what_was_refused_can_be_mended_and_loaded_again(till: Till) -> None:
    job = till.loaded(FILE.replace("MUG,2", "MUG,two"))
    text = till.files.stored[job.results["refused"]].decode()

    assert till.placed == 1
    till.loaded(text.replace("two", "2"))

    assert till.lines("T-1") == [("MUG", 2), ("PAN", 1)]


@pytest.mark.cloud
def test_a_worker_that_dies_anywhere_places_each_order_once(till: Till) -> None:
    job = till.uploaded(FILE)

    assert till.until_done() > 5

    assert till.jobs.get(job.job_id).progress == Progress(3, 3, 0)
    assert till.placed == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("order,sku\n", "no column currency"),
        (HEAD, "no other"),
    ],
)
def test_a_file_that_is_no_list_of_orders_fails_with_a_reason(content: str, reason: str) -> None:
    files = FilesFake({"f": content.encode()}, {"f": "1"})
    params = {"size": len(content), "file": "f", "etag": "1", "channel": "till"}
    job = Job("job_1", load_orders.KIND, params, "test", now(), started_at=now())

    with pytest.raises(JobFailed, match=reason):
        OrderImport(files, _nobody, files).slices(job)  # type: ignore[arg-type]


def _nobody(said: ChannelOrder, actor: str) -> object:
    raise Conflict("nobody places anything here")


COLUMNS = ("order", "currency", "sku", "quantity", "unit_price")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=30),
    st.integers(1, 8),
)
def test_slices_are_cut_between_orders_and_cover_the_file(
    said: Sequence[tuple[int, int]], count: int
) -> None:
    rows = [f"O-{number},EUR,S,1,1" if kind else "" for number, kind in said]
    content = ("\n".join([",".join(COLUMNS), *rows]) + "\n").encode()
    first, *rest = csv_rows.lines([content])
    borders = [len(content) * part // count for part in range(1, count + 1)]
    found = survey(groups(COLUMNS, rest), borders)
    if not sum(rows for _, _, rows in found.ends):
        return

    cut = list(plans(COLUMNS, first, found))

    whole = [[row.line for row in each.rows] for each in groups(COLUMNS, rest)]
    sliced = []
    for plan in cut:
        part = content[plan.params["first"] : plan.params["end"]]
        source = csv_rows.lines([part], plan.params["line"], plan.params["first"])
        sliced += [[row.line for row in each.rows] for each in groups(COLUMNS, source)]
    assert sliced == whole
    assert sum(plan.total for plan in cut) == sum(map(len, whole))


# --- drops ----------------------------------------------------------------------------------------


@pytest.mark.cloud
def test_a_dropped_file_is_taken_once_and_again_when_it_has_changed(till: Till) -> None:
    def look(etag: str) -> list[str]:
        found = [("drops/till/monday.csv", StoredFile(len(FILE), etag))]
        return [job.params["channel"] for job in take(found, till.jobs, till.queue, now())]

    till.files.stored["drops/till/monday.csv"] = FILE.encode()
    till.files.etags["drops/till/monday.csv"] = "1"
    assert look("1") == ["till"]
    till.work_all()
    assert till.placed == 2

    assert look("1") == []
    assert look("2") == ["till"]


@pytest.mark.cloud
@pytest.mark.parametrize(
    "name",
    ["drops/a.csv", "drops/till/", "drops/till/a/b.csv", "drops/till/a.xlsx", "drops/Tİll/a.csv"],
)
def test_what_is_no_file_of_orders_is_left_where_it_lies(till: Till, name: str) -> None:
    assert list(take([(name, StoredFile(10, "1"))], till.jobs, till.queue, now())) == []
