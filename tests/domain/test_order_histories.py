"""Whatever is asked of an order, in whatever order, the books of the order balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.contracts import codec, events
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import MAX_ROUTING_ROUNDS, decide, facts, place
from oms.domain.decide.editing import previewed
from oms.domain.edits import Changes
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import Delivery, FulfillmentOrder, FulfillmentStatus, Quantity
from oms.domain.items import Backorders
from oms.domain.lines import Discount, Part, Shipping
from oms.domain.order import (
    FINAL,
    Fact,
    Order,
    apply,
    awaited_items,
    capacity_changes,
    fold,
    is_tried_again,
    overdue_backorders,
    planned_change,
    stock_change,
)
from oms.domain.payment import DisputeStatus, OperationKind, OperationStatus
from oms.domain.routing import Destination
from oms.domain.statuses import fulfillment_status, payment_status
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait, outcome, place_to_wait, prepared, waits_for_supply
from tests.builders import NOW, RECORD, Story, line, placement, scanned

LOCATIONS = ("austin", "reno", "lyon")
STORE = "austin"
SKUS = ("MUG", "CUP", "POT")
# A kit shares its parts with what is sold alone; a renamed SKU is counted under its first name.
TAKES: dict[str, tuple[Part, ...]] = {"SET": (Part("MUG", 2), Part("POT")), "TASSE": (Part("CUP"),)}


@st.composite
def orders(draw: st.DrawFn) -> c.PlaceOrder:
    lines = [
        replace(
            line(
                number,
                sku=(sku := draw(st.sampled_from((*SKUS, *TAKES)))),
                quantity=draw(st.integers(1, 5)),
                unit_price=draw(st.integers(0, 2000)),
                tax=draw(st.integers(0, 99)),
            ),
            takes=TAKES.get(sku, ()),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    base = sum(each.gross for each in lines)
    discount = draw(st.integers(0, base))
    command = placement(
        *lines,
        discounts=(Discount("ALL", discount),) if discount else (),
        shipping=Shipping("standard", draw(st.integers(0, 700))),
        tax_included=draw(st.booleans()),
        provider=draw(st.sampled_from(("test", "external"))),
        captured=draw(st.sampled_from((0, 10**9))),
        pickup_location=draw(st.sampled_from(("", STORE))),
    )
    return command if command.captured else replace(command, tenders=_tenders(draw, command))


def _tenders(draw: st.DrawFn, command: c.PlaceOrder) -> tuple[c.TenderGiven, ...]:
    """Up to two others pay some of it; one of them is paid before anything has left."""
    (placed, *_) = place(command)
    assert isinstance(placed, e.OrderPlaced)
    first = draw(st.integers(0, placed.total))
    second = draw(st.integers(0, placed.total - first))
    given = c.TenderGiven("gift_card", first), c.TenderGiven("bank", second, prepaid=True)
    return tuple(each for each in given if each.amount)[: draw(st.integers(0, 2))]


@st.composite
def wishes(draw: st.DrawFn) -> tuple[str, int, int]:
    """A kind of command and two numbers that choose its details; most are illegal somewhere.

    Every other one is what an order would want next: so histories come far.
    """
    kinds = st.just("onward") | st.sampled_from(sorted(WISHES)) | st.sampled_from(SUPPLY)
    return draw(kinds), draw(st.integers(0, 7)), draw(st.integers(0, 7))


def _box(order: Order, n: int) -> str:
    known = [x.fulfillment_order_id for x in order.fulfillment_orders] or ["ful_none-1"]
    return known[n % len(known)]


def _operation(order: Order, n: int) -> str:
    return order.payment.operations[n % len(order.payment.operations)].operation_id


def _result(order: Order, n: int, m: int) -> c.Command:
    if not order.payment.operations:
        return c.PlaceHold("manual", "nothing to pay")
    status = list(OperationStatus)[1:][m % 4]
    operation = order.payment.operation(_operation(order, n))
    attempt = operation.attempt - (1 if m == 7 else 0)
    if not order.payment.is_backed(operation):
        status = OperationStatus.FAILED  # nobody gives back what was never taken
    until = NOW + timedelta(days=7) if n % 2 else None
    return c.RecordPaymentResult(
        operation.operation_id, attempt, status, "ref", "reason", valid_until=until
    )


def _dispute(order: Order, n: int, m: int) -> c.Command:
    status = list(DisputeStatus)[m % 3]
    return c.RecordDispute(order.payment.provider, "ref", f"dp_{n % 2}", 100 * n, status)


def _plan(order: Order, n: int, m: int) -> tuple[e.Assigned, ...]:
    """Every open unit, dealt to one or two locations; sometimes one too many."""
    story = Story.__new__(Story)
    story.order = order
    first = {x.line_id: x.open // (1 + m % 2) + (n == 7) for x in order.lines}
    rest = {x.line_id: x.open - x.open // (1 + m % 2) for x in order.lines}
    plans = [
        (LOCATIONS[(n + i) % 3], {k: v for k, v in lines.items() if v})
        for i, lines in enumerate((first, rest))
    ]
    plan = story.plan(*((where, lines) for where, lines in plans if lines))
    return tuple(_promised(order, each, m) for each in plan)


def _promised(order: Order, assigned: e.Assigned, m: int) -> e.Assigned:
    """Reno's days are limited; with a store the customer collects it there."""
    day = f"2026-03-{m % 3 + 2:02}" if assigned.location_id == "reno" else ""
    delivery = Delivery.SHIP_TO_STORE if order.pickup_location else Delivery.SHIP
    if assigned.location_id == order.pickup_location:
        delivery = Delivery.PICKUP
    return replace(assigned, ship_on=day, delivery=delivery)


