"""What channels say becomes orders and changes of orders, over real tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from functions.capture.intake import ACCEPTED, DUPLICATE, Done, Intake, intake
from oms.adapters.channels.base import (
    Cancelled,
    Fulfilled,
    Placed,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.shops_table import shops_table
from oms.contracts.api.orders import ChannelOrder
from oms.domain import commands as c
from oms.domain.edits import Changes
from oms.domain.events import PackedParcel
from oms.domain.ids import order_id_of
from oms.domain.lines import Line
from oms.domain.order import Order, OrderStatus, fold
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.shops import Shop, Told
from tests.functions.doors import House, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

SHOP = "shopify:mugs.myshopify.com"
AT = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
numbers = count(1)


def an_order(*lines: tuple[str, int, int], **changes: Any) -> ChannelOrder:
    """Lines are (SKU, quantity, unit price); shipping is 5.00; the channel has taken it all."""
    lines = lines or (("MUG", 2, 1000),)
    total = sum(q * price for _, q, price in lines) + 500
    said: dict[str, Any] = {
        "channel": SHOP,
        "external_id": f"{next(numbers)}-{datetime.now(UTC).timestamp()}",
        "currency": "USD",
        "customer": {"email": "ada@example.com", "name": "Ada"},
        "shipping_address": ADDRESS,
        "lines": [
            {"sku": sku, "quantity": q, "unit_price": price, "external_id": f"L-{sku}"}
            for sku, q, price in lines
        ],
        "shipping": {"method": "standard", "price": 500},
        "total": total,
        "payment": {"provider": "external", "token": "1", "captured": total},
    }
    return ChannelOrder.read({**said, **changes})


ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Austin", "country": "US"}


def changed(order: ChannelOrder, *lines: tuple[str, int, int], **changes: Any) -> ChannelOrder:
    return an_order(*lines, **{"external_id": order.external_id, **changes})


def say(said: What, at: datetime = AT) -> Done:
    return intake().apply(said, at)


def of(house: House, order: ChannelOrder) -> Order:
    """As it is stored, and it is the fold of its events."""
    order_id = order_id_of(order.channel, order.external_id)
    found = house.orders.get(order_id)
    assert fold(order_id, house.orders.whole_history(order_id)) == found
    return found


def names(house: House, order: ChannelOrder) -> list[str]:
    order_id = order_id_of(order.channel, order.external_id)
    return [type(fact.event).__name__ for fact in house.orders.whole_history(order_id)]


def cancelled(order: ChannelOrder, *units: Units, **how: Any) -> Cancelled:
    return Cancelled(order.channel, order.external_id, units=units, **how)


def refunded(order: ChannelOrder, name: str, amount: int, *units: Units) -> Refunded:
    return Refunded(order.channel, order.external_id, name, amount, "USD", units)


def repaid(order: Order) -> int:
    return order.payment.committed(OperationKind.REFUND)


def routed(house: House, order: ChannelOrder) -> Order:
    from tests.functions.world import routing_of

    order_id = order_id_of(order.channel, order.external_id)
    client = house.cloud.client("dynamodb")
    environment = house.environment
    routing = routing_of(client, environment["ORDERS_TABLE"], environment["STOCK_TABLE"])
    routing.router(datetime.now(UTC)).route(order_id)
    return house.orders.get(order_id)


def change(house: House, order: ChannelOrder, command: c.Command) -> None:
    order_id = order_id_of(order.channel, order.external_id)
    house.orders.change(order_id, command, at=datetime.now(UTC), actor="test")


def shipped(house: House, order: ChannelOrder, number: str = "1Z9") -> Order:
    """All of it, from where it is."""
    order_id = order_id_of(order.channel, order.external_id)
    for box in routed(house, order).fulfillment_orders:
        if not box.in_warehouse:
            continue
        parcel = PackedParcel("ups", number, box.lines)
        for command in (
            c.PickFulfillmentOrder(box.fulfillment_order_id),
            c.PackFulfillmentOrder(box.fulfillment_order_id),
            c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,)),
        ):
            house.orders.change(order_id, command, at=datetime.now(UTC), actor="test")
    return house.orders.get(order_id)


def test_a_create_never_changes_a_known_order(house: House) -> None:
    order = an_order()

    assert say(Placed(order)).outcome == ACCEPTED
    before = of(house, order)

    assert say(Placed(changed(order, ("MUG", 5, 1000)))).outcome == DUPLICATE
    assert of(house, order) == before


def test_an_update_of_an_unknown_order_places_it(house: House) -> None:
    order = an_order()

    assert say(Updated(order, AT)).outcome == ACCEPTED
    assert say(Updated(order, AT)).outcome == DUPLICATE
    assert names(house, order) == ["OrderPlaced"]


def test_fewer_units_there_are_cancelled_here_and_their_money_is_back(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    say(Placed(order))

    fewer = changed(order, ("MUG", 1, 1000))
    assert say(Updated(fewer, AT)).outcome == ACCEPTED
    assert say(Updated(fewer, AT + timedelta(seconds=1))).outcome == DUPLICATE

    found = of(house, order)
    assert (found.lines[0].cancelled, repaid(found)) == (2, 2000)
    assert found.payment.refunded == 2000  # nobody is asked for what the channel does


def test_more_units_and_new_lines_are_added_and_paid_by_the_channel(house: House) -> None:
    order = an_order(("MUG", 1, 1000))
    say(Placed(order))

    more = changed(order, ("MUG", 3, 1000), ("CUP", 2, 300))
    assert say(Updated(more, AT)).outcome == ACCEPTED
    assert say(Updated(more, AT + timedelta(seconds=1))).outcome == DUPLICATE

    found = of(house, order)
    assert [(x.sku, x.quantity, x.external_id) for x in found.lines] == [
        ("MUG", 1, "L-MUG"),
        ("MUG", 2, "L-MUG"),
        ("CUP", 2, "L-CUP"),
    ]
    assert (found.payable, found.payment.captured) == (more.total, more.total)
    assert found.is_paid_for
    assert not found.payment.unsettled


def test_units_that_come_back_after_they_were_taken_out_are_added_again(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    say(Placed(order))
    for hour, units in enumerate((1, 2, 4, 2)):
        say(Updated(changed(order, ("MUG", units, 1000)), AT + timedelta(hours=hour)))
        found = of(house, order)
        assert sum(x.quantity - x.cancelled for x in found.lines) == units
        assert found.payable == units * 1000 + 500


def test_a_line_that_is_swapped_for_another_moves_only_the_difference(house: House) -> None:
    order = an_order(("MUG", 1, 1000))
    say(Placed(order))

    say(Updated(changed(order, ("CUP", 1, 1200)), AT))

    found = of(house, order)
    assert (found.payable, repaid(found), found.payment.captured) == (1700, 0, 1700)
    assert [(x.sku, x.cancelled) for x in found.lines] == [("MUG", 1), ("CUP", 0)]


def test_what_staff_took_out_or_put_in_is_not_undone_by_the_channels_next_word(
    house: House,
) -> None:
    order = an_order(("MUG", 3, 1000))
    order_id = say(Placed(order)).order_id
    lines = (c.CancelOrder("staff", (line_quantity("line_1", 1),)),)
    for command in lines:
        house.orders.change(order_id, command, at=AT, actor="client:staff")

    assert say(Updated(order, AT)).outcome == DUPLICATE

    assert of(house, order).lines[0].cancelled == 1


def line_quantity(line_id: str, quantity: int) -> Any:
    from oms.domain.fulfillment import Quantity

    return Quantity(line_id, quantity)


def test_another_address_is_kept_in_the_vault_and_routed_to(house: House) -> None:
    order = an_order()
    order_id = say(Placed(order)).order_id
    moved = {**ADDRESS, "line1": "7 Rue de Rivoli", "city": "Paris", "country": "FR"}

    say(Updated(changed(order, shipping_address=moved), AT))
    say(Updated(changed(order, shipping_address=moved), AT + timedelta(seconds=1)))

    found = of(house, order)
    assert found.destination.country == "FR"
    assert found.contact_id != order_id
    assert names(house, order).count("OrderEdited") == 1
    assert "Rivoli" not in str(house.rows("orders") + house.rows("channels"))


def test_an_address_that_is_only_written_in_another_way_is_the_same(house: House) -> None:
    order = an_order(shipping_address={**ADDRESS, "postal_code": "K1A 0B1", "region": "ON"})
    say(Placed(order))
    alike = {**ADDRESS, "postal_code": "k1a0b1", "region": "Ontario", "city": "AUSTIN "}

    assert say(Updated(changed(order, shipping_address=alike), AT)).outcome == DUPLICATE


def test_an_address_that_was_missing_ends_the_hold_for_it(house: House) -> None:
    order = an_order(shipping_address=None)
    say(Placed(order))
    assert [hold.type for hold in of(house, order).active_holds] == ["address"]

    say(Updated(changed(order, shipping_address=ADDRESS), AT))

    found = of(house, order)
    assert (found.active_holds, found.destination.country) == ((), "US")


def test_a_changed_price_of_shipping_is_an_edit(house: House) -> None:
    order = an_order()
    say(Placed(order))
    dearer = changed(
        order, shipping={"method": "express", "price": 900}, total=2900,
        payment={"provider": "external", "captured": 2900},
    )  # fmt: skip

    say(Updated(dearer, AT))

    found = of(house, order)
    assert (found.shipping.price, found.payable, found.payment.captured) == (900, 2900, 2900)


def test_an_order_of_old_of_which_nothing_was_heard_is_followed_too(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    order_id = say(Placed(order)).order_id
    house.cloud.client("dynamodb").delete_item(
        TableName=house.environment["CHANNELS_TABLE"],
        Key={"PK": {"S": f"HEARD#{order_id}"}, "SK": {"S": "HEARD"}},
    )

    assert say(Updated(order, AT)).outcome == DUPLICATE
    assert say(Updated(changed(order, ("MUG", 2, 1000)), AT)).outcome == ACCEPTED

    assert of(house, order).lines[0].cancelled == 1


def test_a_payment_hold_comes_and_goes_with_the_channels_word(house: House) -> None:
    unsure = {"payment": {"provider": "external"}, "payment_hold": "the payment is pending"}
    order = an_order(**unsure)
    say(Placed(order))
    sure = changed(order)

    assert say(Updated(sure, AT)).outcome == ACCEPTED
    assert of(house, order).active_holds == ()
    assert of(house, order).payment.captured == order.total

    say(Updated(changed(order, **unsure), AT + timedelta(hours=1)))
    assert [hold.type for hold in of(house, order).active_holds] == ["payment"]


def test_a_payment_hold_that_staff_has_released_is_not_placed_again(house: House) -> None:
    unsure = {"payment": {"provider": "external"}, "payment_hold": "the payment is pending"}
    order = an_order(**unsure)
    order_id = say(Placed(order)).order_id
    house.orders.change(order_id, c.ReleaseHold("hold_1", "known"), at=AT, actor="client:staff")

    say(Updated(changed(order, **unsure), AT))

    assert of(house, order).active_holds == ()


def test_an_older_state_changes_nothing(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    say(Placed(order))
    say(Updated(changed(order, ("MUG", 2, 1000)), AT))
    before = of(house, order)

    late = changed(order, ("MUG", 3, 1000))
    assert say(Updated(late, AT - timedelta(minutes=1))).outcome == DUPLICATE
    assert of(house, order) == before


def test_what_was_called_off_there_ends_here_with_its_money(house: House) -> None:
    order = an_order()
    say(Placed(order))

    assert say(cancelled(order)).outcome == ACCEPTED
    assert say(cancelled(order)).outcome == DUPLICATE

    found = of(house, order)
    assert (found.status, found.payment.refunded) == (OrderStatus.CANCELLED, 2500)


def test_what_is_called_off_after_it_was_shipped_asks_a_person_once(house: House) -> None:
    house.stocked("MUG", 5)
    order = an_order()
    order_id = say(Placed(order)).order_id
    shipped(house, order)

    assert say(cancelled(order)).outcome == ACCEPTED
    found = of(house, order)
    assert found.attention == "cancelled at the channel after it was shipped: 2 of MUG"
    assert repaid(found) == 0
    house.orders.change(order_id, c.ResolveAttention("ignore"), at=AT, actor="test")

    assert say(cancelled(order)).outcome == DUPLICATE
    assert of(house, order).attention == ""


def test_a_cancellation_that_comes_before_its_order_is_done_when_it_comes(house: House) -> None:
    order = an_order()

    first = say(cancelled(order, reason="by a person"))
    assert first == Done(ACCEPTED, order_id_of(order.channel, order.external_id))
    assert say(Placed(order)) == first

    assert of(house, order).status is OrderStatus.CANCELLED
    assert say(Placed(order)).outcome == DUPLICATE
    assert "EARLY#" not in str(house.rows("channels"))
    assert "by a person" not in str(house.rows("channels") + house.rows("orders"))


def test_a_unit_that_is_told_of_three_times_is_called_off_once(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    say(Placed(order))
    one = Units(1, "L-MUG")

    say(refunded(order, "r-1", 1000, one))
    say(cancelled(order, one, at=AT))
    say(Updated(changed(order, ("MUG", 2, 1000)), AT))

    found = of(house, order)
    assert (found.lines[0].cancelled, repaid(found)) == (1, 1000)


def test_a_refund_beside_units_is_goodwill_and_counted_once(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    say(Placed(order))

    assert say(refunded(order, "r-1", 1300, Units(1, "L-MUG"))).outcome == ACCEPTED
    assert say(refunded(order, "r-1", 1300, Units(1, "L-MUG"))).outcome == DUPLICATE

    found = of(house, order)
    assert (repaid(found), found.payment.refunded) == (1300, 1300)
    (credit,) = found.credits
    assert (credit.amount, "r-1" in credit.reason) == (300, True)


def test_a_refund_of_money_that_was_only_reserved_here_was_taken_there(house: House) -> None:
    order = an_order(payment={"provider": "external", "token": "1"})
    say(Placed(order))

    say(refunded(order, "r-1", 700))

    found = of(house, order)
    assert (found.payment.captured, found.payment.refunded, found.attention) == (700, 700, "")


def test_a_refund_that_is_larger_than_what_is_left_asks_a_person_once(house: House) -> None:
    order = an_order()
    order_id = say(Placed(order)).order_id

    say(refunded(order, "r-1", 9000))

    found = of(house, order)
    assert (repaid(found), found.attention) == (
        2500,
        "the channel gave back 6500 USD more than was left",
    )
    house.orders.change(order_id, c.ResolveAttention("ignore"), at=AT, actor="test")
    say(refunded(order, "r-1", 9000))
    assert of(house, order).attention == ""


@pytest.mark.parametrize("told", [True, False])
def test_what_we_gave_back_is_theirs_too_unless_we_tell_them_of_it(
    house: House, told: bool
) -> None:
    """Else a person gives it back there as well, and the channel tells us so."""
    shops_table().put(Shop(SHOP, told=(Told.REFUNDS,) if told else ()))
    order = an_order()
    order_id = say(Placed(order)).order_id
    house.orders.change(order_id, c.GrantRefund(500, "late"), at=AT, actor="client:staff")

    say(refunded(order, "r-1", 800))

    assert repaid(of(house, order)) == (1300 if told else 800)


def test_what_was_given_back_twice_stays_so_when_the_shop_is_told_from_now_on(
    house: House,
) -> None:
    shops_table().put(Shop(SHOP))
    order = an_order()
    order_id = say(Placed(order)).order_id
    house.orders.change(order_id, c.GrantRefund(500, "late"), at=AT, actor="client:staff")
    say(refunded(order, "r-1", 500))
    shops_table().put(Shop(SHOP, told=(Told.REFUNDS,)))
    say(Updated(order, AT))
    say(refunded(order, "r-2", 300))

    assert repaid(of(house, order)) == 800


def test_what_the_shop_was_told_of_hides_nobodys_refund_when_it_is_told_no_more(
    house: House,
) -> None:
    shops_table().put(Shop(SHOP, told=(Told.REFUNDS,)))
    order = an_order()
    order_id = say(Placed(order)).order_id
    house.orders.change(order_id, c.GrantRefund(500, "late"), at=AT, actor="client:staff")
    say(Updated(order, AT))
    shops_table().put(Shop(SHOP))
    say(refunded(order, "r-1", 500))

    assert repaid(of(house, order)) == 1000


def test_what_another_paid_for_here_is_not_the_channels_money(house: House) -> None:
    """Staff added a pot, a card paid for it, and some of that went back to the card."""
    order = an_order(payment={"provider": "external", "token": "1"})
    order_id = say(Placed(order)).order_id
    added = Line("line_2", "POT", 1, 2000)
    edit = c.ApplyEdit("edt_1", Changes(added=(added,)), "a pot", 2000, "test", True)
    for each in (None, edit, c.GrantRefund(500, "late")):
        paid_up(house, order_id, each)

    say(Updated(changed(order, payment={"provider": "external", "captured": 2500}), AT))
    say(refunded(order, "r-1", 500))

    assert [theirs(of(house, order), kind) for kind in (CAPTURE, REFUND)] == [2500, 500]
    assert (of(house, order).payment.captured, repaid(of(house, order))) == (4500, 1000)


CAPTURE, REFUND = OperationKind.CAPTURE, OperationKind.REFUND


def theirs(order: Order, kind: OperationKind) -> int:
    moved = (each for each in order.payment.operations if each.kind is kind)
    return sum(x.amount for x in moved if order.payment.provider_of(x) == "external")


def paid_up(house: House, order_id: str, command: c.Command | None = None) -> None:
    """What is asked for is done at once."""
    if command:
        house.orders.change(order_id, command, at=AT, actor="client:staff")
    while unsettled := house.orders.get(order_id).payment.unsettled:
        done = c.RecordPaymentResult(
            unsettled[0].operation_id, unsettled[0].attempt, OperationStatus.SUCCEEDED
        )
        house.orders.change(order_id, done, at=AT, actor="payments")


def test_money_that_the_channel_takes_for_what_staff_has_cancelled_asks_a_person_once(
    house: House,
) -> None:
    shops_table().put(Shop(SHOP, told=(Told.REFUNDS,)))
    order = an_order(("MUG", 3, 1000), payment={"provider": "external", "token": "1"})
    order_id = say(Placed(order)).order_id
    paid_up(house, order_id, c.CancelOrder("short", (line_quantity("line_1", 1),)))

    taken = changed(order, ("MUG", 3, 1000))
    for _ in range(2):
        say(Updated(taken, AT))
        told = "the channel took 1000 USD for what was cancelled here: give it back there"
        assert of(house, order).attention == told
    house.orders.change(order_id, c.ResolveAttention("ignore"), at=AT, actor="test")
    say(refunded(order, "r-1", 1000))

    found = of(house, order)
    assert (found.payment.captured, repaid(found), found.attention) == (3500, 1000, "")


def test_an_order_that_is_opened_again_at_its_channel_asks_a_person_once(house: House) -> None:
    order = an_order()
    order_id = say(Placed(order)).order_id
    say(cancelled(order, at=AT))
    before = of(house, order)
    say(Updated(order, AT + timedelta(minutes=1)))
    assert of(house, order) == before

    say(Updated(order, AT + timedelta(hours=1)))
    assert of(house, order).attention.endswith("wanted there again: here it stays cancelled")
    house.orders.change(order_id, c.ResolveAttention("ignore"), at=AT, actor="test")
    say(Updated(order, AT + timedelta(hours=2)))
    assert of(house, order).attention == ""


def test_a_cancellation_that_was_taken_back_before_we_heard_of_it_cancels_nothing(
    house: House,
) -> None:
    late, early = an_order(), an_order()
    say(Updated(late, AT + timedelta(hours=1)))
    say(cancelled(late, at=AT))
    say(cancelled(early, at=AT))
    say(Updated(early, AT + timedelta(hours=1)))

    assert [of(house, each).status for each in (late, early)] == [OrderStatus.CONFIRMED] * 2
    say(cancelled(late, at=AT + timedelta(hours=2)))
    assert of(house, late).status is OrderStatus.CANCELLED


def test_a_state_in_another_currency_changes_nothing_and_asks_a_person(house: House) -> None:
    order = an_order()
    say(Placed(order))

    say(Updated(changed(order, ("MUG", 4, 900), currency="EUR"), AT))

    found = of(house, order)
    assert (found.payable, found.payment.captured) == (2500, 2500)
    assert "EUR" in found.attention


def test_a_refund_in_another_currency_asks_a_person(house: House) -> None:
    order = an_order()
    say(Placed(order))

    say(replace(refunded(order, "r-1", 500), currency="EUR"))

    found = of(house, order)
    assert (repaid(found), "EUR" in found.attention) == (0, True)


def test_what_others_shipped_asks_a_person_and_our_own_parcel_does_not(house: House) -> None:
    house.stocked("MUG", 5)
    ours, theirs = an_order(), an_order()
    say(Placed(ours))
    say(Placed(theirs))
    shipped(house, ours, "1Z-OURS")
    picking = routed(house, theirs).fulfillment_orders[0].fulfillment_order_id
    change(house, theirs, c.PickFulfillmentOrder(picking))

    echo = Fulfilled(ours.channel, ours.external_id, "f-1", (), "ups", "1Z-OURS")
    assert say(echo).outcome == DUPLICATE
    other = Fulfilled(
        theirs.channel, theirs.external_id, "f-2", (Units(1, "L-MUG"),), "ups", "1Z-X"
    )
    assert say(other).outcome == ACCEPTED
    assert say(other).outcome == DUPLICATE

    assert of(house, ours).attention == ""
    assert of(house, theirs).attention == "fulfilled at the channel: 1 of MUG, tracking 1Z-X"


def fulfilled(order: ChannelOrder, *units: Units, **more: Any) -> Fulfilled:
    return Fulfilled(order.channel, order.external_id, "f-1", units, **more)


def levels(house: House, sku: str = "MUG") -> list[tuple[int, int]]:
    known = house.stock.levels([sku])
    return [(x.on_hand, x.reserved) for each in known.values() for x in each]


@pytest.mark.parametrize("units", [(), (Units(2, "L-MUG"),)])
def test_what_others_have_shipped_is_closed_and_back_on_our_shelf(
    house: House, units: tuple[Units, ...]
) -> None:
    house.stocked("MUG", 5)
    order = an_order()
    say(Placed(order))
    routed(house, order)
    assert levels(house) == [(5, 2)]

    told = fulfilled(order, *units, carrier="ups", tracking_number="1Z")
    assert say(told).outcome == ACCEPTED
    assert say(told).outcome == DUPLICATE

    found = of(house, order)
    assert (found.status, found.attention) == (OrderStatus.COMPLETED, "")
    assert (found.payment.captured, repaid(found)) == (2500, 0)
    assert levels(house) == [(5, 0)]
    assert names(house, order).count("UnitsFulfilledElsewhere") == 1
    work = house.orders.get(found.order_id).fulfillment_orders
    assert [x.location_id for x in work] == ["AUSTIN", "elsewhere"]
    rows = [row for row in house.rows("orders") if row["SK"]["S"].startswith("FO#")]
    assert [row["GSI3PK"] for row in rows if "GSI3PK" in row] == []  # nobody's work


def test_the_rest_of_what_others_have_shipped_a_part_of_is_ours(house: House) -> None:
    house.stocked("MUG", 5)
    order = an_order()
    say(Placed(order))

    for _ in range(2):
        say(fulfilled(order, Units(1, "L-MUG")))
    assert [(x.delivered, x.open) for x in of(house, order).lines] == [(1, 1)]
    shipped(house, order, "1Z-OURS")
    for number in ("1Z-OURS", ""):  # told back, with the number or without
        echo = fulfilled(order, Units(1, "L-MUG"), tracking_number=number)
        say(replace(echo, fulfillment_id=f"f-2{number}"))

    found = of(house, order)
    assert [(x.delivered, x.shipped) for x in found.lines] == [(1, 1)]
    assert (found.attention, levels(house)) == ("", [(4, 0)])


@pytest.mark.parametrize("first", [Placed, Updated])
def test_what_was_shipped_before_we_heard_of_it_is_never_routed(house: House, first: Any) -> None:
    order = an_order()
    told = (first(order), fulfilled(order))

    assert intake().apply_all(told, AT).outcome == ACCEPTED
    assert intake().apply_all(told, AT).outcome == DUPLICATE

    assert of(house, order).status is OrderStatus.COMPLETED
    assert names(house, order)[:2] == ["OrderPlaced", "HoldPlaced"]
    (hold,) = of(house, order).holds
    assert (hold.type, hold.active) == ("custom:fulfilled_elsewhere", False)


def test_what_only_may_have_been_shipped_waits_for_a_person(house: House) -> None:
    """A plugin completes orders as soon as they are paid for: shipped or not, nobody knows."""
    order, known = an_order(), an_order()
    say(Placed(known))

    intake().apply_all((Placed(order), fulfilled(order, certain=False)), AT)
    say(fulfilled(known, certain=False))

    found = of(house, order)
    assert [x.type for x in found.active_holds] == ["custom:fulfilled_elsewhere"]
    assert "2 of MUG" in found.attention
    assert of(house, known).attention == found.attention
    assert (of(house, known).active_holds, of(house, known).lines[0].open) == ((), 2)


def test_another_order_in_the_same_message_is_not_held(house: House) -> None:
    shipped_there, ours = an_order(), an_order()

    intake().apply_all((Placed(ours), Placed(shipped_there), fulfilled(shipped_there)), AT)

    assert of(house, ours).active_holds == ()
    assert of(house, ours).lines[0].open == 2


def test_an_edit_that_comes_too_late_asks_a_person_once(house: House) -> None:
    house.stocked("MUG", 5)
    order = an_order()
    order_id = say(Placed(order)).order_id
    shipped(house, order)
    moved = changed(order, shipping_address={**ADDRESS, "line1": "2 Oak St"})

    say(Updated(moved, AT))

    assert "not here" in of(house, order).attention
    house.orders.change(order_id, c.ResolveAttention("ignore"), at=AT, actor="test")
    say(Updated(moved, AT + timedelta(seconds=1)))
    assert of(house, order).attention == ""


def test_goods_without_a_sku_wait_for_a_person_or_are_what_the_shop_has_mapped(
    house: House,
) -> None:
    first, second = (an_order(("variant:77", 1, 1000), ("MUG", 1, 500)) for _ in range(2))

    say(Placed(first))
    shops_table().map_sku(SHOP, "77", "CUP")
    say(Placed(second))

    (hold,) = of(house, first).active_holds
    assert (hold.type, hold.reason) == (
        "custom:unmapped_sku",
        "no SKU is mapped: line 1 (variant:77)",
    )
    assert of(house, second).active_holds == ()
    assert [line.sku for line in of(house, second).lines] == ["CUP", "MUG"]


def test_free_lines_foreign_money_and_tills_are_ordinary_orders(house: House) -> None:
    free = an_order(("GIFT", 1, 0), ("MUG", 1, 1000))
    nothing = an_order(("GIFT", 1, 0), shipping={"price": 0}, total=0, payment=NO_MONEY)
    yen = an_order(("MUG", 1, 1000), currency="JPY")
    till = an_order(shipping_address=None, customer=None)

    for order in (free, nothing, yen, till):
        assert say(Placed(order)).outcome == ACCEPTED
        assert of(house, order).is_paid_for
    assert say(cancelled(nothing)).outcome == ACCEPTED
    assert of(house, nothing).status is OrderStatus.CANCELLED


NO_MONEY = {"provider": "external", "token": "1"}


def test_a_feed_that_is_replayed_three_times_at_once_makes_no_new_order_and_no_second_effect(
    house: House,
) -> None:
    orders = [an_order(("MUG", 3, 1000)) for _ in range(3)]
    feed: list[What] = []
    for order in orders:
        feed += [
            Placed(order),
            Updated(changed(order, ("MUG", 4, 1000)), AT),
            refunded(order, "r-1", 1200, Units(1, "L-MUG")),
            cancelled(order, Units(1, "L-MUG"), at=AT),
        ]

    def replay(desk: Intake) -> None:
        for said in feed:
            desk.apply(said, AT)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(replay, [intake()] * 3))

    assert len({row["PK"]["S"] for row in house.rows("orders") if row["SK"]["S"] == "ORDER"}) == 3
    for order in orders:
        found = of(house, order)
        assert sum(x.quantity - x.cancelled for x in found.lines) == 3
        assert (found.payment.captured, repaid(found)) == (4500, 1200)
        assert all(x.status is OperationStatus.SUCCEEDED for x in found.payment.operations)
