"""Statements over real tables, with orders, a queue and files in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from functions.bulk.work_job import Crew, work
from functions.reconciliation.api import Desk
from oms.adapters import reconciling
from oms.adapters.books_table import Tasks
from oms.adapters.costs_table import Cost, CostsTable
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.adapters.labels_table import LabelRow
from oms.adapters.order_reader import KeyPage
from oms.adapters.our_side import OurSide
from oms.adapters.reconciling import Reconciling
from oms.adapters.statements_table import StatementsTable
from oms.domain import commands as c
from oms.domain.books import Task as BookTask
from oms.domain.jobs import Job
from oms.domain.order import Fact, Order
from oms.domain.payment import OperationStatus
from oms.domain.reconciling.judging import Finding, Outcome
from oms.domain.reconciling.reconciliation import Reconciliation
from tests.builders import Story, placement
from tests.functions.bulk.yard import FilesFake
from tests.functions.jobs import LongJobs, QueueFake
from tests.functions.world import Mortal
from tests.tables import create_table

MARCH = {"first": "2026-03-01", "last": "2026-03-31"}
AFTERWARDS = datetime(2026, 4, 2, tzinfo=UTC)


@dataclass
class OrdersFake:
    """Orders by the day on which they were placed, as the index has them."""

    stories: dict[str, Story] = field(default_factory=dict)

    def by_day(self, day: date, **how: Any) -> KeyPage:
        start, limit = how.get("start"), how.get("limit", 50)
        placed = (each for each in self.stories.values() if each.order.placed_at.date() == day)
        ids = [each.order_id for each in placed]
        first = start["after"] if start else 0
        keys = tuple((f"ORDER#{each}", "ORDER") for each in ids[first : first + limit])
        rest = {"after": first + limit} if len(ids) > first + limit else None
        return KeyPage(keys, rest)

    def many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        return {each: self.stories[each].order for each in order_ids if each in self.stories}

    def whole_history(self, order_id: str) -> tuple[Fact, ...]:
        return tuple(self.stories[order_id].facts)

    def parcels(self, carrier: str, tracking_number: str) -> tuple[str, ...]:
        return tuple(
            each.fulfillment_order_id
            for story in self.stories.values()
            for each in story.order.fulfillment_orders
            for parcel in each.parcels
            if (parcel.carrier, parcel.tracking_number) == (carrier, tracking_number)
        )


@dataclass
class LabelsFake:
    rows: list[LabelRow] = field(default_factory=list)

    def of_order(self, order_id: str) -> tuple[LabelRow, ...]:
        name = order_id.removeprefix("ord_")
        return tuple(each for each in self.rows if name in each.fulfillment_order_id)


@dataclass
class Office(LongJobs):
    client: DynamoDB
    jobs_name: str
    reports_name: str
    orders: OrdersFake = field(default_factory=OrdersFake)
    labels: LabelsFake = field(default_factory=LabelsFake)
    files: FilesFake = field(default_factory=FilesFake)
    queue: QueueFake = field(default_factory=QueueFake)
    steps: int = 1_000  # before a worker is late

    @classmethod
    def new(cls, client: DynamoDB) -> Office:
        name = uuid4().hex[:12]
        return cls(
            client,
            create_table(client, "jobs", f"jobs-{name}"),
            create_table(client, "reports", f"reports-{name}"),
        )

    @property
    def jobs(self) -> JobsTable:
        return JobsTable(self.client, self.jobs_name)

    @property
    def table(self) -> StatementsTable:
        return StatementsTable(self.client, self.reports_name)

    @property
    def costs(self) -> CostsTable:
        return CostsTable(self.client, self.reports_name)

    @property
    def tasks(self) -> Tasks:
        return Tasks(self.client, self.reports_name)

    @property
    def desk(self) -> Desk:
        return Desk(self.jobs, self.queue, self.files, self.table)

    @property
    def kind(self) -> Reconciling:
        side = OurSide(self.orders, self.labels)
        return Reconciling(
            self.files, self.jobs, side, self.table, self.costs, self.tasks, lambda: AFTERWARDS
        )

    @property
    def crew(self) -> Crew:
        watch = iter(range(1, 1_000_000))
        return Crew(
            self.jobs,
            self.queue,
            {reconciling.KIND: lambda: self.kind},
            lambda: next(watch) % self.steps == 0,
            lambda: datetime.now(UTC),
        )

    def mortal(self, dies_at: int, *, after: bool) -> Office:
        return replace(self, client=Mortal(self.client, dies_at, after))

    def work(self, task: Task) -> str:
        return work(self.crew, task)

    def uploaded(self, text: str, **said: Any) -> Job:
        content, name = text.encode(), f"imports/{uuid4().hex}.csv"
        self.files.stored[name], self.files.etags[name] = content, "1"
        params = {
            "statement": "payouts",
            "source": "stripe",
            "format": "generic",
            **MARCH,
            "tolerance": 5,
            "look_back": 30,
            "size": len(content),
            "file": name,
            "etag": "1",
            **said,
        }
        return self.asked(reconciling.KIND, **params)

    def reconciled(self, text: str, **said: Any) -> Reconciliation:
        job = self.uploaded(text, **said)
        self.work_all()
        return self.outcome_of(job)

    def outcome_of(self, job: Job) -> Reconciliation:
        done = self.jobs.get(job.job_id)
        assert done.status.value == "done", done.reason
        return self.table.get(job.job_id)

    def found(self, done: Reconciliation, *outcomes: Outcome) -> list[Finding]:
        return list(self.table.findings(done.reconciliation_id, outcomes or tuple(Outcome)))

    def counts(self, done: Reconciliation) -> dict[str, int]:
        told = {each.value: done.figures.count(each) for each in Outcome}
        return {name: count for name, count in told.items() if count}

    def open_tasks(self) -> list[BookTask]:
        return [each for each in self.tasks.page(200).tasks if each.is_open]

    def costs_of(self, *stories: Story) -> list[Cost]:
        return [cost for story in stories for cost in self.costs.of_order(story.order_id)]

    def rows(self) -> list[Any]:
        return list(self.client.scan(TableName=self.reports_name)["Items"])

    def paid_order(self, number: str, **changes: Any) -> Story:
        """Captured whole as `ch_<number>`."""
        story = Story(placement(external_id=number, provider="stripe", **changes))
        story.do(paid(story, f"pi_{number}")).routed().shipped(1, f"1Z{number}")
        while story.order.payment.unsettled:
            story.do(paid(story, f"ch_{number}"))
        self.orders.stories[story.order_id] = story
        return story


def paid(story: Story, reference: str) -> c.RecordPaymentResult:
    operation = story.order.payment.unsettled[0].operation_id
    done = OperationStatus.SUCCEEDED
    return c.RecordPaymentResult(operation, 1, done, reference=reference)
