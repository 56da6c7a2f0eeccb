"""The functions of an order's life over real tables, without queues and workflows in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from functions.capture.placing import Desk
from functions.routing.release_stock import cancel
from functions.routing.route_order import Router
from oms.adapters.dynamodb import DynamoDB, Write
from oms.adapters.orders_table import OrdersTable
from oms.adapters.owed_stock import settle_stock
from oms.adapters.payments.base import Provider
from oms.adapters.payments.settling import settle
from oms.adapters.stock_table import StockTable
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

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def made(**request: Any) -> Any:
            self.calls += 1
            if self.calls == self.dies_at and not self.after:
                raise Crash
            answer = call(**request)
            if self.calls == self.dies_at:
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
        return OrdersTable(self.client, self.orders_name, self.stock)

    @property
    def providers(self) -> Mapping[str, Provider]:
        return {"fake": self.psp}

    def mortal(self, dies_at: int, *, after: bool) -> World:
        client = Mortal(self.client, dies_at, after)
        return World(client, self.orders_name, self.stock_name, self.psp)

    def receive(self, sku: str, quantity: int, location: str = "AUSTIN") -> None:
        self.stock.receive(sku, location, quantity, at=now(), actor="test")

    def place(self, said: ChannelOrder, key: str | None = None) -> Order:
        desk = Desk(self.orders, lambda email: "cus_" + email.partition("@")[0], self._no_vault)
        return desk.place(said, at=now(), actor="client:shop", request_key=key)[0]

    def _no_vault(self, customer_id: str, order_id: str, contact: Contact) -> Write:
        item = {"PK": {"S": f"PERSON#{customer_id}"}, "SK": {"S": order_id}}
        return Write({"Put": {"TableName": self.orders_name, "Item": item}})

    def pay(self, order_id: str) -> Order:
        return settle(self.orders, order_id, at=now(), providers=self.providers)

    def route(self, order_id: str) -> str:
        return Router(self.orders, self.stock, now(), self.stock.locations).route(order_id)

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
                self.do(order_id, scans(parcel.tracking_number, TrackingStatus.DELIVERED))
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
        """The stored order is the fold of its events; the stock is the sum of its movements."""
        order = self.orders.get(order_id)
        assert fold(order_id, self.orders.whole_history(order_id)) == order
        for level in self.stock.scan_levels():
            assert level.is_sound, level
            assert self.stock.movement_sums(level.sku)[level.location] == level.counters
        return order


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
