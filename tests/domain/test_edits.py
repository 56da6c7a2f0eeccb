"""Edits: whatever becomes of one, the order goes on, and its balance is that of its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.contracts import codec
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import decide
from oms.domain.decide.editing import due_for, operation_of, previewed
from oms.domain.edits import Changes, EditDiffers, EditStatus, NotEditable
from oms.domain.errors import NotFound, QuantityExceeded, Refused
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.inventory import MovementKind
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.order import (
    Fact,
    Order,
    OrderStatus,
    apply,
    awaited_items,
    capacity_changes,
    fold,
    stock_change,
)
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.routing import Destination
from oms.domain.waits import Wait, outcome, prepared
from tests.builders import RECORD, Story, line, paid, placement

ELSEWHERE = Destination("US", "NV", "895")
FAILED = OperationStatus.FAILED


def mug(quantity: int = 1, **said: Any) -> Line:
    return line(99, sku="MUG", quantity=quantity, **said)


def adding(*lines: Line) -> Changes:
    return Changes(added=lines or (mug(),))


def removing(**lines: int) -> Changes:
    return Changes(removed=tuple(Quantity(*each) for each in lines.items()))


def two_of_each(**said: Any) -> Story:
    """25.00 and shipping 5.00, authorized."""
    lines = (line(1, quantity=2), line(2, quantity=2, unit_price=250))
    return Story(placement(*lines, **said)).authorized()


def requested(story: Story, kind: OperationKind) -> list[int]:
    return [o.amount for o in story.order.payment.operations if o.kind is kind]


# --- what it costs --------------------------------------------------------------------------


def test_what_costs_more_is_done_when_the_difference_is_authorized_and_not_before() -> None:
    story = two_of_each().edited("edt_1", adding(mug(2, tax=40)))

    assert len(story.order.lines) == 2
    assert story.order.payable == 3000
    assert story.order.awaited_edit is not None
    story.do(paid(operation_of("edt_1")))
    assert [x.line_id for x in story.order.lines] == ["line_1", "line_2", "line_3"]
    assert (story.order.payable, story.order.secured) == (5040, 5040)
    assert [(x.status, x.changes) for x in story.order.edits] == [(EditStatus.APPLIED, Changes())]


def test_what_costs_less_gives_back_what_was_taken_at_once() -> None:
    story = two_of_each(provider="external", captured=3000).edited("edt_1", removing(line_2=1))

    assert requested(story, OperationKind.REFUND) == [250]
    assert story.order.payable == 2750


def test_what_was_only_authorized_stays_until_the_end_and_pays_for_the_next_edit() -> None:
    story = two_of_each().edited("edt_1", removing(line_1=2))

    assert requested(story, OperationKind.VOID) == []
    assert previewed(story.order, adding(mug(2))).due == 0
    story.edited("edt_2", adding(mug())).routed().shipped().captured()
    assert requested(story, OperationKind.CAPTURE) == [2000]
    assert requested(story, OperationKind.VOID) == [1000]


def test_money_that_was_given_back_is_not_counted_on_for_an_edit() -> None:
    story = two_of_each(provider="external", captured=3000)
    story.edited("edt_1", removing(line_1=1)).captured()

    assert previewed(story.order, adding(mug())).due == 1000
    story.edited("edt_2", adding(mug()), provider="test").captured().routed().shipped().captured()
    assert (
        story.order.payment.captured - story.order.payment.refunded == story.order.payable == 3000
    )


def test_an_edit_that_takes_and_gives_moves_the_difference_only() -> None:
    story = two_of_each(provider="external", captured=3000)
    swap = Changes(added=(mug(unit_price=400),), removed=(Quantity("line_1", 1),))

    story.edited("edt_1", swap)

    assert requested(story, OperationKind.REFUND) == [600]


def test_an_orders_discount_is_never_spread_again() -> None:
    story = Story(placement(line(1, quantity=3), discounts=(Discount("TEN", 100),))).authorized()
    before = story.order.line("line_1").order_discount

    story.edited("edt_1", adding(mug(unit_price=0))).edited("edt_2", removing(line_1=1))

    assert story.order.line("line_1").order_discount == before == 100
    assert story.order.line("line_2").order_discount == 0
    assert story.order.payable == 500 + 2 * 1000 - 34 - 33


def test_a_preview_says_what_applying_will_come_to() -> None:
    order = two_of_each(provider="external", captured=3000).order
    changes = Changes(
        added=(mug(tax=20),), removed=(Quantity("line_1", 2),), shipping=Shipping("slow", 100)
    )

    seen = previewed(order, changes)

    assert (seen.before.subtotal, seen.before.shipping, seen.before.total) == (2500, 500, 3000)
    assert (seen.after.subtotal, seen.after.taxes, seen.after.total) == (1500, 20, 1620)
    assert seen.due == -1380
    assert [(x.operation_id, x.provider, x.amount) for x in seen.repaid] == [
        ("op_1", "external", 1380)
    ]


def test_an_edit_that_comes_to_something_else_by_now_is_refused_with_the_new_figure() -> None:
    story = two_of_each()

    with pytest.raises(EditDiffers) as refused:
        story.do(c.ApplyEdit("edt_1", adding(), "asked", 999))
    assert (refused.value.due, refused.value.previewed) == (1000, 999)


def test_shipping_is_changed_before_the_first_parcel_only() -> None:
    faster = Changes(shipping=Shipping("express", 1500))
    story = two_of_each().edited("edt_1", faster).captured()

    assert (story.order.shipping.method, story.order.payable) == ("express", 4000)
    story.routed(("austin", {"line_1": 2}), ("reno", {"line_2": 2})).shipped()
    with pytest.raises(NotEditable, match="earned"):
        story.edited("edt_2", Changes(shipping=Shipping("slow", 0)))


# --- what it does to units ------------------------------------------------------------------


def test_removed_units_are_taken_where_they_cost_least_to_stop() -> None:
    story = two_of_each().routed(("austin", {"line_1": 1, "line_2": 2}), ("reno", {"line_1": 1}))
    changes = Changes(removed=(Quantity("line_1", 1), Quantity("line_2", 1), Quantity("line_2", 1)))

    story.edited("edt_1", changes)

    (event,) = story.events(e.OrderEdited)
    assert [(u.line_id, u.quantity, u.fulfillment_order_id) for u in event.units] == [
        ("line_1", 1, story.box(2)),
        ("line_2", 2, story.box(1)),
    ]
    change = stock_change(replay(story, -1), story.facts[-1])
    assert change is not None
    assert change.kind is MovementKind.RELEASED
    assert [(i.location, i.quantity) for i in change.items] == [("reno", 1), ("austin", 2)]


def replay(story: Story, facts: int) -> Order:
    """The order before its last facts."""
    return fold(story.order_id, story.facts[:facts])


def test_a_unit_that_has_shipped_is_not_removed() -> None:
    story = two_of_each().routed().shipped()

    with pytest.raises(QuantityExceeded):
        story.edited("edt_1", removing(line_1=1))


def test_an_edit_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(NotEditable, match="cancel it instead"):
        two_of_each().edited("edt_1", removing(line_1=2, line_2=2))


def test_the_rest_is_edited_after_a_part_has_shipped() -> None:
    story = two_of_each()
    story.do(
        c.RecordRouting(
            story.plan(("austin", {"line_1": 2})), RECORD, short=(Quantity("line_2", 2),)
        )
    ).shipped()

    story.edited("edt_1", Changes(added=(mug(),), removed=(Quantity("line_2", 2),)))
    story.captured().routed().shipped(2).captured()

    assert story.order.payment.captured == story.order.payable == 3500


def test_what_removes_the_last_missing_unit_of_a_delivered_order_completes_it() -> None:
    story = two_of_each()
    story.do(
        c.RecordRouting(
            story.plan(("austin", {"line_1": 2})), RECORD, short=(Quantity("line_2", 2),)
        )
    ).shipped().delivered()

    story.edited("edt_1", removing(line_2=2))

    assert story.order.status is OrderStatus.COMPLETED


@pytest.mark.parametrize(
    ("ended", "instead"),
    [
        (lambda s: s.do(c.CancelOrder("requested")), "place a new order"),
        (lambda s: s.routed().shipped().delivered(), "return what is not wanted"),
    ],
)
def test_an_order_that_is_over_says_what_to_do_instead(
    ended: Callable[[Story], Any], instead: str
) -> None:
    story = two_of_each()
    ended(story)

    with pytest.raises(NotEditable, match=instead):
        story.edited("edt_1", adding())


def test_an_order_that_is_not_paid_for_is_not_edited() -> None:
    with pytest.raises(NotEditable, match="not paid for"):
        Story(placement(line(1))).edited("edt_1", adding())


# --- where it goes --------------------------------------------------------------------------


def test_another_place_takes_back_what_nobody_has_begun_and_routes_it_anew() -> None:
    story = two_of_each().routed(("austin", {"line_1": 2}), ("reno", {"line_2": 2}))

    story.edited("edt_1", Changes(destination=ELSEWHERE, contact="edt_1"))

    order = story.order
    assert [x.status for x in order.fulfillment_orders] == [FulfillmentStatus.CANCELLED] * 2
    assert sum(x.open for x in order.lines) == 4
    assert (order.destination, order.contact_id) == (ELSEWHERE, f"{order.order_id}#edt_1")
    assert order.refused_by == ()
    change = stock_change(replay(story, -1), story.facts[-1])
    assert change is not None
    assert sum(i.quantity for i in change.items) == 4
    assert outcome(order, Wait.FULFILLMENT) == "remainder"
    story.routed().shipped(3)


def test_units_of_a_box_that_is_taken_back_are_given_back_once() -> None:
    story = two_of_each()
    plan = tuple(
        replace(each, ship_on="2026-03-03")
        for each in story.plan(("austin", {"line_1": 2, "line_2": 2}))
    )
    story.do(c.RecordRouting(plan, RECORD))

    story.edited("edt_1", replace(removing(line_1=1), destination=ELSEWHERE, contact="edt_1"))

    before, fact = replay(story, -1), story.facts[-1]
    change = stock_change(before, fact)
    assert change is not None
    assert sum(i.quantity for i in change.items) == 4
    assert [x.units for x in capacity_changes(before, fact)] == [-4]


def test_the_same_zone_keeps_the_locations_at_their_work() -> None:
    story = two_of_each().routed()
    story.do(c.PickFulfillmentOrder(story.box(1)))

    story.edited("edt_1", Changes(destination=story.order.destination, contact="edt_1"))

    assert story.order.fulfillment_order(story.box(1)).status is FulfillmentStatus.PICKING


@pytest.mark.parametrize("place", [ELSEWHERE, None])
def test_a_packed_box_is_not_addressed_anew(place: Destination | None) -> None:
    story = two_of_each().routed().packed()

    with pytest.raises(NotEditable, match="packed"):
        story.edited("edt_1", Changes(destination=place, contact="edt_1"))


def test_what_has_shipped_goes_where_it_was_sent() -> None:
    story = two_of_each().routed().shipped()

    with pytest.raises(NotEditable, match="ask the carrier"):
        story.edited("edt_1", Changes(destination=ELSEWHERE, contact="edt_1"))


# --- it is routed, wherever the order waits ---------------------------------------------------


def with_warehouse(story: Story) -> Wait:
    story.routed()
    return Wait.FULFILLMENT


def for_stock(story: Story) -> Wait:
    story.do(c.Backorder((Quantity("line_1", 2), Quantity("line_2", 2)), "2026-04-01"))
    return Wait.STOCK


def for_the_rest(story: Story) -> Wait:
    part = story.plan(("austin", {"line_1": 2}))
    story.do(c.RecordRouting(part, RECORD, short=(Quantity("line_2", 2),)))
    return Wait.FULFILLMENT


def for_its_turn(story: Story) -> Wait:
    story.do(c.DeferRouting(story.at.replace(year=2030), "SKU-1"))
    return Wait.STOCK


def with_the_carrier(story: Story) -> Wait:
    story.routed().shipped()
    return Wait.FULFILLMENT


@pytest.mark.parametrize(
    "waits", [with_warehouse, for_stock, for_the_rest, for_its_turn, with_the_carrier]
)
def test_new_units_end_whatever_wait_the_order_is_in(waits: Callable[[Story], Wait]) -> None:
    story = two_of_each()
    wait = waits(story)
    assert outcome(story.order, wait) is None

    story.edited("edt_1", adding()).captured()

    assert outcome(story.order, wait) in ("remainder", "released")
    assert prepared(story.order) is None
    story.routed()
    assert story.order.line("line_3").allocated == 1


def test_who_waits_for_stock_keeps_its_place_in_line_when_it_is_edited() -> None:
    story = two_of_each()
    for_stock(story)
    since = story.order.backorders

    story.edited("edt_1", adding()).captured()

    assert story.order.backorders == since
    assert awaited_items(story.order) == ("SKU-1", "SKU-2")


def test_an_order_that_a_person_gave_up_goes_on_with_what_is_added() -> None:
    story = two_of_each().routed()
    story.do(c.RaiseAttention("odd"), c.ResolveAttention("ignore"))

    story.edited("edt_1", adding()).captured()

    assert story.order.resolution == ""


# --- L1: abandoned at any step ----------------------------------------------------------------


def proposed(story: Story) -> None:
    previewed(story.order, adding())


def awaiting(story: Story) -> None:
    story.edited("edt_1", adding())


def with_the_buyer(story: Story) -> None:
    story.edited("edt_1", adding())
    story.do(paid(operation_of("edt_1"), OperationStatus.PENDING))


def unknown(story: Story) -> None:
    story.edited("edt_1", adding())
    story.do(paid(operation_of("edt_1"), OperationStatus.UNKNOWN))


def declined(story: Story) -> None:
    story.edited("edt_1", adding()).do(paid(operation_of("edt_1"), FAILED))


def discarded(story: Story) -> None:
    story.edited("edt_1", adding()).do(c.DeclineEdit("edt_1", "discarded"))


def late(story: Story) -> None:
    discarded(story)
    story.do(paid(operation_of("edt_1")))


STEPS = (proposed, awaiting, with_the_buyer, unknown, declined, discarded, late)


@pytest.mark.parametrize("abandoned", STEPS)
def test_an_abandoned_edit_keeps_no_order_from_shipping(abandoned: Callable[[Story], None]) -> None:
    story = two_of_each()
    abandoned(story)

    assert prepared(story.order) is None
    story.routed().shipped()
    taken = (o for o in story.order.payment.unsettled if o.kind is OperationKind.CAPTURE)
    story.do(*(paid(o.operation_id) for o in taken)).delivered()

    assert story.order.status is OrderStatus.COMPLETED
    assert (story.order.payable, story.order.payment.captured) == (3000, 3000)
    assert ends_well(story)


@pytest.mark.parametrize("abandoned", STEPS)
def test_an_abandoned_edit_keeps_no_order_from_being_cancelled(
    abandoned: Callable[[Story], None],
) -> None:
    story = two_of_each().routed()
    abandoned(story)

    story.do(c.CancelOrder("requested")).captured()

    assert story.order.status is OrderStatus.CANCELLED
    assert ends_well(story)


@pytest.mark.parametrize("abandoned", STEPS)
def test_an_abandoned_edit_keeps_no_order_from_being_refunded(
    abandoned: Callable[[Story], None],
) -> None:
    story = two_of_each(provider="external", captured=3000)
    abandoned(story)

    story.do(c.CancelOrder("requested", (Quantity("line_1", 1),)))

    assert requested(story, OperationKind.REFUND)[-1:] == [1000]
    story.captured().do(c.CancelOrder("requested")).captured()
    assert ends_well(story)


def ends_well(story: Story) -> bool:
    """Nothing is reserved, no edit waits, and money kept is what the goods cost."""
    story.captured().captured()
    order = story.order
    kept = order.payment.captured - order.payment.refunded
    assert order.awaited_edit is None
    assert kept == order.payable
    assert order.payment.authorized == order.payment.captured + order.payment.voided
    return fold(order.order_id, story.facts) == order


# --- races ------------------------------------------------------------------------------------


def test_an_edit_that_is_applied_twice_is_applied_once() -> None:
    story = two_of_each()
    command = c.ApplyEdit("edt_1", removing(line_1=1), "asked", 0)

    story.do(command)
    version = story.order.version
    story.do(command)

    assert (story.order.version, story.order.line("line_1").cancelled) == (version, 1)


def test_a_second_edit_waits_for_the_end_of_one_that_awaits_payment() -> None:
    story = two_of_each().edited("edt_1", adding())

    with pytest.raises(NotEditable, match="edt_1"):
        story.edited("edt_2", removing(line_1=1))
    story.do(c.DeclineEdit("edt_1", "discarded")).edited("edt_2", removing(line_1=1))


def test_what_ships_while_its_removal_awaits_payment_stays_and_the_money_goes_back() -> None:
    story = two_of_each()
    swap = Changes(added=(mug(unit_price=3000),), removed=(Quantity("line_1", 1),))
    story.edited("edt_1", swap).routed().shipped()

    story.do(paid(operation_of("edt_1")))

    assert [x.status for x in story.order.edits] == [EditStatus.DECLINED]
    assert requested(story, OperationKind.VOID) == [2000]
    assert len(story.order.lines) == 2


def test_money_that_comes_after_its_edit_was_declined_is_given_back() -> None:
    story = two_of_each()
    discarded(story)
    assert story.order.is_unwanted(story.order.payment.operation(operation_of("edt_1")))

    story.do(paid(operation_of("edt_1")))

    assert requested(story, OperationKind.VOID) == [1000]
    assert [x.status for x in story.order.edits] == [EditStatus.DECLINED]


def dropped_as_it_ships(story: Story) -> None:
    """The unit that the edit removes leaves meanwhile: more would be due by now."""
    story.shipped()


def cancelled(story: Story) -> None:
    story.do(c.CancelOrder("changed my mind"))


@pytest.mark.parametrize("meanwhile", [dropped_as_it_ships, cancelled])
def test_a_transfer_for_an_edit_that_is_dropped_when_it_comes_in_is_given_back(
    meanwhile: Callable[[Story], None],
) -> None:
    """Transferred money is ours already: a void of it moves nothing."""
    story = Story(placement(line(quantity=2))).authorized().routed()
    new = line(2, unit_price=1700)
    story.edited("edt_1", Changes((new,), (Quantity("line_1", 1),)), prepaid=True)
    asked = story.order.payment.operation("op_edt_1")
    meanwhile(story)
    story.do(paid("op_edt_1")).captured()

    tender = story.order.payment.tender("op_edt_1")
    assert tender is not None
    assert (tender.captured, tender.refunded, tender.voided) == (asked.amount, asked.amount, 0)


def test_a_declined_edit_is_not_applied_again() -> None:
    story = two_of_each()
    declined(story)

    with pytest.raises(NotEditable, match="propose another"):
        story.edited("edt_1", removing(line_1=1))


def test_a_cancelled_order_declines_the_edit_that_is_paid_for_too_late() -> None:
    story = two_of_each().edited("edt_1", adding()).do(c.CancelOrder("requested"))

    story.do(paid(operation_of("edt_1")))

    assert story.order.awaited_edit is None
    assert ends_well(story)


def test_without_a_token_a_means_of_payment_that_is_known_is_asked_again() -> None:
    story = two_of_each().edited("edt_1", adding(), like="op_1")

    assert story.order.payment.operation(operation_of("edt_1")).like == "op_1"
    story.do(c.DeclineEdit("edt_1", "discarded"))
    with pytest.raises(NotEditable, match="give a payment"):
        story.edited("edt_2", adding(), like="op_9")


def test_an_order_with_edits_is_stored_as_it_is() -> None:
    story = two_of_each().edited("edt_1", adding())

    assert codec.decode(codec.encode(story.order), Order) == story.order


# --- M4: the balance is that of the events ------------------------------------------------------


class Ledger:
    """What an order owes and has, added up from its events alone, unit by unit."""

    def __init__(self) -> None:
        self.units: dict[str, list[int]] = {}
        self.shipped: dict[str, int] = {}
        self.shipping = 0
        self.tax_included = False
        self.boxes: dict[str, dict[str, int]] = {}
        self.asked: dict[str, tuple[str, int]] = {}
        self.captured = self.refunded = self.voided = self.authorized = 0

    def see(self, event: e.Event) -> None:
        match event:
            case e.OrderPlaced():
                self.tax_included = event.tax_included
                self._lines(event.lines)
                self._ship(event.shipping)
                for operation in event.operations:
                    if operation.status is OperationStatus.SUCCEEDED:
                        self._moved(operation.kind, operation.amount)
            case e.OrderEdited():
                self._cut(event.units)
                self._lines(event.edit.changes.added)
                if event.edit.changes.shipping:
                    self._ship(event.edit.changes.shipping)
                for identity in event.taken_back:
                    self.boxes.pop(identity)
            case e.OrderLinesCancelled() | e.OrderCancelled():
                self._cut(event.units)
            case e.OrderRouted():
                for each in event.plan:
                    box = {q.line_id: q.quantity for q in each.lines}
                    self.boxes[each.fulfillment_order_id] = box
            case e.FulfillmentOrderShipped():
                for line_id, units in self.boxes.pop(event.fulfillment_order_id).items():
                    self.shipped[line_id] += units
            case e.FulfillmentOrderRejected():
                self.boxes.pop(event.fulfillment_order_id)
            case e.PaymentAuthorized():
                self._moved(OperationKind.AUTHORIZE, event.amount)
            case e.PaymentCaptured():
                self._moved(OperationKind.CAPTURE, event.amount)
            case e.PaymentRefunded():
                self._moved(OperationKind.REFUND, event.amount)
            case e.PaymentVoided():
                self._moved(OperationKind.VOID, event.amount)

    @property
    def payable(self) -> int:
        total = sum(sum(units) for units in self.units.values())
        return total + self.shipping if any(self.units.values()) else 0

    @property
    def earned(self) -> int:
        total = sum(sum(self.units[x][:n]) for x, n in self.shipped.items())
        return total + self.shipping if any(self.shipped.values()) else 0

    def _lines(self, lines: tuple[Line, ...]) -> None:
        for each in lines:
            off = sum(d.amount for d in each.discounts) + each.order_discount
            prices = [each.unit_price] * each.quantity
            prices = [p - s for p, s in zip(prices, split(off, each.quantity), strict=True)]
            for tax in () if self.tax_included else each.taxes:
                taxes = split(tax.amount, each.quantity)
                prices = [p + s for p, s in zip(prices, taxes, strict=True)]
            self.units[each.line_id], self.shipped[each.line_id] = prices, 0

    def _ship(self, shipping: Shipping) -> None:
        taxes = 0 if self.tax_included else sum(tax.amount for tax in shipping.taxes)
        self.shipping = shipping.price + taxes

    def _cut(self, units: tuple[e.CancelledUnits, ...]) -> None:
        for unit in units:
            kept = len(self.units[unit.line_id]) - unit.quantity
            del self.units[unit.line_id][kept:]
            if unit.fulfillment_order_id:
                self.boxes[unit.fulfillment_order_id][unit.line_id] -= unit.quantity

    def _moved(self, kind: OperationKind, amount: int) -> None:
        self.authorized += amount if kind is OperationKind.AUTHORIZE else 0
        self.captured += amount if kind is OperationKind.CAPTURE else 0
        self.refunded += amount if kind is OperationKind.REFUND else 0
        self.voided += amount if kind is OperationKind.VOID else 0


def split(amount: int, parts: int) -> list[int]:
    each, more = divmod(amount, parts)
    return [each + (part < more) for part in range(parts)]


@st.composite
def lines(draw: st.DrawFn, number: int) -> Line:
    quantity, price = draw(st.integers(1, 4)), draw(st.integers(0, 900))
    return line(
        number,
        quantity=quantity,
        unit_price=price,
        discount=draw(st.integers(0, quantity * price)),
        tax=draw(st.integers(0, 99)),
    )


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    removed = st.tuples(st.integers(1, 4), st.integers(1, 3))
    methods = st.builds(lambda price: Shipping("other", price), st.integers(0, 900))
    return Changes(
        added=tuple(draw(st.lists(lines(number=50), max_size=2))),
        removed=tuple(
            Quantity(f"line_{n}", units) for n, units in draw(st.lists(removed, max_size=2))
        ),
        shipping=draw(st.none() | methods),
        destination=draw(st.none() | st.just(ELSEWHERE) | st.just(Destination("FR"))),
    )


KINDS = ("edit", "edit", "route", "ship", "settle", "settle", "fail", "cancel", "decline", "reject")
wishes = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5), changes()), min_size=4, max_size=25
)


def wish(story: Story, kind: str, n: int, said: Changes, turn: int) -> None:
    order = story.order
    boxes = [x for x in order.fulfillment_orders if x.in_warehouse]
    if kind == "edit":
        story.edited(f"edt_{turn}", said)
    elif kind == "decline" and order.edits:
        story.do(c.DeclineEdit(order.edits[-1].edit_id, "late"))
    elif kind == "route" and any(x.open for x in order.lines):
        story.routed(*([("austin", {x.line_id: x.open for x in order.lines if x.open})]))
    elif kind == "ship" and boxes:
        story.shipped(int(boxes[n % len(boxes)].fulfillment_order_id.rpartition("-")[2]))
    elif kind == "reject" and boxes:
        story.do(c.RejectFulfillmentOrder(boxes[n % len(boxes)].fulfillment_order_id, "closed"))
    elif kind == "cancel":
        line_id = f"line_{n + 1}"
        story.do(c.CancelOrder("requested", (Quantity(line_id, 1),)))
    elif kind in ("settle", "fail") and order.payment.unsettled:
        asked = order.payment.unsettled[n % len(order.payment.unsettled)]
        edits = asked.kind is OperationKind.AUTHORIZE and asked.cause
        status = FAILED if kind == "fail" and edits else OperationStatus.SUCCEEDED
        story.do(c.RecordPaymentResult(asked.operation_id, asked.attempt, status, "ref"))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.just(1), min_size=1, max_size=3).flatmap(
        lambda ones: st.tuples(*(lines(number=n) for n, _ in enumerate(ones, 1)))
    ),
    st.booleans(),
    st.booleans(),
    st.integers(0, 700),
    wishes,
)
def test_the_balance_of_an_order_is_that_of_its_events_after_every_step(
    ordered: tuple[Line, ...],
    elsewhere: bool,
    included: bool,
    price: int,
    asked: list[tuple[str, int, Changes]],
) -> None:
    provider, captured = ("external", 10**9) if elsewhere else ("test", 0)
    said = placement(
        *ordered,
        provider=provider,
        captured=captured,
        tax_included=included,
        shipping=Shipping("standard", price),
    )
    story, ledger = Story(said), Ledger()
    if not elsewhere and story.order.total:
        story.authorized()
    read = balanced(story, ledger, 0)
    for turn, (kind, n, changed) in enumerate(asked):
        try:
            wish(story, kind, n, changed, turn)
        except (Refused, NotFound):
            continue
        read = balanced(story, ledger, read)
    comes_to_its_end(story, ledger, read)


def balanced(story: Story, ledger: Ledger, read: int) -> int:
    for fact in story.facts[read:]:
        ledger.see(fact.event)
    order = story.order
    payment = order.payment
    assert (order.payable, order.earned) == (ledger.payable, ledger.earned)
    assert (payment.captured, payment.refunded) == (ledger.captured, ledger.refunded)
    assert (payment.authorized, payment.voided) == (ledger.authorized, ledger.voided)
    assert ledger.refunded <= ledger.captured <= ledger.authorized - ledger.voided
    assert order.secured >= order.payable, "goods may go that nobody pays for"
    assert sum(x.awaits_payment for x in order.edits) <= 1
    if not payment.unsettled:
        kept = ledger.captured - ledger.refunded
        assert ledger.earned <= kept <= max(ledger.payable, ledger.earned)
    return len(story.facts)


def comes_to_its_end(story: Story, ledger: Ledger, read: int) -> None:
    """All that can be shipped is; then nothing is kept but what the goods cost."""
    for _ in range(12):
        if any(x.open for x in story.order.lines) and not story.order.is_final:
            if story.order.attention:
                story.do(c.ResolveAttention("retry"))
            story.routed()
        for number, box in enumerate(story.order.fulfillment_orders, 1):
            if box.in_warehouse:
                story.shipped(number)
        story.captured()
        read = balanced(story, ledger, read)
    order = story.order
    assert not order.has_unshipped
    assert not order.payment.unsettled
    assert order.awaited_edit is None
    kept = ledger.captured - ledger.refunded
    assert kept == ledger.payable == order.payable
    assert order.payment.authorized == ledger.captured + ledger.voided
    assert due_for(order) == 0


def test_facts_of_edits_are_folded_one_by_one_as_they_were_decided() -> None:
    story = two_of_each().edited("edt_1", adding()).captured()
    order: Order | None = None

    for fact in story.facts:
        order = apply(story.order_id, order, Fact(fact.seq, fact.at, fact.actor, fact.event))

    assert order == story.order
    assert decide(c.CompleteEdit("edt_1"), story.order) == ()
