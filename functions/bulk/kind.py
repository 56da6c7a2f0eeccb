"""What a kind of long job has to say; the worker does the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from oms.adapters.jobs_table import Step
from oms.domain.jobs import Job, Slice, SlicePlan


class Kind(Protocol):
    """`JobFailed` from any of them ends the job, with its message as the reason."""

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        """1 to MAX_SLICES pieces of work that can be done side by side."""

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        """Steps from `part.cursor` on; each is committed before the next one is asked for.

        A step takes seconds, not minutes: the worker looks at its watch between two of them, and
        another invocation goes on from the last cursor. When a write of a step is refused, the
        steps are asked for anew from there.
        """

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        """When all slices are done: files by what they are. May be asked for twice."""
