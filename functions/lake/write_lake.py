"""Every hour: what came into the archive since goes into the lake, as Parquet.

Two at once, or one after a crash, may write the same events into two files: whoever asks the lake
takes one row of each id. None is left out: the checkpoint moves behind what is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from oms.adapters.event_log import Segment, checkpoints, event_log
from oms.adapters.files import files
from oms.adapters.lake import Lake, Row, duckdb_in_memory, row_of
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("FILES_BUCKET", "REPORTS_TABLE")

NAME = "lake"
SECONDS = 200.0  # of the five minutes that the function has; then it ends what it has begun
AT_ONCE = 60  # segments to a file: an hour
MOST_EVENTS = 20_000  # likewise


class Log(Protocol):
    def after(self, number: int, limit: int) -> list[Segment]: ...
    def read(self, segment: Segment) -> list[dict[str, Any]]: ...


class Progress(Protocol):
    def through(self, name: str) -> int: ...
    def move(self, name: str, number: int) -> bool: ...


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    lake = Lake(files(), duckdb_in_memory)
    written = fill(lake, event_log(), checkpoints(), lambda: time.monotonic() > late)
    logger().info("lake", extra={"events": written})
    return {"outcome": "written", "events": written}


def fill(lake: Lake, log: Log, progress: Progress, is_late: Callable[[], bool]) -> int:
    """How many events were written."""
    written = 0
    while not is_late() and (some := few(log.after(progress.through(NAME), AT_ONCE))):
        written += lake.write(some[0].number, some[-1].number, rows(log, some))
        if not all(progress.move(NAME, each.number) for each in some):
            break  # another was faster
    return written


def few(segments: Sequence[Segment]) -> list[Segment]:
    """As many as fit into memory, and one at least."""
    found: list[Segment] = []
    for each in segments:
        if found and sum(s.count for s in found) + each.count > MOST_EVENTS:
            break
        found.append(each)
    return found


def rows(log: Log, segments: Sequence[Segment]) -> Iterator[Row]:
    """What a newer sender wrote and nobody can read here is not lost: it stays in the archive."""
    for segment in segments:
        for envelope in log.read(segment):
            try:
                yield row_of(envelope, segment.number)
            except (LookupError, TypeError, ValueError):
                extra = {"segment": segment.number, "type": str(envelope.get("type", ""))[:60]}
                logger().warning("not in the lake", extra=extra)
