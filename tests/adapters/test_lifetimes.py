"""Figures of customers, and the report that they make: once, whatever comes twice or dies."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.figures import FiguresTable
from oms.adapters.lifetimes import LifetimeFigures, LifetimesTable
from oms.adapters.projections import Engine
from oms.adapters.projector import Projector
from oms.domain.reporting.customers import (
    Customers,
    Deed,
    Lifetime,
    brought,
    counts_of,
    deed_of,
    lived,
)
from tests.adapters.test_projections import TOLD, Segment, reports, segmented
from tests.functions.world import Crash, Mortal
from tests.projecting import NEVER, TODAY, Reports, by_place, plain_counts
from tests.report_rows import Inline


def deeds() -> dict[str, list[Deed]]:
    found: dict[str, list[Deed]] = {}
    for customer_id, deed in map(deed_of, plain_counts(Customers(), TOLD)):
        found.setdefault(customer_id, []).append(deed)
    return found


LIVES = {customer_id: lived(Lifetime(), done) for customer_id, done in deeds().items()}
EXPECTED = {
    (count.axis, count.bucket, count.of): {name: n for name, n in count.figures.items() if n}
    for count in counts_of(brought(customer_id, life) for customer_id, life in LIVES.items())
}


def projector(ours: Reports, rows: Any) -> Projector:
    """The customers' rows are beside the reports': keys tell them apart."""
    threads: Any = Inline()
    ours = ours.with_rows(rows)
    figures = FiguresTable(rows, "reports")
    sink = LifetimeFigures(LifetimesTable(rows, "customers"), figures, lambda _: None)
    engine = Engine(rows, "reports", ours.histories, threads, lambda: TODAY, figures=sink)
    projections = (Customers(),)
    return Projector(
        ours.log, engine, ours.generations, figures, projections, lambda: "UTC", threads
    )


def figures(ours: Reports) -> dict[Any, Any]:
    return by_place(ours.figures("customers"))


def lives(ours: Reports) -> dict[str, Lifetime]:
    table = LifetimesTable(ours.rows, "customers")
    return {customer_id: table._row(customer_id).state for customer_id in LIVES}


def test_the_customers_have_what_is_counted() -> None:
    assert len(LIVES) > 1
    assert {"new_customers", "cohort_customers", "customers", "net"} <= {
        name for each in EXPECTED.values() for name in each
    }


@given(segmented(), st.lists(st.tuples(st.integers(1, 80), st.booleans()), max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_order_any_repetition_and_any_death_give_the_same_customers_and_report(
    segments: list[Segment], deaths: list[tuple[int, bool]]
) -> None:
    ours = reports(segments)
    for dies_at, after in deaths:
        with suppress(Crash):
            projector(ours, Mortal(ours.rows, dies_at, after)).run(NEVER, TODAY)
    projector(ours, ours.rows).run(NEVER, TODAY)

    assert lives(ours) == LIVES
    assert figures(ours) == EXPECTED


@given(segmented(), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_who_is_overtaken_by_another_worker_changes_nothing(
    segments: list[Segment], overtaken_at: int
) -> None:
    """The other one does all that there is, between two calls of the slower one."""
    ours = reports(segments)
    slow: Any = Interrupted(ours.rows, overtaken_at, lambda: projector(ours, ours.rows))

    projector(ours, slow).run(NEVER, TODAY)

    assert lives(ours) == LIVES
    assert figures(ours) == EXPECTED


class Interrupted:
    """A client beside which another worker runs at one of its calls."""

    def __init__(self, client: Any, at: int, other: Any) -> None:
        self._client, self._at, self._other, self._calls = client, at, other, 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def made(**request: Any) -> Any:
            self._calls += 1
            if self._calls == self._at:
                self._other().run(NEVER, TODAY)
            return call(**request)

        return made