def _split(order: Order, n: int, m: int) -> dict[str, Any]:
    """A plan for some of what is open; the rest waits, is expected another day, or is denied."""
    rests: dict[str, tuple[Quantity, ...]] = {}
    plan = []
    rest: tuple[Quantity, ...]
    for i, assigned in enumerate(_plan(order, n % 7, m)):
        if i == 0 or n % 2:
            left = m % 3 if assigned.lines[0].quantity > m % 3 else 0
            first = assigned.lines[0]
            kept = (replace(first, quantity=first.quantity - left), *assigned.lines[1:])
            plan.append(replace(assigned, lines=kept))
            rest = (replace(first, quantity=left),) if left else ()
        else:
            rest = assigned.lines
        rests[("short", "denied", "other")[(n + i) % 3]] = rest
    other = rests.get("other", ())
    return {
        "plan": tuple(plan),
        "record": RECORD,
        "short": rests.get("short", ()),
        "expected_on": ("", "2026-04-01")[m % 2],
        "preorder": m % 4 == 1,
        "backorders": (c.Backorder(other, "2026-05-01"),) if other else (),
        "denied": rests.get("denied", ()),
    }


def _as_planned(order: Order, n: int, m: int) -> c.Command:
    kept = order.routing_plan
    if kept is None:
        return c.RecordRouting(_plan(order, n, m), RECORD)
    backorders = tuple(c.Backorder(x.lines, x.expected_on, x.preorder) for x in kept.backordered)
    return c.RecordRouting(kept.plan, kept.record, backorders=backorders, denied=kept.denied)


def _ship(order: Order, n: int, m: int) -> c.Command:
    identity = _box(order, n)
    known = {x.fulfillment_order_id: x.lines for x in order.fulfillment_orders}
    lines = known.get(identity, ())
    if m == 7:
        lines = lines[1:]
    carrier = ("easypost", "manual")[m % 2]
    return c.ShipFulfillmentOrder(identity, (e.PackedParcel(carrier, f"EZ{identity[-1]}", lines),))


def _scan(order: Order, n: int, m: int) -> c.Command:
    status = (TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED, TrackingStatus.EXCEPTION)[m % 3]
    number = f"EZ{_box(order, n)[-1]}"
    return c.RecordScans("easypost", number, (scanned(number, status, m),))


