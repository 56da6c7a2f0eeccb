"""What staff says of payments that no machine sees."""

from typing import Any

import pytest

from functions.payments import (
    api,
    authorize_payment,
    capture_payment,
    receive_payment_webhook,
    refund_payment,
)
from functions.routing import release_stock
from oms.domain import commands as c
from oms.domain.events import Assigned, PackedParcel
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind, OperationStatus
from tests.builders import RECORD
from tests.functions.doors import House, ask, house
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud

LIST = "GET /orders/{order_id}/payments"
CONFIRM = "POST /orders/{order_id}/payments/{operation_id}/confirm"
CAME_IN = {"outcome": "succeeded", "reference": "2026-03-02/17"}


def placed(house: House, provider: str) -> str:
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    house.stocked("MUG", 5)
    return world.place(
        an_order(("MUG", 2), payment={"provider": provider, "token": "tok_ok"})
    ).order_id


def authorized(order_id: str) -> str:
    return str(authorize_payment.handler({"order_id": order_id}, None)["outcome"])


def told(function: Any, order_id: str) -> None:
    function.handler({"detail-type": "Any", "detail": {"order_id": order_id}}, None)


def confirm(order_id: str, operation_id: str, said: dict[str, Any]) -> tuple[int, Any]:
    return ask(api, CONFIRM, said, order_id=order_id, operation_id=operation_id)


def shipped(house: House, order_id: str) -> None:
    box = f"ful_{order_id.removeprefix('ord_')}-1"
    all_of_it = (Quantity("line_1", 2),)
    for command in (
        c.RecordRouting((Assigned(box, "AUSTIN", all_of_it),), RECORD),
        c.PickFulfillmentOrder(box),
        c.PackFulfillmentOrder(box),
        c.ShipFulfillmentOrder(box, (PackedParcel("easypost", "EZ1", all_of_it),)),
    ):
        house.orders.change(order_id, command, at=now(), actor="test")


def statuses(order: Order) -> list[tuple[str, str, int]]:
    return [(o.kind.value, o.status.value, o.amount) for o in order.payment.operations]


