"""A world whose long jobs are worked on, and whose deadlines are written down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from functions.bulk.kind import Kind
from functions.bulk.work_job import Crew, work
from functions.routing.reroute_work import Desk, react
from oms.adapters.dynamodb import DynamoDB, transact
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.adapters.network_table import NetworkTable
from oms.adapters.routing.promises import Promises
from oms.adapters.routing.rerouting import Rerouting, TakingBack
from oms.adapters.routing.simulation import RoutingSimulation
from oms.domain.fulfillment import FulfillmentOrder
from oms.domain.locations import Location
from oms.domain.network.calendars import Outage
from oms.domain.order import Order
from oms.domain.promising.policy import PromisePolicy
from tests.functions.jobs import LongJobs, QueueFake
from tests.functions.world import World, an_order, now
from tests.tables import create_table


@dataclass
class Network(LongJobs):
    world: World
    jobs_name: str
    queue: QueueFake = field(default_factory=QueueFake)
    steps: int = 1_000  # before a worker is late

    @classmethod
    def new(cls, client: DynamoDB, *locations: Location) -> Network:
        world = World.new(client, *locations)
        return cls(world, create_table(client, "jobs", f"jobs-{uuid4().hex[:12]}"))

    @property
    def jobs(self) -> JobsTable:
        return JobsTable(self.world.client, self.jobs_name)

    @property
    def locations(self) -> NetworkTable:
        return NetworkTable(self.world.client, self.world.stock_name)

    @property
    def taking_back(self) -> TakingBack:
        desk = self.world.routing
        return TakingBack(desk.orders, desk.agenda, desk.knowledge)

    def mortal(self, dies_at: int, *, after: bool) -> Network:
        return replace(self, world=self.world.mortal(dies_at, after=after))

    def look_again(self, kind: str, subject: str, at: datetime) -> None:
        transact(self.world.client, self.world.agenda.writes(kind, subject, at))

    def promises(self, at: datetime, policy: PromisePolicy | None = None) -> Promises:
        desk = self.world.routing
        return Promises(
            desk.orders,
            desk.sourcing(at),
            self.taking_back,
            self.look_again,
            policy,
            lambda _: "USD",
        )

    def change(self, location_id: str, **changes: Any) -> None:
        self.locations.put_location(replace(self.locations.location(location_id), **changes))

    def out(self, location_id: str, ends: datetime | None = None, reason: str = "flood") -> None:
        self.change(location_id, outages=(Outage("out_1", now(), ends, reason),))

    def routed(self, *lines: tuple[str, int], **said: Any) -> Order:
        placed = self.world.place(an_order(*lines, **said))
        self.world.pay(placed.order_id)
        self.world.route(placed.order_id)
        return self.world.orders.get(placed.order_id)

    def told(self, location_id: str, change: str, **data: Any) -> str:
        """The event of the bus, twice."""
        at = now().isoformat()
        said = {
            "id": f"{location_id}#{at}",
            "at": at,
            "type": "LocationChanged",
            "location_id": location_id,
            "data": {"location_id": location_id, "change": change, **data},
        }
        desk = Desk(self.look_again, self.jobs, self.queue)
        first, _ = react(desk, said, now()), react(desk, said, now())
        return first

    def work(self, task: Task) -> str:
        watch = iter(range(1, 1_000_000))
        kinds = {"reroute_work": self._rerouting, "routing_simulation": self._simulation}
        crew = Crew(self.jobs, self.queue, kinds, lambda: next(watch) % self.steps == 0, now)
        return work(crew, task)

    def _rerouting(self) -> Kind:
        desk = self.world.routing
        return Rerouting(desk.orders, self.locations, desk.capacity, self.taking_back, now())

    def _simulation(self) -> Kind:
        desk = self.world.routing
        return RoutingSimulation(desk.orders, desk.knowledge.rule_sets)


def box(order: Order, number: int = -1) -> FulfillmentOrder:
    """Of the order, the last one unless told."""
    return order.fulfillment_orders[number]
