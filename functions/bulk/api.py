"""Long jobs: asked for, followed, resumed, cancelled."""

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
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.jobs import (
    ImportOrders,
    ImportStock,
    ImportView,
    JobPage,
    JobQuery,
    JobView,
    ProgressView,
    UploadView,
)
from oms.domain.errors import IllegalTransition, NotFound
from oms.domain.jobs import UNFINISHED, Job, JobStatus, Progress, Slice, job_id_of, together

ENVIRONMENT: tuple[str, ...] = ("JOBS_TABLE", "JOB_QUEUE", "FILES_BUCKET")

IMPORT, EXPORT, ORDERS = "stock_import", "stock_export", "order_import"
CSV = "text/csv"

app = HttpApi("BulkApi")


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


class OfJob(Contract):
    id: Identity


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/stock/imports")
def post_import(request: Request) -> Response:
    said = request.read(ImportStock)
    job = new_job(IMPORT, request, _now(), size=said.size)
    return Response(body=plan_import(desk(), job, _now()), ids={"job_id": job.job_id})


@app.route("POST", "/stock/imports/{id}/start")
def post_start(request: Request) -> JobView:
    return start_import(desk(), _job_id(request), _now())


@app.route("POST", "/orders/imports")
def post_orders(request: Request) -> Response:
    said = request.read(ImportOrders)
    job = new_job(ORDERS, request, _now(), size=said.size, channel=said.channel)
    return Response(body=plan_import(desk(), job, _now()), ids={"job_id": job.job_id})


@app.route("POST", "/orders/imports/{id}/start")
def post_start_orders(request: Request) -> JobView:
    return start_import(desk(), _job_id(request), _now(), ORDERS)


@app.route("POST", "/stock/exports")
def post_export(request: Request) -> Response:
    job = new_job(EXPORT, request, _now())
    return Response(body=start_export(desk(), job, _now()), ids={"job_id": job.job_id})


@app.route("GET", "/jobs")
def get_jobs(request: Request) -> JobPage:
    return listed(desk(), request.read_query(JobQuery), _now())


@app.route("GET", "/jobs/{id}")
def get_job(request: Request) -> JobView:
    return seen(desk(), desk().jobs.get(_job_id(request)), _now())


@app.route("POST", "/jobs/{id}/resume")
def post_resume(request: Request) -> JobView:
    return resume(desk(), _job_id(request), _now())


@app.route("POST", "/jobs/{id}/cancel")
def post_cancel(request: Request) -> JobView:
    return cancel(desk(), _job_id(request), _now())


@cache
def desk() -> Desk:
    return Desk(jobs_table(), job_queue(), files())


def new_job(kind: str, request: Request, at: datetime, **params: Any) -> Job:
    """One Idempotency-Key of one actor is one job of the kind."""
    once = request.idempotency_key
    job_id = job_id_of(request.actor, kind, once) if once else job_id_of(uuid4().hex)
    return Job(job_id, kind, params, request.actor, at)


def plan_import(desk: Desk, job: Job, at: datetime) -> ImportView:
    """The job waits for its file; asked for again, it gets another link."""
    job = desk.jobs.add(job)
    url = desk.files.upload_link(_source(job), job.params["size"], CSV)
    upload = UploadView(url, {"Content-Type": CSV}, at + timedelta(seconds=LINK_SECONDS))
    return ImportView(seen(desk, job, at), upload)


def start_import(desk: Desk, job_id: str, at: datetime, kind: str = IMPORT) -> JobView:
    """Once the file is there, whole. Started again, it is only told again to go on."""
    job = desk.jobs.get(job_id)
    if job.kind != kind:
        raise NotFound("import", job_id)
    if job.status is JobStatus.CANCELLED:
        raise IllegalTransition(job_id, job.status, "be started")
    if job.status is JobStatus.QUEUED and not job.started_at:
        stored = _uploaded(desk, job)
        job = desk.jobs.change(
            job_id, lambda now: now.asked(at, file=_source(now), etag=stored.etag)
        )
    if job.status in UNFINISHED:
        desk.queue.send([Task(job_id)])
    return seen(desk, job, at)


def start_export(desk: Desk, job: Job, at: datetime) -> JobView:
    job = desk.jobs.add(job)
    if job.status is JobStatus.QUEUED:
        job = desk.jobs.change(job.job_id, lambda now: now.asked(at))
        desk.queue.send([Task(job.job_id)])
    return seen(desk, job, at)


def resume(desk: Desk, job_id: str, at: datetime) -> JobView:
    """From where it stands; safe while somebody still works on it."""
    has_slices = bool(desk.jobs.slices(job_id))
    job = desk.jobs.change(job_id, lambda now: now.resumed(has_slices=has_slices))
    desk.queue.send([Task(job_id)])
    return seen(desk, job, at)


def cancel(desk: Desk, job_id: str, at: datetime) -> JobView:
    desk.jobs.get(job_id)
    job = desk.jobs.stop(job_id, lambda now, done: now.cancelled(done, at))
    return seen(desk, job, at)


def listed(desk: Desk, query: JobQuery, at: datetime) -> JobPage:
    """Without links: the job itself has them."""
    page = desk.jobs.page(query.limit, query.cursor)
    return JobPage([job_view(job, _slices(desk, job), at) for job in page.jobs], page.cursor)


def seen(desk: Desk, job: Job, at: datetime) -> JobView:
    view = job_view(job, _slices(desk, job), at)
    view.files = {what: desk.files.download_link(name) for what, name in job.results.items()}
    return view


def job_view(job: Job, parts: Sequence[Slice], at: datetime) -> JobView:
    progress = together(parts) if parts else job.progress
    moved = [part.worked_at for part in parts if part.worked_at]
    last = max(moved, default=job.started_at)
    is_open = job.status in UNFINISHED and last is not None
    return JobView(
        job_id=job.job_id,
        kind=job.kind,
        status=job.status,
        progress=_progress(progress),
        created_at=job.created_at,
        actor=job.actor,
        started_at=job.started_at,
        finished_at=job.finished_at,
        idle_seconds=max(0, int((at - last).total_seconds())) if is_open and last else 0,
        stuck=job.is_stuck(last, at),
        reason=job.reason,
    )


def _progress(progress: Progress) -> ProgressView:
    return ProgressView(progress.done, progress.total, progress.refused)


def _slices(desk: Desk, job: Job) -> Sequence[Slice]:
    """Of one that has ended, its own row says it all."""
    return desk.jobs.slices(job.job_id) if job.status is JobStatus.RUNNING else ()


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


def _job_id(request: Request) -> str:
    return OfJob.read(dict(request.path)).id


def _now() -> datetime:
    return datetime.now(UTC)