def test_a_transfer_is_waited_for_until_it_is_confirmed_and_then_it_is_ours(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    assert [authorized(order_id) for _ in range(2)] == ["transfer_pending"] * 2

    status, shown = confirm(order_id, "op_1", CAME_IN)

    assert (status, shown["operations"][0]["status"]) == (200, "succeeded")
    assert authorized(order_id) == "authorized"
    payment = house.orders.get(order_id).payment
    assert (payment.authorized, payment.captured) == (2500, 2500)


def test_a_confirmation_is_recorded_once_and_not_taken_back(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)
    first = confirm(order_id, "op_1", CAME_IN)

    assert confirm(order_id, "op_1", CAME_IN) == first
    status, problem = confirm(order_id, "op_1", {"outcome": "failed", "reason": "a mistake"})

    assert (status, problem["title"]) == (409, "Not possible now")
    assert house.orders.get(order_id).payment.authorized == 2500


def test_a_transfer_that_never_came_is_told_and_the_order_is_declined(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)

    confirm(order_id, "op_1", {"outcome": "failed", "reason": "sent back by the bank"})

    assert authorized(order_id) == "declined"


def test_less_than_was_asked_for_pays_no_order_and_is_given_back(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)

    confirm(order_id, "op_1", {**CAME_IN, "amount": 2000})
    assert authorized(order_id) == "declined"
    release_stock.handler({"order_id": order_id, "reason": "declined"}, None)
    told(refund_payment, order_id)

    kind, status, amount = statuses(house.orders.get(order_id))[-1]
    assert (kind, status, amount) == ("refund", "pending", 2000)


def test_a_transfer_for_a_cancelled_order_is_withdrawn(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)

    outcome = release_stock.handler({"order_id": order_id, "reason": "expired"}, None)
    told(refund_payment, order_id)

    order = house.orders.get(order_id)
    assert (outcome["outcome"], order.status) == ("released", OrderStatus.EXPIRED)
    assert statuses(order) == [("authorize", "failed", 2500)]


def test_cash_is_captured_when_somebody_says_that_it_came(house: House) -> None:
    order_id = placed(house, "cash_on_delivery")
    assert authorized(order_id) == "authorized"
    shipped(house, order_id)
    for _ in range(2):
        told(capture_payment, order_id)
    (capture,) = (
        o for o in house.orders.get(order_id).payment.operations if o.kind is OperationKind.CAPTURE
    )
    assert capture.status is OperationStatus.PENDING

    confirm(order_id, capture.operation_id, {"outcome": "succeeded", "reference": "DHL-COD-1"})

    payment = house.orders.get(order_id).payment
    assert (payment.captured, payment.operation(capture.operation_id).reference) == (
        2500,
        "DHL-COD-1",
    )


def test_a_refund_of_a_transfer_is_pending_until_somebody_has_paid_it(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)
    confirm(order_id, "op_1", CAME_IN)
    authorized(order_id)
    house.orders.change(order_id, c.CancelOrder("requested"), at=now(), actor="test")
    told(refund_payment, order_id)
    refund = house.orders.get(order_id).payment.operations[-1]
    assert (refund.kind, refund.status) == (OperationKind.REFUND, OperationStatus.PENDING)

    confirm(order_id, refund.operation_id, {"outcome": "succeeded", "reference": "SEPA-9"})

    assert house.orders.get(order_id).payment.refunded == 2500


def test_what_a_provider_tells_nobody_confirms(house: House) -> None:
    order_id = placed(house, "test")

    status, problem = confirm(order_id, "op_1", CAME_IN)

    assert (status, problem["title"]) == (409, "Not confirmed by hand")


def test_what_was_not_asked_for_yet_cannot_be_confirmed(house: House) -> None:
    order_id = placed(house, "bank_transfer")

    assert confirm(order_id, "op_1", CAME_IN)[0] == 409
    assert confirm(order_id, "op_9", CAME_IN)[0] == 404
    assert confirm("ord_nobody", "op_1", CAME_IN)[0] == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "outcome"),
        ({"outcome": "perhaps"}, "outcome"),
        ({"outcome": "succeeded"}, "reference"),
        ({"outcome": "failed"}, "reason"),
        ({"outcome": "failed", "reason": "no", "amount": 5}, "amount"),
        ({**CAME_IN, "amount": 0}, "amount"),
        ({**CAME_IN, "amount": 2501}, "amount"),
        ({**CAME_IN, "amount": "2500"}, "amount"),
        ({**CAME_IN, "note": "x"}, "note"),
    ],
)
def test_a_bad_confirmation_names_its_field_and_changes_nothing(
    house: House, said: dict[str, Any], field: str
) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)
    before = house.orders.get(order_id)

    status, problem = confirm(order_id, "op_1", said)

    assert (status, [each["field"] for each in problem["errors"]]) == (422, [field])
    assert house.orders.get(order_id) == before


def test_all_that_was_asked_of_providers_is_listed(house: House) -> None:
    order_id = placed(house, "bank_transfer")
    authorized(order_id)
    confirm(order_id, "op_1", CAME_IN)
    authorized(order_id)

    status, shown = ask(api, LIST, order_id=order_id)

    assert (status, shown["order_id"], shown["currency"]) == (200, order_id, "USD")
    money, taken = shown["operations"]
    assert money["asked_at"] <= money["changed_at"]
    assert {name: money[name] for name in ("kind", "status", "amount", "provider", "by_hand")} == {
        "kind": "authorize",
        "status": "succeeded",
        "amount": 2500,
        "provider": "bank_transfer",
        "by_hand": True,
    }
    assert (taken["kind"], taken["status"], money["reference"]) == (
        "capture",
        "succeeded",
        CAME_IN["reference"],
    )
    assert ask(api, LIST, order_id="ord_nobody")[0] == 404


def test_nobody_tells_of_transfers_by_webhook(house: House) -> None:
    route = "POST /payments/{provider}/webhooks"

    assert ask(receive_payment_webhook, route, b"{}", provider="bank_transfer")[0] == 401
