"""How the books are told."""

from __future__ import annotations

from typing import Any

from functions.books.api import MAX_SHOWN, app, books_view
from functions.books.books import Findings
from oms.contracts.cursors import decode_cursor
from oms.contracts.routes import ROUTES
from oms.domain.books.difference import Difference


def test_it_answers_its_routes_and_no_others() -> None:
    ours = {(route.method, route.path) for route in ROUTES if route.function_id == "BooksApi"}

    assert app.routes == ours


def test_books_that_balance_say_what_was_counted() -> None:
    findings = Findings()
    findings.counted.update(orders=3)

    view = books_view(findings)

    assert (view.balanced, view.differences, view.cursor) == (True, [], None)
    assert view.counted == {"orders": 3, "differences": 0}


def test_a_flood_of_differences_is_counted_and_not_all_shown() -> None:
    found = [Difference("a", "rule", 1, 2)] * (MAX_SHOWN + 5)

    view = books_view(Findings(found, stopped_after="ord_a"))

    assert (view.balanced, len(view.differences)) == (False, MAX_SHOWN)
    assert view.counted["differences"] == MAX_SHOWN + 5
    assert decode_cursor(view.cursor or "") == {"after": "ord_a"}


def test_a_foreign_cursor_is_the_callers_fault() -> None:
    books: dict[str, Any] = {"routeKey": "GET /books", "rawQueryString": "cursor=eHl6"}

    assert app.handle(books, None)["statusCode"] == 400
