from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.channels import queue_stock as queueing
from functions.channels.queue_stock import Desk, queue_stock, record_of
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.items_table import Wanted
from oms.adapters.kits_table import KitsTable
from oms.adapters.known_shops import KnownShops
from oms.adapters.network_table import NetworkTable
from oms.adapters.shop_stock import ShopStock, TheirNames
from oms.adapters.shops_table import ShopsTable
from oms.domain.availability import Channel
from oms.domain.shop_tasks import TaskState
from oms.domain.shops import Shop, Told
from tests.functions.channels.trade import NAME, SHOP, Trade
from tests.functions.doors import House, house
from tests.functions.world import AUSTIN, RENO, World, now

pytestmark = pytest.mark.cloud

__all__ = ["house"]

TWO_PLACES = replace(SHOP, locations=(("AUSTIN", "11"), ("RENO", "22")))


@dataclass
class Counted:
    """A client that counts what it is asked."""

    client: Any
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.client, name)


@dataclass
class Floor:
    world: World
    trade: Trade

    @classmethod
    def new(cls, client: Any, *shops: Shop) -> Floor:
        return cls(World.new(client), Trade.new(client, *shops))

    def desk(self, client: Any = None) -> Desk:
        client = client or self.trade.client
        shops = KnownShops(ShopsTable(client, self.trade.table))
        kits = KitsTable(client, self.trade.table)
        trade = replace(self.trade, client=client)
        names = TheirNames(client, self.trade.table)
        return Desk(shops, self.world.items, kits, names, trade.tasks, self.trade.now)

    @property
    def stock(self) -> ShopStock:
        client, table = self.trade.client, self.world.stock_name
        return ShopStock(
            self.world.items,
            self.world.stock,
            ChannelsTable(client, table),
            NetworkTable(client, table),
            TheirNames(client, self.trade.table),
        )

    def kit(self, sku: str, **parts: int) -> None:
        said = Wanted(components=tuple(parts.items()))
        self.world.items.put(sku, said, at=now(), identity=f"it_{uuid4().hex[:6]}")

    def levels(self, shop: Shop, *skus: str) -> dict[tuple[str, str], int]:
        found = self.stock.levels(shop, skus)
        return {(x.sku, x.location_id): x.available for of in found.values() for x in of}

    def waiting(self) -> list[str]:
        return sorted(task.sku for task in self.trade.listed(TaskState.WAITING))


def raw(item: str, sort: str = "LEVEL#AUSTIN", **image: Any) -> dict[str, Any]:
    keys = {"PK": {"S": f"SKU#{item}"}, "SK": {"S": sort}}
    return {"dynamodb": {"Keys": keys, "SequenceNumber": f"seq-{item}", "NewImage": image}}


def moved(*items: str) -> list[queueing.Record]:
    return [record_of(raw(item)) for item in items]


def test_a_level_that_moves_is_one_task_of_each_shop_that_is_told_of_stock(dynamodb: Any) -> None:
    other = replace(SHOP, name="fake:cups.example", told=(Told.FULFILLMENTS,))
    floor = Floor.new(dynamodb, SHOP, other)
    floor.world.receive("MUG", 5)

    queue_stock(moved("MUG", "MUG"), floor.desk())
    queue_stock(moved("MUG"), floor.desk())

    assert floor.waiting() == ["MUG"]
    assert not floor.trade.listed(TaskState.WAITING, other.name)


def test_the_window_is_what_the_shop_says(dynamodb: Any) -> None:
    shop = replace(SHOP, settings=(("stock_window", "300"),))
    floor = Floor.new(dynamodb, shop)
    floor.world.receive("MUG", 5)

    queue_stock(moved("MUG"), floor.desk())

    (task,) = floor.trade.listed(TaskState.WAITING)
    assert task.due_at == floor.trade.now() + timedelta(minutes=5)


def test_a_shop_that_sells_what_is_mapped_is_told_of_nothing_else(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb, replace(SHOP, settings=(("sells", "mapped"),)))
    ShopsTable(dynamodb, floor.trade.table).map_sku(NAME, "gid-41", "MUG")
    for sku in ("MUG", "CUP"):
        floor.world.receive(sku, 5)

    queue_stock(moved("MUG", "CUP"), floor.desk())

    assert floor.waiting() == ["MUG"]


