"""Deliveries are measured from what is told: in any order, any number of times."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.promises.learn_transits import learn
from functions.promises.measure_promises import measure
from oms.adapters.network_table import NetworkTable
from oms.adapters.promise_history import PromiseHistory
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.network.lanes import Basis, Lane
from oms.domain.order import Fact
from oms.domain.promising.policy import PromisePolicy
from oms.domain.tracking import TrackingStatus, scan
from tests.builders import NOW, RECORD, Story, placement
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

MONDAY = datetime(2026, 3, 2, 18, tzinfo=UTC)
BASIS = Basis("ups", "standard", "near", 3, days=2)
LANE = Lane("ups", "standard", "near", "AUS1")
DAY = timedelta(days=1)
EVERY = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def name(dynamodb: Any) -> str:
    return create_table(dynamodb, "reports", f"reports-{uuid4().hex[:12]}")


@pytest.fixture
def history(dynamodb: Any, name: str) -> PromiseHistory:
    return PromiseHistory(dynamodb, name)


def story(number: int = 1, days: int = 2, **said: Any) -> Story:
    """Promised by Wednesday; delivered so many days after Monday."""
    told = Story(placement(external_id=str(number))).authorized()
    (plan,) = told.plan(("AUS1", {"line_1": 1}))
    given = {"ship_by": MONDAY, "deliver_by": "2026-03-04", "basis": BASIS, **said}
    told.do(c.RecordRouting((replace(plan, **given),), RECORD))
    told.shipped(tracking_number=f"EZ{number}")
    at = MONDAY + days * DAY
    arrived = scan("easypost", f"EZ{number}", TrackingStatus.DELIVERED, at, "delivered")
    return told.do(c.RecordScans("easypost", f"EZ{number}", (arrived,)))


def record(story: Story, fact: Fact) -> dict[str, Any]:
    told = envelope(story.order_id, fact)
    body = {"detail-type": told["type"], "detail": told}
    return {"messageId": f"{story.order_id}/{fact.seq}", "body": json.dumps(body, default=str)}


def records(*stories: Story) -> list[dict[str, Any]]:
    """What the rule lets through."""
    facts = [(each, fact) for each in stories for fact in each.facts]
    kind = "FulfillmentOrderDelivered"
    return [record(each, fact) for each, fact in facts if type(fact.event).__name__ == kind]


def figures(history: PromiseHistory) -> list[tuple[date, dict[str, int], dict[int, int]]]:
    return [(x.day, dict(x.figures), dict(x.transit)) for x in history.days(*EVERY)]


def test_each_delivery_counts_on_its_day(history: PromiseHistory) -> None:
    assert measure(records(story(1), story(2, 1), story(3, 4)), history, NOW) == []

    assert figures(history) == [
        (date(2026, 3, 3), {"promised": 1, "on_time": 1, "early": 1}, {1: 1}),
        (date(2026, 3, 4), {"promised": 1, "on_time": 1}, {2: 1}),
        (date(2026, 3, 6), {"promised": 1, "late": 1, "late_days": 2}, {4: 1}),
    ]
    assert {row.lane for row in history.days(*EVERY)} == {LANE}


def test_what_had_no_promise_is_not_counted(history: PromiseHistory) -> None:
    plain = Story(placement()).authorized().routed().shipped().delivered()

    assert measure(records(plain), history, NOW) == []
    assert figures(history) == []


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_again_or_in_another_order_counts_once(
    history: PromiseHistory, seed: int
) -> None:
    told = records(*(story(number, number % 7) for number in range(30)))
    shuffled = random.Random(seed).sample(told * 3, k=3 * len(told))

    for start in range(0, len(shuffled), 7):
        assert measure(shuffled[start : start + 7], history, NOW) == []

    assert sum(each["promised"] for _, each, _ in figures(history)) == 30


def test_a_worker_that_dies_anywhere_counts_each_once(
    dynamodb: Any, history: PromiseHistory, name: str
) -> None:
    told = records(*(story(number) for number in range(60)))
    for dies_at in range(1, 6):
        for after in (False, True):
            mortal = PromiseHistory(Mortal(dynamodb, dies_at, after), name)
            with suppress(Crash):
                measure(told, mortal, NOW)

    assert measure(told, history, NOW) == []
    assert [each for _, each, _ in figures(history)] == [{"promised": 60, "on_time": 60}]


def test_one_that_cannot_be_read_does_not_keep_the_others_from_being_counted(
    history: PromiseHistory,
) -> None:
    broken = {"messageId": "broken", "body": "{}"}

    assert measure([broken, *records(story())], history, NOW) == ["broken"]
    assert len(figures(history)) == 1


def test_a_delivery_alone_costs_four_write_units_and_many_little_more_than_two_each(
    dynamodb: Any, name: str
) -> None:
    class Metered:
        units = 0.0

        def transact_write_items(self, **request: Any) -> Any:
            answer = dynamodb.transact_write_items(**request, ReturnConsumedCapacity="TOTAL")
            self.units += sum(x["CapacityUnits"] for x in answer["ConsumedCapacity"])
            return answer

    alone, many = Metered(), Metered()
    measure(records(story()), PromiseHistory(alone, name), NOW)  # type: ignore[arg-type]
    told = records(*(story(number) for number in range(2, 42)))
    measure(told, PromiseHistory(many, name), NOW)  # type: ignore[arg-type]

    assert (alone.units, many.units) == (4, 2 * 40 + 2)


def test_what_was_measured_is_learned_and_what_is_old_forgotten(
    dynamodb: Any, history: PromiseHistory
) -> None:
    network = NetworkTable(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4().hex[:12]}"))
    measure(records(*(story(number, 3) for number in range(40))), history, NOW)

    assert learn(history, network, PromisePolicy(), MONDAY + 9 * DAY) == 1
    (known,) = network.measured()
    assert (known.lane, known.days, known.parcels, known.on_time) == (LANE, 3, 40, 40)

    assert learn(history, network, PromisePolicy(), MONDAY + 200 * DAY) == 0
    assert network.measured() == ()


def test_few_parcels_teach_nothing(dynamodb: Any, history: PromiseHistory) -> None:
    network = NetworkTable(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4().hex[:12]}"))
    measure(records(*(story(number) for number in range(29))), history, NOW)

    assert learn(history, network, PromisePolicy(), MONDAY + 9 * DAY) == 0
