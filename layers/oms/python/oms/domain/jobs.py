"""Long jobs: work cut into slices, each with a cursor that says how far it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from oms.domain.errors import IllegalTransition, OmsError
from oms.domain.ids import name_of

STUCK_AFTER = timedelta(minutes=10)  # several times what a message waits to be given again


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


class JobFailed(OmsError):
    """A kind of job cannot go on with what it was given; the message is for who asked for it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`refused` are among `done`. A `total` of 0 is not known yet."""

    done: int = 0
    total: int = 0
    refused: int = 0

    def plus(self, other: Progress) -> Progress:
        return Progress(
            self.done + other.done, self.total + other.total, self.refused + other.refused
        )


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """What a slice is about, as its kind of job understands it: JSON."""

    params: dict[str, Any]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """`cursor` is None at the beginning; `version` counts every step."""

    number: int
    params: dict[str, Any]
    cursor: Any = None
    progress: Progress = Progress()
    is_done: bool = False
    version: int = 1
    worked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """`results` are names of files by what they are. `progress` is written when it has ended."""

    job_id: str
    kind: str
    params: dict[str, Any]
    actor: str
    created_at: datetime
    status: JobStatus = JobStatus.QUEUED
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    progress: Progress = Progress()
    results: dict[str, str] = field(default_factory=dict)
    version: int = 1

    def asked(self, at: datetime, **params: Any) -> Job:
        """It may begin; asked again, it keeps what it was asked for first."""
        if self.status is not JobStatus.QUEUED:
            raise IllegalTransition(self.job_id, self.status, "start")
        if self.started_at:
            return self
        return replace(self, params={**self.params, **params}, started_at=at)

    def begun(self) -> Job:
        if self.status is not JobStatus.QUEUED:
            raise IllegalTransition(self.job_id, self.status, "begin")
        return replace(self, status=JobStatus.RUNNING)

    def done(self, results: dict[str, str], progress: Progress, at: datetime) -> Job:
        if self.status is not JobStatus.RUNNING:
            raise IllegalTransition(self.job_id, self.status, "end")
        return self._ended(JobStatus.DONE, at, results=results, progress=progress)

    def failed(self, reason: str, progress: Progress, at: datetime) -> Job:
        if self.status not in UNFINISHED:
            raise IllegalTransition(self.job_id, self.status, "fail")
        return self._ended(JobStatus.FAILED, at, reason=reason, progress=progress)

    def cancelled(self, progress: Progress, at: datetime) -> Job:
        """What is done stays done."""
        if self.status is JobStatus.CANCELLED:
            return self
        if self.status is JobStatus.DONE:
            raise IllegalTransition(self.job_id, self.status, "be cancelled")
        return self._ended(JobStatus.CANCELLED, at, progress=progress)

    def resumed(self, *, has_slices: bool) -> Job:
        """From where it is. What is on its way is only told again to go on."""
        if self.status in (JobStatus.DONE, JobStatus.CANCELLED) or not self.started_at:
            raise IllegalTransition(self.job_id, self.status, "be resumed")
        status = JobStatus.RUNNING if has_slices else JobStatus.QUEUED
        return replace(self, status=status, finished_at=None, reason="", progress=Progress())

    def is_stuck(self, worked_at: datetime | None, now: datetime) -> bool:
        """Nobody has moved it for longer than a lost message takes to come again."""
        last = worked_at or self.started_at
        return self.status in UNFINISHED and last is not None and now - last > STUCK_AFTER

    def _ended(self, status: JobStatus, at: datetime, **changes: Any) -> Job:
        return replace(self, status=status, finished_at=at, **changes)


def job_id_of(*seed: str) -> str:
    """The same seed is the same job by construction."""
    return f"job_{name_of(*seed)}"


def together(parts: Iterable[Slice]) -> Progress:
    total = Progress()
    for part in parts:
        total = total.plus(part.progress)
    return total
