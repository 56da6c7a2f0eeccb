"""What has waited longest, and how many wait for a person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.ops.measure_operations import measured
from oms.adapters.attention import AttentionList
from oms.adapters.measures import send
from oms.domain import commands as c
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(cloud: Any) -> World:
    return World.new(cloud.client("dynamodb"))


def found(world: World, hours: int) -> dict[str, float]:
    attention = AttentionList(world.client, world.orders_name)
    later = now() + timedelta(hours=hours)
    return measured(world.orders, attention, ["AUSTIN", "RENO"], later)


def test_a_shop_in_which_nothing_waits_sends_no_metric(world: World) -> None:
    assert found(world, 5) == {}


def test_goods_that_lie_ready_are_waited_for_until_they_leave(world: World) -> None:
    world.receive("MUG", 5)
    order = world.place(an_order())
    world.pay(order.order_id)
    assert found(world, 5)["OldestUnshippedHours"] == pytest.approx(5, abs=0.1)

    world.route(order.order_id)
    world.pack(order.order_id)
    assert found(world, 5)["OldestUnshippedHours"] == pytest.approx(5, abs=0.1)

    world.ship(order.order_id)
    assert "OldestUnshippedHours" not in found(world, 5)


def test_who_waits_for_somebody_else_is_not_late(world: World) -> None:
    unpaid = world.place(an_order())
    assert "OldestUnshippedHours" not in found(world, 5), "nobody has paid"

    world.receive("MUG", 5)
    world.pay(unpaid.order_id)
    hold = c.PlaceHold("fraud", "look")
    world.do(unpaid.order_id, hold)
    assert "OldestUnshippedHours" not in found(world, 5), "somebody looks at it"


def test_a_metric_is_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    send("OldestUnshippedHours", 5.5, "Count")

    said = json.loads(capsys.readouterr().out)
    metric = said["_aws"]["CloudWatchMetrics"][0]
    assert (metric["Namespace"], metric["Dimensions"]) == ("Baton", [[]])
    assert said["OldestUnshippedHours"] == [5.5]
