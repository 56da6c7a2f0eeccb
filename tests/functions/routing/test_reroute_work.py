"""A location that closes, is out or is cut: what is open there is routed elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.inventory.order_deadlines import Desk, end_exclusion
from oms.domain import commands as c
from oms.domain.decide import MAX_ROUTING_ROUNDS
from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.jobs import JobStatus, Progress
from oms.domain.locations import Location, LocationKind
from oms.domain.order import Order
from tests.functions.routing.network import Network, box
from tests.functions.world import AUSTIN, an_order, now

pytestmark = pytest.mark.cloud

DAY = timedelta(days=1)


@pytest.fixture
def network(dynamodb: Any) -> Network:
    network = Network.new(dynamodb)
    network.world.receive("MUG", 100)
    network.world.receive("MUG", 100, "RENO")
    return network


def status_of(network: Network, order: Order) -> str:
    return box(network.world.orders.get(order.order_id), 0).status


def test_open_work_of_a_location_that_is_out_goes_to_another(network: Network) -> None:
    order = network.routed()
    network.out("AUSTIN", now() + 3 * DAY)

    network.told("AUSTIN", "outage", until=(now() + 3 * DAY).isoformat())
    network.work_all()
    network.world.route(order.order_id)

    rerouted = network.world.check(order.order_id)
    assert [(each.location_id, each.status) for each in rerouted.fulfillment_orders] == [
        ("AUSTIN", "rejected"),
        ("RENO", "open"),
    ]
    assert box(rerouted, 0).reason == "outage: flood"
    assert network.world.level("MUG") == (100, 100, 0)
    assert network.world.level("MUG", "RENO") == (100, 98, 2)


def test_a_location_that_is_out_is_asked_again_when_it_is_over(network: Network) -> None:
    over = now() + 3 * DAY
    order = network.routed()
    network.out("AUSTIN", over)
    network.told("AUSTIN", "outage")
    network.work_all()

    (refusal,) = network.world.orders.get(order.order_id).refused_by
    due = network.world.agenda.due(over, 10)

    assert refusal.until == over
    assert ("end_exclusion", order.order_id) in {(each.kind, each.subject) for each in due}


def test_what_somebody_has_begun_stays_where_it_is(network: Network) -> None:
    picking, accepted = network.routed(), network.routed()
    network.world.do(picking.order_id, c.PickFulfillmentOrder(box(picking).fulfillment_order_id))
    network.world.do(
        accepted.order_id, c.AcceptFulfillmentOrder(box(accepted).fulfillment_order_id)
    )
    network.change("AUSTIN", active=False)

    network.told("AUSTIN", "closed")
    network.work_all()

    assert status_of(network, picking) == "picking"
    assert status_of(network, accepted) == "rejected"


def test_a_location_that_has_opened_again_by_then_keeps_its_work(network: Network) -> None:
    order = network.routed()

    network.told("AUSTIN", "closed")
    network.work_all()

    assert status_of(network, order) == "open"
    assert network.told("AUSTIN", "reopened") == "nothing to take back"


def test_many_are_taken_back_page_by_page_by_many_workers(network: Network) -> None:
    orders = [network.routed(("MUG", 1)) for _ in range(12)]
    network.change("AUSTIN", active=False)
    network.steps = 1

    network.told("AUSTIN", "closed")
    network.work_all()

    assert {status_of(network, order) for order in orders} == {"rejected"}
    (job,) = network.jobs.page(10).jobs
    assert (job.status, job.progress) == (JobStatus.DONE, Progress(12, 0, 0))


def test_one_event_asks_for_one_look_now_and_one_when_every_router_knows(network: Network) -> None:
    network.change("AUSTIN", active=False)

    network.told("AUSTIN", "closed")
    due = network.world.agenda.due(now() + timedelta(minutes=5), 10)

    assert len(network.jobs.page(10).jobs) == 1
    assert [(each.kind, each.subject) for each in due] == [("reroute_work", "AUSTIN")]


def test_an_outage_to_come_is_looked_at_when_it_begins(network: Network) -> None:
    begins = now() + 2 * DAY

    network.told("AUSTIN", "outage", since=begins.isoformat())

    assert begins in {each.at for each in network.world.agenda.due(begins, 10)}


def test_a_cut_takes_back_the_newest_beyond_the_limit_and_no_more(dynamodb: Any) -> None:
    limited = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", daily_capacity=50)
    reno = Location("RENO", "Reno", LocationKind.WAREHOUSE, "US", fixed_cost=700)
    network = Network.new(dynamodb, limited, reno)
    for location in ("AUSTIN", "RENO"):
        network.world.receive("MUG", 100, location)
    orders = [network.routed(("MUG", 2)) for _ in range(5)]
    assert {box(order).ship_on for order in orders} != {""}
    network.change("AUSTIN", daily_capacity=5)

    assert network.told("AUSTIN", "capacity") == "to be looked at"
    network.asked("reroute_work", location_id="AUSTIN")
    network.work_all()

    by_age = [status_of(network, order) for order in orders]
    assert by_age == ["open", "open", "rejected", "rejected", "rejected"]


def test_a_limit_that_is_kept_takes_nothing_back(dynamodb: Any) -> None:
    limited = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", daily_capacity=50)
    network = Network.new(dynamodb, limited)
    network.world.receive("MUG", 100)
    order = network.routed(("MUG", 5))
    network.change("AUSTIN", daily_capacity=5)

    network.asked("reroute_work", location_id="AUSTIN")
    network.work_all()

    assert status_of(network, order) == "open"


@pytest.mark.parametrize("cut", [False, True])
def test_a_worker_that_dies_anywhere_takes_back_each_once(dynamodb: Any, cut: bool) -> None:
    limited = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", daily_capacity=50)
    network = Network.new(dynamodb, limited)
    network.world.receive("MUG", 100)
    orders = [network.routed(("MUG", 1)) for _ in range(3)]
    network.change("AUSTIN", **({"daily_capacity": 1} if cut else {"active": False}))
    network.asked("reroute_work", location_id="AUSTIN")

    deaths = network.until_done()

    assert deaths > 10
    left = [order for order in orders if status_of(network, order) == "open"]
    assert len(left) == cut
    for order in orders:
        network.world.check(order.order_id)
    assert network.world.level("MUG") == (100, 100 - cut, int(cut))


def test_an_order_whose_every_location_goes_down_ends_with_a_person(dynamodb: Any) -> None:
    names = [f"L{number}" for number in range(MAX_ROUTING_ROUNDS + 1)]
    places = [Location(each, each, LocationKind.WAREHOUSE, "US") for each in names]
    network = Network.new(dynamodb, *places)
    for name in names:
        network.world.receive("MUG", 10, name)
    order = network.routed()

    for _ in names:
        where = box(network.world.orders.get(order.order_id)).location_id
        network.out(where)
        network.told(where, "outage")
        network.work_all()
        outcome = network.world.route(order.order_id)

    ended = network.world.check(order.order_id)
    assert (outcome, len(ended.fulfillment_orders)) == ("attention", MAX_ROUTING_ROUNDS)
    assert ended.attention == "rejected by 5 locations, the last: outage: flood"
    assert not [each for each in ended.fulfillment_orders if each.in_warehouse]


def test_an_order_whose_only_location_goes_down_waits(dynamodb: Any) -> None:
    network = Network.new(dynamodb, AUSTIN)
    network.world.receive("MUG", 10)
    order = network.routed()
    network.out("AUSTIN")

    network.told("AUSTIN", "outage")
    network.work_all()
    outcomes = {network.world.route(order.order_id) for _ in range(3)}

    waiting = network.world.check(order.order_id)
    assert (outcomes, len(waiting.fulfillment_orders)) == ({"backordered"}, 1)
    assert waiting.is_backordered


def test_an_order_whose_only_location_is_out_for_a_while_waits_for_its_end(dynamodb: Any) -> None:
    """Not for a person: there may be thousands of them."""
    network = Network.new(dynamodb, AUSTIN)
    network.world.receive("MUG", 10)
    order_id = network.routed().order_id
    over = now() + timedelta(hours=1)
    network.out("AUSTIN", over)
    network.told("AUSTIN", "outage")
    network.work_all()
    assert network.world.route(order_id) == "backordered"
    desk = Desk(network.world.routing, network.world.items, network.look_again)

    assert end_exclusion(desk, order_id, over) == "woken"
    assert network.world.routing.router(over).route(order_id) == "routed"

    assert [x.location_id for x in network.world.check(order_id).fulfillment_orders] == [
        "AUSTIN",
        "AUSTIN",
    ]


def test_a_person_may_have_it_routed_elsewhere_until_somebody_begins(network: Network) -> None:
    order = network.routed()
    identity = box(order).fulfillment_order_id
    taken = network.world.do(order.order_id, c.TakeBackFulfillmentOrder(identity, "too far"))

    assert box(taken).status is FulfillmentStatus.REJECTED
    assert network.world.do(order.order_id, c.TakeBackFulfillmentOrder(identity, "again")) == taken


def test_an_order_elsewhere_is_not_touched(network: Network) -> None:
    placed = network.world.place(an_order())
    network.change("AUSTIN", active=False)
    network.told("AUSTIN", "closed")
    network.work_all()

    assert network.world.orders.get(placed.order_id) == placed


def test_a_location_that_nobody_knows_fails_the_job(network: Network) -> None:
    job = network.asked("reroute_work", location_id="TULSA")

    network.work_all()

    failed = network.jobs.get(job.job_id)
    assert (failed.status, failed.reason) == (JobStatus.FAILED, "there is no location TULSA")


def test_what_is_cut_from_one_day_may_go_to_another_day_of_the_same_location(dynamodb: Any) -> None:
    limited = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", daily_capacity=50)
    network = Network.new(dynamodb, limited)
    network.world.receive("MUG", 100)
    orders = [network.routed(("MUG", 2)) for _ in range(2)]
    network.change("AUSTIN", daily_capacity=2)
    network.asked("reroute_work", location_id="AUSTIN")
    network.work_all()

    assert network.world.route(orders[1].order_id) == "routed"

    again = network.world.check(orders[1].order_id)
    assert [each.location_id for each in again.fulfillment_orders] == ["AUSTIN", "AUSTIN"]
    assert box(again).ship_on > box(again, 0).ship_on
