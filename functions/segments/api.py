"""Segments of customers: what they say, who belongs to them, and files of who does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol
from uuid import uuid4

from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.job_queue import Task, job_queue
from oms.adapters.jobs_table import JobsTable, jobs_table
from oms.adapters.segment_jobs import EXPORT, REFRESH
from oms.adapters.segments_table import Saved, SegmentsTable, segments_table
from oms.contracts.api.segments import (
    ExportSegment,
    PutSegment,
    SegmentExportView,
    SegmentMemberPage,
    SegmentMemberQuery,
    SegmentMemberView,
    SegmentPath,
    SegmentQuery,
    SegmentsView,
    SegmentView,
    rule_of,
)
from oms.contracts.routes.route import RESOURCE_SERVER
from oms.domain.errors import NotFound
from oms.domain.jobs import Job, JobStatus, job_id_of

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "JOBS_TABLE", "JOB_QUEUE")

PERSONAL = frozenset({"privacy", f"{RESOURCE_SERVER}/privacy"})
BY_NOBODY = "system"

app = HttpApi("SegmentsApi")


class Queue(Protocol):
    def send(self, tasks: Sequence[Task]) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    segments: SegmentsTable
    jobs: JobsTable
    queue: Queue


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/segments")
def get_segments(request: Request) -> SegmentsView:  # noqa: ARG001
    return SegmentsView([segment_view(each) for each in desk().segments.all()])


@app.route("GET", "/segments/{segment}")
def get_segment(request: Request) -> SegmentView:
    query, name = request.read_query(SegmentQuery), _name(request)
    table = desk().segments
    return segment_view(table.version(name, query.version) if query.version else table.get(name))


@app.route("PUT", "/segments/{segment}")
def put_segment(request: Request) -> SegmentView:
    """What is there already is not saved again: only customers are looked at, in case that an
    answer was lost before they were."""
    said, name, table = request.read(PutSegment), _name(request), desk().segments
    wanted = Saved(said.segment(name), datetime.now(UTC), request.actor)
    known = table.find(name)
    before = known.segment.version
    if (
        not known.is_deleted
        and dataclasses.replace(wanted.segment, version=before) == known.segment
    ):
        wanted = known
    else:
        if known.is_deleted and said.version == 0:
            wanted = dataclasses.replace(wanted, segment=said.segment(name, before))
        table.save(wanted)
    return segment_view(wanted, refreshed(desk(), table.revision()))


@app.route("DELETE", "/segments/{segment}")
def delete_segment(request: Request) -> SegmentView:
    """Of one that is deleted already: as it was left."""
    name, table = _name(request), desk().segments
    known = table.find(name)
    if not known.segment.version:
        raise NotFound("segment", name)
    if not known.is_deleted:
        gone = dataclasses.replace(known.segment, rules=(), version=known.segment.version + 1)
        known = Saved(gone, datetime.now(UTC), request.actor, is_deleted=True)
        table.save(known)
    return segment_view(known, refreshed(desk(), table.revision()))


@app.route("GET", "/segments/{segment}/members")
def get_members(request: Request) -> SegmentMemberPage:
    query, name = request.read_query(SegmentMemberQuery), _name(request)
    desk().segments.get(name)
    page = desk().segments.members(name, query.limit, query.cursor)
    items = [SegmentMemberView(each.customer_id, each.since) for each in page.members]
    return SegmentMemberPage(items, page.cursor)


@app.route("POST", "/segments/{segment}/exports")
def post_export(request: Request) -> Response:
    said, name = request.read(ExportSegment), _name(request)
    if said.personal and request.scopes.isdisjoint(PERSONAL):
        raise Problem(403, "Forbidden", "to export personal data needs the scope privacy")
    desk().segments.get(name)
    once = request.idempotency_key or uuid4().hex
    params = {"segment": name, "personal": said.personal}
    job_id = job_id_of(request.actor, EXPORT, once)
    job = started(desk(), Job(job_id, EXPORT, params, request.actor, datetime.now(UTC)))
    return Response(body=SegmentExportView(job.job_id, job.status), ids={"job_id": job.job_id})


def refreshed(desk: Desk, revision: int) -> str:
    """Every customer is looked at by the definitions of this revision."""
    job_id = job_id_of(REFRESH, str(revision))
    params = {"revision": revision}
    return started(desk, Job(job_id, REFRESH, params, BY_NOBODY, datetime.now(UTC))).job_id


def started(desk: Desk, job: Job) -> Job:
    """The same job is the same; it is told to go on as long as nobody has begun it."""
    job = desk.jobs.add(job)
    if job.status is JobStatus.QUEUED:
        job = desk.jobs.change(job.job_id, lambda now: now.asked(datetime.now(UTC)))
        desk.queue.send([Task(job.job_id)])
    return job


def segment_view(saved: Saved, job_id: str = "") -> SegmentView:
    segment = saved.segment
    return SegmentView(
        segment.name,
        segment.title,
        segment.version,
        [rule_of(each) for each in segment.rules],
        {name: [*getattr(segment.scores, name)] for name in ("recency", "frequency", "money")},
        saved.saved_at,
        saved.saved_by,
        saved.is_deleted,
        job_id,
    )


@cache
def desk() -> Desk:
    return Desk(segments_table(), jobs_table(), job_queue())


def _name(request: Request) -> str:
    return SegmentPath.read(dict(request.path)).segment
