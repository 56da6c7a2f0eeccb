"""Expected units, purchase orders and transfers, without a store behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.errors import IllegalTransition, Refused
from oms.domain.events import StockFreed, StockReceived
from oms.domain.inventory import Level, MovementKind, StockChange, apply
from oms.domain.supply import (
    Accepted,
    Disposition,
    ExpectedSupply,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    Transfer,
    TransferLine,
    TransferStatus,
    expected_on,
)
from oms.domain.supply.expecting import TooMany, UnknownLine
from oms.domain.supply.transferring import DispositionNeeded

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MONDAY, FRIDAY = date(2026, 11, 30), date(2026, 12, 4)
ticks = count(1)


def later() -> datetime:
    return AT + timedelta(seconds=next(ticks))


def purchase(**quantities: int) -> PurchaseOrder:
    lines = tuple(PurchaseLine(sku, quantity, MONDAY) for sku, quantity in quantities.items())
    return PurchaseOrder("pur_1", "Potter & Co", "LYON", lines, AT)


def transfer(**quantities: int) -> Transfer:
    lines = tuple(TransferLine(sku, quantity) for sku, quantity in quantities.items())
    return Transfer("tra_1", "LYON", "PARIS", lines, MONDAY, AT)


def sent(**quantities: int) -> Transfer:
    return transfer(**quantities).send(later()).document


def moved(changes: tuple[StockChange, ...]) -> list[tuple[str, str, str, int]]:
    return [(c.kind, i.sku, i.location, i.quantity) for c in changes for i in c.items]


def supply(*days: tuple[date, int]) -> list[ExpectedSupply]:
    return [ExpectedSupply(on, "LYON", quantity, f"pur_{on}") for on, quantity in days]


def test_an_order_is_expected_when_enough_has_come_for_all_before_it_and_itself() -> None:
    coming = supply((FRIDAY, 10), (MONDAY, 5))

    assert expected_on(0, 5, coming) == MONDAY
    assert expected_on(1, 5, coming) == FRIDAY
    assert expected_on(10, 5, coming) == FRIDAY
    assert expected_on(11, 5, coming) is None
    assert expected_on(0, 1, []) is None


def test_what_is_overdue_is_expected_today_at_the_earliest() -> None:
    assert expected_on(0, 1, supply((MONDAY, 1)), today=FRIDAY) == FRIDAY


@given(
    ahead=st.integers(0, 40),
    quantity=st.integers(1, 10),
    coming=st.lists(st.tuples(st.dates(), st.integers(1, 20)), max_size=6),
)
def test_the_expected_day_is_the_first_one_that_covers_the_line(
    ahead: int, quantity: int, coming: list[tuple[date, int]]
) -> None:
    days = sorted({on for on, _ in coming})
    enough = [day for day in days if sum(q for on, q in coming if on <= day) >= ahead + quantity]

    assert expected_on(ahead, quantity, supply(*coming)) == (enough[0] if enough else None)


@given(
    ahead=st.integers(0, 40),
    quantity=st.integers(1, 10),
    coming=st.lists(st.tuples(st.dates(), st.integers(1, 20)), max_size=6),
)
def test_who_stands_further_back_is_never_served_earlier(
    ahead: int, quantity: int, coming: list[tuple[date, int]]
) -> None:
    sooner, later_on = (expected_on(n, quantity, supply(*coming)) for n in (ahead, ahead + 1))

    assert later_on is None or (sooner is not None and sooner <= later_on)


def test_what_is_ordered_is_expected() -> None:
    ordered = purchase(MUG=10, CUP=4).ordered()

    assert moved(ordered.changes) == [
        (MovementKind.EXPECTED, "CUP", "LYON", 4),
        (MovementKind.EXPECTED, "MUG", "LYON", 10),
    ]
    assert ordered.document.status is PurchaseStatus.ORDERED
    assert dict(ordered.document.supply)["MUG"] == ExpectedSupply(
        MONDAY, "LYON", 10, "purchase/pur_1"
    )


def test_a_short_delivery_leaves_the_rest_expected() -> None:
    step = purchase(MUG=10, CUP=4).receive({"MUG": 7}, later())

    assert step.document.status is PurchaseStatus.PARTIALLY_RECEIVED
    assert [line.expected for line in step.document.lines] == [3, 4]
    assert moved(step.changes) == [(MovementKind.ARRIVED, "MUG", "LYON", 7)]
    assert step.events == (StockReceived("MUG", "LYON", 7),)


def test_what_comes_beyond_the_order_is_received_and_said_to_be_a_surplus() -> None:
    step = purchase(MUG=10).receive({"MUG": 12}, later())

    assert step.document.status is PurchaseStatus.RECEIVED
    assert step.accepted == (Accepted("MUG", 10, 2),)
    assert moved(step.changes) == [
        (MovementKind.ARRIVED, "MUG", "LYON", 10),
        (MovementKind.RECEIVED, "MUG", "LYON", 2),
    ]
    assert step.events == (StockReceived("MUG", "LYON", 12),)


def test_a_delivery_after_the_last_one_is_all_surplus() -> None:
    order = purchase(MUG=10).receive({"MUG": 10}, later()).document

    assert order.receive({"MUG": 3}, later()).accepted == (Accepted("MUG", 0, 3),)


def test_a_cancelled_order_receives_nothing_and_is_cancelled_once() -> None:
    step = purchase(MUG=10).cancel(later(), "too late")

    assert step.document.status is PurchaseStatus.CANCELLED
    assert moved(step.changes) == [(MovementKind.UNEXPECTED, "MUG", "LYON", 10)]
    assert step.document.cancel(later(), "again").changes == ()
    with pytest.raises(IllegalTransition):
        step.document.receive({"MUG": 1}, later())


def test_an_order_of_which_some_has_come_is_closed_and_not_cancelled() -> None:
    order = purchase(MUG=10).receive({"MUG": 7}, later()).document

    with pytest.raises(IllegalTransition):
        order.cancel(later(), "enough")
    closed = order.call_off({}, later(), "enough")

    assert moved(closed.changes) == [(MovementKind.UNEXPECTED, "MUG", "LYON", 3)]
    assert closed.document.status is PurchaseStatus.RECEIVED
    assert closed.document.supply == ()
    assert closed.document.call_off({}, later(), "again").document == closed.document


def test_no_more_is_called_off_than_is_expected() -> None:
    with pytest.raises(TooMany):
        purchase(MUG=10).call_off({"MUG": 11}, later(), "sold out")


def test_a_line_that_was_not_ordered_is_named() -> None:
    with pytest.raises(UnknownLine, match="HAT"):
        purchase(MUG=10).receive({"HAT": 1}, later())


def test_another_day_moves_no_unit() -> None:
    step = purchase(MUG=10, CUP=1).reschedule({"MUG": FRIDAY})

    assert step.changes == ()
    assert {item: each.on for item, each in step.document.supply} == {"MUG": FRIDAY, "CUP": MONDAY}
    assert step.document.reschedule({"MUG": FRIDAY}).document == step.document


def test_two_names_of_one_stock_item_are_one_movement() -> None:
    lines = (PurchaseLine("MUG", 3, MONDAY), PurchaseLine("MUG-NEW", 4, MONDAY, item="MUG"))
    ordered = PurchaseOrder("pur_1", "Potter & Co", "LYON", lines, AT).ordered()

    assert moved(ordered.changes) == [(MovementKind.EXPECTED, "MUG", "LYON", 7)]


def test_a_draft_moves_nothing_and_what_is_sent_is_expected_elsewhere() -> None:
    step = transfer(MUG=5).send(later())

    assert transfer(MUG=5).supply == ()
    assert moved(step.changes) == [
        (MovementKind.SENT, "MUG", "LYON", 5),
        (MovementKind.EXPECTED, "MUG", "PARIS", 5),
    ]
    assert step.document.status is TransferStatus.IN_TRANSIT
    assert step.document.send(later()).changes == ()


def test_a_transfer_arrives_in_parts() -> None:
    first = sent(MUG=5).receive({"MUG": 2}, later())
    second = first.document.receive({"MUG": 3}, later())

    assert first.document.status is TransferStatus.PARTIALLY_RECEIVED
    assert first.events == (StockReceived("MUG", "PARIS", 2),)
    assert second.document.status is TransferStatus.RECEIVED
    assert second.document.supply == ()


def test_no_more_arrives_than_was_sent() -> None:
    with pytest.raises(TooMany):
        sent(MUG=5).receive({"MUG": 6}, later())
    with pytest.raises(IllegalTransition):
        transfer(MUG=5).receive({"MUG": 1}, later())


def test_a_transfer_on_its_way_is_not_cancelled_without_a_word_on_its_units() -> None:
    with pytest.raises(DispositionNeeded):
        sent(MUG=5).cancel(later(), "flood")


def test_units_that_come_back_are_available_at_their_source_again() -> None:
    step = sent(MUG=5).cancel(later(), "flood", Disposition.BACK_TO_SOURCE)

    assert moved(step.changes) == [
        (MovementKind.UNEXPECTED, "MUG", "PARIS", 5),
        (MovementKind.EXPECTED, "MUG", "LYON", 5),
        (MovementKind.ARRIVED, "MUG", "LYON", 5),
    ]
    assert step.events == (StockFreed("MUG", "LYON", 5, "back_to_source"),)
    assert step.document.status is TransferStatus.CANCELLED
    assert step.document.lines[0].returned == 5


def test_units_that_are_lost_are_written_off_when_the_transfer_is_closed() -> None:
    begun = sent(MUG=5).receive({"MUG": 2}, later()).document

    with pytest.raises(IllegalTransition):
        begun.cancel(later(), "lost", Disposition.WRITE_OFF)
    step = begun.close(later(), "lost", Disposition.WRITE_OFF)

    assert moved(step.changes) == [(MovementKind.UNEXPECTED, "MUG", "PARIS", 3)]
    assert (step.document.status, step.events) == (TransferStatus.RECEIVED, ())
    assert step.document.lines[0].written_off == 3
    assert step.document.close(later(), "again", Disposition.WRITE_OFF).changes == ()


def test_a_draft_is_cancelled_without_a_word_and_cannot_be_sent_then() -> None:
    cancelled = transfer(MUG=5).cancel(later(), "not needed").document

    assert (cancelled.status, cancelled.supply) == (TransferStatus.CANCELLED, ())
    with pytest.raises(IllegalTransition):
        cancelled.send(later())
    with pytest.raises(IllegalTransition):
        cancelled.reschedule(FRIDAY)


deeds = st.lists(
    st.tuples(
        st.sampled_from(["receive", "call_off", "send", "arrive", "cancel", "close"]),
        st.sampled_from(["MUG", "CUP"]),
        st.integers(1, 12),
        st.sampled_from(list(Disposition)),
    ),
    max_size=14,
)


class House:
    """Levels by SKU and place, moved by whatever documents say."""

    def __init__(self) -> None:
        self.purchase = purchase(MUG=9, CUP=5)
        self.transfer = transfer(MUG=4, CUP=2)
        self.levels: dict[tuple[str, str], Level] = {}
        self.came = self.lost = 0
        self.take(self.purchase.ordered().changes)

    def take(self, changes: tuple[StockChange, ...]) -> None:
        after = dict(self.levels)
        for change in changes:
            for item in change.items:
                at = (item.sku, item.location)
                after[at] = apply(after.get(at, Level(*at)), change.part((item,)))
        self.levels = after

    def do(self, deed: str, sku: str, quantity: int, disposition: Disposition) -> None:
        at = later()
        if deed == "receive":
            step = self.purchase.receive({sku: quantity}, at)
            self.take(step.changes)
            self.came += quantity
            self.purchase = step.document
        elif deed == "call_off":
            step = self.purchase.call_off({sku: quantity}, at, "gone")
            self.take(step.changes)
            self.purchase = step.document
        else:
            self.move(deed, sku, quantity, disposition, at)

    def move(
        self, deed: str, sku: str, quantity: int, disposition: Disposition, at: datetime
    ) -> None:
        if deed == "send":
            step = self.transfer.send(at)
        elif deed == "arrive":
            step = self.transfer.receive({sku: quantity}, at)
        elif deed == "cancel":
            step = self.transfer.cancel(at, "so", disposition)
        else:
            step = self.transfer.close(at, "so", disposition)
        self.take(step.changes)
        self.transfer = step.document
        self.lost = sum(line.written_off for line in self.transfer.lines)

    def in_transit(self) -> int:
        return sum(each.quantity for _, each in self.transfer.supply)


@given(deeds)
def test_every_unit_is_somewhere_in_every_history(
    history: list[tuple[str, str, int, Disposition]],
) -> None:
    house = House()
    for deed in history:
        try:
            house.do(*deed)
        except Refused:
            continue
        finally:
            on_hand = sum(level.on_hand for level in house.levels.values())
            incoming = sum(level.incoming for level in house.levels.values())
            ordered = sum(line.expected for line in house.purchase.lines)
            assert on_hand + house.in_transit() + house.lost == house.came
            assert incoming == house.in_transit() + ordered
            assert all(level.is_sound for level in house.levels.values())
