"""The inventory report against a recount of the movements, for any history of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oms.domain.inventory import (
    EFFECT_OF_ONE,
    NO_EFFECT,
    Effect,
    Level,
    Movement,
    MovementKind,
)
from oms.domain.reporting.inventory import (
    AGES,
    CAME,
    OLDEST,
    POSITIONS,
    REPORT,
    SHRUNK,
    WENT,
    Shelf,
    Terms,
    Walk,
    Window,
    by_place,
    counts,
    flow,
)
from oms.domain.reporting.query import (
    Asked,
    Period,
    Row,
    compared,
    plan,
    same,
    shown,
    tabulated,
    totals,
)

K = MovementKind
FIRST = date(2026, 3, 27)  # the clocks of Berlin go forward on the 29th
ZONE = ZoneInfo("Europe/Berlin")
BEGINS = Window.of(FIRST, ZONE).begins
MUG = Terms("MUG", "MUG", "kitchen", True, 250, "EUR")
REASONS = ("damaged", "theft", "found", "correction", "customer_return", "own_use")
PLACES = ("LYON", "PARIS")


def movement(
    hours: float, kind: MovementKind, quantity: int, place: str = "LYON", reason: str = ""
) -> Movement:
    effect = EFFECT_OF_ONE[kind].times(quantity)
    at = BEGINS + timedelta(hours=hours)
    return Movement("MUG", place, kind, quantity, effect, "c", at, reason)


HOURS = st.one_of(st.integers(-5_000, -80), st.integers(-80, 100))
SOME = st.tuples(
    HOURS,
    st.sampled_from(PLACES),
    st.sampled_from(sorted(K)),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from(REASONS),
)
MANY = st.one_of(st.lists(SOME, max_size=5), st.lists(SOME, min_size=20, max_size=40))


@st.composite
def histories(draw: st.DrawFn) -> list[Movement]:
    """What a warehouse allows, up to seven months before and a hundred hours after the first
    midnight: where there is too little for what was drawn, goods come in."""
    levels = {place: Level("MUG", place) for place in PLACES}
    found = []
    for hours, place, kind, units, less, reason in sorted(draw(MANY)):
        quantity = -units if less and kind in {K.ADJUSTED, K.COUNTED} else units
        reason = reason if kind in {K.ADJUSTED, K.RECEIVED} else ""
        made = movement(hours, kind, quantity, place, reason)
        if not levels[place].moved(made.effect).is_sound:
            made = movement(hours, K.RECEIVED, units, place)
        levels[place] = levels[place].moved(made.effect)
        found.append(made)
    return found


def levels_of(history: Iterable[Movement]) -> list[Level]:
    sums: dict[str, Effect] = {}
    for each in history:
        sums[each.location] = sums.get(each.location, NO_EFFECT).plus(each.effect)
    return [Level("MUG", place, *effect) for place, effect in sums.items()]


def counted(histories: Sequence[Sequence[Movement]], terms: Terms = MUG) -> Iterator[Row]:
    """Day after day; of each day what was told by then."""
    known: Mapping[str, Shelf] = {}
    for days, history in enumerate(histories):
        window = Window.of(FIRST + timedelta(days=days), ZONE)
        walk = Walk(window, known)
        for each in sorted(history, key=lambda it: it.at):
            if each.at >= window.begins or any(x.location not in known for x in levels_of(history)):
                walk.take(each)
        courses = walk.ended(levels_of(history))
        for place, course in courses.items():
            row = counts(terms, place, window, course.told(terms))
            yield Row(row.bucket, row.of, row.figures)
        known = {place: course.shelf for place, course in courses.items()}


def until(history: Iterable[Movement], day: date) -> list[Movement]:
    return [each for each in history if each.at < Window.of(day, ZONE).ends]


def balance(figures: Mapping[str, int]) -> int:
    came = sum(figures.get(name, 0) for name in CAME)
    return came - sum(figures.get(name, 0) for name in WENT)


def aged(history: Iterable[Movement], place: str, on: date) -> Counter[str]:
    """Every single unit, in a queue; of a day all come in before any go."""
    queue: deque[date] = deque()
    days: dict[date, list[int]] = {}
    for each in history:
        if each.location == place:
            days.setdefault(each.at.astimezone(ZONE).date(), []).append(each.effect.on_hand)
    for day, units in sorted(days.items()):
        for moved in units:
            queue.extend([day] * max(0, moved))
            for _ in range(max(0, -moved)):
                queue.popleft()
    return Counter(
        next((name for name, most in AGES.items() if (on - day).days <= most), OLDEST)
        for day in queue
    )


@given(histories())
def test_each_day_and_place_is_what_a_recount_of_all_its_movements_gives(
    history: list[Movement],
) -> None:
    for row in counted([history] * 4):
        day, place = date.fromisoformat(row.bucket), row.of[1]
        before = until(history, day)
        (level,) = [x for x in levels_of(before) if x.location == place] or [Level("MUG", place)]
        today = [x for x in before if x.location == place and x not in _earlier(history, day)]
        flows: Counter[str] = Counter()
        for each in today:
            flows.update(flow(each))

        assert {n: row.figures.get(n, 0) for n in POSITIONS} == level.counters._asdict()
        assert {n: row.figures.get(n, 0) for n in (*CAME, *WENT)} == {
            n: flows[n] for n in (*CAME, *WENT)
        }
        assert {n: row.figures.get(n, 0) for n in (*AGES, OLDEST)} == {
            n: aged(before, place, day)[n] for n in (*AGES, OLDEST)
        }
        assert row.figures.get("value", 0) == level.on_hand * 250


@given(histories(), st.sets(st.integers(0, 24)), st.integers(1, 3))
@example([movement(5, K.RECEIVED, 7), movement(30, K.ADJUSTED, -7, reason="lost")], {0}, 2)
def test_opening_and_what_came_less_what_went_is_closing_though_some_is_told_late(
    history: list[Movement], late: set[int], days_late: int
) -> None:
    told = [each for place, each in enumerate(history) if place not in late]
    if not all(level.is_sound for day in range(5) for level in levels_of(until(told, _day(day)))):
        told = history
    rows = list(counted([told] * days_late + [history] * (4 - days_late)))
    on_hand: dict[str, int] = {}
    for row in rows:
        place, figures = row.of[1], row.figures
        if place in on_hand:
            assert on_hand[place] + balance(figures) == figures.get("on_hand", 0)
        on_hand[place] = figures.get("on_hand", 0)
        assert sum(figures.get(name, 0) for name in (*AGES, OLDEST)) == on_hand[place]
        assert figures.get("on_hand", 0) == figures.get("available", 0) + figures.get("reserved", 0)
    assert on_hand == {x.location: x.on_hand for x in levels_of(until(history, _day(3)))} | {
        place: 0
        for place in on_hand
        if place not in {x.location for x in levels_of(until(history, _day(3)))}
    }


@given(histories(), st.sampled_from([(), ("week",), ("month",), ("location",), ("category",)]))
def test_a_report_of_any_period_is_a_recount_from_its_movements(
    history: list[Movement], group_by: tuple[str, ...]
) -> None:
    rows = list(counted([history] * 4))
    windows = Window.of(FIRST, ZONE), Window.of(_day(3), ZONE)
    inside = [x for x in history if windows[0].begins <= x.at < windows[1].ends]
    flows: Counter[str] = Counter()
    for each in inside:
        flows.update(flow(each))
    closing = sum(x.on_hand for x in levels_of(until(history, _day(3))))
    opening = sum(x.on_hand for x in levels_of(_earlier(history, FIRST)))

    for asked in (group_by, (*group_by, "sku")):
        of = plan(REPORT, Asked(Period(FIRST, _day(3)), asked))
        known = rows if "sku" in asked else _by_place(rows)
        table = tabulated(of, of.axis, known, lambda *_: {}, same)
        for key, found in totals(of, table).items():
            told = shown(of, found)
            assert key == ("EUR",)
            assert told["on_hand"] == closing
            assert told["opening_on_hand"] == opening
            assert {n: found[n] for n in (*CAME, *WENT)} == {n: flows[n] for n in (*CAME, *WENT)}
            assert told["shrinkage_units"] == sum(flows[name] for name in SHRUNK)
            assert found["days"] == len({row.bucket for row in rows})


def test_a_month_has_the_position_of_its_last_day_and_the_average_of_all() -> None:
    history = [
        movement(2, K.RECEIVED, 10),
        movement(26, K.ALLOCATED, 4),
        movement(27, K.CONSUMED, 4),
    ]
    (row,) = report(counted([history] * 4), "month")

    assert row["on_hand"] == 6
    assert row["value"] == 1500
    assert row["average_on_hand"] == (10 + 6 + 6 + 6) / 4
    assert row["turnover"] == round(4 / 7, 4)
    assert row["days_of_cover"] == 6.0  # four units went in four days


def test_a_row_that_is_not_there_on_the_last_day_has_no_position() -> None:
    rows = [
        Row("2026-03-27", ("MUG", "LYON", "kitchen", "EUR"), {"on_hand": 5, "received": 5}),
        Row("2026-03-28", ("MUG", "LYON", "cups", "EUR"), {"on_hand": 5}),
    ]
    found = {row["category"]: row["on_hand"] for row in report(rows, "category", "sku")}

    assert found == {"kitchen": 0, "cups": 5}


def test_totals_of_days_have_the_last_days_position() -> None:
    history = [movement(2, K.RECEIVED, 10), movement(26, K.ADJUSTED, -4, reason="theft")]
    of = plan(REPORT, Asked(Period(FIRST, _day(3)), ("day", "week", "location")))
    table = tabulated(of, of.axis, _by_place(list(counted([history] * 4))), lambda *_: {}, same)
    (figures,) = totals(of, table).values()

    assert (figures["on_hand"], figures["received"], figures["days"]) == (6, 10, 4)
    assert shown(of, figures)["shrinkage_rate"] == round(4 / 7, 4)


def test_days_of_a_longer_month_before_have_the_position_of_its_last_day() -> None:
    """The 30th and 31st of March are compared with the 30th of April."""
    april = Period(date(2026, 4, 1), date(2026, 4, 30))
    of = plan(REPORT, Asked(april, ("day",)))
    march, shift = compared(april, "previous")
    rows = [
        Row(f"2026-03-{day}", ("LYON", "", "EUR"), {"on_hand": day, "sold": 1})
        for day in (28, 29, 30, 31)
    ]
    table = tabulated(of, of.axis, rows, lambda *_: {}, shift)

    assert march.last == date(2026, 3, 31)
    found = {key[0]: (row["on_hand"], row["sold"], row["days"]) for key, row in table.items()}
    assert found == {
        "2026-04-28": (28, 1, 1),
        "2026-04-29": (29, 1, 1),
        "2026-04-30": (31, 2, 2),
    }


def test_units_without_a_cost_are_told_and_have_no_value() -> None:
    row = next(counted([[movement(1, K.RECEIVED, 3)]], Terms("MUG", "MUG")))

    assert row.of == ("MUG", "LYON", "", "")
    assert row.figures["units_without_cost"] == 3
    assert "value" not in row.figures


@pytest.mark.parametrize(("active", "days", "hours"), [(True, 1, 12), (False, 0, 0)])
def test_stock_is_out_while_nothing_is_available_of_an_item_that_is_offered(
    active: bool, days: int, hours: int
) -> None:
    history = [
        movement(-5, K.RECEIVED, 2),
        movement(6, K.ALLOCATED, 2),
        movement(9, K.RELEASED, 1),
        movement(15, K.ALLOCATED, 1),
    ]
    (row,) = counted([history], replace(MUG, active=active))

    assert row.figures.get("stock_out_days", 0) == days
    assert row.figures.get("stock_out_seconds", 0) == hours * 3600


def test_a_day_has_the_hours_of_its_time_zone() -> None:
    window = Window.of(date(2026, 3, 29), ZONE)

    assert window.begins == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert window.ends - window.begins == timedelta(hours=23)


def test_what_came_first_goes_first_and_all_that_is_old_is_one_layer() -> None:
    shelf = Shelf()
    for days in range(0, 400, 2):
        shelf = shelf.moved(FIRST + timedelta(days=days), EFFECT_OF_ONE[K.RECEIVED])
        shelf = shelf.settled(FIRST + timedelta(days=days))
    on = FIRST + timedelta(days=398)

    assert len(shelf.layers) <= 92
    assert sum(shelf.ages(on).values()) == 200
    assert shelf.ages(on)["aged_0_30"] == 16
    left = shelf.moved(on, EFFECT_OF_ONE[K.SENT].times(184)).ages(on)
    assert left == {"aged_0_30": 16}


def report(rows: Iterable[Row], *group_by: str) -> list[dict[str, Any]]:
    of = plan(REPORT, Asked(Period(FIRST, _day(3)), group_by))
    kept = list(rows) if "sku" in group_by else _by_place(list(rows))
    table = tabulated(of, of.axis, kept, lambda *_: {}, same)
    names = of.asked.group_by
    return [{**dict(zip(names, key, strict=True)), **shown(of, table[key])} for key in table]


def _by_place(rows: Sequence[Row]) -> list[Row]:
    days = sorted({row.bucket for row in rows})
    return [
        Row(day, each.of, each.figures)
        for day in days
        for each in by_place(
            Window.of(date.fromisoformat(day), ZONE),
            ((row.of, row.figures) for row in rows if row.bucket == day),
        )
    ]


def _earlier(history: Iterable[Movement], day: date) -> list[Movement]:
    return until(history, day - timedelta(days=1))


def _day(days: int) -> date:
    return FIRST + timedelta(days=days)
