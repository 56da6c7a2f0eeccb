"""Whatever comes twice, late, in another order, or to two workers at once: the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.event_log import Checkpoints, Reader
from oms.domain import commands as c
from oms.domain.edits import Changes
from oms.domain.fulfillment import Quantity
from oms.domain.reporting import Count, Known, Told
from oms.domain.reporting.sales import Sales
from oms.domain.returns import RefundWhen, Resolution, ReturnLine, Terms
from oms.domain.routing import Destination
from tests.builders import NOW, Story, line, placement
from tests.functions.world import Crash, Mortal
from tests.projecting import NEVER, TODAY, Reports, by_place, counted_plainly, told
from tests.report_rows import ReportRows


def stories() -> list[Story]:
    lines = (line(1, quantity=3, discount=250, tax=186), line(2, quantity=2))
    done = Story(placement(*lines, external_id="1")).authorized().routed().shipped().captured()
    back = Story(placement(*lines, external_id="2", customer_id="cus_bob")).authorized().routed()
    back.do(c.CancelOrder("changed my mind"))
    abroad = Story(
        placement(
            line(1, sku="MUG", quantity=4, unit_price=333, discount=100),
            external_id="3",
            channel="till",
            currency="EUR",
            destination=Destination("FR", "", "75001"),
            placed_at=NOW - timedelta(days=31),
        )
    ).authorized()
    abroad.do(c.CancelOrder("broken", (Quantity("line_1", 1),)))
    abroad.do(c.CancelOrder("broken", (Quantity("line_1", 2),)))
    edited = Story(placement(*lines, external_id="4", provider="external", captured=10**9))
    added = line(9, sku="CUP", quantity=2, unit_price=150)
    edited.edited("ed_1", Changes(added=(added,), removed=(Quantity("line_2", 1),)))
    returned = Story(placement(line(1, quantity=2), external_id="5", customer_id="cus_bob"))
    returned.authorized().routed().shipped().captured().delivered().do(c.GrantRefund(300, "late"))
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    wish = c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=terms)
    returned.do(wish)
    return [done, back, abroad, edited, returned]


TOLD = stories()
EVENTS = [told(story.order_id, fact) for story in TOLD for fact in story.facts]
Segment = list[int]  # places in it
EXPECTED = counted_plainly(Sales(), TOLD)


def reports(segments: Sequence[Segment]) -> Reports:
    return archive(*([EVENTS[place] for place in segment] for segment in segments))


def archive(*segments: Sequence[dict[str, Any]]) -> Reports:
    ours = Reports()
    ours.know(*TOLD)
    for each in segments:
        ours.log.append(each)
    return ours


@st.composite
def segmented(draw: st.DrawFn) -> list[Segment]:
    """Every event at least once, in any order, in any number of segments."""
    extra = draw(st.lists(st.sampled_from(range(len(EVENTS))), max_size=12))
    places = draw(st.permutations([*range(len(EVENTS)), *extra]))
    cuts = draw(st.lists(st.integers(0, len(places)), max_size=6))
    ends = [*sorted(cuts), len(places)]
    starts = [0, *ends[:-1]]
    return [places[a:b] for a, b in zip(starts, ends, strict=True)]


def test_the_stories_have_what_is_counted() -> None:
    figures = {name for row in EXPECTED.values() for name in row}

    assert {
        "orders",
        "cancelled_units",
        "cancelled",
        "shipped_units",
        "customers",
        "returned",
        "returned_units",
    } <= figures


@given(segmented())
@settings(max_examples=40, deadline=None)
def test_any_order_and_any_repetition_gives_the_same_figures(
    segments: list[Segment],
) -> None:
    ours = reports(segments)

    ours.run()

    assert by_place(ours.figures()) == EXPECTED


@given(segmented(), st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=8))
@settings(max_examples=40, deadline=None)
def test_workers_that_die_at_any_call_count_nothing_twice_and_leave_nothing_out(
    segments: list[Segment], deaths: list[tuple[int, bool]]
) -> None:
    ours = reports(segments)
    for dies_at, after in deaths:
        mortal: Any = Mortal(ours.rows, dies_at, after)
        with suppress(Crash):
            ours.with_rows(mortal).run()

    ours.run()

    assert by_place(ours.figures()) == EXPECTED


@given(segmented(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_worker_that_is_late_changes_nothing(
    segments: list[Segment], data: st.DataObject
) -> None:
    """It read its checkpoint long ago, and counts segments that others have counted since."""
    ours = reports(segments)
    ours.run()
    known = ours.log.after(0, 100)
    (running,) = ours.projector._running([ours.generations.of("sales").shown])

    for number in data.draw(st.lists(st.integers(0, len(known) - 1), max_size=5)):
        ours.engine.take(known[number], ours.log.read(known[number]), [running])

    assert by_place(ours.figures()) == EXPECTED


@given(segmented())
@settings(max_examples=20, deadline=None)
def test_two_workers_at_once_count_once(segments: list[Segment]) -> None:
    ours = reports(segments)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: ours.with_rows(ours.rows).run(), range(2)))
    ours.run()

    assert by_place(ours.figures()) == EXPECTED


@given(segmented(), st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_thrown_away_and_made_anew_while_events_flow_the_figures_are_the_same(
    segments: list[Segment], flowing: int
) -> None:
    before, after = segments[: flowing % len(segments)], segments[flowing % len(segments) :]
    ours = reports(before)
    ours.run()
    ours.generations.begin("sales", "UTC", TODAY, "client:ops")
    for each in after:
        ours.log.append([EVENTS[place] for place in each])
        ours.run()
    ours.run()

    assert by_place(ours.figures(number=2)) == EXPECTED
    assert ours.generations.of("sales").live == 2


def test_rows_of_a_generation_that_is_not_shown_any_more_are_deleted_when_nobody_reads_them() -> (
    None
):
    ours = archive(EVENTS)
    ours.run()
    ours.generations.begin("sales", "UTC", TODAY, "client:ops")
    ours.run(TODAY)

    ours.run(TODAY + timedelta(minutes=5))
    assert ours.figures(number=1)
    ours.run(TODAY + timedelta(hours=2))

    left = {key for key in ours.rows.rows if "sales.1" in key[0]}
    assert not left
    assert by_place(ours.figures(number=2)) == EXPECTED
    assert [each.number for each in ours.generations.of("sales").known] == [2]


def test_events_that_nobody_can_read_do_not_keep_the_others_from_being_counted() -> None:
    strange = {"id": "x#1", "type": "OrderPlaced", "at": "?", "order_id": "x", "seq": 1, "data": 5}
    unknown = {"id": "y#1", "type": "Sneezed", "at": "2026-03-02T00:00:00+00:00"}
    ours = archive([{"unreadable": "{"}, strange, unknown, *EVENTS])

    assert ours.run()["not_counted"] == 1
    assert by_place(ours.figures()) == EXPECTED
    (segment,) = ours.log.after(0)
    assert (segment.count, ours.log.unreadable(segment)) == (len(EVENTS) + 2, ["{"])


def test_an_event_whose_data_was_too_large_for_the_bus_is_read_from_the_history() -> None:
    small = [{n: v for n, v in e.items() if n != "data"} | {"data_omitted": True} for e in EVENTS]
    ours = archive(small)

    ours.run()

    assert by_place(ours.figures()) == EXPECTED


def test_a_placed_order_costs_no_look_at_its_history() -> None:
    ours = archive([e for e in EVENTS if e["type"] == "OrderPlaced"])

    ours.run()

    assert ours.histories.read == 0


def test_an_order_more_in_a_segment_is_one_write_more_however_many_rows_it_adds_to() -> None:
    def writes(orders: int) -> int:
        ours = Reports()
        ours.tell(*(Story(placement(external_id=str(number))) for number in range(orders)))
        ours.run()
        assert len(ours.figures()) == 3 + 2 + 2  # of the market, of the SKU, of buyers
        return int(ours.rows.calls["write"])

    assert writes(70) - writes(20) == 50


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.integers(1, 80), st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_reader_takes_every_segment_in_order_and_none_before_the_one_before_is_done(
    sizes: list[int], dies_at: int, after: bool
) -> None:
    ours = Reports()
    for number, size in enumerate(sizes):
        ours.log.append([{"id": f"{number}.{i}", "type": "t", "at": "a"} for i in range(size)])
    taken: list[int] = []

    def run(rows: Any) -> None:
        reader = Reader(ours.with_rows(rows).log, Checkpoints(rows, "reports"), "books")
        reader.run(lambda segment, _: taken.append(segment.number), NEVER)

    with suppress(Crash):
        run(Mortal(ours.rows, dies_at, after))
    run(ours.rows)

    assert list(dict.fromkeys(taken)) == list(range(1, len(sizes) + 1))
    assert taken == sorted(taken)


def test_two_who_archive_at_once_leave_no_number_out_and_lose_nothing() -> None:
    ours = Reports(ReportRows())

    with ThreadPoolExecutor(4) as threads:
        events = [[{"id": str(n), "type": "t", "at": "a"}] for n in range(12)]
        list(threads.map(ours.log.append, events))

    segments = ours.log.after(0, 100)
    assert [segment.number for segment in segments] == list(range(1, 13))
    assert sorted(int(ours.log.read(s)[0]["id"]) for s in segments) == list(range(12))


class Halfway(Sales):
    """It fails when it has counted something."""

    def counts(self, told: Told, known: Known) -> Iterator[Count]:
        for each in super().counts(told, known):
            yield each
            raise ValueError("a SKU that nobody knows")


def test_an_event_that_cannot_be_counted_is_counted_nowhere() -> None:
    ours = replace(reports([[*range(len(EVENTS))]]), projections=(Halfway(),))

    done = ours.run()

    assert done["not_counted"] > 0
    assert ours.figures() == {}
