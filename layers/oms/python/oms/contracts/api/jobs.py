"""Long jobs: what is asked for, and how far it is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from oms.contracts.api.fields import Contract, Cursor, PageSize, Slug
from oms.contracts.api.views import At, View

MAX_FILE = 64 * 1024 * 1024


class ImportStock(Contract):
    """`size` is that of the file, in bytes: a file of another size is not taken."""

    size: Annotated[int, Field(ge=1, le=MAX_FILE)]


class ImportOrders(Contract):
    """`channel` is that of the orders in the file, in whose name their numbers are known."""

    channel: Slug
    size: Annotated[int, Field(ge=1, le=MAX_FILE)]


class JobQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class ProgressView(View):
    """`refused` are among `done`; a `total` of 0 is not known yet."""

    done: int
    total: int
    refused: int


class JobView(View, omit_defaults=True):
    """`idle_seconds`: since it was last moved, while it is not finished.

    `files` are links to what it has made, by what it is; they expire within a quarter of an hour.
    """

    job_id: str
    kind: str
    status: str
    progress: ProgressView
    created_at: At
    actor: str
    started_at: At | None = None
    finished_at: At | None = None
    idle_seconds: int = 0
    stuck: bool = False
    reason: str = ""
    files: dict[str, str] = msgspec.field(default_factory=dict)


class UploadView(View):
    """PUT the file to this address, with these headers, before it expires."""

    url: str
    headers: dict[str, str]
    expires_at: At


class ImportView(View):
    job: JobView
    upload: UploadView


class JobPage(View):
    items: list[JobView]
    cursor: str | None = None
