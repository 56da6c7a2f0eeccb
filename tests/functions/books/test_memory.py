"""Many orders take no more memory than a few: a step holds what it looks at, and nothing else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.books import checking
from functions.books.auditor import Auditor
from functions.books.checking import Checking
from oms.adapters.histories import Filed
from oms.adapters.told_events import Window
from oms.domain.books.checks import Check, Phase
from tests.builders import Story

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Many:
    """So many orders that hold units, made while they are read; what is put away is forgotten."""

    orders: int
    steps: int = 0
    piled: int = 0

    def scan(self, after: str | None = None) -> Iterator[Filed]:
        for number in range(self.orders):
            story = Story().authorized().routed()
            order = replace(story.order, order_id=f"ord_{number}")
            yield Filed(order.order_id, order, (), unreadable=1)

    def read(self, order_id: str) -> Filed:
        return Filed(order_id, None, ())

    def seqs(self, order_ids: Iterable[str]) -> dict[str, frozenset[int]]:
        return {}

    def window(self, now: datetime) -> Window:
        return Window(now, now - timedelta(days=1))

    def posted(self, key: str) -> None: ...

    def known(self, skus: Iterable[str]) -> set[str]:
        return set(skus)

    def pile(self, check: Check, piles: dict[str, list[Any]]) -> None:
        self.piled += sum(map(len, piles.values()))

    def note(self, check: Check, task_ids: Iterable[str]) -> None: ...

    def save(self, read: Check, moved: Check) -> Check:
        self.steps += 1
        return moved


def peak(orders: int) -> tuple[int, Many]:
    many: Any = Many(orders)
    auditor = Auditor(many, many, many, many, many, many, many, lambda: NOW)
    work = Checking(many, many, auditor, many, lambda: NOW)
    check = Check("chk_1", "test", NOW, NOW, phase=Phase.ORDERS)
    tracemalloc.start()
    while check.phase is Phase.ORDERS:
        late = iter([False, True])
        check = work.work(check, lambda late=late: next(late))  # type: ignore[misc]
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size, many


def test_ten_times_as_many_orders_are_checked_in_the_same_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr(checking, "ORDERS", 20)
    peak(20)  # what is read once and kept: modules, caches

    few, _ = peak(60)
    many, seen = peak(600)

    assert seen.steps == 31
    assert seen.piled > 600
    assert many < 1.3 * few
