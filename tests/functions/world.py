"""The functions of an order's life over real tables, without queues and workflows in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any
from uuid import uuid4

from functions.routing.release_stock import cancel
from oms.adapters.agenda import Agenda
from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.dynamodb import DynamoDB, Write
from oms.adapters.holds_table import HoldsTable
from oms.adapters.items_table import ItemsTable
from oms.adapters.leases import Leases
from oms.adapters.leases_table import LeasesTable
from oms.adapters.network_table import NetworkTable
from oms.adapters.orders_table import OrdersTable
from oms.adapters.owed_stock import settle_stock
from oms.adapters.payments.base import Provider
from oms.adapters.payments.settling import settle
from oms.adapters.placing import Desk
from oms.adapters.routing.desk import Routing
from oms.adapters.routing.knowledge import Knowledge
from oms.adapters.routing.window_rows import Windows
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.adapters.stock_ledger import StockLedger
from oms.adapters.stock_table import StockTable
from oms.adapters.supply_table import SupplyTable
from oms.contracts.api.orders import ChannelOrder
from oms.domain import commands as c
from oms.domain.contact import Contact
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.locations import Location, LocationKind
from oms.domain.order import Order, fold
from oms.domain.tracking import TrackingStatus
from tests.builders import scans
from tests.fakes_psp import FakePsp
from tests.tables import create_table

AUSTIN = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", "TX", fixed_cost=500)
RENO = Location("RENO", "Reno", LocationKind.WAREHOUSE, "US", "NV", fixed_cost=700)
numbers = count(1)


class Crash(BaseException):
    """The worker is gone. No `except Exception` sees it."""


@dataclass
class Mortal:
    """A DynamoDB client whose worker dies at one of its calls, before or after it took effect."""

    client: DynamoDB
    dies_at: int = 0
    after: bool = False
    calls: int = 0
    counting: Lock = field(default_factory=Lock, repr=False)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def made(**request: Any) -> Any:
            with self.counting:
                self.calls += 1
                fatal = self.calls == self.dies_at
            if fatal and not self.after:
                raise Crash
            answer = call(**request)
            if fatal:
                raise Crash
            return answer

        return made


@dataclass
class World:
    client: DynamoDB
    orders_name: str
    stock_name: str
    psp: FakePsp = field(default_factory=lambda: FakePsp(code="fake"))

    @classmethod
    def new(cls, client: DynamoDB, *locations: Location) -> World:
        name = uuid4().hex[:12]
        world = cls(
            client,
            create_table(client, "orders", f"orders-{name}"),
            create_table(client, "stock", f"stock-{name}"),
        )
        for location in locations or (AUSTIN, RENO):
            world.stock.put_location(location)
        return world

    @property
    def stock(self) -> StockTable:
        return StockTable(self.client, self.stock_name)

    @property
    def orders(self) -> OrdersTable:
        capacity = CapacitySlots(self.client, self.stock_name)
        return OrdersTable(self.client, self.orders_name, self.stock, capacity)

    @property
    def items(self) -> ItemsTable:
        """As in a new execution environment: it knows nothing yet."""
        return ItemsTable(self.client, self.stock_name)

    @property
    def ledger(self) -> StockLedger:
        return StockLedger(self.client, self.stock_name)

    @property
    def agenda(self) -> Agenda:
        return Agenda(self.client, self.stock_name)

    @property
    def holds(self) -> HoldsTable:
        return HoldsTable(self.client, self.stock_name, self.stock, self.agenda)

    @property
    def routing(self) -> Routing:
        """As in a new execution environment: it knows nothing yet."""
        return routing_of(self.client, self.orders_name, self.stock_name)

    @property
    def providers(self) -> Mapping[str, Provider]:
        return {"fake": self.psp}

    def mortal(self, dies_at: int, *, after: bool) -> World:
        client = Mortal(self.client, dies_at, after)
        return World(client, self.orders_name, self.stock_name, self.psp)

    def receive(self, sku: str, quantity: int, location: str = "AUSTIN") -> None:
        self.stock.receive(sku, location, quantity, at=now(), actor="test")

    @property
    def desk(self) -> Desk:
        return Desk(
            self.orders,
            lambda email: "cus_" + email.partition("@")[0],
            self._no_vault,
            self.holds.noting,
            self.items.resolve,
        )

    def place(self, said: ChannelOrder, key: str | None = None) -> Order:
        return self.desk.place(said, at=now(), actor="client:shop", request_key=key)[0]

    def _no_vault(self, customer_id: str, order_id: str, contact: Contact) -> Write:
        item = {"PK": {"S": f"PERSON#{customer_id}"}, "SK": {"S": order_id}}
        return Write({"Put": {"TableName": self.orders_name, "Item": item}})

    def pay(self, order_id: str) -> Order:
        return settle(
            self.orders, order_id, at=now(), providers=self.providers, deadlines=self.agenda
        )

    def route(self, order_id: str) -> str:
        return self.routing.router(now()).route(order_id)

    def do(self, order_id: str, *commands: c.Command) -> Order:
        order = self.orders.get(order_id)
        for command in commands:
            order = self.orders.change(order_id, command, at=now(), actor="test")
        return order

    def pack(self, order_id: str) -> Order:
        """Every box, from wherever it is."""
        for box in self.orders.get(order_id).fulfillment_orders:
            if box.status is FulfillmentStatus.OPEN:
                self.do(order_id, c.PickFulfillmentOrder(box.fulfillment_order_id))
            self.do(order_id, c.PackFulfillmentOrder(box.fulfillment_order_id))
        return self.orders.get(order_id)

    def ship(self, order_id: str) -> Order:
        for box in self.orders.get(order_id).fulfillment_orders:
            parcel = PackedParcel("easypost", f"EZ{box.fulfillment_order_id[-20:]}", box.lines)
            self.do(order_id, c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,)))
        return self.settle_stock(order_id)

    def deliver(self, order_id: str) -> Order:
        for box in self.orders.get(order_id).fulfillment_orders:
            for parcel in box.parcels:
                since = now() - timedelta(days=1)
                delivered = scans(parcel.tracking_number, TrackingStatus.DELIVERED, since=since)
                self.do(order_id, delivered)
        return self.orders.get(order_id)

    def settle_stock(self, order_id: str) -> Order:
        return settle_stock(self.orders, self.stock, order_id, now())

    def cancel(self, order_id: str, reason: str = "requested") -> Order:
        """As the cancel workflow does it."""
        cancel(self.orders, order_id, reason, now())
        self.settle_stock(order_id)
        return self.pay(order_id)

    def level(self, sku: str, location: str = "AUSTIN") -> tuple[int, int, int]:
        for level in self.stock.levels([sku])[sku]:
            if level.location == location:
                return level.on_hand, level.available, level.reserved
        return 0, 0, 0

    def check(self, order_id: str) -> Order:
        """The stored order is the fold of its events; the stock is the sum of its movements; every
        reserved unit is somebody's, and the order's are those of its fulfillment orders."""
        order = self.orders.get(order_id)
        assert fold(order_id, self.orders.whole_history(order_id)) == order
        reserved = self._reserved()
        if not order.owed_stock and order.routing_plan is None:
            held = {whose for whose in reserved if order_id[4:] in whose[2]}
            assert {whose: reserved[whose] for whose in held} == held_by(order)
        return order

    def _reserved(self) -> Counter[tuple[str, str, str]]:
        """Units by stock item, location and reservation, as the ledger has them."""
        found: Counter[tuple[str, str, str]] = Counter()
        for balance in self.stock.scan_balances():
            assert balance.is_even, balance
        for sku in {level.sku for level in self.stock.scan_levels()}:
            standing = self.ledger.standing(sku)
            assert standing.is_whole, standing
            for each in standing.reservations:
                found[sku, each.location, each.reservation] += each.quantity
        return found


def held_by(order: Order) -> Counter[tuple[str, str, str]]:
    """Units that lie in warehouses for it, likewise."""
    held: Counter[tuple[str, str, str]] = Counter()
    for box in order.fulfillment_orders:
        for q in box.lines if box.in_warehouse else ():
            for part in order.line(q.line_id).parts:
                at = part.item, box.location_id, box.fulfillment_order_id
                held[at] += part.quantity * q.quantity
    return held


def now() -> datetime:
    return datetime.now(UTC)


def an_order(*lines: tuple[str, int], **changes: Any) -> ChannelOrder:
    """An order of the fake provider, priced at 10.00 each, shipping 5.00."""
    lines = lines or (("MUG", 2),)
    said: dict[str, Any] = {
        "channel": "web",
        "external_id": f"A-{next(numbers)}",
        "currency": "USD",
        "customer": {"email": "ada@example.com", "name": "Ada"},
        "shipping_address": {
            "name": "Ada",
            "line1": "1 Main St",
            "city": "Austin",
            "country": "US",
        },
        "lines": [{"sku": s, "quantity": q, "unit_price": 1000} for s, q in lines],
        "shipping": {"method": "standard", "price": 500},
        "total": 500 + sum(q * 1000 for _, q in lines),
        "payment": {"provider": "fake", "token": "tok_ok"},
    }
    return ChannelOrder.read({**said, **changes})


def survives(world: World, deed: Callable[[World], Any]) -> int:
    """Do it again and again, with a worker that dies one call later each time, before that call
    and after it, and finish with one that lives. How many deaths it took."""
    deaths = 0
    for dies_at in range(1, 100):
        for after in (False, True):
            try:
                deed(world.mortal(dies_at, after=after))
            except Crash:
                deaths += 1
            else:
                deed(world)
                return deaths
    raise AssertionError("it never ends")


def routing_of(client: DynamoDB, orders_name: str, stock_name: str) -> Routing:
    stock = StockTable(client, stock_name)
    capacity, agenda = CapacitySlots(client, stock_name), Agenda(client, stock_name)
    return Routing(
        OrdersTable(client, orders_name, stock, capacity),
        stock,
        Leases(LeasesTable(client, stock_name, stock), stock),
        Knowledge(
            NetworkTable(client, stock_name),
            ChannelsTable(client, stock_name),
            RuleSetsTable(client, stock_name),
        ),
        ItemsTable(client, stock_name),
        capacity,
        HoldsTable(client, stock_name, stock, agenda),
        SupplyTable(client, stock_name, stock),
        agenda,
        Windows(client, stock_name, agenda),
    )
