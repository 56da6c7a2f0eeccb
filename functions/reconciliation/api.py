"""Statements of others: announced, uploaded, compared, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from uuid import uuid4

from oms.adapters.files import LINK_SECONDS, StoredFile, files
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.job_queue import Task, job_queue
from oms.adapters.jobs_table import JobsTable, jobs_table
from oms.adapters.statements_table import StatementsTable, statements_table
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.jobs import UploadView
from oms.contracts.api.reconciliation import (
    AmountView,
    AnnouncedReconciliationView,
    OursView,
    ReconcileStatement,
    ReconciliationPage,
    ReconciliationQuery,
    ReconciliationView,
    StatedView,
    StatementLinePage,
    StatementLineQuery,
    StatementLineView,
    StatementSumView,
)
from oms.domain.errors import IllegalTransition, NotFound
from oms.domain.jobs import UNFINISHED, Job, JobStatus, job_id_of
from oms.domain.reconciling.entries import Ours, Scope, Stated
from oms.domain.reconciling.judging import Finding, Sum, task_of
from oms.domain.reconciling.reconciliation import KIND, Reconciliation, scope_of

ENVIRONMENT: tuple[str, ...] = ("JOBS_TABLE", "JOB_QUEUE", "FILES_BUCKET", "REPORTS_TABLE")

CSV = "text/csv"

app = HttpApi("ReconciliationApi")


class Files(Protocol):
    def upload_link(self, name: str, size: int, content_type: str) -> str: ...
    def download_link(self, name: str) -> str: ...
    def find(self, name: str) -> StoredFile | None: ...


class Queue(Protocol):
    def send(self, tasks: Sequence[Task]) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    jobs: JobsTable
    queue: Queue
    files: Files
    statements: StatementsTable


class OfReconciliation(Contract):
    id: Identity


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@cache
def desk() -> Desk:
    return Desk(jobs_table(), job_queue(), files(), statements_table())


@app.route("POST", "/reconciliations")
def post_reconciliation(request: Request) -> Response:
    job = new_job(request, _now())
    announced = announce(desk(), job, _now())
    identity = announced.reconciliation.reconciliation_id
    return Response(body=announced, ids={"job_id": identity})


@app.route("POST", "/reconciliations/{id}/start")
def post_start(request: Request) -> ReconciliationView:
    return start(desk(), _id(request), _now())


@app.route("GET", "/reconciliations")
def get_reconciliations(request: Request) -> ReconciliationPage:
    query = request.read_query(ReconciliationQuery)
    page = desk().statements.page(query.limit, query.cursor)
    views = [view_of(each, _status(each)) for each in page.reconciliations]
    return ReconciliationPage(views, page.cursor)


@app.route("GET", "/reconciliations/{id}")
def get_reconciliation(request: Request) -> ReconciliationView:
    return seen(desk(), _id(request))


@app.route("GET", "/reconciliations/{id}/lines")
def get_lines(request: Request) -> StatementLinePage:
    return lines(desk(), _id(request), request.read_query(StatementLineQuery))


def new_job(request: Request, at: datetime) -> Job:
    """One Idempotency-Key of one actor is one reconciliation."""
    said, once = request.read(ReconcileStatement), request.idempotency_key
    job_id = job_id_of(request.actor, KIND, once) if once else job_id_of(uuid4().hex)
    return Job(job_id, KIND, params_of(said), request.actor, at)


def params_of(said: ReconcileStatement) -> dict[str, Any]:
    return {
        "statement": said.kind.value,
        "source": said.source,
        "format": said.read_as,
        "first": said.period.first.isoformat(),
        "last": said.period.last.isoformat(),
        "channel": said.channel or "",
        "provider": said.provider or "",
        "currency": said.currency or "",
        "tolerance": said.tolerance,
        "look_back": said.look_back,
        "size": said.size,
    }


def announce(desk: Desk, job: Job, at: datetime) -> AnnouncedReconciliationView:
    """It waits for its file; asked for again, it gets another link."""
    job = desk.jobs.add(job)
    url = desk.files.upload_link(_source(job), job.params["size"], CSV)
    upload = UploadView(url, {"Content-Type": CSV}, at + timedelta(seconds=LINK_SECONDS))
    return AnnouncedReconciliationView(of_job(job), upload)


def start(desk: Desk, identity: str, at: datetime) -> ReconciliationView:
    """Once the file is there, whole. Started again, it is only told again to go on."""
    job = _job(desk, identity)
    if job.status is JobStatus.CANCELLED:
        raise IllegalTransition(identity, job.status, "be started")
    if job.status is JobStatus.QUEUED and not job.started_at:
        stored = _uploaded(desk, job)
        job = desk.jobs.change(
            identity, lambda now: now.asked(at, file=_source(now), etag=stored.etag)
        )
    if job.status in UNFINISHED:
        desk.queue.send([Task(identity)])
    return seen(desk, identity)


def seen(desk: Desk, identity: str) -> ReconciliationView:
    """Also when its job has long been forgotten; then without the files, which went with it."""
    head = desk.statements.find(identity)
    try:
        job = _job(desk, identity)
    except NotFound:
        if head is None:
            raise NotFound("reconciliation", identity) from None
        return view_of(head, _status(head))
    view = view_of(head, job.status.value) if head else of_job(job)
    view.reason = job.reason
    view.files = {what: desk.files.download_link(name) for what, name in job.results.items()}
    return view


def lines(desk: Desk, identity: str, query: StatementLineQuery) -> StatementLinePage:
    """Of one whose content was known before, what came of that one."""
    head = desk.statements.find(identity)
    if head is None:
        _job(desk, identity)
        return StatementLinePage([], None)
    outcome = query.outcome.value if query.outcome else ""
    name = head.same_as or identity
    page = desk.statements.lines(name, outcome, query.limit, query.cursor)
    return StatementLinePage([line_view(each, head.scope) for each in page.findings], page.cursor)


def _job(desk: Desk, identity: str) -> Job:
    try:
        job = desk.jobs.get(identity)
    except NotFound:
        raise NotFound("reconciliation", identity) from None
    if job.kind != KIND:
        raise NotFound("reconciliation", identity)
    return job


def _uploaded(desk: Desk, job: Job) -> StoredFile:
    stored = desk.files.find(_source(job))
    if stored is None:
        raise Problem(409, "Not uploaded", "the file is not there yet: PUT it first")
    if stored.size != job.params["size"]:
        said = job.params["size"]
        raise Problem(409, "Another file", f"{said:,} bytes were announced, {stored.size:,} came")
    return stored


def _source(job: Job) -> str:
    return f"imports/{job.job_id}.csv"


def of_job(job: Job) -> ReconciliationView:
    """Before its file was read."""
    scope, form = scope_of(job), job.params["format"]
    new = Reconciliation(job.job_id, scope, form, job.actor, job.created_at, "")
    return view_of(new, job.status.value)


def _status(head: Reconciliation) -> str:
    return "done" if head.finished_at else "running"


def view_of(head: Reconciliation, status: str) -> ReconciliationView:
    scope, figures = head.scope, head.figures
    return ReconciliationView(
        head.reconciliation_id,
        scope.kind.value,
        scope.source,
        head.format,
        scope.first,
        scope.last,
        status,
        head.at,
        head.actor,
        scope.channel,
        scope.provider,
        scope.tolerance,
        scope.look_back,
        finished_at=head.finished_at,
        digest=head.digest,
        lines=head.lines,
        refused=head.refused,
        sums=[sum_view(each) for each in figures.sums],
        stated=[amount_view(each) for each in figures.stated],
        fees=[amount_view(each) for each in figures.fees],
        aside=[amount_view(each) for each in figures.aside],
        same_as=head.same_as,
        supersedes=head.supersedes,
        superseded_by=head.superseded_by,
    )


def sum_view(told: Sum) -> StatementSumView:
    return StatementSumView(told.outcome, told.currency, told.count, told.stated, told.ours)


def amount_view(told: Sum) -> AmountView:
    return AmountView(told.currency, told.count, told.stated)


def line_view(finding: Finding, scope: Scope) -> StatementLineView:
    found, pair = task_of(finding, scope), finding.pair
    return StatementLineView(
        finding.outcome.value,
        list(finding.differences),
        stated_view(pair.stated) if pair.stated else None,
        ours_view(pair.ours) if pair.ours else None,
        pair.twin_of,
        found.proposal.words if found else "",
        found.task_id if found else "",
    )


def stated_view(stated: Stated) -> StatedView:
    return StatedView(
        stated.kind.value,
        stated.reference,
        stated.amount,
        stated.currency,
        list(stated.lines),
        stated.order,
        stated.on,
        stated.fee,
        stated.fee_currency if stated.fee else "",
    )


def ours_view(ours: Ours) -> OursView:
    return OursView(
        ours.kind.value,
        ours.reference,
        ours.order_id,
        ours.operation_id,
        ours.currency,
        ours.at,
        ours.amount,
    )


def _id(request: Request) -> str:
    return OfReconciliation.read(dict(request.path)).id


def _now() -> datetime:
    return datetime.now(UTC)
