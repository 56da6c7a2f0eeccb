"""All books over real tables, with workflows, a bus and an archive's files in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from functions.books.auditor import Auditor
from functions.books.checking import Checking
from functions.books.keep_books import AUDITED, Keeper, keep
from functions.books.mending import Mender
from oms.adapters import dynamodb as db
from oms.adapters.books_table import Tasks
from oms.adapters.bus import Bus
from oms.adapters.checks_table import ChecksTable, check_id_of
from oms.adapters.corrections import OrderRows, envelope_of
from oms.adapters.credit_ledger import CreditLedger
from oms.adapters.event_log import Checkpoints, EventLog, Reader
from oms.adapters.histories import Histories
from oms.adapters.item_books import ItemBooks
from oms.adapters.told_events import NOTED, ToldEvents
from oms.adapters.workflow import Executions, ReturnWorkflow, Workflow
from oms.contracts import codec
from oms.domain.books.checks import Check
from oms.domain.books.tasks import Task
from oms.domain.order import Order
from tests.functions.world import World, an_order
from tests.tables import create_table

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:OmsService-Order"
NEVER = "never"


@dataclass
class StepFunctions:
    """Executions by name and how they stand; two in a page."""

    status: dict[str, str] = field(default_factory=dict)

    def start_execution(self, *, name: str, **said: Any) -> None:
        if name in self.status:
            raise refused("ExecutionAlreadyExists")
        self.status[name] = "RUNNING"

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        name = executionArn.rpartition(":")[2]
        if name not in self.status:
            raise refused("ExecutionDoesNotExist")
        return {"status": self.status[name]}

    def stop_execution(self, *, executionArn: str, **said: str) -> None:  # noqa: N803
        self.status[executionArn.rpartition(":")[2]] = "ABORTED"

    def list_executions(self, *, nextToken: str = "0", **asked: Any) -> dict[str, Any]:  # noqa: N803
        names = [name for name, status in self.status.items() if status == "RUNNING"]
        start = int(nextToken)
        more = {"nextToken": str(start + 2)} if len(names) > start + 2 else {}
        return {"executions": [{"name": name} for name in names[start : start + 2]], **more}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "StepFunctions")


@dataclass
class Folder:
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, name: str) -> Iterator[bytes]:
        yield self.files[name]

    def write(self, name: str, pieces: Sequence[bytes]) -> None:
        self.files[name] = b"".join(pieces)


@dataclass
class EventBridge:
    """What was told, in order."""

    told: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.told += Entries
        return {"Entries": [{} for _ in Entries]}


@dataclass
class Room:
    """`later`: how far its clock is ahead of the tables'."""

    world: World
    reports: str
    steps: StepFunctions = field(default_factory=StepFunctions)
    return_steps: StepFunctions = field(default_factory=StepFunctions)
    folder: Folder = field(default_factory=Folder)
    bridge: EventBridge = field(default_factory=EventBridge)
    later: timedelta = timedelta(hours=1)

    @classmethod
    def new(cls, client: Any) -> Room:
        world = World.new(client)
        return cls(world, create_table(client, "reports", f"reports-{uuid4().hex[:12]}"))

    @property
    def client(self) -> Any:
        return self.world.client

    def mortal(self, dies_at: int, *, after: bool) -> Room:
        mortal = self.world.mortal(dies_at, after=after)
        said = self.steps, self.return_steps, self.folder, self.bridge, self.later
        return Room(mortal, self.reports, *said)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.later

    @property
    def tasks(self) -> Tasks:
        return Tasks(self.client, self.reports)

    @property
    def checks(self) -> ChecksTable:
        return ChecksTable(self.client, self.reports)

    @property
    def log(self) -> EventLog:
        return EventLog(self.client, self.reports, self.folder)

    @property
    def told(self) -> ToldEvents:
        return ToldEvents(
            self.client, self.reports, self.log, Checkpoints(self.client, self.reports)
        )

    @property
    def items(self) -> ItemBooks:
        return ItemBooks(self.client, self.world.stock_name)

    @cached_property
    def executions(self) -> Executions:
        workflow = Workflow(self.steps, MACHINE)
        return Executions(workflow, self.client, self.world.orders_name)

    @cached_property
    def returns(self) -> Executions:
        workflow = ReturnWorkflow(self.return_steps, MACHINE)
        return Executions(workflow, self.client, self.world.orders_name)

    @property
    def auditor(self) -> Auditor:
        return Auditor(
            Histories(self.client, self.world.orders_name),
            self.world.orders,
            self.items,
            CreditLedger(self.client, self.world.orders_name, self.world.agenda),
            self.told,
            self.executions,
            self.returns,
            self.clock,
        )

    @property
    def checking(self) -> Checking:
        return Checking(self.checks, self.tasks, self.auditor, self.world.stock, self.clock)

    @property
    def mender(self) -> Mender:
        return Mender(
            self.tasks,
            self.auditor,
            self.world.orders,
            OrderRows(self.client, self.world.orders_name, Bus(self.bridge, "bus")),
            self.items,
            self.world.stock,
            self.executions,
            self.returns,
            self.clock,
        )

    def keeper(self, is_late: Any = lambda: False) -> Keeper:
        checkpoints = Checkpoints(self.client, self.reports)
        noter, reader = (Reader(self.log, checkpoints, name) for name in (NOTED, AUDITED))
        return Keeper(
            self.checks, noter, reader, self.told, self.checking, self.mender, self.clock, is_late
        )

    def keep(self) -> Mapping[str, int]:
        return keep(self.keeper())

    def asked(self, parts: int = 4) -> Check:
        check_id = check_id_of(self.clock(), uuid4().hex)
        return self.checks.begin(Check(check_id, "test", self.clock(), self.clock(), parts=parts))

    def check(self) -> Check:
        return self.checking.work(self.asked(), lambda: False)

    def open_tasks(self) -> list[Task]:
        return list(self.tasks.page(100, state="open").tasks)

    def problem(self) -> Task:
        """The only one."""
        (task,) = self.open_tasks()
        return task

    # --- a shop at work --------------------------------------------------------------------------

    def routed(self, *lines: tuple[str, int]) -> str:
        order_id = self.world.place(an_order(*lines)).order_id
        self.executions.resume(order_id)
        self.world.pay(order_id)
        assert self.world.route(order_id) == "routed"
        return order_id

    def sold(self, *lines: tuple[str, int]) -> str:
        order_id = self.routed(*lines)
        self.world.pack(order_id)
        self.world.ship(order_id)
        self.world.pay(order_id)
        self.world.deliver(order_id)
        self.steps.status[order_id] = "SUCCEEDED"
        return order_id

    def publish(self, order_id: str, but: int = 0) -> None:
        """All events of the order come into the archive, but one that is lost."""
        rows = db.query(
            self.client,
            TableName=self.world.orders_name,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": db.s(f"ORDER#{order_id}"), ":event": db.s("EVENT#")},
        )
        loud = [envelope_of(order_id, row) for row in rows if "publish" in row]
        told = [each for each in loud if each["seq"] != but]
        self.log.append([as_json(each) for each in told])

    def cook_level(self, sku: str = "MUG", location: str = "AUSTIN", **counters: int) -> None:
        """Behind the back of its movements."""
        self.client.update_item(
            TableName=self.world.stock_name,
            Key=db.key(f"SKU#{sku}", f"LEVEL#{location}"),
            UpdateExpression="ADD " + ", ".join(f"{name} :{name}" for name in counters),
            ExpressionAttributeValues={f":{name}": db.n(by) for name, by in counters.items()},
        )

    def cook_order(self, order: Order) -> None:
        """Another snapshot, behind the back of its events."""
        self.client.update_item(
            TableName=self.world.orders_name,
            Key=db.key(f"ORDER#{order.order_id}", "ORDER"),
            UpdateExpression="SET #b = :b",
            ExpressionAttributeNames={"#b": "body"},
            ExpressionAttributeValues={":b": db.pack(codec.encode(order))},
        )


def as_json(envelope: dict[str, Any]) -> dict[str, Any]:
    import json

    return dict(json.loads(json.dumps(envelope, default=str)))
