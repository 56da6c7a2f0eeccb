"""Every stock level in one CSV, read side by side in segments of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol
from uuid import uuid4

from oms.adapters.jobs_table import Step
from oms.adapters.stock_counts import LevelPage
from oms.contracts import stock_csv
from oms.domain.inventory import Level
from oms.domain.jobs import Job, Slice, SlicePlan

KIND = "stock_export"
SEGMENTS = 4
PAGES_A_STEP = 8
LEVELS_A_STEP = 20_000


class Files(Protocol):
    def read(self, name: str) -> Iterator[bytes]: ...
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


Named = tuple[str, Level]  # what it is called now
ReadPage = Callable[[int, int, Any], LevelPage]  # segment, of how many, where to go on


class StockExport:
    """Each step writes a file of its own, so that a step done twice leaves one that counts."""

    def __init__(self, files: Files, read_page: ReadPage) -> None:
        self._files, self._read_page = files, read_page

    def slices(self, job: Job) -> Sequence[SlicePlan]:  # noqa: ARG002
        return [SlicePlan({"segment": segment, "of": SEGMENTS}) for segment in range(SEGMENTS)]

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        cursor = part.cursor or {"after": None, "parts": [], "ended": False}
        done = part.progress.done
        while not cursor["ended"]:
            levels, after = self._some(part, cursor["after"])
            name = f"jobs/{job.job_id}/parts/{part.number}-{uuid4().hex}.csv"
            parts = [*cursor["parts"], name] if levels else cursor["parts"]
            if levels:
                self._files.write(name, [stock_csv.written(map(exported, levels)).encode()])
            cursor = {"after": after, "parts": parts, "ended": after is None}
            done += len(levels)
            yield Step(cursor=cursor, done=len(levels), total=done)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        name = f"jobs/{job.job_id}/stock.csv"
        self._files.write(name, self._all(parts))
        return {"levels": name}

    def _some(self, part: Slice, after: Any) -> tuple[list[Named], Any]:
        levels: list[Named] = []
        for _ in range(PAGES_A_STEP):
            page = self._read_page(part.params["segment"], part.params["of"], after)
            levels += page.levels
            after = page.after
            if after is None or len(levels) >= LEVELS_A_STEP:
                break
        return levels, after

    def _all(self, parts: Sequence[Slice]) -> Iterator[bytes]:
        yield stock_csv.written([stock_csv.EXPORTED]).encode()
        for part in parts:
            for name in part.cursor["parts"]:
                yield from self._files.read(name)


def exported(named: Named) -> tuple[object, ...]:
    sku, level = named
    _, *columns = stock_csv.EXPORTED
    return sku, *(getattr(level, column) for column in columns)
