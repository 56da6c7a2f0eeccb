"""A statement of others against what we have done: a kind of long job, of one slice.

First what orders of the days have done is written down, page by page; then each line of the file is
put beside what it is about; then every pair is judged, once: figures, tasks, costs; then what the
file before this one had told is taken back where it does not hold any more. All of it is in rows,
so it needs no more memory for a year than for a day. What counts lines stands in the cursor, and so
counts each line once, however often a step is done.

One slice, as a line must not be put beside what another line was put beside a moment ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import msgspec

from oms.adapters.costs_table import Cost, CostKind, CostsTable
from oms.adapters.dynamodb import Write
from oms.adapters.files import FileChanged
from oms.adapters.jobs_table import Step
from oms.adapters.our_side import OursPage
from oms.adapters.statements_table import Claim, StatementsTable
from oms.contracts import codec, csv_rows
from oms.contracts.csv_rows import BadHeader, Line, Refused
from oms.contracts.statements import FORMATS, Format
from oms.contracts.statements.rows import check_readable, is_blank, records
from oms.domain.books import Found, Task
from oms.domain.jobs import Job, JobFailed, Slice, SlicePlan
from oms.domain.reconciling.entries import (
    ALONE,
    PAYMENTS,
    Entry,
    EntryKind,
    Ours,
    Scope,
    StatementKind,
)
from oms.domain.reconciling.judging import (
    NOTHING,
    Figures,
    Finding,
    Outcome,
    judged,
    task_of,
)
from oms.domain.reconciling.pairs import Pair, key_of, placed, prefix_of
from oms.domain.reconciling.reconciliation import KIND, Reconciliation, scope_of, statement_of

__all__ = ["KIND", "Reconciling"]

MAX_ROWS = 500_000
ORDERS_A_PAGE, PAIRS_A_STEP = 20, 90
RECORDS_A_STEP, BYTES_A_STEP = 40, 100_000
MAX_TASKS = 2_000  # of one file: who loads that of another period does not bury what is to be done
JUDGED_A_STEP = 20  # each may write what it is, a claim, and a cost with its place in a list
RESULT = (
    *("outcome", "differences", "kind", "reference", "order_id", "stated_amount", "currency"),
    *("stated_on", "our_amount", "our_currency", "our_day", "fee", "fee_currency", "lines"),
    "stated_before",
)
WRONG = tuple(each for each in Outcome if each is not Outcome.MATCHED)


class Files(Protocol):
    def read(
        self, name: str, first: int = 0, end: int | None = None, etag: str = ""
    ) -> Iterator[bytes]: ...
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


class Kept(Protocol):
    def kept(self, job_id: str) -> Iterator[bytes]: ...


class Side(Protocol):
    def page(
        self, scope: Scope, day: date, start: Mapping[str, Any] | None, limit: int
    ) -> OursPage: ...
    def meant(self, scope: Scope, entry: Entry) -> tuple[Ours, ...]: ...


class Tasks(Protocol):
    def find(self, task_id: str) -> Task | None: ...
    def found(self, found: Found, at: datetime) -> Task: ...
    def gone(self, task_id: str, at: datetime) -> Task: ...


@dataclass(frozen=True, slots=True)
class Position:
    """`after`: in a page of orders, how many of its operations are written; `key`: of the last
    pair that was judged, `against`: what was the statement's last file then; `at`, `number`: where
    the next line of the file is."""

    phase: str = "ours"
    day: date | None = None
    start: Mapping[str, Any] | None = None
    after: int = 0
    at: int = 0
    number: int = 1
    key: str = ""
    against: str = ""
    tasks: int = 0
    lines: int = 0
    refused: int = 0
    figures: Figures = NOTHING


@dataclass(frozen=True, slots=True)
class Run:
    job: Job
    scope: Scope
    format: Format
    columns: tuple[str, ...]
    end: int
    digest: str

    @property
    def name(self) -> str:
        return self.job.job_id

    @property
    def currency(self) -> str:
        return _currency(self.job)

    @property
    def statement(self) -> str:
        return statement_of(self.scope)

    def entry(self, line: Line) -> Entry | Refused | None:
        return self.format.entry(self.columns, line, self.currency)


@dataclass
class Batch:
    """Some lines that are put beside what they are about at once. `known`: rows as they are by
    now, those of this batch among them; `changed`: the keys of those."""

    known: dict[str, Pair] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    lines: int = 0

    def take(self, pair: Pair) -> None:
        self.known[pair.key] = pair
        self.changed[pair.key] = None


Steps = Iterator[Step]
Phase = Callable[[Run, Position], Iterator[tuple[Position, Step]]]


class Reconciling:
    def __init__(
        self,
        files: Files,
        jobs: Kept,
        side: Side,
        table: StatementsTable,
        costs: CostsTable,
        tasks: Tasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._files, self._jobs, self._side, self._table = files, jobs, side, table
        self._costs, self._tasks, self._clock = costs, tasks, clock

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        scope, form = scope_of(job), format_of(job)
        found = self._surveyed(job, form)
        new = Reconciliation(
            job.job_id,
            scope,
            job.params["format"],
            job.actor,
            job.created_at,
            found["digest"],
            currency=_currency(job),
        )
        self._table.begin(new)
        rows = found.pop("rows")
        first = self._table.find(self._current(statement_of(scope)))
        if first and first.reads_as(new) and first.reconciliation_id != job.job_id:
            self._repeat(new, first)
            return [SlicePlan({**found, "same_as": first.reconciliation_id}, 0)]
        return [SlicePlan(found, rows)]

    def _current(self, statement: str) -> str:
        known = self._table.current(statement)
        return known.reconciliation_id if known else ""

    def _repeat(self, new: Reconciliation, first: Reconciliation) -> None:
        self._table.same(
            replace(
                new,
                figures=first.figures,
                lines=first.lines,
                refused=first.refused,
                finished_at=self._clock(),
                same_as=first.reconciliation_id,
            )
        )

    def _surveyed(self, job: Job, form: Format) -> dict[str, Any]:
        """The whole file is read once: its digest, its columns, and how many rows it has."""
        digest, size = hashlib.sha256(), job.params["size"]
        pieces = _told(digest, self._content(job, 0, size))
        source = records(csv_rows.lines(pieces))
        columns, first, number = _columns(form, source)
        rows = sum(not is_blank(line) for line in source) + (not form.is_named)
        if not rows:
            raise JobFailed("the file has a first line and no other")
        if rows > MAX_ROWS:
            raise JobFailed(f"the file has more than {MAX_ROWS:,} rows")
        where = {"columns": columns, "first": first, "line": number, "end": size}
        return {**where, "digest": digest.hexdigest(), "rows": rows}

    def _content(self, job: Job, first: int, end: int) -> Iterator[bytes]:
        try:
            yield from self._files.read(job.params["file"], first, end, job.params["etag"])
        except FileChanged as error:
            raise JobFailed(str(error)) from error

    def work(self, job: Job, part: Slice) -> Steps:
        if "same_as" in part.params:
            return
        run, at = run_of(job, part), position_of(job, part)
        phases: dict[str, Phase] = {
            "ours": self._ours,
            "lines": self._lines,
            "judge": self._judge,
            "settle": self._settle,
        }
        while at.phase in phases:
            for moved, step in phases[at.phase](run, at):
                at = moved
                yield replace(step, cursor=written(at))

    def _ours(self, run: Run, at: Position) -> Iterator[tuple[Position, Step]]:
        """Down what orders of the days have done; of a page as much as goes into one step."""
        while at.day is not None:
            page = self._side.page(run.scope, at.day, at.start, ORDERS_A_PAGE)
            some = page.ours[at.after : at.after + PAIRS_A_STEP]
            pairs = {key_of(each): Pair(key_of(each), each) for each in some}
            writes = [
                self._table.put_pair(run.name, each, self._clock()) for each in pairs.values()
            ]
            at = _next_page(run, at, page, at.after + len(some))
            yield at, Step(None, writes=writes)

    def _lines(self, run: Run, at: Position) -> Iterator[tuple[Position, Step]]:
        pieces = [b"".join(self._content(run.job, at.at, run.end))]  # while the link is fresh
        source = records(csv_rows.lines(pieces, at.number, at.at))
        for some in batches(source):
            batch, figures = Batch(), at.figures
            for line in some:
                figures = self._read(run, line, batch, figures)
            last = some[-1]
            at = replace(
                at,
                at=last.end,
                number=last.number + 1 + last.content.count(b"\n"),
                lines=at.lines + batch.lines,
                refused=at.refused + len(batch.refused),
                figures=figures,
            )
            yield at, self._step(run, batch)
        yield _judged_anew(at, self._current(run.statement)), Step(None)

    def _read(self, run: Run, line: Line, batch: Batch, figures: Figures) -> Figures:
        if is_blank(line):
            return figures
        batch.lines += 1
        entry = run.entry(line)
        if isinstance(entry, Refused):
            batch.refused.append(entry)
        if entry is None or isinstance(entry, Refused):
            return figures
        if entry.kind not in ALONE:
            batch.take(self._placed(run, entry, batch))
        elif entry.kind is EntryKind.FEE and entry.order:
            batch.costs += self._fee_of_order(run, entry)
        return figures.read(entry)

    def _step(self, run: Run, batch: Batch) -> Step:
        now = self._clock()
        pairs = [self._table.put_pair(run.name, batch.known[key], now) for key in batch.changed]
        costs = {cost.sort_key + cost.order_id: cost for cost in batch.costs}
        fees = [each for cost in costs.values() for each in self._costs.writes(cost, run.name)]
        return Step(
            None,
            done=batch.lines,
            refused=len(batch.refused),
            kept=msgspec.json.encode(batch.refused) if batch.refused else b"",
            writes=[*pairs, *fees],
        )

    def _placed(self, run: Run, entry: Entry, batch: Batch) -> Pair:
        """Beside what has one of its references; else what its order has; else alone."""
        alone = self._known(run, entry.kind, entry.reference, batch)
        for among in self._of_its_references(run, entry, batch, alone):
            if any(each.ours for each in among):
                return placed(entry, among, alone=alone)
        if meant := self._meant(run, entry, batch):
            return placed(entry, meant, alone=alone)
        return placed(entry, alone, self._of_other_kinds(run, entry, batch))

    def _of_its_references(
        self, run: Run, entry: Entry, batch: Batch, alone: list[Pair]
    ) -> Iterator[list[Pair]]:
        yield alone
        for reference in entry.references[1:]:
            yield self._known(run, entry.kind, reference, batch)

    def _known(self, run: Run, kind: str, reference: str, batch: Batch) -> list[Pair]:
        prefix = prefix_of(kind, reference)
        stored = {each.key: each for each in self._table.pairs_of(run.name, prefix)}
        here = {key: pair for key, pair in batch.known.items() if key.startswith(prefix)}
        pairs = {**stored, **here}.values()
        return [each for each in pairs if _reference(each) == reference]

    def _meant(self, run: Run, entry: Entry, batch: Batch) -> list[Pair]:
        meant = {key_of(each): each for each in self._side.meant(run.scope, entry)}
        stored = {each.key: each for each in self._table.pairs(run.name, meant)} if meant else {}
        fresh = {key: Pair(key, ours) for key, ours in meant.items()}
        here = {key: batch.known[key] for key in meant if key in batch.known}
        return list({**fresh, **stored, **here}.values())

    def _of_other_kinds(self, run: Run, entry: Entry, batch: Batch) -> list[Pair]:
        """A refund that they call a payment is found by its name."""
        if run.scope.kind is not StatementKind.PAYOUTS:
            return []
        others = [each for each in PAYMENTS if each is not entry.kind]
        names = [(kind, name) for kind in others for name in entry.references]
        return [pair for kind, name in names for pair in self._known(run, kind, name, batch)]

    def _fee_of_order(self, run: Run, entry: Entry) -> list[Cost]:
        """Of an order that we know; a fee without a name of its own is told by where it stands: an
        order, and a reference, may have several."""
        told = replace(entry, kind=EntryKind.CAPTURE, references=())
        orders = {each.order_id for each in self._side.meant(run.scope, told)}
        name = entry.identity or f"line_{entry.line}"
        amount, currency = entry.fee - entry.amount, entry.fee_currency or entry.currency
        return [
            _cost(run, order_id, CostKind.PAYMENT_FEE, amount, currency, f"fee#{name}", entry.on)
            for order_id in orders
        ]

    def _judge(self, run: Run, at: Position) -> Iterator[tuple[Position, Step]]:
        while pairs := self._table.pairs_after(run.name, at.key, JUDGED_A_STEP):
            claims = self._table.claims([each.ours.subject for each in pairs if each.ours])
            judgements = (self._judged(run, pair, claims) for pair in pairs)
            found = [each for each in judgements if each]
            figures, tasks = at.figures, at.tasks
            for finding in found:
                figures = figures.found(finding)
                tasks += self._asked(run, finding, tasks)
            at = replace(at, key=pairs[-1].key, figures=figures, tasks=tasks)
            writes = [write for each in found for write in self._told(run, each)]
            yield at, Step(None, writes=writes)
        yield replace(at, phase="settle"), Step(None)

    def _judged(self, run: Run, pair: Pair, claims: Mapping[str, Claim]) -> Finding | None:
        claim = claims.get(pair.ours.subject) if pair.ours else None
        before = claim.reconciliation_id if claim and claim.statement != run.statement else ""
        return judged(pair, run.scope, before)

    def _asked(self, run: Run, finding: Finding, tasks: int) -> bool:
        """A task, if there are not too many; before the step: found twice, it is one task."""
        found = task_of(finding, run.scope)
        if found is None or tasks >= MAX_TASKS:
            return False
        self._tasks.found(found, self._clock())
        return True

    def _told(self, run: Run, finding: Finding) -> list[Write]:
        now, pair = self._clock(), finding.pair
        writes = [self._table.put_finding(run.name, finding, now)]
        if finding.outcome in (Outcome.MATCHED, Outcome.DIFFERENT) and pair.ours:
            claim = Claim(run.name, run.statement)
            writes.append(self._table.claim(pair.ours.subject, claim, now))
            for cost in costs_of(run, finding):
                writes += self._costs.writes(cost, run.name)
            self._found_at_last(run, finding, pair.ours)
        return writes

    def _found_at_last(self, run: Run, finding: Finding, ours: Ours) -> None:
        """An earlier statement should have told it: nobody has to look for it any more."""
        if ours.at.date() < run.scope.first:
            self._close(task_of(replace(finding, outcome=Outcome.MISSING_THERE), run.scope))

    def _settle(self, run: Run, at: Position) -> Iterator[tuple[Position, Step]]:
        """Its figures are the last word on the statement; what no longer holds is taken back."""
        if not at.figures.is_even:
            raise JobFailed("what was read is not what came out: the books of it are not even")
        old = self._current(run.statement)
        old = "" if old == run.name else old
        if old != at.against:  # it has written over what was told here
            yield _judged_anew(at, old), Step(None)
            return
        if old:
            self._take_back(run, old)
        done = Reconciliation(
            run.name,
            run.scope,
            run.job.params["format"],
            run.job.actor,
            run.job.created_at,
            run.digest,
            at.figures,
            at.lines,
            at.refused,
            self._clock(),
            supersedes=old,
            currency=run.currency,
        )
        yield replace(at, phase="done"), Step(None, writes=self._table.settled(done))

    def _take_back(self, run: Run, old: str) -> None:
        """May be done twice: what was told anew carries this reconciliation's name."""
        for finding in self._table.findings(old, WRONG):
            if not self._is_told_again(run, finding):
                self._close(task_of(finding, run.scope))
        for finding in self._table.findings(old, (Outcome.MATCHED, Outcome.DIFFERENT)):
            if finding.pair.ours:
                self._table.release(finding.pair.ours.subject, old)
        self._costs.take_back(old)

    def _is_told_again(self, run: Run, old: Finding) -> bool:
        new = self._table.finding(run.name, old.outcome, old.pair.key)
        return new is not None and new.pair.subject == old.pair.subject

    def _close(self, found: Found | None) -> None:
        if found and self._tasks.find(found.task_id):
            self._tasks.gone(found.task_id, self._clock())

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        if "same_as" in parts[0].params:
            return {}
        names = {"result": f"jobs/{job.job_id}/result.csv"}
        self._files.write(names["result"], self._result(job.job_id))
        if any(part.progress.refused for part in parts):
            names["refused"] = f"jobs/{job.job_id}/refused.csv"
            self._files.write(names["refused"], self._refused(job.job_id, parts[0]))
        return names

    def _result(self, name: str) -> Iterator[bytes]:
        yield csv_rows.written([RESULT]).encode()
        for finding in self._table.findings(name, (*WRONG, Outcome.MATCHED)):
            yield csv_rows.written([result_row(finding)]).encode()

    def _refused(self, job_id: str, part: Slice) -> Iterator[bytes]:
        columns = part.params["columns"]
        yield csv_rows.written([[*columns, *csv_rows.TOLD]]).encode()
        for kept in self._jobs.kept(job_id):
            rows = msgspec.json.decode(kept, type=list[Refused])
            yield csv_rows.written(csv_rows.refused_row(columns, row) for row in rows).encode()


