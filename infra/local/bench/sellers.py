"""Sellers in processes of their own: each is an execution environment that places and routes."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

from infra.local.cloud import REGION
from oms.adapters import dynamodb
from oms.adapters.agenda import Agenda
from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.dynamodb import Write, key
from oms.adapters.holds_table import HoldsTable
from oms.adapters.items_table import ItemsTable
from oms.adapters.leases import Leases
from oms.adapters.leases_table import LeasesTable
from oms.adapters.network_table import NetworkTable
from oms.adapters.orders_table import OrdersTable
from oms.adapters.routing.desk import Routing
from oms.adapters.routing.knowledge import Knowledge
from oms.adapters.routing.window_rows import Windows
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.adapters.stock_table import StockTable
from oms.adapters.supply_table import SupplyTable
from oms.contracts.api.orders import ChannelOrder

COUNTRY, PRICE = "US", 1_000
PATIENCE = 300.0
# By name, as a function's host knows its handler: infrastructure knows no function.
PLACING = partial(import_module, "oms.adapters.placing")


class Shelf(NamedTuple):
    """Where the sellers find their tables: through the proxy."""

    url: str
    orders: str
    stock: str


class Job(NamedTuple):
    """Order each of the SKUs once, one after the other."""

    prefix: str
    skus: Sequence[str]
    leases: bool


@dataclass
class Sold:
    """What became of the orders; `at` are the instants of those that were routed, in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    at: list[float] = field(default_factory=list)
    began: float = 0.0

    @property
    def failed(self) -> int:
        return sum(n for what, n in self.outcomes.items() if what not in ("routed", "backordered"))

    @property
    def per_second(self) -> float:
        return len(self.at) / (max(self.at) - self.began) if self.at else 0.0


class Sellers:
    """`count` processes that wait for jobs."""

    def __init__(self, shelf: Shelf, count: int) -> None:
        context = get_context("spawn")
        start = self._start = context.Barrier(count)
        self._pipes: list[Connection] = []
        self._processes: list[SpawnProcess] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(shelf, theirs, start), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def sell(self, job: Job) -> Sold:
        """All of it, dealt out to the sellers; they begin at the same moment."""
        count = len(self._pipes)
        for number, pipe in enumerate(self._pipes):
            pipe.send(Job(f"{job.prefix}-{number}", job.skus[number::count], job.leases))
        return joined(self._answers())

    def _answers(self) -> Iterator[Sold]:
        for pipe in self._pipes:
            if not pipe.poll(PATIENCE):
                raise TimeoutError("a seller has not come back")
            yield pipe.recv()

    def close(self) -> None:
        for pipe in self._pipes:
            with suppress(OSError):  # one that has died
                pipe.send(None)
        for process in self._processes:
            process.join(10)


def joined(sold: Iterator[Sold]) -> Sold:
    every = list(sold)
    outcomes = sum((each.outcomes for each in every), Counter[str]())
    at = [instant for each in every for instant in each.at]
    return Sold(outcomes, at, min(each.began for each in every))


def serve(shelf: Shelf, jobs: Connection, start: Barrier) -> None:
    os.environ |= {
        "AWS_ENDPOINT_URL": shelf.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    while (job := jobs.recv()) is not None:
        stand = Stand(dynamodb.client(), shelf, leases=job.leases)
        start.wait(PATIENCE)
        jobs.send(stand.sell(job))


class OnlyLevels(Leases):
    """Whatever it meets there, it takes from the levels."""

    def _covering(self, *asked: Any) -> None:
        """None of them is taken from a lease."""

    def _met(self, *heard: Any) -> None:
        """A conflict is no more than another try."""


def routing_of(client: Any, shelf: Shelf, stock: StockTable, leases: Leases) -> Routing:
    """As a function puts it together, from tables of other names."""
    capacity, agenda = CapacitySlots(client, shelf.stock), Agenda(client, shelf.stock)
    return Routing(
        orders=OrdersTable(client, shelf.orders, stock, capacity),
        stock=stock,
        leases=leases,
        knowledge=Knowledge(
            NetworkTable(client, shelf.stock),
            ChannelsTable(client, shelf.stock),
            RuleSetsTable(client, shelf.stock),
        ),
        items=ItemsTable(client, shelf.stock),
        capacity=capacity,
        holds=HoldsTable(client, shelf.stock, stock, agenda),
        supply=SupplyTable(client, shelf.stock, stock),
        agenda=agenda,
        windows=Windows(client, shelf.stock, agenda),
    )


class Stand:
    """An environment that has just started: it knows of no conflict."""

    def __init__(self, client: Any, shelf: Shelf, *, leases: bool) -> None:
        stock = StockTable(client, shelf.stock)
        table = LeasesTable(client, shelf.stock, stock)
        self.leases = Leases(table, stock) if leases else OnlyLevels(table, stock)
        self.routing = routing_of(client, shelf, stock, self.leases)
        self.orders_name = shelf.orders

    def sell(self, job: Job) -> Sold:
        sold = Sold(began=time.monotonic())
        for number, sku in enumerate(job.skus):
            outcome = self.tried(f"{job.prefix}-{number}", sku)
            sold.outcomes[outcome] += 1
            if outcome == "routed":
                sold.at.append(time.monotonic())
        self.leases.give_back()
        return sold

    def tried(self, name: str, sku: str) -> str:
        """A seller takes no second try: what fails here has failed."""
        try:
            return self.sold(name, sku)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is counted)
            return type(error).__name__

    def sold(self, name: str, sku: str) -> str:
        desk = PLACING().Desk(self.routing.orders, lambda email: f"cus_{email}", self._keep_nothing)
        said = ChannelOrder.read(order(name, sku))
        placed, _ = desk.place(said, at=datetime.now(UTC), actor="bench", request_key=None)
        now = datetime.now(UTC)
        return self.routing.router(now).route(placed.order_id)

    def _keep_nothing(self, customer: str, order_id: str, contact: Any) -> Write:  # noqa: ARG002
        row = key(f"PERSON#{order_id}", customer)
        return Write({"Put": {"TableName": self.orders_name, "Item": row}})


def order(name: str, sku: str) -> dict[str, Any]:
    """One line, paid for elsewhere."""
    return {
        "channel": "bench",
        "external_id": name,
        "currency": "USD",
        "customer": {"email": f"{name}@example.com", "name": "Ada Byron"},
        "shipping_address": {
            "name": "Ada Byron",
            "line1": "1 Main St",
            "city": "Austin",
            "region": "TX",
            "postal_code": "78701",
            "country": COUNTRY,
        },
        "lines": [{"sku": sku, "quantity": 1, "unit_price": PRICE}],
        "shipping": {"method": "standard", "price": 0},
        "total": PRICE,
        "payment": {"provider": "external", "captured": PRICE},
    }
