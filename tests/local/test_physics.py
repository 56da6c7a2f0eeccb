"""What DynamoDB does to writers that meet, in front of an emulator that does not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.local.bench.hot_sku import PLACE, schema
from infra.local.bench.sellers import Job, Shelf, Stand, joined
from infra.local.cloud import Cloud
from infra.local.physics import Limits, PhysicalMeter, Physics, Row, physical
from oms.adapters.dynamodb import Write, key, s, transact
from oms.adapters.leases_table import LeasesTable
from oms.adapters.stock_table import StockTable
from oms.domain.inventory import MovementKind, StockChange, StockItemChange

FOR_EVER, LONG = Limits(lock_seconds=60), Limits(lock_seconds=0.02)
TRANSACTION = "TransactWriteItems"


def put(partition: str, sort: str = "ROW") -> dict[str, Any]:
    return {"TableName": "stock", "Item": key(partition, sort)}


def transaction(*partitions: str) -> dict[str, Any]:
    return {"TransactItems": [{"Put": put(each)} for each in partitions]}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_transaction_that_meets_another_is_cancelled_and_told_at_which_row() -> None:
    physics = Physics(clock=Clock())
    assert physics.refusal(TRANSACTION, transaction("A", "B")) is None

    refused = physics.refusal(TRANSACTION, transaction("B", "C"))

    assert refused is not None
    codes = [reason["Code"] for reason in refused.said["CancellationReasons"]]
    assert (refused.code, codes) == (
        "TransactionCanceledException",
        ["TransactionConflict", "None"],
    )
    assert physics.refusal(TRANSACTION, transaction("C")) is None


def test_a_plain_write_is_refused_by_a_transaction_and_refuses_none() -> None:
    physics = Physics(clock=Clock())
    physics.refusal(TRANSACTION, transaction("A"))

    refused = physics.refusal("PutItem", put("A"))

    assert refused is not None
    assert refused.code == "TransactionConflictException"
    assert physics.refusal("PutItem", put("B")) is None
    assert physics.refusal(TRANSACTION, transaction("B")) is None


def test_a_row_is_free_when_its_transaction_is_over() -> None:
    clock = Clock()
    physics = Physics(Limits(lock_seconds=0.006), clock)
    physics.refusal(TRANSACTION, transaction("A"))
    clock.now = 0.0061

    assert physics.refusal(TRANSACTION, transaction("A")) is None


def test_a_partition_takes_so_many_units_a_second_and_a_transaction_takes_two() -> None:
    clock = Clock()
    physics = Physics(Limits(units_per_second=10, lock_seconds=0), clock)

    done = [physics.refusal(TRANSACTION, transaction("A")) for _ in range(6)]
    clock.now = 0.2

    assert [each.code if each else "" for each in done] == [*5 * [""], "ThrottlingException"]
    assert physics.refusal("PutItem", put("A")) is None
    assert physics.refusal("PutItem", put("A")) is None
    assert physics.refusal("PutItem", put("A")) is not None
    assert physics.refusal("PutItem", put("B")) is None


@pytest.fixture
def proxy(cloud: Cloud) -> Iterator[PhysicalMeter]:
    with physical(cloud) as meter:
        yield meter


def client_of(cloud: Cloud, meter: PhysicalMeter) -> Any:
    """Through the proxy."""
    return replace(cloud, port=int(meter.url.rpartition(":")[2])).client("dynamodb")


@pytest.fixture
def shelf(cloud: Cloud, proxy: PhysicalMeter) -> Shelf:
    name, client = uuid4().hex[:8], cloud.client("dynamodb")
    client.create_table(TableName=f"orders-{name}", **schema(("GSI1", "GSI2", "GSI3")))
    client.create_table(TableName=f"stock-{name}", **schema(()))
    return Shelf(proxy.url, f"orders-{name}", f"stock-{name}")


@pytest.mark.cloud
def test_an_sdk_understands_the_refusal(cloud: Cloud, shelf: Shelf) -> None:
    with physical(cloud, FOR_EVER) as meter:
        client = client_of(cloud, meter)
        write = {"Put": {"TableName": shelf.stock, "Item": key("A", "ROW")}}
        client.transact_write_items(TransactItems=[write])

        with pytest.raises(ClientError) as refused:
            client.transact_write_items(TransactItems=[write])
        with pytest.raises(client.exceptions.TransactionConflictException):
            client.put_item(TableName=shelf.stock, Item=key("A", "ROW"))

    reasons = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["TransactionConflict"]
    assert meter.physics.conflicts == 2


@pytest.mark.cloud
def test_a_write_hears_of_each_conflict_and_of_its_end(
    cloud: Cloud, proxy: PhysicalMeter, shelf: Shelf
) -> None:
    heard: list[str] = []
    client = client_of(cloud, proxy)
    row = {"TableName": shelf.stock, "Item": {**key("A", "ROW"), "x": s("y")}}
    write = Write({"Put": row}, heard=heard.append)
    locked = proxy.physics._locked
    locked[Row(shelf.stock, "A", "ROW")] = proxy.physics.clock() + 60

    transact(client, [write], lambda seconds: locked.clear())

    assert heard == ["TransactionConflict", "Committed"]


@pytest.mark.cloud
def test_eight_sellers_sell_exactly_the_units_of_one_sku_and_none_fails(
    cloud: Cloud, shelf: Shelf
) -> None:
    units, too_many = 96, 8
    stock = StockTable(cloud.client("dynamodb"), shelf.stock)
    stock.put_location(PLACE)
    item = StockItemChange("HOT", PLACE.location_id, units)
    stock.apply(StockChange(MovementKind.RECEIVED, "rcp_1", datetime.now(UTC), (item,)))

    with physical(cloud, LONG) as meter, ThreadPoolExecutor(8) as threads:

        def sell(number: int) -> Any:
            stand = Stand(client_of(cloud, meter), shelf, leases=True)
            return stand.sell(Job(f"s{number}", ["HOT"] * ((units + too_many) // 8), leases=True))

        sold = joined(threads.map(sell, range(8)))

    (balance,) = stock.balances("HOT")
    assert sold.outcomes == {"routed": units, "backordered": too_many}
    assert balance.is_even
    assert (balance.level.available, balance.level.reserved, balance.aside) == (0, units, 0)
    assert MovementKind.LEASED in {each.kind for each in stock.movements("HOT", 500).movements}
    assert LeasesTable(cloud.client("dynamodb"), shelf.stock, stock).open() == []
