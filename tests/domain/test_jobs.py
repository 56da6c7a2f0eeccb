from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.errors import IllegalTransition
from oms.domain.jobs import STUCK_AFTER, UNFINISHED, Job, JobStatus, Progress

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NEW = Job("job_1", "counting", {}, "test", NOW)
DONE = Progress(3, 3, 1)

DEEDS: dict[str, Callable[[Job], Job]] = {
    "ask": lambda job: job.asked(NOW, to=3),
    "begin": lambda job: job.begun(),
    "end": lambda job: job.done({"file": "a"}, DONE, NOW),
    "fail": lambda job: job.failed("no file", DONE, NOW),
    "cancel": lambda job: job.cancelled(DONE, NOW),
    "resume": lambda job: job.resumed(has_slices=True),
}


def after(*deeds: str) -> Job:
    job = NEW
    for deed in deeds:
        job = DEEDS[deed](job)
    return job


@given(st.lists(st.sampled_from(sorted(DEEDS)), max_size=12))
def test_a_job_that_is_done_or_cancelled_stays_so(deeds: list[str]) -> None:
    job = NEW
    for deed in deeds:
        before = job
        try:
            job = DEEDS[deed](job)
        except IllegalTransition:
            continue
        assert before.status not in (JobStatus.DONE, JobStatus.CANCELLED) or job == before
        assert (job.finished_at is None) == (job.status in UNFINISHED)


def test_a_job_keeps_what_it_was_asked_for_first() -> None:
    assert after("ask").asked(NOW + timedelta(1), to=9) == after("ask")


def test_a_job_that_failed_goes_on_as_if_it_had_not() -> None:
    assert after("ask", "begin", "fail", "resume") == after("ask", "begin")


def test_what_waits_for_its_file_is_neither_stuck_nor_resumed() -> None:
    assert not NEW.is_stuck(None, NOW + timedelta(days=9))
    with pytest.raises(IllegalTransition):
        DEEDS["resume"](NEW)


def test_a_job_is_stuck_when_nobody_has_moved_it_for_long() -> None:
    job = after("ask", "begin")

    assert not job.is_stuck(NOW, NOW + STUCK_AFTER)
    assert job.is_stuck(NOW, NOW + STUCK_AFTER * 1.1)
    assert not after("ask", "begin", "end").is_stuck(NOW, NOW + STUCK_AFTER * 2)
