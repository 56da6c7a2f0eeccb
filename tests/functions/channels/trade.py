"""A shop on another platform, its orders, and everything between them and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from functions.channels.queue_for_shops import Desk, queue_for_shops
from functions.channels.send_to_shops import Crew, nudge_all, send
from functions.channels.sending import Books
from oms.adapters.channels.shop_api import Access, Stocked
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.known_shops import KnownShops
from oms.adapters.shop_leases import ShopLeases
from oms.adapters.shop_tasks import ShopTasks
from oms.adapters.shops_table import ShopsTable
from oms.adapters.web import Answer
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.decide import decide, facts, place
from oms.domain.ids import order_id_of
from oms.domain.lines import Line
from oms.domain.order import Fact, Order
from oms.domain.shop_tasks import Task, TaskKind, TaskState, stock_window
from oms.domain.shops import Shop, Told
from tests.builders import Story, placement
from tests.fake_shop import FakeShop
from tests.functions.world import Mortal
from tests.tables import create_table

NAME = "fake:mugs.example"
ALL = (Told.FULFILLMENTS, Told.CANCELLATIONS, Told.REFUNDS, Told.STOCK)
SHOP = Shop(NAME, "https://mugs.example/api", ALL)
CHANNEL_SAID = f"channel:{NAME}"
TO_TELL = frozenset(
    {
        "FulfillmentOrderCollected",
        "FulfillmentOrderShipped",
        "OrderCancelled",
        "OrderEdited",
        "OrderLinesCancelled",
        "PaymentRefunded",
    }
)


class NoWeb:
    def call(self, method: str, url: str, **how: Any) -> Answer:
        raise AssertionError(f"{method} {url}")


class ShopStory(Story):
    """An order that a shop took the money of; each command has an actor."""

    def __init__(
        self, *lines: Line, channel: str = NAME, external_id: str = "", **more: Any
    ) -> None:
        command = placement(
            *lines,
            channel=channel,
            external_id=external_id or uuid4().hex[:8],
            **{"provider": "external", **more},
        )
        if "captured" not in more:
            total = Story(command).order.total
            command = replace(command, captured=total)
        order_id = order_id_of(command.channel, command.external_id)
        recorded, self.order = facts(order_id, None, place(command), _now(), f"channel:{channel}")
        self.facts = list(recorded)
        self.at = _now()

    def do(self, *commands: c.Command) -> ShopStory:
        return self.by("test", *commands)

    def authorized(self) -> ShopStory:
        super().authorized()
        return self

    def captured(self) -> ShopStory:
        super().captured()
        return self

    def routed(self, *plans: tuple[str, dict[str, int]]) -> ShopStory:
        super().routed(*plans)
        return self

    def shipped(self, number: int = 1, tracking_number: str = "") -> ShopStory:
        super().shipped(number, tracking_number)
        return self

    def by(self, actor: str, *commands: c.Command) -> ShopStory:
        for command in commands:
            self.at += timedelta(seconds=1)
            if decided := decide(command, self.order):
                recorded, self.order = facts(self.order_id, self.order, decided, self.at, actor)
                self.facts += recorded
        return self


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Orders:
    """Orders as their reader gives them."""

    stories: dict[str, Story] = field(default_factory=dict)
    reads: int = 0

    def glance(self, order_id: str) -> Order:
        self.reads += 1
        return self.stories[order_id].order

    def whole_history(self, order_id: str) -> tuple[Fact, ...]:
        self.reads += 1
        return tuple(self.stories[order_id].facts)


@dataclass
class Nudges:
    shops: list[str] = field(default_factory=list)

    def nudge(self, shop: str) -> None:
        self.shops.append(shop)


@dataclass
class Failures:
    told: list[str] = field(default_factory=list)

    def tell(self, task: Task, why: str) -> None:
        self.told.append(task.key)


@dataclass
class Levels:
    """What can be sold of each SKU; `read` counts, `meanwhile` happens as they are read."""

    available: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    meanwhile: list[Any] = field(default_factory=list)

    def levels(self, shop: Shop, skus: Iterable[str]) -> Mapping[str, Sequence[Stocked]]:
        self.reads += 1
        found = {s: [Stocked(s, self.available[s])] for s in skus if s in self.available}
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return found


@dataclass
class Trade:
    client: DynamoDB
    table: str
    fake: FakeShop = field(default_factory=FakeShop)
    orders: Orders = field(default_factory=Orders)
    nudges: Nudges = field(default_factory=Nudges)
    failures: Failures = field(default_factory=Failures)
    stock: Levels = field(default_factory=Levels)
    clock: list[datetime] = field(default_factory=lambda: [_now() + timedelta(hours=1)])
    late_after: list[int] = field(default_factory=list)

    @classmethod
    def new(cls, client: DynamoDB, *shops: Shop) -> Trade:
        trade = cls(client, create_table(client, "channels", f"channels-{uuid4().hex[:12]}"))
        for shop in shops or (SHOP,):
            ShopsTable(client, trade.table).put(shop)
        return trade

    def mortal(self, dies_at: int, *, after: bool) -> Trade:
        """The same, by a worker that dies at one of its calls of the tables."""
        return replace(self, client=Mortal(self.client, dies_at, after))

    def now(self) -> datetime:
        return self.clock[0]

    def wait(self, **how: float) -> None:
        self.clock[0] += timedelta(**how)

    @property
    def tasks(self) -> ShopTasks:
        return ShopTasks(self.client, self.table)

    @property
    def shops(self) -> KnownShops:
        return KnownShops(ShopsTable(self.client, self.table))

    @property
    def desk(self) -> Desk:
        return Desk(self.shops, self.orders, self.tasks, self.nudges, self.now)

    @property
    def crew(self) -> Crew:
        books = Books(
            self.tasks, self.orders, self.stock, self.failures, self.now, lambda: 1.0, self._late
        )
        leases = ShopLeases(self.client, self.table)
        return Crew(
            self.shops, leases, self.nudges, {self.fake.code: self.fake}, self._access, books
        )

    def _late(self) -> bool:
        return bool(self.late_after) and self.late_after.pop() == 0

    def _access(self, shop: Shop, api: Any) -> Access:
        return Access(shop.channel, shop.shop, shop.base_url, {"token": "s3cret"}, NoWeb())

    def tell(self, story: Story, *, since: int = 0) -> list[str]:
        """Its events of interest reach us, as the bus gives them."""
        self.orders.stories[story.order_id] = story
        told = [fact for fact in story.facts if type(fact.event).__name__ in TO_TELL]
        return [self.hear(story, fact) for fact in told if fact.seq > since]

    def hear(self, story: Story, fact: Fact) -> str:
        self.orders.stories[story.order_id] = story
        return queue_for_shops(envelope(story.order_id, fact), self.desk)

    def send(self, name: str = NAME) -> str:
        return send(self.crew, name)

    def send_all(self) -> None:
        """As the minutes go by, until nothing waits."""
        for _ in range(400):
            nudge_all(self.crew)
            self.send()
            if not self.listed(TaskState.WAITING):
                return
            self.wait(minutes=61)
        raise AssertionError("something waits for ever")

    def level(self, sku: str, units: int) -> None:
        """It changes, and the reader of the stream says so."""
        self.stock.available[sku] = units
        now = self.now()
        due_at = now + stock_window(SHOP)
        self.tasks.touch(Task(NAME, TaskKind.STOCK, now, due_at, sku=sku))

    def listed(self, state: TaskState, shop: str = NAME) -> list[Task]:
        return list(self.tasks.page(shop, state, 200).tasks)
