"""Takes the archive into the reports: those that are shown first, then those in the making."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from oms.adapters.event_log import EventLog
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import Generation, Generations, GenerationsTable
from oms.adapters.projections import Engine, Running
from oms.domain.errors import Conflict
from oms.domain.reporting.base import Projection

READERS_ARE_DONE = timedelta(hours=1)  # with a generation that is not shown any more
BY_NOBODY = "system"

IsLate = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Projector:
    """`time_zone`: whose days a new generation has."""

    log: EventLog
    engine: Engine
    generations: GenerationsTable
    figures: FiguresTable
    projections: Sequence[Projection]
    time_zone: Callable[[], str]
    threads: Executor
    done: Counter[str] = field(default_factory=Counter)

    def run(self, is_late: IsLate, now: datetime) -> Mapping[str, int]:
        """All that there is, until it is late."""
        known = self._known(now)
        self._catch_up(self._running(x.shown for x in known.values()), is_late)
        building = self._running(x.building for x in known.values())
        if building:
            self._catch_up(building, is_late)
            self._show(now)
        self._clear(known.values(), is_late, now)
        return self.done

    def _known(self, now: datetime) -> dict[str, Generations]:
        """A report that is new begins with the first segment, and is shown while it catches up."""
        known = self.generations.all()
        for projection in self.projections:
            if projection.name not in known:
                self._begin(projection.name, now)
                known[projection.name] = self.generations.of(projection.name)
        return known

    def _begin(self, report: str, now: datetime) -> None:
        try:
            self.generations.begin(report, self.time_zone(), now, BY_NOBODY)
        except Conflict:
            return  # another worker has begun it

    def _running(self, generations: Iterable[Generation | None]) -> list[Running]:
        by_name = {projection.name: projection for projection in self.projections}
        present = [each for each in generations if each and each.report in by_name]
        return [Running(by_name[each.report], each) for each in present]

    def _catch_up(self, running: Sequence[Running], is_late: IsLate) -> None:
        """Those that are equally far go together; those that are farthest do not wait."""
        order = sorted(running, key=lambda each: -each.generation.through)
        for _, together in groupby(order, key=lambda each: each.generation.through):
            self._take(list(together), is_late)

    def _take(self, running: list[Running], is_late: IsLate) -> None:
        """Until nothing is left, it is late, or another worker is faster with all of them."""
        while running and not is_late():
            segments = self.log.after(running[0].generation.through)
            if not segments:
                return
            for segment in segments:
                if is_late() or not running:
                    return
                self.done.update(self.engine.take(segment, self.log.read(segment), running))
                self.done["segments"] += 1
                running = [
                    replace(each, generation=replace(each.generation, through=segment.number))
                    for each in running
                    if self.generations.advance(each.generation, segment.number, segment.at)
                ]

    def _show(self, now: datetime) -> None:
        """What has caught up with the one that is shown takes its place."""
        for known in self.generations.all().values():
            shown, new = known.shown, known.building
            if shown and new and new.through >= shown.through:
                try:
                    self.generations.show(new, shown.number, now)
                except Conflict:
                    continue  # another worker has done it
                self.done["shown"] += 1

    def _clear(self, known: Iterable[Generations], is_late: IsLate, now: datetime) -> None:
        for each in known:
            since = each.shown.live_since if each.shown else None
            for old in each.retired if since and since < now - READERS_ARE_DONE else ():
                if self.figures.delete(old, self.threads, is_late):
                    self.generations.forget(old)
                    self.done["cleared"] += 1


def counted(done: Mapping[str, int]) -> dict[str, Any]:
    """What a run says of itself."""
    names = ("segments", "events", "rows", "not_counted", "shown", "cleared")
    return {name: done.get(name, 0) for name in names}
