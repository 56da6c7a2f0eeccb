"""Set stock levels from a CSV: each row is a count of one stock item at one location.

The file is read once to find where slices may begin and which rows say again what an earlier one
has said; then the slices are loaded side by side. What is refused is kept, row by row, and written
as a CSV of its own when all is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

import msgspec

from functions.bulk.csv_files import Readable, columns_of, content_of
from oms.adapters.dynamodb import Write
from oms.adapters.jobs_table import MAX_STEP_WRITES, Step
from oms.adapters.stock_counts import Count, Place, Stand
from oms.contracts import stock_csv
from oms.contracts.stock_csv import Counted, Line, Refused
from oms.domain.inventory import Level
from oms.domain.jobs import Job, JobFailed, Slice, SlicePlan

KIND = "stock_import"

MAX_ROWS = 1_000_000
MAX_REPEATED = 20_000
BYTES_A_SLICE, MOST_SLICES = 64 * 1024, 16
ROWS_READ = 90  # keys that are asked for together, and as many lines
ITEM_WRITES = 3  # at most: the movement, the level, the stock item


class Files(Readable, Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


class Counts(Protocol):
    def locations(self) -> frozenset[str]: ...
    def stands(self, skus: Iterable[str]) -> dict[str, Stand]: ...
    def levels(self, places: Iterable[Place]) -> dict[Place, Level | None]: ...
    def writes(self, count: Count, *, is_new: bool) -> list[Write]: ...
    def beginnings(self, items: Iterable[str], at: datetime) -> list[Write]: ...


class Kept(Protocol):
    def kept(self, job_id: str) -> Iterator[bytes]: ...


@dataclass
class Survey:
    """What one reading of the whole file tells: where slices end, and what is said twice.

    `repeated` is the line that was first, by the line that repeats it.
    """

    columns: tuple[str, ...]
    ends: list[Line] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    repeated: list[dict[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Look:
    """What SKUs stand for and what lies there, as it was read before a step."""

    stands: Mapping[str, Stand]
    levels: Mapping[Place, Level | None]


class StockImport:
    def __init__(self, files: Files, counts: Counts, jobs: Kept) -> None:
        self._files, self._counts, self._jobs = files, counts, jobs

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        pieces = content_of(self._files, job, 0, job.params["size"])
        source = stock_csv.lines(pieces)
        first = next(source, None)
        columns = columns_of(first, stock_csv.header)
        assert first
        size = job.params["size"]
        count = max(1, min(MOST_SLICES, size // BYTES_A_SLICE))
        borders = [size * part // count for part in range(1, count + 1)]
        return list(plans(columns, first, survey(columns, source, borders)))

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        at, number = part.cursor or (part.params["first"], part.params["line"])
        known = self._counts.locations()
        repeated = dict(part.params["repeated"])
        pieces = [
            b"".join(content_of(self._files, job, at, part.params["end"]))
        ]  # while the link is fresh
        source = stock_csv.lines(pieces, number, at)
        while some := list(islice(source, ROWS_READ)):
            read = [self._read(part.params["columns"], line, known, repeated) for line in some]
            yield from self._steps(job, some, read)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        if not any(part.progress.refused for part in parts):
            return {}
        name = f"jobs/{job.job_id}/refused.csv"
        self._files.write(name, self._refused(job.job_id, parts[0].params["columns"]))
        return {"refused": name}

    def _read(
        self,
        columns: Sequence[str],
        line: Line,
        known: frozenset[str],
        repeated: Mapping[int, int],
    ) -> Counted | Refused | None:
        """None for a line with nothing on it."""
        if stock_csv.is_blank(line):
            return None
        read = stock_csv.read(columns, line)
        if isinstance(read, Refused):
            return read
        if line.number in repeated:
            return _refused(read, "sku", f"is counted on line {repeated[line.number]}")
        if read.location not in known:
            return _refused(read, "location", "is not known")
        return read

    def _steps(
        self, job: Job, some: Sequence[Line], read: Sequence[Counted | Refused | None]
    ) -> Iterator[Step]:
        """As many rows in each as its transaction takes."""
        look = self._look([row for row in read if isinstance(row, Counted)])
        step = _Step(job, self._counts)
        for line, row in zip(some, read, strict=True):
            if step.is_full:
                yield step.closed()
                step = _Step(job, self._counts)
            if isinstance(row, Counted):
                step.count(row, look)
            elif row:
                step.refuse(row)
            step.cursor = (line.end, line.number + 1)
        yield step.closed()

    def _look(self, rows: Sequence[Counted]) -> Look:
        stands = self._counts.stands(row.sku for row in rows)
        places = ((stands[row.sku].item, row.location) for row in rows)
        return Look(stands, self._counts.levels(places))

    def _refused(self, job_id: str, columns: Sequence[str]) -> Iterator[bytes]:
        yield stock_csv.written([[*columns, *stock_csv.TOLD]]).encode()
        for kept in self._jobs.kept(job_id):
            rows = msgspec.json.decode(kept, type=list[Refused])
            yield stock_csv.written(stock_csv.refused_row(columns, row) for row in rows).encode()


class _Step:
    """A transaction that is being filled."""

    def __init__(self, job: Job, counts: Counts) -> None:
        assert job.started_at
        self._job, self._at, self._counts = job, job.started_at, counts
        self._done = 0
        self._refused: list[Refused] = []
        self._writes: list[Write] = []
        self._new: set[str] = set()
        self.cursor: Any = None

    @property
    def is_full(self) -> bool:
        return len(self._writes) + len(self._new) + ITEM_WRITES > MAX_STEP_WRITES

    def count(self, row: Counted, look: Look) -> None:
        stand = look.stands[row.sku]
        level = look.levels[stand.item, row.location]
        now = level or Level(stand.item, row.location)
        if stand.refusal:
            self.refuse(_refused(row, "sku", stand.refusal))
        elif row.on_hand < now.reserved:
            short = f"is less than the {now.reserved} that are reserved"
            self.refuse(_refused(row, "on_hand", short))
        else:
            cause = f"{self._job.job_id}#{row.line}"
            count = Count(now, row.on_hand, cause, self._at, row.reason, self._job.actor)
            self._write(count, is_new=level is None)

    def _write(self, count: Count, *, is_new: bool) -> None:
        self._done += 1
        self._writes += self._counts.writes(count, is_new=is_new)
        self._new |= {count.level.sku} if is_new else set()

    def refuse(self, row: Refused) -> None:
        self._done += 1
        self._refused.append(row)

    def closed(self) -> Step:
        return Step(
            cursor=self.cursor,
            done=self._done,
            refused=len(self._refused),
            kept=msgspec.json.encode(self._refused) if self._refused else b"",
            writes=[*self._writes, *self._counts.beginnings(self._new, self._at)],
        )


def survey(columns: Sequence[str], lines: Iterable[Line], borders: Sequence[int]) -> Survey:
    """A slice ends with the first line that reaches its border, the last one with the file."""
    found = Survey(tuple(columns))
    first_line: dict[int, int] = {}
    rows: int = 0
    repeated: dict[int, int] = {}
    for line in lines:
        if not stock_csv.is_blank(line):
            rows += 1
            read = stock_csv.read(columns, line)
            if isinstance(read, Counted):
                first = first_line.setdefault(hash((read.sku, read.location)), line.number)
                repeated |= {line.number: first} if first != line.number else {}
        if line.end >= borders[len(found.ends)]:
            found.ends.append(line)
            found.rows.append(rows)
            found.repeated.append(repeated)
            rows, repeated = 0, {}
    return found


def plans(columns: Sequence[str], first: Line, found: Survey) -> Iterator[SlicePlan]:
    if not sum(found.rows):
        raise JobFailed("the file has a first line and no other")
    if sum(found.rows) > MAX_ROWS:
        raise JobFailed(f"the file has more than {MAX_ROWS:,} rows")
    if sum(map(len, found.repeated)) > MAX_REPEATED:
        raise JobFailed(f"more than {MAX_REPEATED:,} rows count what another one has counted")
    starts = [first, *found.ends]
    for start, end, rows, repeated in zip(
        starts, found.ends, found.rows, found.repeated, strict=False
    ):
        params = {
            "columns": columns,
            "first": start.end,
            "line": start.number + 1,
            "end": end.end,
            "repeated": sorted(repeated.items()),
        }
        yield SlicePlan(params, rows)


def _refused(row: Counted, column: str, refusal: str) -> Refused:
    return Refused(row.line, column, refusal, row.cells)