def _currency(job: Job) -> str:
    return str(job.params.get("currency", ""))


def format_of(job: Job) -> Format:
    return FORMATS[StatementKind(job.params["statement"])][job.params["format"]]


def run_of(job: Job, part: Slice) -> Run:
    said = part.params
    columns = tuple(said["columns"])
    return Run(job, scope_of(job), format_of(job), columns, said["end"], said["digest"])


def position_of(job: Job, part: Slice) -> Position:
    if part.cursor is not None:
        return msgspec.convert(part.cursor, Position)
    return Position(
        day=scope_of(job).first_day, at=part.params["first"], number=part.params["line"]
    )


def _judged_anew(at: Position, against: str) -> Position:
    figures = replace(at.figures, sums=())
    return replace(at, phase="judge", key="", tasks=0, figures=figures, against=against)


def written(at: Position) -> Any:
    return msgspec.to_builtins(codec.slim(at))


def _next_page(run: Run, at: Position, page: OursPage, written: int) -> Position:
    if written < len(page.ours):
        return replace(at, after=written)
    if page.start is not None:
        return replace(at, start=page.start, after=0)
    assert at.day
    if at.day < run.scope.last:
        return replace(at, day=at.day + timedelta(days=1), start=None, after=0)
    return replace(at, phase="lines", day=None, start=None, after=0)


