"""The books: what is asked of them, what they come to, and what is to be done."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from oms.contracts.api.fields import Contract, Cursor, PageSize, Reason
from oms.contracts.api.views import At, View

Kind = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z_]*$")]


class BooksQuery(Contract):
    """`full`: read everything now, in parts where it is much; `false`: as the last full check and
    what events have shown since have it. Without it, a shop that can be read at once is."""

    cursor: Cursor | None = None
    full: Literal["true", "false"] | None = None


class CheckQuery(Contract):
    """Of the tasks that it has found."""

    cursor: Cursor | None = None
    limit: PageSize = 50


class BookTaskQuery(Contract):
    """Open ones first, or, with a `state`, `open` or `closed` ones alone."""

    cursor: Cursor | None = None
    limit: PageSize = 50
    kind: Kind | None = None
    state: Literal["open", "closed"] | None = None


class DismissBookTask(Contract):
    """Why it may stay as it is."""

    reason: Reason


class DifferenceView(View):
    """Two figures that must be equal and are not."""

    subject: str
    rule: str
    expected: int
    actual: int


class BooksView(View):
    """`counted` is what was looked at, so that an empty list of differences means something;
    `in_all` are the same figures added up over all of it, each beside what it must be, equal or
    not. `checked_at` and `check_id` are of the full check that the answer is from; without them
    everything was read now."""

    balanced: bool
    differences: list[DifferenceView]
    counted: dict[str, int] = msgspec.field(default_factory=dict)
    cursor: str | None = None
    in_all: list[DifferenceView] = msgspec.field(default_factory=list)
    open_tasks: int | None = None
    checked_at: At | None = None
    check_id: str | None = None


class ProposalView(View, omit_defaults=True):
    """What would mend it: `command` with its `fields` is done by applying the task; without a
    command only a person can, as the words say."""

    words: str
    command: str = ""
    fields: dict[str, str | int] = msgspec.field(default_factory=dict)


class BookTaskView(View, omit_defaults=True):
    """A difference, and what is to be done. `state`: open, accepted (somebody has it in hand),
    resolved or dismissed, `by` whom and `why`."""

    task_id: str
    kind: str
    subject: str
    rule: str
    expected: int
    actual: int
    proposal: ProposalView
    state: str
    found_at: At
    seen_at: At
    by: str = ""
    why: str = ""


class BookTaskPage(View):
    items: list[BookTaskView]
    cursor: str | None = None


class BooksCheckView(View):
    """A check of everything: `phase` is what it looks at; none when it is done. `tasks` are what it
    has found, a page of them."""

    check_id: str
    state: str
    actor: str
    began_at: At
    moved_at: At
    phase: str | None
    found: int
    counted: dict[str, int]
    in_all: list[DifferenceView] = msgspec.field(default_factory=list)
    tasks: list[BookTaskView] = msgspec.field(default_factory=list)
    cursor: str | None = None
