"""Work that should have left by now, and what becomes of its promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from oms.domain import commands as c
from oms.domain.events import FulfillmentOrderUpgraded, PackedParcel
from oms.domain.network.rates import Card, Charge, Transit, Zone
from oms.domain.order import Order
from oms.domain.promising.policy import ExtraCost, PromisePolicy
from tests.functions.routing.network import Network, box
from tests.functions.world import now, survives

pytestmark = pytest.mark.cloud

DAY = timedelta(days=1)
EVERY_DAY = tuple(range(7))
FROM = {"AUSTIN": 1, "RENO": 2}  # days of transit
CARD = Card(
    "ups",
    zones=tuple(Zone(name, "US", from_location=name) for name in FROM),
    charges=tuple(Charge("standard", name, "USD", 500) for name in FROM),
    transits=tuple(
        Transit("standard", name, days, days, weekdays=EVERY_DAY) for name, days in FROM.items()
    ),
)


@pytest.fixture
def network(dynamodb: Any) -> Network:
    network = Network.new(dynamodb)
    network.locations.change_card("ups", lambda _: CARD)
    network.world.receive("MUG", 100)
    network.world.receive("MUG", 100, "RENO")
    return network


def promised(network: Network, days: int) -> Order:
    """So many days after the ship day of the first plan."""
    return network.routed(deliver_by=str(now().date() + days * DAY))


def due_at(order: Order) -> datetime:
    """When it should be with the carrier."""
    ship_by = box(order, 0).ship_by
    assert ship_by
    return ship_by


def look(
    network: Network,
    order: Order,
    at: datetime | None = None,
    policy: PromisePolicy | None = None,
) -> str:
    at = at or due_at(order)
    return network.promises(at, policy).look(box(order, 0).fulfillment_order_id, at)


def test_the_agenda_looks_at_it_when_it_should_have_left(network: Network) -> None:
    order = promised(network, 3)

    due = network.world.agenda.due(due_at(order), 10)

    assert [(each.kind, each.subject) for each in due] == [
        ("promise_at_risk", box(order).fulfillment_order_id)
    ]


def test_another_location_that_can_keep_the_promise_gets_the_work(network: Network) -> None:
    order = promised(network, 3)

    assert look(network, order) == "taken back"
    network.world.route(order.order_id)

    rerouted = network.world.check(order.order_id)
    assert [each.location_id for each in rerouted.fulfillment_orders] == ["AUSTIN", "RENO"]
    assert box(rerouted, 0).reason == "promise at risk"
    assert not rerouted.attention


def test_what_only_its_own_location_can_keep_is_left_and_looked_at_again(network: Network) -> None:
    order = promised(network, 2)

    assert look(network, order) == "left"

    assert network.world.orders.get(order.order_id) == order
    later = network.world.agenda.due(due_at(order) + DAY, 10)
    assert [each.at for each in later] == [due_at(order), due_at(order) + DAY]


def test_the_customer_is_told_once_of_what_nobody_can_keep(network: Network) -> None:
    order = promised(network, 1)
    looks = [look(network, order) for _ in range(3)]

    told = network.world.check(order.order_id)
    assert (looks, told.version) == (["told", *["told before"] * 2], order.version + 1)
    assert told.promise
    assert told.promise.revised == str(now().date() + 2 * DAY)
    assert (told.attention, box(told).status) == ("", "open")


def test_a_person_is_asked_once_where_customers_are_not_told(network: Network) -> None:
    order, policy = promised(network, 1), PromisePolicy(tell_customer=False)
    looks = {look(network, order, policy=policy) for _ in range(3)}

    asked = network.world.check(order.order_id)
    assert (looks, asked.version) == ({"missed"}, order.version + 1)
    assert asked.attention.endswith("as it was promised")
    assert box(asked).status == "open"


EXPRESS = replace(
    CARD,
    charges=(*CARD.charges, *(Charge("express", name, "USD", 900) for name in FROM)),
    transits=(*CARD.transits, *(Transit("express", name, 0, 0, EVERY_DAY) for name in FROM)),
)
PAYS = PromisePolicy(upgrade_to=("express",), max_extra=(ExtraCost("USD", 400),))


def test_what_a_faster_method_can_keep_is_upgraded_within_the_policy(network: Network) -> None:
    network.locations.change_card("ups", lambda _: EXPRESS)
    order = promised(network, 1)

    assert look(network, order, policy=PAYS) == "upgraded"

    upgraded = network.world.check(order.order_id)
    assert (box(upgraded).method, box(upgraded).deliver_by) == ("express", order.deliver_by)
    (event,) = [
        fact.event
        for fact in network.world.orders.whole_history(order.order_id)
        if isinstance(fact.event, FulfillmentOrderUpgraded)
    ]
    assert (event.extra_cost, event.currency, event.reason) == (400, "USD", "promise at risk")
    assert look(network, upgraded, policy=PAYS) != "upgraded"


@pytest.mark.parametrize(
    "policy",
    [
        PromisePolicy(),
        replace(PAYS, max_extra=(ExtraCost("USD", 399),)),
        replace(PAYS, max_extra=(ExtraCost("EUR", 9_999),)),
        replace(PAYS, upgrade_to=("overnight",)),
    ],
)
def test_what_the_policy_does_not_pay_for_is_not_upgraded(
    network: Network, policy: PromisePolicy
) -> None:
    network.locations.change_card("ups", lambda _: EXPRESS)

    assert look(network, promised(network, 1), policy=policy) == "told"


def test_what_is_begun_can_be_upgraded_but_not_sent_elsewhere(network: Network) -> None:
    network.locations.change_card("ups", lambda _: EXPRESS)
    order = promised(network, 1)
    network.world.do(order.order_id, c.PickFulfillmentOrder(box(order).fulfillment_order_id))
    late = due_at(order) + timedelta(minutes=1)

    assert look(network, order, late, policy=PAYS) == "upgraded"


def test_after_an_event_another_location_may_still_keep_it(network: Network) -> None:
    order = promised(network, 3)

    assert reconsider(network, order, due_at(order)) == "told before"
    assert reconsider(network, order, due_at(order) + timedelta(minutes=1)) == "taken back"


def test_after_an_event_the_customer_is_told_the_day_as_it_is_now_once(network: Network) -> None:
    order, late = promised(network, 3), timedelta(days=2)

    assert reconsider(network, order, due_at(order) + late) == "told"
    assert reconsider(network, order, due_at(order) + late) == "told before"


def test_what_has_left_late_is_told_before_it_is_late(network: Network) -> None:
    order = promised(network, 1)
    late = due_at(order) + timedelta(hours=20)
    (parcel,) = (PackedParcel("easypost", "EZ1", box(order).lines),)
    identity = box(order).fulfillment_order_id
    ship = c.ShipFulfillmentOrder(identity, (parcel,))
    for command in (c.PickFulfillmentOrder(identity), c.PackFulfillmentOrder(identity), ship):
        order = network.world.orders.change(order.order_id, command, at=late, actor="test")

    assert flagged(network, order)
    assert reconsider(network, order, late) == "told"

    told = network.world.orders.get(order.order_id)
    assert told.promise
    assert told.promise.revised > told.promise.deliver_by
    assert not flagged(network, told)


def test_an_order_without_a_promise_is_never_flagged(network: Network) -> None:
    network.locations.change_card("ups", lambda _: Card("ups"))
    order = network.routed()
    network.world.pack(order.order_id)
    network.world.ship(order.order_id)

    rows = network.world.client.scan(TableName=network.world.orders_name)["Items"]
    assert order.promise is None
    assert not any("at_risk" in row for row in rows)


def reconsider(network: Network, order: Order, at: datetime) -> str:
    return network.promises(at).reconsider(order.order_id, at)


def flagged(network: Network, order: Order) -> bool:
    """Whether the last event of the order asks to be looked at."""
    key = {"PK": {"S": f"ORDER#{order.order_id}"}, "SK": {"S": f"EVENT#{order.version:06d}"}}
    row = network.world.client.get_item(TableName=network.world.orders_name, Key=key)["Item"]
    return "at_risk" in row


def test_what_somebody_has_begun_is_left_alone(network: Network) -> None:
    order = promised(network, 3)
    network.world.do(order.order_id, c.PickFulfillmentOrder(box(order).fulfillment_order_id))

    assert look(network, order) == "nothing to do"


def test_what_was_cancelled_or_sent_elsewhere_is_left_alone(network: Network) -> None:
    cancelled, elsewhere = promised(network, 3), promised(network, 3)
    network.world.cancel(cancelled.order_id)
    look(network, elsewhere)

    assert look(network, cancelled) == look(network, elsewhere) == "nothing to do"


def test_another_location_without_the_stock_keeps_no_promise(network: Network) -> None:
    order = network.routed(("MUG", 100), deliver_by=str(now().date() + 3 * DAY))
    network.world.receive("MUG", 5)
    network.routed(("MUG", 60), deliver_by=str(now().date() + 3 * DAY))

    assert look(network, order) == "left"


def test_an_order_that_was_sent_around_too_often_is_left_to_its_location(network: Network) -> None:
    """One more rejection would need a person, who could do no more."""
    order = promised(network, 9)
    for _ in range(4):
        where = box(network.world.orders.get(order.order_id)).fulfillment_order_id
        network.world.do(order.order_id, c.RejectFulfillmentOrder(where, "no", now()))
        network.world.route(order.order_id)
    last = box(network.world.orders.get(order.order_id))
    assert last.ship_by

    said = network.promises(last.ship_by).look(last.fulfillment_order_id, last.ship_by)

    assert (said, network.world.orders.get(order.order_id).attention) == ("left", "")


@pytest.mark.parametrize(("days", "events"), [(3, 1), (2, 0), (1, 1)])
def test_a_worker_that_dies_anywhere_does_it_once(network: Network, days: int, events: int) -> None:
    order = promised(network, days)
    at, identity = due_at(order), box(order).fulfillment_order_id

    def look_of(world: Any) -> str:
        living = Network(world, network.jobs_name)
        return living.promises(at).look(identity, at)

    assert survives(network.world, look_of) > 5
    assert network.world.check(order.order_id).version == order.version + events


def test_a_worker_that_dies_anywhere_upgrades_once(network: Network) -> None:
    network.locations.change_card("ups", lambda _: EXPRESS)
    order = promised(network, 1)
    at, identity = due_at(order), box(order).fulfillment_order_id

    def look_of(world: Any) -> str:
        return Network(world, network.jobs_name).promises(at, PAYS).look(identity, at)

    assert survives(network.world, look_of) > 5
    upgraded = network.world.check(order.order_id)
    assert (upgraded.version, box(upgraded).method) == (order.version + 1, "express")


def test_a_worker_that_dies_anywhere_tells_the_customer_one_day_once(network: Network) -> None:
    order = promised(network, 3)
    at = due_at(order) + 2 * DAY

    def reconsidered(world: Any) -> str:
        return Network(world, network.jobs_name).promises(at).reconsider(order.order_id, at)

    assert survives(network.world, reconsidered) > 3
    assert network.world.check(order.order_id).version == order.version + 1