def _some(order: Order, n: int, m: int) -> tuple[Quantity, ...]:
    return (Quantity(order.lines[n % len(order.lines)].line_id, m % 4 + 1),)


def _onward(order: Order, n: int, m: int) -> c.Command:
    """The step that brings the order forward, whichever of its parts is behind."""
    asked = [i for i, o in enumerate(order.payment.operations) if not o.settled]
    if asked:
        return _result(order, asked[0], 1)
    if order.attention:
        return c.ResolveAttention("retry")
    if order.is_backordered:
        line = next(x for x in order.lines if x.backordered)
        return c.ReleaseBackorder(line.parts[-1].item)
    if order.active_holds:
        return c.ReleaseHold(order.active_holds[0].hold_id, "fine")
    if prepared(order) == "declined" or (prepared(order) == "on_hold" and order.has_unshipped):
        return c.CancelOrder("no money")
    if any(x.open for x in order.lines):
        return _routed_onward(order, n, m)
    return _onward_box(order, n, m)


def _routed_onward(order: Order, n: int, m: int) -> c.Command:
    command = _as_planned(order, n % 7, m)
    try:
        decide(command, order)
    except Refused:  # the order has changed since it was planned
        return c.AbandonRouting("outgrown")
    return command


def _onward_box(order: Order, n: int, m: int) -> c.Command:
    for i, box in enumerate(order.fulfillment_orders):
        if (command := _next_of(order, i, box, n, m)) is not None:
            return command
    return c.CancelOrder("nothing is left to do")


def _next_of(order: Order, i: int, box: FulfillmentOrder, n: int, m: int) -> c.Command | None:
    identity = box.fulfillment_order_id
    match box.status:
        case FulfillmentStatus.OPEN | FulfillmentStatus.ACCEPTED:
            return c.PickFulfillmentOrder(identity)
        case FulfillmentStatus.PICKING:
            return c.PackFulfillmentOrder(identity)
        case FulfillmentStatus.PACKED if box.delivery is Delivery.PICKUP:
            return c.ReadyFulfillmentOrder(identity)
        case FulfillmentStatus.PACKED:
            return _ship(order, i, m % 7)
        case FulfillmentStatus.SHIPPED if box.parcels[0].carrier == "manual":
            return c.DeliverFulfillmentOrder(identity)
        case FulfillmentStatus.SHIPPED:
            number = box.parcels[0].tracking_number
            return c.RecordScans(
                "easypost", number, (scanned(number, TrackingStatus.DELIVERED, 9 + n),)
            )
        case FulfillmentStatus.ARRIVED:
            return c.ReadyFulfillmentOrder(identity)
        case FulfillmentStatus.READY_FOR_PICKUP:
            return c.CollectFulfillmentOrder(identity)
    return None


def _short_pick(order: Order, n: int, m: int) -> c.Command:
    identity = _box(order, n)
    known = {x.fulfillment_order_id: x.lines for x in order.fulfillment_orders}
    line_id = next((q.line_id for q in known.get(identity, ())), "line_1")
    said = (Quantity(line_id, m % 4),)
    until = (None, NOW + timedelta(days=m))[m % 2]
    if n % 2:
        return c.ShortPickFulfillmentOrder(identity, "not there", found=said, until=until)
    return c.ShortPickFulfillmentOrder(identity, "not there", missing=said, until=until)


def _edit(order: Order, n: int, m: int) -> c.Command:
    """At the figure that it comes to now."""
    new = line(90, sku=SKUS[n % 3], quantity=1 + m % 2, unit_price=100 * n, tax=m)
    changes = Changes(
        added=(new,) if n % 3 else (),
        removed=_some(order, n, m) if m % 3 else (),
        shipping=Shipping("other", 100 * m) if n == 6 else None,
        destination=Destination("FR") if m == 7 else None,
    )
    due = previewed(order, changes).due
    return c.ApplyEdit(f"edt_{order.version}", changes, "asked", due)


