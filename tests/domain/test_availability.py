"""What can be promised: never more than one location has, never what a channel must leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.availability import EVERYWHERE, Channel, Stock, floors, offer, whole_units
from oms.domain.inventory import Level, Movement, MovementKind, StockChange, StockItemChange
from oms.domain.items import WAITING, BackorderMode, Backorders, Policy, SafetyStock, StockItem
from oms.domain.lines import Part
from oms.domain.reservations import open_reservations
from oms.domain.supply.expecting import ExpectedSupply

MUG, LID = StockItem("MUG", "MUG"), StockItem("LID", "LID")
SET = StockItem("SET", "SET", components=(Part("LID", 2), Part("MUG", 1)))
MONDAY = date(2026, 11, 23)
WEB = Channel("web", ("LYON", "PARIS"), 1)


def kept(*rules: SafetyStock, backorders: Backorders = WAITING) -> StockItem:
    return StockItem("MUG", "MUG", policy=Policy(safety_stock=rules, backorders=backorders))


def stock(
    levels: dict[tuple[str, str], int],
    *expected: tuple[str, str, int, int],
    mug: StockItem = MUG,
) -> Stock:
    """Units by item and location; what comes: item, location, quantity, days after Monday."""
    found = {
        item: [Level(item, place, n, n) for (of, place), n in levels.items() if of == item]
        for item in ("MUG", "LID")
    }
    coming = {
        item: [
            ExpectedSupply(MONDAY + timedelta(days), place, quantity, "po_1")
            for of, place, quantity, days in expected
            if of == item
        ]
        for item in ("MUG", "LID")
    }
    return Stock({"MUG": mug, "LID": LID}, found, ("LYON", "NICE", "PARIS"), coming)


def test_a_channel_promises_what_its_locations_have_above_safety() -> None:
    there = stock({("MUG", "LYON"): 5, ("MUG", "PARIS"): 1, ("MUG", "NICE"): 9})

    assert offer(MUG, EVERYWHERE, there).available == 15
    found = offer(MUG, WEB, there)
    assert (found.available, found.locations) == (4, (("LYON", 4),))


def test_stock_of_a_closed_location_is_not_promised() -> None:
    assert offer(MUG, EVERYWHERE, stock({("MUG", "CLOSED"): 5})).available == 0


def test_a_kit_is_promised_as_often_as_one_location_has_all_of_it() -> None:
    there = stock({("MUG", "LYON"): 9, ("LID", "LYON"): 1, ("LID", "PARIS"): 9})
    assert offer(SET, EVERYWHERE, there).available == 0

    there = stock(
        {("MUG", "LYON"): 2, ("LID", "LYON"): 5, ("MUG", "PARIS"): 1, ("LID", "PARIS"): 2}
    )
    assert offer(SET, EVERYWHERE, there).available == 3
    assert offer(SET, WEB, there).available == 1


def test_the_safety_rule_that_names_most_decides() -> None:
    item = kept(
        SafetyStock(1),
        SafetyStock(2, location="LYON"),
        SafetyStock(3, channel="web"),
        SafetyStock(4, "web", "LYON"),
    )
    rules = item.policy.safety

    assert [rules("web", "LYON"), rules("web", "NICE"), rules("shop", "LYON")] == [4, 3, 2]
    assert rules("shop", "NICE") == 1
    assert Policy().safety("web", "LYON", 7) == 7


def test_floors_are_what_the_promise_leaves() -> None:
    item = kept(SafetyStock(2, location="LYON"))

    assert floors(WEB, [item, LID], ["LYON", "NICE"]) == {
        ("MUG", "LYON"): 2,
        ("MUG", "NICE"): 1,
        ("LID", "LYON"): 1,
        ("LID", "NICE"): 1,
    }
    assert floors(EVERYWHERE, [LID], ["LYON"]) == {}


def test_supply_first_fills_what_is_not_sold() -> None:
    there = stock({}, ("MUG", "LYON", 3, 2), ("MUG", "LYON", 2, 5), ("MUG", "NICE", 9, 5))

    found = offer(MUG, WEB, there)

    assert found.incoming == ((MONDAY + timedelta(2), 2), (MONDAY + timedelta(5), 2))
    assert found.expected_on == MONDAY + timedelta(2)


def test_a_kit_can_be_had_when_the_last_component_has_come() -> None:
    there = stock({("MUG", "LYON"): 4}, ("LID", "LYON", 3, 1), ("LID", "LYON", 1, 3))

    found = offer(SET, EVERYWHERE, there)

    assert found.incoming == ((MONDAY + timedelta(1), 1), (MONDAY + timedelta(3), 1))


def test_what_is_not_sold_any_more_is_not_promised() -> None:
    gone = StockItem("MUG", "MUG", active=False)

    found = offer(gone, EVERYWHERE, stock({("MUG", "LYON"): 5}, ("MUG", "LYON", 3, 1)))

    assert (found.available, found.incoming, found.backorders.mode) == (0, (), "deny")


def test_a_preorder_is_released_on_its_day_and_a_denied_one_never() -> None:
    there = stock({}, ("MUG", "LYON", 3, 1))
    release = MONDAY + timedelta(40)
    preorder = kept(backorders=Backorders(BackorderMode.PREORDER, release_on=release))
    denied = kept(backorders=Backorders(BackorderMode.DENY))

    assert offer(preorder, EVERYWHERE, there).expected_on == release
    assert offer(denied, EVERYWHERE, there).expected_on is None


units = st.dictionaries(
    st.tuples(st.sampled_from(["MUG", "LID"]), st.sampled_from(["LYON", "NICE", "PARIS"])),
    st.integers(0, 9),
)


@given(units, st.integers(0, 4))
def test_a_promise_can_be_kept_and_leaves_the_floors(
    levels: dict[tuple[str, str], int], safety: int
) -> None:
    channel = Channel("web", safety_stock=safety)
    there = stock(levels)
    least = floors(channel, [MUG, LID], there.locations)

    for item in (MUG, LID, SET):
        for location, promised in offer(item, channel, there).locations:
            for part in item.parts:
                left = levels.get((part.item, location), 0) - part.quantity * promised
                assert left >= least.get((part.item, location), 0)


@given(units)
def test_nothing_that_could_ship_is_held_back(levels: dict[tuple[str, str], int]) -> None:
    there = stock(levels)
    found = dict(offer(SET, EVERYWHERE, there).locations)

    for location in there.locations:
        more = found.get(location, 0) + 1
        assert any(
            levels.get((part.item, location), 0) < part.quantity * more for part in SET.parts
        )
    assert whole_units(SET.parts, lambda _: 7) == 3


claims = st.lists(
    st.tuples(st.sampled_from(["ful_1", "ful_2", "hld_1"]), st.integers(1, 3), st.booleans()),
    max_size=12,
)


@given(claims, st.integers(0, 12))
def test_reservations_are_the_same_however_much_of_the_ledger_is_left_unread(
    told: list[tuple[str, int, bool]], idle: int
) -> None:
    held: dict[str, int] = {}
    ledger: list[Movement] = []
    for tick, (whose, quantity, takes) in enumerate(told):
        quantity = quantity if takes else min(quantity, held.get(whose, 0))
        if quantity:
            held[whose] = held.get(whose, 0) + (quantity if takes else -quantity)
            kind = MovementKind.ALLOCATED if takes else MovementKind.RELEASED
            ledger.append(moved(kind, whose, quantity, tick + idle))
    older = [moved(k, "ful_0", 1, tick) for tick in range(idle) for k in BOTH]
    reserved = sum(held.values())

    found = open_reservations(
        [Level("MUG", "LYON", 99, 99 - reserved, reserved)], [*ledger[::-1], *older[::-1]]
    )

    assert {x.reservation: x.quantity for x in found.found} == {w: n for w, n in held.items() if n}
    assert found.missing == 0
    assert found.walked <= len(ledger)


BOTH = (MovementKind.ALLOCATED, MovementKind.RELEASED)


def moved(kind: MovementKind, whose: str, quantity: int, tick: int) -> Movement:
    at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=tick)
    item = StockItemChange("MUG", "LYON", quantity, whose)
    change = StockChange(kind, f"c{tick}", at, (item,))
    return Movement("MUG", "LYON", kind, quantity, change.effect(item), "c", at, reservation=whose)
