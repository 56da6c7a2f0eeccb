"""The file of an import: its pieces as they were announced, and the columns that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from oms.adapters.files import FileChanged
from oms.contracts.csv_rows import BadHeader, Line
from oms.domain.jobs import Job, JobFailed


class Readable(Protocol):
    def read(
        self, name: str, first: int = 0, end: int | None = None, etag: str = ""
    ) -> Iterator[bytes]: ...


def content_of(files: Readable, job: Job, first: int, end: int) -> Iterator[bytes]:
    """Raises JobFailed when it was uploaded again meanwhile."""
    try:
        yield from files.read(job.params["file"], first, end, job.params["etag"])
    except FileChanged as error:
        raise JobFailed(str(error)) from error


def columns_of(first: Line | None, header: Callable[[Line], tuple[str, ...]]) -> tuple[str, ...]:
    """Raises JobFailed where the first line does not name them."""
    if first is None:
        raise JobFailed("the file is empty")
    try:
        return header(first)
    except BadHeader as error:
        raise JobFailed(str(error)) from error