def _elsewhere(order: Order, n: int, m: int) -> c.Command:
    """Its channel says that so many units were shipped, by whomever."""
    told = tuple((f"sku:{x.sku}", n) for x in order.lines[m % 2 :])
    return c.FollowChannel("there", "channel:shop", fulfilled=told, reference="f-1")


def _drop_edit(order: Order, n: int, m: int) -> c.Command:
    edits = [each.edit_id for each in order.edits] or ["edt_none"]
    return c.DeclineEdit(edits[n % len(edits)], "late")


WISHES: dict[str, Any] = {
    "onward": _onward,
    "result": _result,
    "retry": lambda o, n, m: (
        c.RetryPaymentOperation(_operation(o, n))
        if o.payment.operations
        else c.AbandonRouting("nothing")
    ),
    "route": lambda o, n, m: c.RecordRouting(_plan(o, n, m), RECORD),
    "plan": lambda o, n, m: c.PlanRouting(_plan(o, n, m), RECORD),
    "route a part": lambda o, n, m: c.RecordRouting(**_split(o, n, m)),
    "plan a part": lambda o, n, m: c.PlanRouting(**_split(o, n, m)),
    "take": _as_planned,
    "defer": lambda o, n, m: c.DeferRouting(NOW + timedelta(seconds=n), SKUS[m % 3]),
    "abandon": lambda o, n, m: c.AbandonRouting("short"),
    "backorder": lambda o, n, m: c.Backorder(
        _some(o, n, m), ("", "2026-04-01", "2026-13-01")[m % 3], m % 2 == 1
    ),
    "reschedule": lambda o, n, m: c.RescheduleBackorder(SKUS[n % 3], ("", "2026-06-01")[m % 2]),
    "arrive": lambda o, n, m: c.ReleaseBackorder(SKUS[n % 3]),
    "hold": lambda o, n, m: c.PlaceHold("manual", "look"),
    "release": lambda o, n, m: c.ReleaseHold(f"hold_{n}", "fine"),
    "accept": lambda o, n, m: c.AcceptFulfillmentOrder(_box(o, n)),
    "pick": lambda o, n, m: c.PickFulfillmentOrder(_box(o, n)),
    "pack": lambda o, n, m: c.PackFulfillmentOrder(_box(o, n)),
    "reject": lambda o, n, m: c.RejectFulfillmentOrder(
        _box(o, n), "broken", (None, NOW + timedelta(days=m))[m % 2]
    ),
    "take back": lambda o, n, m: c.TakeBackFulfillmentOrder(
        _box(o, n), "outage", (None, NOW + timedelta(days=m))[m % 2]
    ),
    "pick short": _short_pick,
    "ready": lambda o, n, m: c.ReadyFulfillmentOrder(_box(o, n)),
    "collect": lambda o, n, m: c.CollectFulfillmentOrder(_box(o, n)),
    "nobody came": lambda o, n, m: c.CancelPickup(_box(o, n), "not_collected"),
    "ship": _ship,
    "deliver": lambda o, n, m: c.DeliverFulfillmentOrder(_box(o, n)),
    "scan": _scan,
    "cancel": lambda o, n, m: c.CancelOrder("changed my mind", expired=m == 0),
    "cancel some": lambda o, n, m: c.CancelOrder("too many", _some(o, n, m)),
    "give up": lambda o, n, m: c.CancelOrder(
        "out_of_stock", _some(o, n, m) if m % 2 else (), waiting=True
    ),
    "attention": lambda o, n, m: c.RaiseAttention("look"),
    "resolve": lambda o, n, m: c.ResolveAttention(("retry", "cancel", "ignore")[n % 3]),
    "settle": lambda o, n, m: c.SettleStock("nothing"),
    "renew": lambda o, n, m: c.RenewAuthorization(NOW + timedelta(days=n + m)),
    "expire": lambda o, n, m: c.ExpireAuthorization(NOW + timedelta(days=n + m)),
    "dispute": _dispute,
    "edit": _edit,
    "elsewhere": _elsewhere,
    "drop the edit": _drop_edit,
}


