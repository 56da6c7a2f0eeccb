"""A box that is shipped as it was labelled."""

from __future__ import annotations

from typing import Any

import pytest

from functions.fulfillment import api as fulfillment
from oms.domain import commands as c
from oms.domain.ids import order_of_fulfillment
from tests.builders import NOW
from tests.functions.doors import House, ask, house
from tests.functions.labels.test_api import buy, easypost, routed, station, void

__all__ = ["easypost", "house", "station"]
pytestmark = pytest.mark.cloud


def packed(station: House) -> str:
    identity = routed(station)
    for command in (c.PickFulfillmentOrder(identity), c.PackFulfillmentOrder(identity)):
        station.orders.change(order_of_fulfillment(identity), command, at=NOW, actor="test")
    return identity


def ship(identity: str, body: Any = None) -> tuple[int, Any]:
    return ask(fulfillment, "POST /fulfillment-orders/{id}/ship", body, id=identity)


def test_all_of_a_box_leaves_in_the_parcel_that_has_its_label(station: House) -> None:
    identity = packed(station)
    _, unused = buy(identity, "unused")
    void(unused["label_id"])
    _, label = buy(identity)

    status, view = ship(identity)

    assert (status, view["status"]) == (200, "shipped")
    (parcel,) = view["parcels"]
    assert (parcel["carrier"], parcel["tracking_number"]) == ("manual", label["tracking_number"])
    assert parcel["lines"] == [{"line_id": "line_1", "quantity": 3}]
    assert ship(identity)[1] == view


@pytest.mark.parametrize(("labels", "why"), [(0, "no label"), (2, "2 labels")])
def test_without_one_label_somebody_says_what_is_in_which_parcel(
    station: House, labels: int, why: str
) -> None:
    identity = packed(station)
    for number in range(labels):
        buy(identity, str(number))

    status, problem = ship(identity)

    assert status == 422
    assert problem["errors"] == [{"field": "parcels", "reason": f"is needed: it has {why}"}]


def test_an_empty_list_of_parcels_is_a_mistake(station: House) -> None:
    identity = packed(station)
    buy(identity)

    status, problem = ship(identity, {"parcels": []})

    assert (status, problem["errors"][0]["field"]) == (422, "parcels")
