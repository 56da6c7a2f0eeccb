"""Every five minutes: files of orders that were put into `drops/<channel>/` begin to be placed.

A file is known by its name and its content: one that lies there is taken once, one that is put
there again with another content is taken again. Files go after a month, as all do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from oms.adapters.files import StoredFile, files
from oms.adapters.job_queue import Task, job_queue
from oms.adapters.jobs_table import JobsTable, jobs_table
from oms.contracts.api.jobs import MAX_FILE
from oms.domain.jobs import Job, JobStatus, job_id_of
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("JOBS_TABLE", "JOB_QUEUE", "FILES_BUCKET")

KIND = "order_import"
FOLDER = "drops/"
NAME = re.compile(r"drops/([a-z0-9][a-z0-9._:-]{0,119})/[^/]{1,200}\.csv", re.ASCII | re.IGNORECASE)
ACTOR = "system:drops"


class Queue(Protocol):
    def send(self, tasks: Sequence[Task]) -> None: ...


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    taken = take(files().named(FOLDER), jobs_table(), job_queue(), datetime.now(UTC))
    return {"outcome": "looked", "taken": len(list(taken))}


def take(
    found: Iterable[tuple[str, StoredFile]], jobs: JobsTable, queue: Queue, at: datetime
) -> Iterator[Job]:
    """The jobs that were begun, or told again to go on: a message may have been lost."""
    for name, stored in found:
        if (job := _job(name, stored, at)) is None:
            logger().warning("a dropped file is not taken", extra={"size": stored.size})
            continue
        job = jobs.add(job)
        if job.status is JobStatus.QUEUED:
            queue.send([Task(job.job_id)])
            yield job


def _job(name: str, stored: StoredFile, at: datetime) -> Job | None:
    """None for what is no file of orders: an empty one, a folder, a name without a channel."""
    named = NAME.fullmatch(name)
    if named is None or not 0 < stored.size <= MAX_FILE:
        return None
    params = {
        "channel": named[1].lower(),
        "size": stored.size,
        "file": name,
        "etag": stored.etag,
    }
    return Job(job_id_of("drop", name, stored.etag), KIND, params, ACTOR, at, started_at=at)