def test_what_waits_already_is_remembered_and_costs_nothing(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5)
    client = Counted(dynamodb)
    desk = floor.desk(client)
    for _ in range(5):
        queue_stock(moved("MUG"), desk)

    assert client.asked.count("update_item") == 1


def test_where_no_shop_is_told_of_stock_nothing_is_read_but_the_shops(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb, replace(SHOP, told=(Told.FULFILLMENTS,)))
    client = Counted(dynamodb)
    desk = floor.desk(client)
    for _ in range(5):
        assert queue_stock(moved("MUG"), desk) == 0

    assert client.asked == ["query"]


def test_a_kit_is_told_when_one_of_its_parts_moves(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    for sku, units in (("MUG", 5), ("POT", 2), ("CUP", 1)):
        floor.world.receive(sku, units)
    floor.kit("SET", MUG=2, POT=1)
    desk = floor.desk()
    kit = floor.world.items.get("SET")
    queue_stock([record_of(raw(kit.item, "ITEM", kit={"BOOL": True}))], desk)
    assert floor.waiting() == ["SET"]

    queue_stock(moved("POT"), desk)

    assert floor.waiting() == ["POT", "SET"]
    assert floor.levels(SHOP, "SET", "CUP") == {("SET", ""): 2, ("CUP", ""): 1}


def test_kits_are_noted_also_while_no_shop_is_told_of_stock(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb, replace(SHOP, told=()))
    floor.world.receive("MUG", 5)
    floor.kit("PAIR", MUG=2)
    kit = floor.world.items.get("PAIR").item
    queue_stock([record_of(raw(kit, "ITEM", kit={"BOOL": True}))], floor.desk())

    assert KitsTable(dynamodb, floor.trade.table).with_part(["MUG"]) == {kit}


def test_a_shop_is_told_what_its_channel_may_sell(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5, "AUSTIN")
    floor.world.receive("MUG", 7, "RENO")
    channels = ChannelsTable(dynamodb, floor.world.stock_name)
    channels.put(Channel(NAME, ("RENO",), safety_stock=3))

    assert floor.levels(SHOP, "MUG", "NOTHING") == {("MUG", ""): 4}


def test_a_shop_that_knows_our_locations_is_told_of_each_also_that_there_is_none(
    dynamodb: Any,
) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5, "AUSTIN")

    assert floor.levels(TWO_PLACES, "MUG") == {("MUG", "AUSTIN"): 5, ("MUG", "RENO"): 0}


def test_two_of_our_locations_that_are_one_of_theirs_are_told_together(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5, AUSTIN.location_id)
    floor.world.receive("MUG", 7, RENO.location_id)
    shop = replace(SHOP, locations=(("AUSTIN", "11"), ("RENO", "11")))

    assert floor.levels(shop, "MUG") == {("MUG", "AUSTIN"): 12}


def test_what_the_shop_calls_a_sku_is_told_with_it(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5)
    ShopsTable(dynamodb, floor.trade.table).map_sku(NAME, "gid-41", "MUG")

    (level,) = floor.stock.levels(SHOP, ["MUG"])["MUG"]

    assert level.item == "gid-41"


def test_what_the_shop_sells_under_two_names_is_told_of_both(dynamodb: Any) -> None:
    floor = Floor.new(dynamodb)
    floor.world.receive("MUG", 5)
    for name in ("gid-41", "gid-42"):
        ShopsTable(dynamodb, floor.trade.table).map_sku(NAME, name, "MUG")

    told = floor.stock.levels(SHOP, ["MUG"])["MUG"]

    assert [(level.item, level.available) for level in told] == [("gid-41", 5), ("gid-42", 5)]


def test_records_of_the_stream_become_tasks(house: House) -> None:
    ShopsTable(house.cloud.client("dynamodb"), house.environment["CHANNELS_TABLE"]).put(SHOP)
    house.stocked("MUG", 5)

    assert queueing.handler({"Records": [raw("MUG")]}, None) == {"batchItemFailures": []}
    assert [row["SK"]["S"] for row in house.rows("channels") if "sku" in row] == ["stock.MUG"]


def test_a_batch_that_cannot_be_queued_comes_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANNELS_TABLE", "gone")

    answer = queueing.handler({"Records": [raw("MUG"), raw("CUP")]}, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "seq-MUG"}]}
