"""Place orders from a CSV: each stands on its own, in rows that stand together.

The file is read once to find where slices may begin, always between two orders, and which orders
cannot be told for certain: their rows are scattered, or stand beside a row that cannot be read. No
order is placed by half. The same file again places nothing anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from functions.bulk.csv_files import Readable, columns_of, content_of
from oms.adapters.jobs_table import Step
from oms.contracts import csv_rows, orders_csv
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.csv_rows import Line, Refused
from oms.contracts.orders_csv import Row
from oms.domain.errors import Contended, OmsError
from oms.domain.jobs import Job, JobFailed, Slice, SlicePlan

KIND = "order_import"

MAX_ROWS = 500_000
MAX_SPOILED = 20_000
BYTES_A_SLICE, MOST_SLICES = 32 * 1024, 16
ORDERS_A_STEP, ROWS_A_STEP = 20, 500  # a step takes a second or two

Place = Callable[[ChannelOrder, str], object]  # the order, who asks; raises OmsError
Read = Row | Refused


class Files(Readable, Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


class Kept(Protocol):
    def kept(self, job_id: str) -> Iterator[bytes]: ...


@dataclass
class Group:
    """Rows that follow one another and are of one order; or one row that cannot be read."""

    rows: list[Row]
    refused: Refused | None
    end: int
    next_line: int

    @property
    def first_line(self) -> int:
        return self.refused.line if self.refused else self.rows[0].line

    @property
    def count(self) -> int:
        return 1 if self.refused else len(self.rows)


@dataclass
class Survey:
    """`ends` of slices, each with the number of rows before it; `spoiled` are the first lines of
    orders that cannot be placed, with the reason."""

    ends: list[tuple[int, int, int]] = field(default_factory=list)  # byte, next line, rows
    spoiled: dict[int, str] = field(default_factory=dict)


class Sealing(Protocol):
    def close(self, name: str, octets: bytes) -> bytes: ...
    def open(self, name: str, kept: bytes) -> bytes: ...


class Unsealed:
    """For rows that name nobody."""

    def close(self, name: str, octets: bytes) -> bytes:  # noqa: ARG002
        return octets

    def open(self, name: str, kept: bytes) -> bytes:  # noqa: ARG002
        return kept


class OrderImport:
    """Rows that are refused are kept sealed, until they are written: people are named in them."""

    def __init__(self, files: Files, place: Place, jobs: Kept, box: Sealing | None = None) -> None:
        self._files, self._place, self._jobs = files, place, jobs
        self._box = box or Unsealed()

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        size = job.params["size"]
        source = csv_rows.lines(content_of(self._files, job, 0, size))
        first = next(source, None)
        columns = columns_of(first, orders_csv.header)
        assert first
        count = max(1, min(MOST_SLICES, size // BYTES_A_SLICE))
        borders = [size * part // count for part in range(1, count + 1)]
        found = survey(groups(columns, source), borders)
        return list(plans(columns, first, found))

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        at, number = part.cursor or (part.params["first"], part.params["line"])
        spoiled = dict(part.params["spoiled"])
        pieces = [
            b"".join(content_of(self._files, job, at, part.params["end"]))
        ]  # while the link is fresh
        source = csv_rows.lines(pieces, number, at)
        waiting: list[Group] = []
        for group in groups(part.params["columns"], source):
            if waiting and is_full(waiting, group):
                yield self._step(job, waiting, spoiled)
                waiting = []
            waiting.append(group)
        if waiting:
            yield self._step(job, waiting, spoiled)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        if not any(part.progress.refused for part in parts):
            return {}
        name = f"jobs/{job.job_id}/refused.csv"
        self._files.write(name, self._refused(job.job_id, parts[0].params["columns"]))
        return {"refused": name}

    def _step(self, job: Job, some: Sequence[Group], spoiled: dict[int, str]) -> Step:
        """What was placed stays placed: who comes again finds it and goes on."""
        refused = [each for group in some for each in self._placed(job, group, spoiled)]
        last = some[-1]
        return Step(
            cursor=(last.end, last.next_line),
            done=sum(group.count for group in some),
            refused=len(refused),
            kept=self._box.close(job.job_id, msgspec.json.encode(refused)) if refused else b"",
        )

    def _placed(self, job: Job, group: Group, spoiled: dict[int, str]) -> Sequence[Refused]:
        if group.refused:
            return [group.refused]
        if why := spoiled.get(group.first_line):
            return orders_csv.refuse_all(group.rows, "order", why)
        said = orders_csv.read(job.params["channel"], group.rows)
        if not isinstance(said, ChannelOrder):
            return said
        try:
            self._place(said, job.actor)
        except Contended:
            raise  # it is tried again
        except OmsError as error:
            return orders_csv.refuse_all(group.rows, "order", str(error))
        return ()

    def _refused(self, job_id: str, columns: Sequence[str]) -> Iterator[bytes]:
        told = [name for name in columns if name not in csv_rows.TOLD]
        yield csv_rows.written([[*told, *csv_rows.TOLD]]).encode()
        for kept in self._jobs.kept(job_id):
            told_of = self._box.open(job_id, kept)
            rows = msgspec.json.decode(told_of, type=list[Refused])
            mended = (_without_ours(columns, row) for row in rows)
            yield csv_rows.written(csv_rows.refused_row(told, row) for row in mended).encode()


def is_full(waiting: Sequence[Group], group: Group) -> bool:
    """One more would take the step too long, or leave too many refused rows to be kept of it."""
    rows = sum(each.count for each in waiting) + group.count
    return len(waiting) == ORDERS_A_STEP or rows > ROWS_A_STEP


def _without_ours(columns: Sequence[str], row: Refused) -> Refused:
    """Of a file of refused rows that was mended and loaded again, what we have told is left out."""
    if len(row.cells) != len(columns):
        return row
    said = zip(columns, row.cells, strict=True)
    cells = tuple(cell for name, cell in said if name not in csv_rows.TOLD)
    return Refused(row.line, row.column, row.refusal, cells)


def groups(columns: Sequence[str], source: Iterable[Line]) -> Iterator[Group]:
    """The lines as they stand together; one with nothing on it belongs to what is before it."""
    now: Group | None = None
    for line in source:
        if csv_rows.is_blank(line):
            if now:
                now.end, now.next_line = line.end, line.number + 1
            continue
        read = orders_csv.row_of(columns, line)
        if now and isinstance(read, Row) and now.rows and now.rows[0].order == read.order:
            now.rows.append(read)
            now.end, now.next_line = line.end, line.number + 1
            continue
        if now:
            yield now
        rows, refused = ([read], None) if isinstance(read, Row) else ([], read)
        now = Group(rows, refused, line.end, line.number + 1)
    if now:
        yield now


def survey(found: Iterable[Group], borders: Sequence[int]) -> Survey:
    """A slice ends with the first order that reaches its border, the last one with the file."""
    told = Survey()
    first_lines: dict[int, int] = {}
    rows = 0
    before: Group | None = None
    last: Group | None = None
    for group in found:
        rows += group.count
        _note(told, group, before, first_lines)
        before = last = group
        if group.end >= borders[min(len(told.ends), len(borders) - 1)]:
            told.ends.append((group.end, group.next_line, rows))
            rows = 0
    if last and rows:
        told.ends.append((last.end, last.next_line, rows))
    return told


def _note(told: Survey, group: Group, before: Group | None, first_lines: dict[int, int]) -> None:
    """What spoils an order: it is met a second time, or beside it stands what nobody can read."""
    if group.refused:
        if before and before.rows:
            told.spoiled[before.first_line] = f"stands beside line {group.first_line}"
        return
    if before and before.refused:
        told.spoiled[group.first_line] = f"stands beside line {before.first_line}"
    first = first_lines.setdefault(hash(group.rows[0].order), group.first_line)
    if first != group.first_line:
        why = f"has rows that do not stand together: on line {first} and on line"
        told.spoiled[first] = told.spoiled[group.first_line] = f"{why} {group.first_line}"


def plans(columns: Sequence[str], first: Line, found: Survey) -> Iterator[SlicePlan]:
    total = sum(rows for _, _, rows in found.ends)
    if not total:
        raise JobFailed("the file has a first line and no other")
    if total > MAX_ROWS:
        raise JobFailed(f"the file has more than {MAX_ROWS:,} rows")
    if len(found.spoiled) > MAX_SPOILED:
        raise JobFailed(f"more than {MAX_SPOILED:,} orders cannot be told for certain")
    start, line = first.end, first.number + 1
    for end, next_line, rows in found.ends:
        here = {at: why for at, why in found.spoiled.items() if line <= at < next_line}
        params = {
            "columns": columns,
            "first": start,
            "line": line,
            "end": end,
            "spoiled": sorted(here.items()),
        }
        yield SlicePlan(params, rows)
        start, line = end, next_line
