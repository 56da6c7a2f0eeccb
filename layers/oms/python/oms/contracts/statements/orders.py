"""What channels know of orders: Shopify's export of orders, and one of our own."""

from __future__ import annotations

from oms.contracts.statements.rows import Format, Row
from oms.domain.reconciling.entries import Entry, EntryKind

SHOPIFY_NEEDED = ("Name", "Id", "Currency", "Total", "Created at", "Cancelled at")


def shopify(row: Row) -> Entry | None:
    """Of an order's rows the first has its totals, the others only lines."""
    if not row.text("Total") and not row.text("Currency"):
        return None
    currency = row.money("Currency")
    number, name = row.name("Id"), row.name("Name", needed=True)
    return Entry(
        row.line,
        EntryKind.ORDER,
        row.amount("Total", currency),
        currency,
        references=tuple(each for each in (number, name, name.removeprefix("#")) if each),
        on=row.day("Created at", needed=True),
        is_void=bool(row.text("Cancelled at")),
    )


GENERIC_NEEDED = ("external_id", "total", "currency")
CANCELLED = frozenset({"cancelled", "canceled", "void", "voided", "expired"})


def generic(row: Row) -> Entry:
    currency = row.money("currency")
    return Entry(
        row.line,
        EntryKind.ORDER,
        row.amount("total", currency),
        currency,
        references=(row.name("external_id", needed=True),),
        on=row.day("date"),
        is_void=row.text("status").casefold() in CANCELLED,
    )


ORDERS = {
    "shopify": Format(SHOPIFY_NEEDED, shopify),
    "generic": Format(GENERIC_NEEDED, generic),
}
