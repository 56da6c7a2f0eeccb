"""Reports over tables in memory: what is told goes into the archive, and is counted from there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from oms.adapters.event_log import EventLog
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import GenerationsTable
from oms.adapters.projections import Engine, header_of
from oms.adapters.projector import Projector
from oms.contracts.events import envelope
from oms.domain.order import Fact, Order, fold
from oms.domain.reporting import Count, Header, Projection, Told
from oms.domain.reporting.sales import Sales
from tests.builders import Story
from tests.report_rows import Inline, MemoryFiles, ReportRows

NEVER = lambda: False  # noqa: E731
TODAY = datetime(2026, 3, 9, tzinfo=UTC)


@dataclass
class Histories:
    """`read`: how often somebody asked."""

    known: dict[str, list[Fact]] = field(default_factory=dict)
    read: int = 0

    def facts(self, order_id: str, through: int) -> Sequence[Fact]:
        self.read += 1
        return [fact for fact in self.known[order_id] if fact.seq <= through]


@dataclass
class Reports:
    """A worker of the reports; `with_rows` is another one over the same tables."""

    rows: Any = field(default_factory=ReportRows)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    histories: Histories = field(default_factory=Histories)
    projections: Sequence[Projection] = (Sales(),)
    zone: str = "UTC"

    @property
    def log(self) -> EventLog:
        return EventLog(self.rows, "reports", self.files)

    @property
    def generations(self) -> GenerationsTable:
        return GenerationsTable(self.rows, "reports")

    @property
    def table(self) -> FiguresTable:
        return FiguresTable(self.rows, "reports")

    @property
    def engine(self) -> Engine:
        return Engine(self.rows, "reports", self.histories, Inline(), lambda: TODAY)  # type: ignore[arg-type]

    @property
    def projector(self) -> Projector:
        threads: Any = Inline()
        return Projector(
            self.log,
            self.engine,
            self.generations,
            self.table,
            self.projections,
            lambda: self.zone,
            threads,
        )

    def with_rows(self, rows: Any) -> Reports:
        return Reports(rows, self.files, self.histories, self.projections, self.zone)

    def know(self, *stories: Story) -> None:
        for story in stories:
            self.histories.known[story.order_id] = story.facts

    def tell(self, *stories: Story) -> None:
        """All their events, as one segment."""
        self.know(*stories)
        self.log.append([told(s.order_id, fact) for s in stories for fact in s.facts])

    def run(self, now: datetime = TODAY) -> Mapping[str, int]:
        return self.projector.run(NEVER, now)

    def figures(self, report: str = "sales", number: int = 1) -> dict[Any, dict[str, int]]:
        found = self.rows.shown(f"FIGURES#{report}.{number}#")
        return {key: figures for key, figures in found.items() if any(figures.values())}


def told(order_id: str, fact: Fact) -> dict[str, Any]:
    """As it is on the bus."""
    said = json.dumps(envelope(order_id, fact), default=str)
    return dict(json.loads(said))


@dataclass
class Plainly:
    """What is known of an event, straight from the order's facts."""

    story: Story
    fact: Fact
    zone: tzinfo

    def header(self) -> Header:
        return header_of(self.story.facts[0].event)  # type: ignore[arg-type]

    def remembered(self, name: str) -> str | None:
        return None

    def order(self) -> Order:
        return fold(self.story.order_id, self.facts())

    def facts(self) -> Sequence[Fact]:
        return self.story.facts[: self.fact.seq - 1]


def counted_plainly(
    projection: Projection, stories: Iterable[Story], zone: str = "UTC"
) -> dict[tuple[str, str, tuple[str, ...]], dict[str, int]]:
    """Every event once, in order: what a report must come to."""
    found: dict[tuple[str, str, tuple[str, ...]], Counter[str]] = {}
    known: set[tuple[Any, ...]] = set()
    for count in plain_counts(projection, stories, zone):
        place = (count.axis, count.bucket, count.of)
        if count.once and (place, count.once) in known:
            continue
        known.add((place, count.once))
        found.setdefault(place, Counter()).update(count.figures)
    return {
        place: {name: n for name, n in figures.items() if n}
        for place, figures in found.items()
        if any(figures.values())
    }


def plain_counts(
    projection: Projection, stories: Iterable[Story], zone: str = "UTC"
) -> Iterable[Count]:
    for story in stories:
        for fact in story.facts:
            if type(fact.event) in projection.kinds:
                event_id = f"{story.order_id}#{fact.seq}"
                said = Told(
                    event_id, fact.at, fact.actor, story.order_id, story.order_id, fact.event
                )
                yield from projection.counts(said, Plainly(story, fact, ZoneInfo(zone)))


def by_place(
    figures: Mapping[tuple[str, str], Mapping[str, int]],
) -> dict[tuple[str, str, tuple[str, ...]], dict[str, int]]:
    """Rows of the table as `counted_plainly` has them."""
    found = {}
    for (partition, row), each in figures.items():
        axis = partition.split("#")[2]
        bucket, *of = row.split("#")
        kept = {name: n for name, n in each.items() if n}
        if kept:
            found[axis, bucket, tuple(of)] = kept
    return found