def batches(source: Iterable[Line]) -> Iterator[list[Line]]:
    """As many as go into one step: each may write a row, and what is refused is kept of it."""
    waiting: list[Line] = []
    size = 0
    for line in source:
        if waiting and (len(waiting) == RECORDS_A_STEP or size + len(line.content) > BYTES_A_STEP):
            yield waiting
            waiting, size = [], 0
        waiting.append(line)
        size += len(line.content)
    if waiting:
        yield waiting


def _columns(form: Format, source: Iterator[Line]) -> tuple[list[str], int, int]:
    """Their names, and where the lines begin that they are of."""
    try:
        for line in source:
            if not form.is_named:
                count = check_readable(line)
                return [f"column_{number + 1}" for number in range(count)], 0, 1
            if (found := form.columns(line)) is not None:
                number = line.number + 1 + line.content.count(b"\n")
                return list(found), line.end, number
    except BadHeader as error:
        raise JobFailed(str(error)) from error
    raise JobFailed("the file does not name its columns" if form.header else "the file is empty")


def _told(digest: Any, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _reference(pair: Pair) -> str:
    if pair.ours and not pair.twin_of:
        return pair.ours.reference
    return pair.stated.reference if pair.stated else ""


def costs_of(run: Run, finding: Finding) -> Iterator[Cost]:
    """What it cost us, of an order that it is of."""
    stated, ours = finding.pair.stated, finding.pair.ours
    if stated is None or ours is None:
        return
    if ours.kind is EntryKind.PARCEL and stated.amount:
        yield _cost(
            run, ours.order_id, CostKind.SHIPPING, stated.amount, stated.currency,
            finding.pair.subject, stated.on,
        )  # fmt: skip
    if stated.fee:
        currency = stated.fee_currency or stated.currency
        yield _cost(
            run, ours.order_id, CostKind.PAYMENT_FEE, stated.fee, currency,
            finding.pair.subject, stated.on,
        )  # fmt: skip


def _cost(
    run: Run,
    order_id: str,
    kind: CostKind,
    amount: int,
    currency: str,
    line: str,
    on: date | None,
) -> Cost:
    return Cost(order_id, kind, amount, currency, run.scope.source, run.statement, line, on)


def result_row(finding: Finding) -> tuple[object, ...]:
    stated, ours = finding.pair.stated, finding.pair.ours
    theirs = (stated.amount, stated.currency, stated.on) if stated else ("", "", "")
    mine = (ours.amount, ours.currency, ours.at.date()) if ours else ("", "", "")
    said = (stated.fee, stated.fee_currency, stated.lines) if stated else (0, "", ())
    named = stated or ours
    return (
        finding.outcome.value,
        " ".join(finding.differences),
        named.kind.value if named else "",
        named.reference if named else "",
        ours.order_id if ours else "",
        *theirs,
        *mine,
        said[0] or "",
        said[1] if said[0] else "",
        " ".join(map(str, said[2])),
        finding.pair.twin_of,
    )
