"""The orders of one person, page by page, whichever identities they are of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.customers import order_pages
from functions.customers.order_pages import page_of
from oms.adapters.order_rows import instant

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Placed:
    order_id: str
    customer_id: str
    placed_at: datetime


@dataclass
class Shelf:
    """Orders as the index has them: of the same instant in no order that anybody knows."""

    placed: list[Placed]
    looks: int = 0

    def listed(
        self, customer_id: str, until: datetime | None, limit: int
    ) -> tuple[tuple[str, str], ...]:
        self.looks += 1
        own = [x for x in self.placed if x.customer_id == customer_id]
        own = [x for x in own if until is None or instant(x.placed_at) <= instant(until)]
        own.sort(key=lambda x: (instant(x.placed_at), x.order_id[::-1]), reverse=True)
        return tuple((x.order_id, instant(x.placed_at)) for x in own[:limit])

    def many(self, order_ids: Iterable[str]) -> dict[str, Any]:
        return {x.order_id: x for x in self.placed if x.order_id in set(order_ids)}


placed = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=30)


@given(placed, st.integers(1, 6), st.booleans())
@settings(deadline=None)
def test_every_order_is_on_one_page_newest_first_and_a_page_is_a_few_looks(
    orders: list[tuple[int, int]], limit: int, heavy: bool
) -> None:
    shelf = Shelf(
        [
            Placed(f"ord_{number}", f"cus_{who}", AT + timedelta(milliseconds=when))
            for number, (who, when) in enumerate(orders)
        ]
    )
    identities = [f"cus_{who}" for who in range(4)]
    seen, cursor, pages = list[str](), None, 0
    room = 1 if heavy else 1_000_000
    with (
        patch.object(order_pages, "order_view", lambda order: order.order_id),
        patch.object(order_pages, "MAX_PAGE_BYTES", room),
    ):
        while pages == 0 or cursor:
            page = page_of(shelf, identities, limit, cursor)
            seen += page.items  # type: ignore[arg-type]
            cursor, pages = page.cursor, pages + 1
            assert len(page.items) <= limit

    at = {x.order_id: x.placed_at for x in shelf.placed}
    assert sorted(seen) == sorted(at)
    assert [at[x] for x in seen] == sorted(at.values(), reverse=True)
    assert shelf.looks == len(identities) * pages
