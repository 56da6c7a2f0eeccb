"""Sentences about one order; the histories test asks everything of everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import decide
from oms.domain.errors import IllegalTransition, OnHold, QuantityExceeded, Refused
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.holds import NewHold
from oms.domain.ids import order_id_of
from oms.domain.inventory import fits
from oms.domain.lines import Discount, Shipping
from oms.domain.order import OrderStatus
from oms.domain.payment import OperationKind, OperationStatus, operation_key
from oms.domain.statuses import fulfillment_status, payment_status
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait, has_business, is_awaited, outcome
from tests.builders import RECORD, Story, line, paid, placement, scans


def test_the_same_channel_order_has_the_same_id_and_another_has_another() -> None:
    assert order_id_of("web", "1") == order_id_of("web", "1")
    assert len({order_id_of("web", "1"), order_id_of("we", "b1"), order_id_of("app", "1")}) == 3


def test_order_discounts_are_spread_once_and_the_shares_add_up() -> None:
    order = Story(
        placement(
            line(1, quantity=1, unit_price=1000),
            line(2, quantity=1, unit_price=1000),
            line(3, quantity=1, unit_price=1000),
            discounts=(Discount("TEN", 1000),),
        )
    ).order

    assert [x.order_discount for x in order.lines] == [334, 333, 333]
    assert order.total == 2500


def test_a_fulfillment_order_that_has_shipped_is_not_shipped_again_with_other_parcels() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1})).shipped(1)
    other = story.parcels(1, "EZ-OTHER")

    with pytest.raises(IllegalTransition):
        story.do(c.ShipFulfillmentOrder(story.box(1), other))

    assert (story.order.line("line_1").allocated, story.order.line("line_1").shipped) == (1, 1)


def test_the_same_shipment_reported_twice_is_one_shipment_and_one_capture() -> None:
    story = Story().authorized().routed().shipped()
    version = story.order.version

    story.do(c.ShipFulfillmentOrder(story.box(1), story.parcels(1, "EZ1")))

    assert story.order.version == version


def test_each_shipment_captures_its_units_and_the_first_the_shipping() -> None:
    story = Story(placement(line(quantity=3, unit_price=1000, discount=100))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 2}))

    story.shipped(1).shipped(2)

    captures = [o.amount for o in story.order.payment.operations if o.kind is OperationKind.CAPTURE]
    assert captures == [966 + 500, 967 + 967]
    assert sum(captures) == story.order.total


def test_a_plan_that_was_made_before_another_was_rejected_is_not_carried_out() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    late = story.plan(("reno", {"line_1": 2}))
    story.routed().do(c.RejectFulfillmentOrder(story.box(1), "flood"))

    with pytest.raises(Refused):
        story.do(c.RecordRouting(late, RECORD))


def test_units_that_are_missing_from_the_parcels_or_too_many_are_refused() -> None:
    story = Story(placement(line(quantity=2))).authorized().routed().packed()
    for quantity, refusal in ((1, Refused), (3, QuantityExceeded)):
        parcel = e.PackedParcel("easypost", "EZ1", (Quantity("line_1", quantity),))
        with pytest.raises(refusal):
            story.do(c.ShipFulfillmentOrder(story.box(1), (parcel,)))


def test_a_warehouse_may_skip_accepting_but_not_packing() -> None:
    story = Story().authorized().routed()

    story.do(c.PickFulfillmentOrder(story.box(1)))

    with pytest.raises(IllegalTransition):
        story.do(c.ShipFulfillmentOrder(story.box(1), story.parcels(1, "EZ1")))


def test_an_order_on_hold_is_confirmed_but_not_routed() -> None:
    story = Story(placement(holds=(NewHold("manual", "look"),))).authorized()
    statuses = [story.order.status, story.do(c.ReleaseHold("hold_1", "fine")).order.status]
    assert statuses == [OrderStatus.CONFIRMED, OrderStatus.CONFIRMED]

    story.do(c.PlaceHold("fraud", "odd"))

    with pytest.raises(OnHold):
        story.routed()


def test_releasing_one_hold_keeps_the_other() -> None:
    story = Story().do(c.PlaceHold("fraud", "odd"), c.PlaceHold("address", "odd"))

    story.do(c.ReleaseHold("hold_1", "fine"))

    assert [hold.type for hold in story.order.active_holds] == ["address"]


def test_money_taken_elsewhere_is_given_back_for_cancelled_units_only() -> None:
    story = Story(placement(line(quantity=3), provider="external", captured=3500))
    assert payment_status(story.order) == "paid"

    story.do(c.CancelOrder("one less", (Quantity("line_1", 1),))).captured()
    assert (story.order.payment.refunded, payment_status(story.order)) == (
        1000,
        "partially_refunded",
    )
    story.do(c.CancelOrder("no")).captured()

    assert payment_status(story.order) == "refunded"


def test_an_authorization_after_the_cancellation_is_voided_at_once() -> None:
    story = Story().do(c.CancelOrder("no")).authorized()

    assert story.order.payment.unsettled[0].kind is OperationKind.VOID


def test_a_second_answer_about_an_operation_changes_nothing() -> None:
    story = Story().authorized()

    story.do(paid("op_1", OperationStatus.FAILED), paid("op_1"))

    assert (story.order.version, payment_status(story.order)) == (2, "authorized")


def test_the_key_of_an_operation_changes_only_with_its_attempt() -> None:
    order = Story().order
    operation = order.payment.operations[0]

    assert operation_key(order.order_id, operation) == operation_key(order.order_id, operation)
    again = replace(operation, attempt=2)
    assert operation_key(order.order_id, again) != operation_key(order.order_id, operation)


def test_scans_in_any_order_and_any_number_end_in_the_same_state() -> None:
    seen = (TrackingStatus.IN_TRANSIT, TrackingStatus.OUT_FOR_DELIVERY, TrackingStatus.DELIVERED)
    told = Story().authorized().routed().shipped().do(scans("EZ1", *seen)).order
    single = scans("EZ1", *seen).scans
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)):
        story = Story().authorized().routed().shipped()
        for number in (*order, *order):
            story.do(c.RecordScans("easypost", "EZ1", (single[number],)))
        assert story.order.status is told.status is OrderStatus.COMPLETED
        assert story.order.fulfillment_orders[0].status is FulfillmentStatus.DELIVERED


def test_the_delivering_scan_is_told_by_the_delivery_itself() -> None:
    story = Story().authorized().routed().shipped().delivered()

    assert story.events(e.ParcelScanned) == []
    assert story.events(e.FulfillmentOrderDelivered)[0].scanned.tracking_number == "EZ1"


def test_an_order_is_complete_when_all_its_parcels_have_arrived_not_the_first() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1})).shipped(1).shipped(2)

    story.delivered("EZ1")
    assert (story.order.status, fulfillment_status(story.order)) == (
        OrderStatus.IN_FULFILLMENT,
        "partially_delivered",
    )
    story.delivered("EZ2")

    assert story.order.status is OrderStatus.COMPLETED


def test_five_refusals_ask_for_a_person_and_never_loop() -> None:
    story = Story().authorized()
    for number in range(1, 6):
        story.routed()
        story.do(c.RejectFulfillmentOrder(story.box(number), "empty"))

    assert story.order.attention
    assert outcome(story.order, Wait.FULFILLMENT) == "attention"


def test_a_plan_that_leaves_units_out_is_refused() -> None:
    story = Story(placement(line(quantity=2))).authorized()

    with pytest.raises(Refused):
        story.do(c.RecordRouting(story.plan(("austin", {"line_1": 1})), RECORD))


def test_nobody_is_woken_from_a_payment_that_was_never_pending() -> None:
    placed, pending = Story(), Story().do(paid("op_1", OperationStatus.PENDING))

    assert not is_awaited(placed.order, Wait.PAYMENT)
    assert is_awaited(pending.order, Wait.PAYMENT)
    assert is_awaited(pending.authorized().routed().order, Wait.FULFILLMENT)


def test_a_cancelled_order_whose_refund_failed_waits_for_a_person() -> None:
    story = Story(placement(provider="external", captured=1500)).do(c.CancelOrder("no"))
    failed = c.RecordPaymentResult("op_3", 1, OperationStatus.FAILED, reason="account closed")

    story.do(failed)
    assert outcome(story.order, Wait.ATTENTION) is None
    story.do(c.RetryPaymentOperation("op_3"), c.ResolveAttention("retry"))

    assert outcome(story.order, Wait.ATTENTION) == "cancel"
    assert decide(paid("op_3"), story.order) == ()  # of the attempt that failed


def test_an_order_without_a_price_needs_no_payment() -> None:
    story = Story(placement(line(unit_price=0), shipping=Shipping("free", 0)))

    assert story.order.status is OrderStatus.CONFIRMED
    story.routed().shipped().delivered()
    assert (story.order.status, story.order.payment.operations) == (OrderStatus.COMPLETED, ())


def failed(operation_id: str) -> c.RecordPaymentResult:
    return c.RecordPaymentResult(operation_id, 1, OperationStatus.FAILED, reason="refused")


def test_a_failed_refund_is_not_retried_after_its_amount_was_refunded_by_another() -> None:
    story = Story(placement(line(quantity=3), provider="external", captured=3500))
    story.do(c.CancelOrder("one", (Quantity("line_1", 1),)), failed("op_3"))
    story.do(c.CancelOrder("another", (Quantity("line_1", 1),)), paid("op_4"))

    story.do(c.RetryPaymentOperation("op_3"))

    assert story.order.payment.refunded == 2000
    assert story.order.unresolved == story.order.payment.unsettled == ()


def test_a_failed_capture_is_not_retried_after_the_next_shipment_took_its_amount_too() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1})).shipped(1)
    story.do(failed("op_2")).shipped(2).captured()

    story.do(c.RetryPaymentOperation("op_2")).captured()

    assert story.order.payment.captured == story.order.total == 2500


def test_goods_that_arrive_before_their_capture_succeeded_still_need_a_person() -> None:
    story = Story().authorized().routed().shipped().do(failed("op_2"))

    story.delivered()

    assert story.order.status is OrderStatus.COMPLETED
    assert story.order.attention == "capture failed: refused"
    assert has_business(story.order)
    story.do(c.RetryPaymentOperation("op_2"), c.ResolveAttention("retry"))
    story.do(c.RecordPaymentResult("op_2", 2, OperationStatus.SUCCEEDED))
    assert (payment_status(story.order), has_business(story.order)) == ("paid", False)


def test_an_ignored_order_is_ours_again_when_its_box_is_rejected() -> None:
    story = Story().authorized().routed()
    story.do(c.RaiseAttention("late"), c.ResolveAttention("ignore"))

    story.do(c.RejectFulfillmentOrder(story.box(1), "empty"))

    assert story.order.resolution == ""


def test_a_rejection_ends_the_wait_for_stock_so_that_all_is_decided_anew() -> None:
    boxed = Story(placement(line(1), line(2))).authorized()
    boxed.routed(("austin", {"line_1": 1}), ("reno", {"line_2": 1}))
    boxed.do(c.RejectFulfillmentOrder(boxed.box(1), "empty"), c.Backorder((Quantity("line_1", 1),)))

    boxed.do(c.RejectFulfillmentOrder(boxed.box(2), "empty"))

    assert [x.open for x in boxed.order.lines] == [1, 1]
    assert outcome(boxed.order, Wait.STOCK) == "released"


def test_nobody_is_asked_about_an_order_that_is_over() -> None:
    story = Story().do(c.CancelOrder("no"))

    story.do(c.RaiseAttention("the workflow could not go on"))

    assert story.order.attention == ""


@pytest.mark.parametrize("status", [TrackingStatus.LOST, TrackingStatus.RETURN_TO_SENDER])
def test_a_parcel_that_goes_astray_needs_a_person_once(status: TrackingStatus) -> None:
    story = Story().authorized().routed().shipped()

    story.do(scans("EZ1", status))
    story.do(c.ResolveAttention("ignore"), scans("EZ1", status, TrackingStatus.UNKNOWN))

    (raised,) = story.events(e.OrderNeedsAttention)
    assert raised.reason == f"parcel easypost EZ1: {status}"


def test_a_partly_paid_order_is_booked_with_what_was_taken() -> None:
    story = Story(placement(provider="external", captured=600))
    assert payment_status(story.order) == "partially_paid"

    story.do(c.CancelOrder("no")).captured()

    assert (story.order.payment.refunded, story.order.payment.voided) == (600, 900)


def rows(items: int, others: int) -> int:
    return 2 * items + others


def test_what_moves_at_once_always_leaves_room_for_the_rest_of_the_transaction() -> None:
    for items in range(1, 60):
        for others in range(1, 60):
            if fits(items, others):
                assert rows(items, others) <= 84
    assert fits(3, 1)
    assert fits(40, 4)
    assert not fits(40, 5)
    assert not fits(41, 1)


def test_a_shipment_in_many_parcels_owes_its_stock_instead_of_being_refused() -> None:
    skus = [line(number, quantity=60) for number in range(1, 31)]
    story = Story(placement(*skus)).authorized().routed().packed()
    share = tuple(Quantity(x.line_id, 1) for x in story.order.lines)
    parcels = tuple(e.PackedParcel("easypost", f"EZ{n}", share) for n in range(60))

    story.do(c.ShipFulfillmentOrder(story.box(1), parcels))

    assert story.order.owed_stock == (story.facts[-1].seq,)


def test_a_deadline_never_expires_an_order_that_was_paid_in_time() -> None:
    story = Story().authorized()

    with pytest.raises(IllegalTransition):
        story.do(c.CancelOrder("expired", expired=True))


def test_what_was_earned_is_not_voided_because_its_capture_has_failed() -> None:
    story = Story(placement(line(1), line(2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_2": 1})).shipped(1)
    story.do(paid("op_2", OperationStatus.FAILED))

    story.do(c.CancelOrder("no more"))

    (void,) = [x for x in story.order.payment.operations if x.kind is OperationKind.VOID]
    assert void.amount == 1000
    assert story.order.owed(OperationKind.CAPTURE) == 1500
    story.do(c.RetryPaymentOperation("op_2"), paid(void.operation_id))
    story.do(c.RecordPaymentResult("op_2", 2, OperationStatus.SUCCEEDED, "ref"))
    assert story.order.payment.captured + story.order.payment.voided == 2500
