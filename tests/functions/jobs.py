"""Long jobs over a real table, with their queue in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any, Protocol
from uuid import uuid4

from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.domain.jobs import Job
from tests.functions.world import Crash


@dataclass
class QueueFake:
    tasks: list[Task] = field(default_factory=list)

    def send(self, tasks: Sequence[Task]) -> None:
        self.tasks += tasks


class LongJobs(Protocol):
    """Jobs, the queue of their tasks, and workers that may die."""

    queue: QueueFake

    @property
    def jobs(self) -> JobsTable: ...

    def mortal(self, dies_at: int, *, after: bool) -> LongJobs: ...

    def work(self, task: Task) -> str: ...

    def asked(self, kind: str, **params: Any) -> Job:
        at = datetime.now(UTC)
        job = Job(f"job_{uuid4().hex[:12]}", kind, params, "test", at, started_at=at)
        self.queue.send([Task(job.job_id)])
        return self.jobs.add(job)

    def work_all(self) -> None:
        """Each message twice, as a queue may give it."""
        while self.queue.tasks:
            task = self.queue.tasks.pop(0)
            self.work(task)
            again = list(self.queue.tasks)
            self.work(task)
            self.queue.tasks[:] = again or self.queue.tasks

    def until_done(self) -> int:
        """How many workers have died."""
        deaths = 0
        while self.queue.tasks:
            deaths += self._deaths_at(self.queue.tasks.pop(0))
        return deaths

    def _deaths_at(self, task: Task) -> int:
        """Each worker dies one call later, before it or after; its message comes again."""
        for deaths, (dies_at, after) in enumerate(product(range(1, 200), (False, True))):
            try:
                self.mortal(dies_at, after=after).work(task)
            except Crash:
                continue
            return deaths
        raise AssertionError("it never ends")
