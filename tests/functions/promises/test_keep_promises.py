"""An event by which a promise is at risk reaches who can help."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.outbox.publish_events import record_of
from functions.promises.keep_promises import keep
from oms.contracts import codec
from oms.contracts.render import order_view
from oms.domain import commands as c
from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.network.rates import Card, Charge, Transit, Zone
from oms.domain.routing.kept import KeptDecision
from tests.functions.routing.network import Network, box
from tests.functions.world import now

pytestmark = pytest.mark.cloud

EVERY_DAY = tuple(range(7))
CARD = Card(
    "ups",
    zones=(Zone("home", "US"),),
    charges=(Charge("standard", "home", "USD", 500),),
    transits=(Transit("standard", "home", 2, 3, EVERY_DAY),),
)


@pytest.fixture
def network(dynamodb: Any) -> Network:
    network = Network.new(dynamodb)
    network.locations.change_card("ups", lambda _: CARD)
    network.world.receive("MUG", 100)
    return network


def test_the_order_of_the_event_is_reconsidered() -> None:
    asked: list[tuple[str, datetime]] = []

    def reconsider(order_id: str, at: datetime) -> str:
        asked.append((order_id, at))
        return "told"

    at = now()
    assert keep({"order_id": "ord_1", "type": "ParcelScanned"}, reconsider, at) == "told"
    assert asked == [("ord_1", at)]


@pytest.mark.parametrize("at_risk", [True, False])
def test_only_what_is_at_risk_is_told_so_on_the_bus(at_risk: bool) -> None:
    image: dict[str, Any] = {
        "PK": {"S": "ORDER#ord_1"},
        "SK": {"S": "EVENT#000007"},
        "type": {"S": "FulfillmentOrderAccepted"},
        "at": {"S": now().isoformat()},
        "actor": {"S": "wms"},
        "body": {"S": "{}"},
        **({"at_risk": {"BOOL": True}} if at_risk else {}),
    }

    told = record_of({"dynamodb": {"SequenceNumber": "1", "NewImage": image}}).envelope

    assert ("at_risk" in told) is at_risk


def test_what_was_promised_once_is_kept_to_when_it_is_routed_again(network: Network) -> None:
    order = network.routed()
    network.world.do(
        order.order_id, c.RejectFulfillmentOrder(box(order).fulfillment_order_id, "no", now())
    )
    network.world.route(order.order_id)

    (_, again) = [body for _, body in network.world.orders.decisions(order.order_id)]
    known = codec.decode(again, KeptDecision).snapshot.order
    assert order.promise
    assert str(known.deliver_by) == order.promise.deliver_by


def test_an_order_says_what_was_promised_and_of_what_that_was_made(network: Network) -> None:
    order = network.routed(deliver_by=str(now().date() + timedelta(days=9)))

    view = order_view(order).promise

    assert view
    assert view.made_at
    assert view.deliver_by == order.deliver_by
    assert view.days_apart == 9 - _ours(view.ours)
    assert view.made_of[box(order).fulfillment_order_id].source == "tables"
    assert (view.revised, view.told_at) == ("", None)


def _ours(day: str) -> int:
    return (datetime.fromisoformat(day).date() - now().date()).days


def test_a_plan_without_a_day_promises_none(network: Network) -> None:
    network.locations.change_card("ups", lambda _: Card("ups"))

    order = network.routed()

    assert order_view(order).promise is None
    assert box(order).status is FulfillmentStatus.OPEN
    assert (box(order).basis, box(order).assigned_at) == (None, None)
