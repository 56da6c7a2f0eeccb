"""What SKUs stand for, whatever they are called later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import items_table
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.stock_table import StockTable
from oms.domain.availability import Channel, OnShortage
from oms.domain.inventory import Level, UnknownSku
from oms.domain.items import (
    Attributes,
    NoComponent,
    NotAKit,
    NotStocked,
    Policy,
    SkuTaken,
    StockItem,
)
from oms.domain.lines import Part
from oms.domain.locations import Location, LocationKind
from tests.tables import create_table

pytestmark = pytest.mark.cloud

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
COLD = Wanted(Attributes(weight_g=400, tags=("cold",)), Policy(low_stock=3))
names = count(1)


class Counted:
    """A client that counts what is asked of it."""

    def __init__(self, client: DynamoDB) -> None:
        self.client, self.calls = client, 0

    def __getattr__(self, operation: str) -> Any:
        def ask(**request: Any) -> Any:
            self.calls += 1
            return getattr(self.client, operation)(**request)

        return ask


class House:
    def __init__(self, client: DynamoDB) -> None:
        self.seconds = 0.0
        self.client = Counted(client)
        self.name = create_table(client, "stock", f"stock-{uuid4()}")
        self.stock = StockTable(client, self.name)
        self.items = ItemsTable(self.client, self.name, lambda: self.seconds)
        self.stock.put_location(Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR"))

    def receive(self, item: str, quantity: int = 1) -> None:
        self.stock.receive(item, "LYON", quantity, at=AT, actor="test")

    def put(self, sku: str, *components: tuple[str, int], wanted: Wanted = COLD) -> StockItem:
        said = Wanted(wanted.attributes, wanted.policy, components) if components else wanted
        return self.items.put(sku, said, at=AT, identity=f"itm_{next(names)}")

    def rename(self, sku: str, name: str) -> StockItem:
        return self.items.rename(sku, name, at=AT)


@pytest.fixture
def house(dynamodb: DynamoDB) -> House:
    return House(dynamodb)


def test_a_sku_that_is_merely_received_is_the_item_of_its_name(house: House) -> None:
    house.receive("MUG")

    assert house.items.resolve(["MUG", "CUP"]) == {"MUG": StockItem("MUG", "MUG")}
    assert house.items.get("MUG").takes == ()


def test_what_is_said_of_an_item_stays_when_it_is_received(house: House) -> None:
    said = house.put("MUG")
    house.receive("MUG")

    assert said.item == "MUG"
    assert house.items.get("MUG") == said
    assert (said.attributes, said.policy) == (COLD.attributes, COLD.policy)


def test_something_can_be_said_of_an_item_that_was_received(house: House) -> None:
    house.receive("MUG")

    assert house.put("MUG").item == "MUG"
    assert house.put("MUG", wanted=Wanted()).policy == Policy()


def test_a_renamed_item_keeps_its_identity_and_its_history(house: House) -> None:
    house.receive("MUG", 5)

    renamed = house.rename("MUG", "MUG-XL")

    assert (renamed.item, renamed.sku) == ("MUG", "MUG-XL")
    assert [(each.sku, each.until) for each in renamed.former] == [("MUG", AT)]
    assert renamed.takes == (Part("MUG"),)
    assert house.items.fresh(["MUG", "MUG-XL"]) == {"MUG-XL": renamed}
    assert house.items.of(["MUG"]) == {"MUG": renamed}


def test_a_name_that_is_taken_cannot_be_given(house: House) -> None:
    house.receive("MUG")
    house.receive("CUP")

    with pytest.raises(SkuTaken):
        house.rename("MUG", "CUP")

    assert house.items.get("CUP").item == "CUP"


def test_a_rename_told_twice_happens_once(house: House) -> None:
    house.receive("MUG")

    assert house.rename("MUG", "BIG") == house.rename("MUG", "BIG")
    assert house.rename("BIG", "BIG") == house.items.get("BIG")
    with pytest.raises(UnknownSku):
        house.rename("CUP", "BIG")


def test_two_items_can_change_names(house: House) -> None:
    house.receive("A")
    house.receive("B")

    house.rename("A", "C")
    house.rename("B", "A")
    house.rename("C", "B")

    found = house.items.fresh(["A", "B", "C"])
    assert {sku: item.item for sku, item in found.items()} == {"A": "B", "B": "A"}


def test_an_item_can_have_its_first_name_back(house: House) -> None:
    house.receive("MUG")
    house.rename("MUG", "CUP")

    item = house.rename("CUP", "MUG")

    assert (item.item, item.takes, house.items.fresh(["CUP"])) == ("MUG", (), {})
    assert [each.sku for each in item.former] == ["MUG", "CUP"]


def test_a_retired_item_is_known_and_not_offered(house: House) -> None:
    house.receive("MUG", 3)

    house.items.retire("MUG")

    assert not house.items.retire("MUG").active
    assert house.stock.levels(["MUG"])["MUG"] == (Level("MUG", "LYON", 3, 3, 0),)


@pytest.mark.parametrize("gone", ["retired", "renamed"])
def test_a_sku_created_again_is_a_new_item(house: House, gone: str) -> None:
    house.receive("MUG", 3)
    house.items.retire("MUG") if gone == "retired" else house.rename("MUG", "OLD")

    new = house.put("MUG")
    house.receive(new.item, 2)

    assert new.item.startswith("itm_")
    assert house.items.get("MUG") == new
    assert house.stock.levels(["MUG"])["MUG"] == (Level("MUG", "LYON", 3, 3, 0),)
    assert house.stock.levels([new.item])[new.item] == (Level(new.item, "LYON", 2, 2, 0),)
    assert house.items.fresh([new.item]) == {}


def test_a_renamed_item_leaves_no_new_one_behind_by_a_late_receipt(house: House) -> None:
    house.receive("MUG")
    house.rename("MUG", "BIG")

    with pytest.raises(SkuTaken):
        house.receive("BIG")

    assert house.stock.levels(["BIG"])["BIG"] == ()
    assert house.stock.known(["BIG"]) == set()


def test_a_kit_takes_its_components_and_needs_what_they_need(house: House) -> None:
    house.put("MILK")
    house.receive("MUG")
    house.rename("MUG", "BIG")

    kit = house.put("SET", ("MILK", 2), ("BIG", 1), wanted=Wanted(Attributes(tags=("gift",))))
    resolved = house.items.resolve(["SET"])["SET"]

    assert kit.takes == (Part("MILK", 2), Part("MUG", 1))
    assert kit.attributes.tags == ("gift",)
    assert resolved.attributes.tags == ("cold", "gift")


@pytest.mark.parametrize("component", ["SET", "KIT", "NONE", "GONE"])
def test_a_kit_has_no_kits_no_strangers_and_not_itself(house: House, component: str) -> None:
    house.receive("MUG")
    house.receive("GONE")
    house.items.retire("GONE")
    house.put("KIT", ("MUG", 1))

    with pytest.raises(NoComponent, match=component):
        house.put("SET", ("MUG", 1), (component, 1))

    assert house.items.fresh(["SET"]) == {}


def test_what_has_stock_never_becomes_a_kit_nor_a_kit_stock(house: House) -> None:
    house.receive("MUG")
    house.receive("CUP")
    house.put("SET", ("MUG", 1))

    with pytest.raises(NotAKit):
        house.put("CUP", ("MUG", 1))
    with pytest.raises(NotAKit):
        house.put("SET")
    with pytest.raises(NotStocked):
        house.receive("SET")
    assert house.put("SET", ("MUG", 3)).components == (Part("MUG", 3),)


def test_what_is_known_is_not_read_again_for_a_minute(house: House) -> None:
    house.receive("MUG")
    house.put("SET", ("MUG", 1))
    house.items.resolve(["MUG", "SET"])
    house.client.calls = 0

    house.seconds = 59.9
    house.items.resolve(["MUG", "SET", "MUG"])
    assert house.client.calls == 0
    house.seconds = 60.0
    assert house.items.resolve(["MUG"])["MUG"].item == "MUG"
    assert house.client.calls == 1


def test_a_change_is_seen_within_a_minute_and_one_that_is_unknown_at_once(house: House) -> None:
    assert house.items.resolve(["MUG"]) == {}
    house.receive("MUG")
    assert house.items.resolve(["MUG"])["MUG"].active

    house.items.retire("MUG")
    assert house.items.resolve(["MUG"])["MUG"].active
    house.seconds = 61
    assert not house.items.resolve(["MUG"])["MUG"].active


def test_the_memory_of_names_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items_table, "MAX_KNOWN", 2)
    for sku in ("A", "B", "C"):
        house.receive(sku)
        assert house.items.resolve([sku])[sku].item == sku
    assert len(house.items._known) <= 2


def test_of_many_that_rename_at_once_one_gets_the_name(house: House) -> None:
    skus = [f"S{number}" for number in range(6)]
    for sku in skus:
        house.receive(sku)

    def rename(sku: str) -> bool:
        try:
            house.rename(sku, "NAME")
        except SkuTaken:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(rename, skus))

    assert sum(won) == 1
    assert house.items.get("NAME").item == skus[won.index(True)]
    assert len(house.items.fresh([*skus, "NAME"])) == 6


def test_of_many_that_create_at_once_all_say_it_of_one_item(house: House) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: house.put("MUG"), range(4)))

    assert {item.item for item in made} == {"MUG"}


def test_a_channel_sells_all_from_everywhere_until_somebody_says_otherwise(
    dynamodb: DynamoDB, house: House
) -> None:
    channels = ChannelsTable(dynamodb, house.name)
    said = Channel("web", ("LYON",), 2, OnShortage.PARTIAL)

    channels.put(said)

    assert channels.get("shop") == Channel("shop")
    assert (channels.get("web"), channels.all()) == (said, {"web": said})
