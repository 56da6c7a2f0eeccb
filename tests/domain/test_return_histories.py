"""Whatever is shipped, cancelled, returned, received and inspected, in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order, apply, fold, stock_change
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Reception,
    RefundWhen,
    Resolution,
    Return,
    ReturnLine,
    ReturnStatus,
    Terms,
    spoken_for,
)
from oms.domain.returns.eligibility import returnable
from oms.domain.statuses import return_status
from oms.domain.tracking import TrackingStatus, scan
from tests.builders import NOW, Story, line, paid, placement

Wish = tuple[str, int, int]
LINES = ("line_1", "line_2")


def _pick(n: int) -> str:
    return LINES[n % 2]


def _ship(story: Story, n: int, m: int) -> None:
    story.shipped(1 + n % 2, f"EZ{1 + n % 2}")


def _deliver(story: Story, n: int, m: int) -> None:
    story.delivered(f"EZ{1 + n % 2}")


def _cancel(story: Story, n: int, m: int) -> None:
    story.do(c.CancelOrder("no", (Quantity(_pick(n), 1 + m % 2),)))


def _settle(story: Story, n: int, m: int) -> None:
    waiting = story.order.payment.unsettled
    if waiting:
        story.do(paid(waiting[n % len(waiting)].operation_id))


def _ask(story: Story, n: int, m: int) -> None:
    reason = ("too_small", "lost", "damaged")[m % 3]
    lines = tuple(ReturnLine(each, 1 + m % 3, reason) for each in LINES[: 1 + n % 2])
    when = tuple(RefundWhen)[(n + m) % 4]
    terms = Terms(when, restocking_fee_bp=700 * (n % 2)) if m % 2 else None
    story.do(c.RequestReturn(lines, Resolution.REFUND, terms=terms))


def _of(story: Story, n: int) -> Return:
    if not story.order.returns:
        raise NotFound("return", "")
    return story.order.returns[n % len(story.order.returns)]


def _approve(story: Story, n: int, m: int) -> None:
    story.do(c.ApproveReturn(_of(story, n).return_id, Terms(tuple(RefundWhen)[m % 4])))


def _end(story: Story, n: int, m: int) -> None:
    found = _of(story, n).return_id
    endings: tuple[c.Command, ...] = (
        c.DeclineReturn(found, "no"),
        c.CancelReturn(found, "no"),
        c.ExpireReturn(found),
    )
    story.do(endings[m % 3])


def _send(story: Story, n: int, m: int) -> None:
    found = _of(story, n).return_id
    seen = scan("easypost", f"RT{n}", tuple(TrackingStatus)[m % 10], NOW, "x")
    story.do(
        c.RecordReturnLabel(found, "easypost", f"RT{n}"),
        c.RecordReturnScans(found, "easypost", f"RT{n}", (seen,)),
    )


def _receive(story: Story, n: int, m: int) -> None:
    found = _of(story, n)
    reception = (Reception.RECEIVED, Reception.RECEIVED, Reception.SHORT)[m % 3]
    lines = tuple(Received(each.line_id, 1 + m % 2, reception) for each in found.lines)
    story.do(c.ReceiveReturn(found.return_id, "austin", lines))


JUDGEMENTS = (
    (Acceptance.ACCEPTED, Disposition.RESTOCK, ""),
    (Acceptance.ACCEPTED, Disposition.QUARANTINE, "bench"),
    (Acceptance.ACCEPTED, Disposition.WRITE_OFF, ""),
    (Acceptance.REJECTED, Disposition.SEND_BACK, ""),
    (Acceptance.MANUAL_REVIEW, Disposition.QUARANTINE, ""),
)


def _inspect(story: Story, n: int, m: int) -> None:
    found = _of(story, n)
    judgement = JUDGEMENTS[m % len(JUDGEMENTS)]
    lines = tuple(Inspected(each.line_id, 1, *judgement) for each in found.lines[: 1 + n % 2])
    story.do(c.InspectReturn(found.return_id, lines))


STEPS: dict[str, Callable[[Story, int, int], None]] = {
    "ship": _ship,
    "deliver": _deliver,
    "cancel": _cancel,
    "settle": _settle,
    "ask": _ask,
    "approve": _approve,
    "end": _end,
    "send": _send,
    "receive": _receive,
    "inspect": _inspect,
}
numbers = st.integers(0, 9)
wishes = st.tuples(st.sampled_from(sorted(STEPS)), numbers, numbers)
AT_ONCE = [("ship", 0, 0), ("deliver", 0, 0), ("settle", 0, 0)]


def begun() -> Story:
    """Two boxes: each has some of both lines."""
    lines = (line(1, quantity=3, discount=100, tax=77), line(2, quantity=2))
    story = Story(placement(*lines)).authorized()
    return story.routed(
        ("austin", {"line_1": 2, "line_2": 1}), ("reno", {"line_1": 1, "line_2": 1})
    )


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(wishes, min_size=3, max_size=30))
def test_no_history_gives_anything_for_a_unit_twice(early: bool, asked: list[Wish]) -> None:
    story = begun()
    for kind, n, m in [*(AT_ONCE if early else ()), *asked]:
        try:
            STEPS[kind](story, n, m)
        except (Refused, NotFound):
            continue
        check(story)


def check(story: Story) -> None:
    order = story.order
    assert fold(order.order_id, story.facts) == order
    for each in order.lines:
        assert each.open + sum((each.allocated, each.dispatched, each.cancelled)) == each.quantity
        goods = spoken_for(order.returns, each.line_id, never_arrived=False)
        losses = spoken_for(order.returns, each.line_id, never_arrived=True)
        assert 0 <= each.returned <= goods + losses <= each.dispatched
        assert goods <= each.delivered
        assert each.returned == sum(x.settled for x in settled_lines(order, each.line_id))
        assert 0 <= returnable(order, each.line_id) <= each.delivered
    check_returns(order)
    check_stock(story)
    check_money(order)


def settled_lines(order: Order, line_id: str) -> list[ReturnLine]:
    return [x for found in order.returns for x in found.lines if x.line_id == line_id]


def check_returns(order: Order) -> None:
    for found in order.returns:
        for each in found.lines:
            assert 0 <= each.decided <= each.arrived <= each.accounted <= each.quantity
            assert 0 <= each.settled <= each.quantity
        if found.status in (ReturnStatus.REQUESTED, ReturnStatus.DECLINED):
            assert not found.settled
    returned = sum(each.returned for each in order.lines)
    kept = sum(each.quantity - each.cancelled for each in order.lines)
    is_open = any(each.is_open for each in order.returns)
    recomputed = "requested" if is_open else "none"
    if returned:
        recomputed = "returned" if returned == kept else "partially_returned"
    assert return_status(order) == recomputed


def check_stock(story: Story) -> None:
    """What lies anywhere, beside what has left: as much as there ever was."""
    lying: Counter[str] = Counter()
    before: Order | None = None
    for fact in story.facts:
        change = stock_change(before, fact) if before else None
        for item in change.items if change else ():
            lying[item.sku] += change.effect(item).on_hand if change else 0
        before = apply(story.order_id, before, fact)
    for bought in story.order.lines:
        stocked = sum(
            each.quantity
            for fact in story.facts
            if isinstance(fact.event, e.ReturnInspected)
            for each in fact.event.lines
            if each.line_id == bought.line_id and each.stocked_at
        )
        assert lying[bought.sku] == stocked - bought.dispatched


def check_money(order: Order) -> None:
    payment = order.payment
    granted = sum(credit.amount for credit in order.credits)
    paid_out = sum(
        each.amount
        for each in payment.operations
        if each.kind is OperationKind.REFUND and each.status is not OperationStatus.FAILED
    )
    assert paid_out <= payment.committed(OperationKind.CAPTURE)
    assert granted <= payment.committed(OperationKind.CAPTURE)
