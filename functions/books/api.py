"""Do the books balance? At once, or by a check of everything; and what is to be done if not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from functions.books import desk
from functions.books.books import Findings, Shelves, check, in_all
from oms.adapters.books_table import Tasks, tasks
from oms.adapters.checks_table import ChecksTable, Overtaken, check_id_of, checks_table
from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.histories import histories
from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.item_books import item_books
from oms.adapters.orders_table import orders_table
from oms.contracts.api.books import (
    BooksCheckView,
    BooksQuery,
    BooksView,
    BookTaskPage,
    BookTaskQuery,
    BookTaskView,
    CheckQuery,
    DifferenceView,
    DismissBookTask,
    ProposalView,
)
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.books.checks import Check, parts_for
from oms.domain.books.difference import Difference
from oms.domain.books.proposals import KINDS
from oms.domain.books.tasks import Task

ENVIRONMENT: tuple[str, ...] = (*desk.TABLES, *desk.WORKFLOWS, "EVENT_BUS")

SECONDS_FOR_ORDERS = 18.0  # of the 29 that the gateway waits; the stock is read in the rest
SECONDS_AT_ONCE = 10.0  # of a new check; the clock goes on with it
MAX_SHOWN = 1_000
SMALL = 20_000  # orders, that are read at once

app = HttpApi("BooksApi")


class OfBooks(Contract):
    id: Identity


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/books")
def get_books(request: Request) -> BooksView:
    query = request.read_query(BooksQuery)
    after = _after(query.cursor)
    if query.full == "false" or (query.full is None and after is None):
        last = checks_table().last_done()
        if last and (query.full == "false" or last.counted.get("orders", 0) > SMALL):
            return kept_view(last, tasks())
    return books_view(check(shelves(_in_time(SECONDS_FOR_ORDERS)), after))


@app.route("POST", "/books/checks")
def post_check(request: Request) -> Response:
    """One at a time: asked for while one runs, it is that one."""
    checks, now = checks_table(), desk.now()
    running = checks.running()
    if running is None:
        running = begun(checks, request, check_id_of(now, request.idempotency_key or str(now)))
    try:
        running = desk.checking().work(running, _in_time(SECONDS_AT_ONCE))
    except Overtaken:
        running = checks.get(running.check_id)
    return Response(202, check_view(running), ids={"check_id": running.check_id})


@app.route("GET", "/books/checks/{id}")
def get_check(request: Request) -> BooksCheckView:
    query = request.read_query(CheckQuery)
    found = checks_table().get(_id(request))
    page = checks_table().noted(found.check_id, query.limit, query.cursor)
    known = tasks().many(page.task_ids)
    return check_view(found, known, page.cursor)


@app.route("GET", "/books/tasks")
def get_tasks(request: Request) -> BookTaskPage:
    query = request.read_query(BookTaskQuery)
    page = tasks().page(query.limit, query.cursor, query.kind or "", query.state or "")
    return BookTaskPage([task_view(task) for task in page.tasks], page.cursor)


@app.route("GET", "/books/tasks/{id}")
def get_task(request: Request) -> BookTaskView:
    return task_view(tasks().get(_id(request)))


@app.route("POST", "/books/tasks/{id}/apply")
def post_apply(request: Request) -> BookTaskView:
    return task_view(desk.mender().apply(_id(request), request.actor))


@app.route("POST", "/books/tasks/{id}/accept")
def post_accept(request: Request) -> BookTaskView:
    return task_view(tasks().change(_id(request), lambda task: task.accepted(request.actor)))


@app.route("POST", "/books/tasks/{id}/dismiss")
def post_dismiss(request: Request) -> BookTaskView:
    reason = request.read(DismissBookTask).reason
    changed = tasks().change(_id(request), lambda task: task.dismissed(request.actor, reason))
    return task_view(changed)


def begun(checks: ChecksTable, request: Request, check_id: str) -> Check:
    """As many parts as its orders need, as the last check has counted them."""
    now, last = desk.now(), checks.last_done()
    parts = parts_for(last.counted.get("orders", 0) if last else 0)
    return checks.begin(Check(check_id, request.actor, now, now, parts=parts))


def shelves(is_late: Callable[[], bool]) -> Shelves:
    return Shelves(histories(), orders_table(), item_books(), is_late, credit_ledger())


def books_view(findings: Findings) -> BooksView:
    found, stopped = findings.differences, findings.stopped_after
    return BooksView(
        balanced=not found,
        differences=[DifferenceView(*difference) for difference in found[:MAX_SHOWN]],
        counted={**findings.counted, "differences": len(found)},
        cursor=encode_cursor({"after": stopped}) if stopped else None,
        in_all=_side_by_side(findings.counted),
    )


def kept_view(last: Check, known: Tasks) -> BooksView:
    """As the last check has left it, and what was found or mended since."""
    many = known.count_open(*KINDS)
    found = [task for task in known.open_page(MAX_SHOWN).tasks if task.kind in KINDS]
    return BooksView(
        balanced=not many,
        differences=[DifferenceView(*_difference(task)) for task in found],
        counted={**last.counted, "differences": many},
        in_all=_side_by_side(last.counted),
        open_tasks=many,
        checked_at=last.moved_at,
        check_id=last.check_id,
    )


def check_view(
    found: Check, known: Sequence[Task] = (), cursor: str | None = None
) -> BooksCheckView:
    return BooksCheckView(
        check_id=found.check_id,
        state="done" if found.is_done else "running",
        actor=found.actor,
        began_at=found.began_at,
        moved_at=found.moved_at,
        phase=found.phase,
        found=found.found,
        counted=dict(found.counted),
        in_all=_side_by_side(found.counted) if found.is_done else [],
        tasks=[task_view(task) for task in known],
        cursor=cursor,
    )


def task_view(task: Task) -> BookTaskView:
    proposal = task.proposal
    return BookTaskView(
        task_id=task.task_id,
        kind=task.kind,
        subject=task.subject,
        rule=task.rule,
        expected=task.expected,
        actual=task.actual,
        proposal=ProposalView(proposal.words, proposal.command, dict(proposal.fields)),
        state=task.state,
        found_at=task.found_at,
        seen_at=task.seen_at,
        by=task.by,
        why=task.why,
    )


def _difference(task: Task) -> Difference:
    return Difference(task.subject, task.rule, task.expected, task.actual)


def _side_by_side(counted: Any) -> list[DifferenceView]:
    return [DifferenceView(*each) for each in in_all(counted)]


def _after(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    given = decode_cursor(cursor)
    if given.keys() != {"after"} or not given["after"]:
        raise BadCursor
    return given["after"]


def _id(request: Request) -> str:
    return OfBooks.read(dict(request.path)).id


def _in_time(seconds: float) -> Callable[[], bool]:
    late = time.monotonic() + seconds
    return lambda: time.monotonic() > late
