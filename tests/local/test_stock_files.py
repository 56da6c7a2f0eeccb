from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from infra.local import stock_files
from infra.local.cloud import CloudError
from infra.local.stock_files import finished, named, size_of, target


class Seen(list[tuple[int, int | None, str]]):
    def step(self, done: int, total: int | None, text: str = "") -> None:
        self.append((done, total, text))


def a_job(status: str, done: int, refused: int = 0) -> dict[str, Any]:
    progress = {"done": done, "total": 9, "refused": refused}
    return {"job_id": "job_1", "status": status, "progress": progress, "reason": "no header"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_files, "TICK", 0.0)


def test_progress_is_shown_until_the_job_is_done() -> None:
    answers = iter([a_job("queued", 0), a_job("running", 4, 1), a_job("done", 9, 2)])
    seen = Seen()

    job = finished(lambda: next(answers), seen)

    assert job["status"] == "done"
    assert seen == [(0, 9, ""), (4, 9, "1 refused"), (9, 9, "2 refused")]


def test_a_job_that_failed_says_why() -> None:
    with pytest.raises(CloudError, match="job_1 failed: no header"):
        finished(lambda: a_job("failed", 3), Seen())


def test_a_job_that_stands_still_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = count(step=60)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))

    with pytest.raises(CloudError, match="stands still"):
        finished(lambda: a_job("running", 3), Seen())


def test_a_link_is_asked_for_as_it_was_signed() -> None:
    assert target("http://127.0.0.1:4566/b/a%20b?X-Amz-Date=1%2F2") == "/b/a%20b?X-Amz-Date=1%2F2"


def test_a_file_must_be_named_and_there(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="which file"):
        named("")
    with pytest.raises(CloudError, match="No such file"):
        size_of(tmp_path / "nothing.csv")
