"""Whatever is asked of an order, in whatever order, the books of the order balance."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.contracts import codec, events
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import MAX_ROUTING_ROUNDS, decide, facts
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.inventory import MovementKind
from oms.domain.lines import Discount, Shipping
from oms.domain.order import FINAL, Fact, Order, apply, fold, stock_change
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.statuses import fulfillment_status, payment_status
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait, outcome, prepared
from tests.builders import NOW, RECORD, Story, line, placement, scanned

LOCATIONS = ("austin", "reno", "lyon")


@st.composite
def orders(draw: st.DrawFn) -> c.PlaceOrder:
    lines = [
        line(
            number,
            sku=draw(st.sampled_from(("MUG", "CUP", "POT"))),
            quantity=draw(st.integers(1, 5)),
            unit_price=draw(st.integers(0, 2000)),
            tax=draw(st.integers(0, 99)),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    base = sum(each.gross for each in lines)
    discount = draw(st.integers(0, base))
    return placement(
        *lines,
        discounts=(Discount("ALL", discount),) if discount else (),
        shipping=Shipping("standard", draw(st.integers(0, 700))),
        tax_included=draw(st.booleans()),
        provider=draw(st.sampled_from(("test", "external"))),
        captured=draw(st.sampled_from((0, 10**9))),
    )


@st.composite
def wishes(draw: st.DrawFn) -> tuple[str, int, int]:
    """A kind of command and two numbers that choose its details; most are illegal somewhere.

    Every other one is what an order would want next: so histories come far.
    """
    kinds = st.one_of(st.just("onward"), st.sampled_from(sorted(WISHES)))
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
    attempt = order.payment.operation(_operation(order, n)).attempt - (1 if m == 7 else 0)
    return c.RecordPaymentResult(_operation(order, n), attempt, status, "ref", "reason")


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
    return story.plan(*((where, lines) for where, lines in plans if lines))


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
    if any(x.backordered for x in order.lines):
        return c.ReleaseBackorder(next(x.sku for x in order.lines if x.backordered))
    if order.active_holds:
        return c.ReleaseHold(order.active_holds[0].hold_id, "fine")
    if any(x.open for x in order.lines):
        plan = order.routing_plan.plan if order.routing_plan else _plan(order, n % 7, m)
        return c.RecordRouting(plan, RECORD)
    return _onward_box(order, n, m)


def _onward_box(order: Order, n: int, m: int) -> c.Command:
    for i, box in enumerate(order.fulfillment_orders):
        match box.status:
            case FulfillmentStatus.OPEN | FulfillmentStatus.ACCEPTED:
                return c.PickFulfillmentOrder(box.fulfillment_order_id)
            case FulfillmentStatus.PICKING:
                return c.PackFulfillmentOrder(box.fulfillment_order_id)
            case FulfillmentStatus.PACKED:
                return _ship(order, i, m % 7)
            case FulfillmentStatus.SHIPPED if box.parcels[0].carrier == "manual":
                return c.DeliverFulfillmentOrder(box.fulfillment_order_id)
            case FulfillmentStatus.SHIPPED:
                number = box.parcels[0].tracking_number
                scans = (scanned(number, TrackingStatus.DELIVERED, n),)
                return c.RecordScans("easypost", number, scans)
    return c.CancelOrder("nothing is left to do")


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
    "take": lambda o, n, m: c.RecordRouting(
        o.routing_plan.plan if o.routing_plan else _plan(o, n, m), RECORD
    ),
    "abandon": lambda o, n, m: c.AbandonRouting("short"),
    "backorder": lambda o, n, m: c.Backorder(_some(o, n, m)),
    "arrive": lambda o, n, m: c.ReleaseBackorder(("MUG", "CUP", "POT")[n % 3]),
    "hold": lambda o, n, m: c.PlaceHold("manual", "look"),
    "release": lambda o, n, m: c.ReleaseHold(f"hold_{n}", "fine"),
    "accept": lambda o, n, m: c.AcceptFulfillmentOrder(_box(o, n)),
    "pick": lambda o, n, m: c.PickFulfillmentOrder(_box(o, n)),
    "pack": lambda o, n, m: c.PackFulfillmentOrder(_box(o, n)),
    "reject": lambda o, n, m: c.RejectFulfillmentOrder(_box(o, n), "broken"),
    "ship": _ship,
    "deliver": lambda o, n, m: c.DeliverFulfillmentOrder(_box(o, n)),
    "scan": _scan,
    "cancel": lambda o, n, m: c.CancelOrder("changed my mind", expired=m == 0),
    "cancel some": lambda o, n, m: c.CancelOrder("too many", _some(o, n, m)),
    "attention": lambda o, n, m: c.RaiseAttention("look"),
    "resolve": lambda o, n, m: c.ResolveAttention(("retry", "cancel", "ignore")[n % 3]),
    "settle": lambda o, n, m: c.SettleStock("nothing"),
}


class Warehouse:
    """Counts what the facts move; `owed` and batches move it later and are no part of this."""

    def __init__(self) -> None:
        self.reserved: Counter[tuple[str, str]] = Counter()

    def see(self, before: Order, fact: Fact) -> None:
        change = stock_change(before, fact)
        if isinstance(fact.event, e.OrderRouted) and before.routing_plan is not None:
            change = self._planned(before)
        if change is None:
            return
        sign = 1 if change.kind is MovementKind.ALLOCATED else -1
        for item in change.items:
            self.reserved[item.sku, item.location] += sign * item.quantity

    def _planned(self, order: Order) -> Any:
        from oms.domain.order import planned_change

        assert order.routing_plan is not None
        return planned_change(order.routing_plan, order.line)


@settings(max_examples=400, deadline=None)
@given(orders(), st.lists(wishes(), max_size=40))
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


def check(story: Story, warehouse: Warehouse) -> None:
    order = story.order
    assert fold(order.order_id, story.facts) == order
    assert [fact.seq for fact in story.facts] == list(range(1, order.version + 1))
    check_units(order, warehouse)
    check_money(order)
    check_statuses(order)
    check_rows(story)


def check_units(order: Order, warehouse: Warehouse) -> None:
    boxed: Counter[str] = Counter()
    live: Counter[tuple[str, str]] = Counter()
    for box in order.fulfillment_orders:
        for q in box.lines if box.in_warehouse else ():
            boxed[q.line_id] += q.quantity
            live[order.line(q.line_id).sku, box.location_id] += q.quantity
    for each in order.lines:
        moved = (each.backordered, each.allocated, each.shipped, each.delivered, each.cancelled)
        assert min(each.open, *moved) >= 0
        assert each.open + sum(moved) == each.quantity
        assert boxed[each.line_id] == each.allocated
    assert +live == +warehouse.reserved
    assert min(warehouse.reserved.values(), default=0) >= 0


def check_money(order: Order) -> None:
    payment = order.payment
    captured = payment.committed(OperationKind.CAPTURE)
    assert payment.refunded <= payment.captured <= payment.authorized <= max(order.total, 0)
    assert payment.captured + payment.voided <= payment.authorized
    assert captured <= max(payment.authorized, 0)
    assert captured - payment.committed(OperationKind.REFUND) >= 0
    assert 0 <= order.earned <= order.total
    assert order.earned <= order.payable or not any(x.dispatched for x in order.lines)
    if order.is_final:  # nothing is kept for what was not delivered
        kept = captured - payment.committed(OperationKind.REFUND)
        failed = any(o.status is OperationStatus.FAILED for o in payment.operations)
        assert failed or kept == order.payable


def check_statuses(order: Order) -> None:
    assert payment_status(order)
    assert fulfillment_status(order)
    assert (prepared(order) is not None) or not order.is_final
    for wait in Wait:
        assert outcome(order, wait) is None or isinstance(outcome(order, wait), str)
    if order.status in FINAL:
        assert not any(x.unshipped for x in order.lines)
    assert len(order.refused_by) <= MAX_ROUTING_ROUNDS + len(order.fulfillment_orders)


def check_rows(story: Story) -> None:
    """What is stored is read as it was."""
    assert codec.decode(codec.encode(story.order), Order) == story.order
    last = story.facts[-1].event
    assert events.read(type(last).__name__, codec.encode(last)) == last
