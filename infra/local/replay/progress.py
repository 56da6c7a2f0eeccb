"""What the person sees meanwhile: a bar at a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_A_LINE = 10.0


class Shown(Protocol):
    def step(self, done: int, total: int | None, text: str = "") -> None: ...


@contextmanager
def shown(title: str, *, quiet: bool = False) -> Iterator[Shown]:
    if quiet:
        yield Silence()
        return
    if not sys.stdout.isatty():
        yield Lines(title)
        return
    columns = (
        TextColumn("  {task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, console=Console(soft_wrap=True)) as progress:
        yield Bar(progress, title)


class Silence:
    def step(self, done: int, total: int | None, text: str = "") -> None: ...


class Bar:
    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None, text="")

    def step(self, done: int, total: int | None, text: str = "") -> None:
        self._progress.update(self._task, completed=done, total=total, text=text)


class Lines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._last = time.monotonic()

    def step(self, done: int, total: int | None, text: str = "") -> None:
        finished = done == total
        if finished or time.monotonic() - self._last > SECONDS_A_LINE:
            self._last = time.monotonic()
            of = f" of {total:,}" if total is not None else ""
            print(f"  {self._title}: {done:,}{of} {text}".rstrip(), flush=True)
