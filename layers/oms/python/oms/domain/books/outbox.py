"""The outbox beside the archive of the bus: what was committed was told, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from oms.domain.books.difference import Difference
from oms.domain.order import Fact

TOLD = "an event that was committed is in the archive"
COMMITTED = "an event in the archive was committed"


def untold(
    order_id: str,
    published: Iterable[Fact],
    archived: Collection[int],
    before: datetime,
) -> Iterator[Difference]:
    """`published`: facts that the bus is told of; younger ones than `before` are on their way."""
    for fact in published:
        if fact.at < before and fact.seq not in archived:
            yield Difference(f"{order_id} event {fact.seq}", TOLD, 1, 0)


def uncommitted(
    order_id: str, archived: Iterable[int], facts: Iterable[Fact]
) -> Iterator[Difference]:
    known = {fact.seq for fact in facts}
    for seq in sorted(set(archived) - known):
        yield Difference(f"{order_id} event {seq}", COMMITTED, 0, 1)
