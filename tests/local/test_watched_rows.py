"""Of all that happens to stock, only what may concern the watcher reaches it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from infra.inventory import TO_WATCH
from infra.local.cloud import Cloud
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.stock_watch import StockWatch
from oms.domain.items import Policy
from tests.cloud import deploy_function, eventually
from tests.functions.world import World, now

pytestmark = pytest.mark.cloud

READER = """
import os

def handler(event, context):
    with open(os.environ["SEEN"], "a") as seen:
        for record in event["Records"]:
            seen.write(record["dynamodb"]["Keys"]["SK"]["S"] + " ")
    return {"batchItemFailures": []}
"""


def test_a_level_is_read_as_it_begins_and_then_only_while_it_is_watched(cloud: Cloud) -> None:
    world = World.new(cloud.client("dynamodb"))
    notes = cloud.home / f"{uuid4().hex}.seen"
    reader(cloud, world, str(notes))

    def watched_at(threshold: int | None) -> None:
        wanted = Wanted(policy=Policy(low_stock=threshold))
        items = ItemsTable(world.client, world.stock_name)
        items.put("MUG", wanted, at=now(), identity="itm_1")
        StockWatch(world.client, world.stock_name).follow("MUG")

    world.receive("MUG", 5)
    world.receive("MUG", 5)
    watched_at(3)
    world.receive("MUG", 5)
    watched_at(None)
    world.receive("MUG", 5)
    world.receive("CUP", 5, "RENO")

    eventually(lambda: "RENO" in (notes.read_text() if notes.exists() else ""))
    assert notes.read_text().split() == [
        "LEVEL#AUSTIN",  # it begins
        "ITEM",  # its policy
        "LEVEL#AUSTIN",  # it is watched
        "LEVEL#AUSTIN",  # a receipt
        "ITEM",
        "LEVEL#RENO",
    ]


def reader(cloud: Cloud, world: World, notes: str) -> None:
    function = deploy_function(cloud, READER, Environment={"Variables": {"SEEN": notes}})
    table: Any = cloud.client("dynamodb").describe_table(TableName=world.stock_name)["Table"]
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": pattern} for pattern in TO_WATCH]},
    )
