"""Jobs over real tables, with a queue and files in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from functions.bulk.api import Desk
from functions.bulk.export_stock import StockExport
from functions.bulk.load_stock import StockImport
from functions.bulk.work_job import Crew, work
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.files import FileChanged, StoredFile
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.adapters.stock_counts import StockCounts
from oms.adapters.stock_table import StockTable
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.jobs import Job
from oms.domain.locations import Location, LocationKind
from tests.functions.jobs import LongJobs, QueueFake
from tests.functions.world import Mortal
from tests.tables import create_table


@dataclass
class FilesFake:
    stored: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)

    def upload_link(self, name: str, size: int, content_type: str) -> str:
        return f"put:{name}:{size}:{content_type}"

    def download_link(self, name: str) -> str:
        return f"get:{name}"

    def find(self, name: str) -> StoredFile | None:
        found = self.stored.get(name)
        return None if found is None else StoredFile(len(found), self.etags.get(name, ""))

    def read(
        self, name: str, first: int = 0, end: int | None = None, etag: str = ""
    ) -> Iterator[bytes]:
        if etag != self.etags.get(name, "") and etag:
            raise FileChanged
        content = self.stored[name][first:end]
        yield from (content[place : place + 7] for place in range(0, len(content), 7))

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        self.stored[name] = b"".join(pieces)


@dataclass
class Yard(LongJobs):
    client: DynamoDB
    jobs_name: str
    stock_name: str
    files: FilesFake = field(default_factory=FilesFake)
    queue: QueueFake = field(default_factory=QueueFake)
    steps: int = 1_000  # before a worker is late

    @classmethod
    def new(cls, client: DynamoDB) -> Yard:
        name = uuid4().hex[:12]
        yard = cls(
            client,
            create_table(client, "jobs", f"jobs-{name}"),
            create_table(client, "stock", f"stock-{name}"),
        )
        for location in ("AUSTIN", "RENO"):
            yard.stock.put_location(Location(location, location, LocationKind.WAREHOUSE, "US"))
        return yard

    @property
    def jobs(self) -> JobsTable:
        return JobsTable(self.client, self.jobs_name)

    @property
    def stock(self) -> StockTable:
        return StockTable(self.client, self.stock_name)

    @property
    def desk(self) -> Desk:
        return Desk(self.jobs, self.queue, self.files)

    @property
    def crew(self) -> Crew:
        counts = StockCounts(self.client, self.stock_name)
        kinds: Mapping[str, Any] = {
            "stock_import": lambda: StockImport(self.files, counts, self.jobs),
            "stock_export": lambda: StockExport(self.files, counts.page),
        }
        watch = iter(range(1, 1_000_000))
        return Crew(self.jobs, self.queue, kinds, lambda: next(watch) % self.steps == 0, now)

    def mortal(self, dies_at: int, *, after: bool) -> Yard:
        return replace(self, client=Mortal(self.client, dies_at, after))

    def uploaded(self, text: str | bytes) -> Job:
        """A job whose file is there and that was told to start."""
        content = text.encode() if isinstance(text, str) else text
        name = f"imports/{uuid4().hex}.csv"
        self.files.stored[name], self.files.etags[name] = content, "1"
        params = {"size": len(content), "file": name, "etag": "1"}
        return self.asked("stock_import", **params)

    def work(self, task: Task) -> str:
        return work(self.crew, task)

    def loaded(self, text: str | bytes) -> Job:
        job = self.uploaded(text)
        self.work_all()
        return self.jobs.get(job.job_id)

    def refused(self, job: Job) -> list[str]:
        text = self.files.stored[job.results["refused"]].decode()
        return text.splitlines()[1:]

    def receive(self, sku: str, quantity: int, location: str = "AUSTIN") -> None:
        self.stock.receive(sku, location, quantity, at=now(), actor="test")

    def reserve(self, sku: str, quantity: int, location: str = "AUSTIN") -> None:
        items = (StockItemChange(sku, location, quantity, reservation="ful_1"),)
        self.stock.apply(StockChange(MovementKind.ALLOCATED, uuid4().hex, now(), items))

    def on_hand(self) -> dict[tuple[str, str], int]:
        """Of every level, which is the sum of its movements."""
        for balance in self.stock.scan_balances():
            assert balance.is_even, balance
        levels = self.stock.scan_levels()
        return {(level.sku, level.location): level.on_hand for level in levels}


def now() -> datetime:
    return datetime.now(UTC)