SUPPLY = (
    "route a part",
    "plan a part",
    "take",
    "defer",
    "backorder",
    "arrive",
    "pick short",
    "reject",
    "edit",
    "elsewhere",
)


class Warehouse:
    """Counts what the facts move; `owed` and batches move it later and are no part of this."""

    def __init__(self) -> None:
        self.reserved: Counter[tuple[str, str, str]] = Counter()
        self.capacity: Counter[tuple[str, str]] = Counter()

    def see(self, before: Order, fact: Fact) -> None:
        for each in capacity_changes(before, fact):
            self.capacity[each.location_id, each.day.isoformat()] += each.units
        change = stock_change(before, fact)
        if isinstance(fact.event, e.OrderRouted) and before.routing_plan is not None:
            change = planned_change(before.routing_plan, before.line)
        if change is None:
            return
        for item in change.items:
            by = change.effect(item).reserved
            self.reserved[item.sku, item.location, item.reservation] += by


@settings(max_examples=400, deadline=None)
@given(orders(), st.lists(wishes(), max_size=4) | st.lists(wishes(), min_size=12, max_size=40))
def test_any_history_of_commands_keeps_units_money_and_stock_conserved(
    command: c.PlaceOrder, asked: list[tuple[str, int, int]]
) -> None:
    story, warehouse = Story(command), Warehouse()
    check(story, warehouse)
    for kind, n, m in asked:
        before = story.order
        try:
            decided = decide(WISHES[kind](before, n, m), before)
        except (Refused, NotFound):
            continue  # refused: nothing was written
        if not decided:
            continue
        recorded, story.order = facts(story.order_id, before, decided, NOW, "test")
        for fact in recorded:
            warehouse.see(before, fact)
            before = apply(before.order_id, before, fact)
        story.facts += recorded
        check(story, warehouse)
    bring_to_its_end(story, warehouse)


def bring_to_its_end(story: Story, warehouse: Warehouse) -> None:
    """From wherever it is, the steps that its own state asks for are allowed, and end."""
    for _ in range(120):
        order = story.order
        if order.is_final:
            return
        decided = decide(_onward(order, 0, 0), order)
        assert decided, "the step that it asks for changes nothing"
        recorded, story.order = facts(story.order_id, order, decided, NOW, "test")
        for fact in recorded:
            warehouse.see(order, fact)
            order = apply(order.order_id, order, fact)
        story.facts += recorded
        check(story, warehouse)
    raise AssertionError("it never ends")


def check(story: Story, warehouse: Warehouse) -> None:
    order = story.order
    assert fold(order.order_id, story.facts) == order
    assert [fact.seq for fact in story.facts] == list(range(1, order.version + 1))
    check_units(order, warehouse)
    check_money(order)
    check_statuses(order)
    check_rows(story)


def check_units(order: Order, warehouse: Warehouse) -> None:
    boxed: Counter[tuple[str, str]] = Counter()
    live: Counter[tuple[str, str, str]] = Counter()
    slots: Counter[tuple[str, str]] = Counter()
    for box in order.fulfillment_orders:
        for q in box.lines:
            boxed[q.line_id, held(box)] += q.quantity
            if box.in_warehouse:
                for part in order.line(q.line_id).parts:
                    place = part.item, box.location_id, box.fulfillment_order_id
                    live[place] += q.quantity * part.quantity
            if box.ship_on and box.status is not FulfillmentStatus.REJECTED:
                slots[box.location_id, box.ship_on] += q.quantity
    for each in order.lines:
        moved = (each.backordered, each.allocated, each.shipped, each.delivered, each.cancelled)
        assert min(each.open, *moved) >= 0
        assert each.open + sum(moved) == each.quantity
        for name in ("allocated", "shipped", "delivered"):
            assert boxed[each.line_id, name] == getattr(each, name)
    assert +live == +warehouse.reserved
    assert min(warehouse.reserved.values(), default=0) >= 0
    assert +slots == +warehouse.capacity
    assert min(warehouse.capacity.values(), default=0) >= 0


def held(box: FulfillmentOrder) -> str:
    """The quantity of the order's lines in which the box's units are counted."""
    if box.in_warehouse:
        return "allocated"
    if box.has_left:
        return "shipped"
    arrived = (FulfillmentStatus.DELIVERED, FulfillmentStatus.COLLECTED)
    return "delivered" if box.status in arrived else "gone"


def check_money(order: Order) -> None:
    payment = order.payment
    captured = payment.committed(OperationKind.CAPTURE)
    assert payment.refunded <= payment.captured <= payment.authorized
    renewed = any(each.of for each in payment.authorizations)
    assert order.edits or renewed or payment.authorized <= max(order.total, 0)
    assert payment.captured + payment.voided <= payment.authorized
    assert captured <= max(payment.authorized, 0)
    assert captured - payment.committed(OperationKind.REFUND) >= 0
    assert 0 <= order.earned <= order.total
    assert order.earned <= order.payable or not any(x.dispatched for x in order.lines)
    if order.is_final:  # nothing is kept for what was not delivered
        kept = captured - payment.committed(OperationKind.REFUND)
        failed = any(o.status is OperationStatus.FAILED for o in payment.operations)
        assert failed or payment.disputes or kept == order.payable


def check_statuses(order: Order) -> None:
    assert payment_status(order)
    assert fulfillment_status(order)
    assert (prepared(order) is not None) or not order.is_final
    for wait in Wait:
        assert outcome(order, wait) is None or isinstance(outcome(order, wait), str)
    if order.status in FINAL:
        assert not any(x.unshipped for x in order.lines)
    assert len(order.refused_by) <= MAX_ROUTING_ROUNDS + len(order.fulfillment_orders) * 6
    check_waits(order)
    check_backorders(order)


WAITS = {"routed": Wait.FULFILLMENT, "backordered": Wait.STOCK}


def check_waits(order: Order) -> None:
    """A workflow that has nothing to route stands in exactly one wait, and that is not over; one
    that has something to route stands in none."""
    if prepared(order) is not None or not order.is_paid_for or order.active_holds:
        return
    waits = {wait for wait in WAITS.values() if outcome(order, wait) is None}
    if any(line.open for line in order.lines) and not waits_for_supply(order):
        assert waits == set()
    else:
        assert waits == {WAITS[place_to_wait(order)]}
    if order.is_deferred and not order.is_backordered:
        assert order.deferred_until is not None
        assert {outcome(order, wait, order.deferred_until) for wait in waits} == {
            "remainder" if order.is_under_way else "released"
        }


def check_backorders(order: Order) -> None:
    known = {each.line_id for each in order.backorders}
    assert known >= {line.line_id for line in order.lines if line.backordered}
    assert all(order.line(each).open or order.line(each).backordered for each in known)
    assert bool(awaited_items(order)) == bool(
        known and (order.is_backordered or is_tried_again(order))
    )
    late = overdue_backorders(
        order, NOW + timedelta(days=60), lambda _: Backorders(cancel_after_days=1)
    )
    assert {q.line_id: q.quantity for q in late} == {
        line.line_id: line.backordered
        for line in order.lines
        if line.backordered and not is_far_off(order, line.line_id)
    }


def is_far_off(order: Order, line_id: str) -> bool:
    """Pre-ordered, and released more than sixty days from now."""
    known = order.backorder(line_id)
    return known is not None and known.preorder and known.expected_on >= "2026-05-01"


def check_rows(story: Story) -> None:
    """What is stored is read as it was."""
    assert codec.decode(codec.encode(story.order), Order) == story.order
    last = story.facts[-1].event
    assert events.read(type(last).__name__, codec.encode(last)) == last
