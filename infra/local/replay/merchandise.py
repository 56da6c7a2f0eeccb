"""What of an invoice is merchandise, and why the rest is not."""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from infra.local.replay.countries import COUNTRIES
from infra.local.replay.history import Invoice, Row

# The shop's books carry these as "stock codes". Case matters: 85123A and 85123a are two SKUs.
CODES = {
    "POST": "postage",
    "DOT": "postage",
    "C2": "carriage",
    "C3": "carriage",
    "M": "manual entry",
    "m": "manual entry",
    "D": "discount",
    "S": "samples",
    "BANK CHARGES": "bank charges",
    "AMAZONFEE": "marketplace fee",
    "CRUK": "charity",
    "B": "bad debt",
    "PADS": "free pads",
    "GIFT": "gift voucher",
}
BEGINNINGS = {
    "gift_": "gift voucher",
    "ADJUST": "adjustment",
    "TEST": "test",
}

Refusal = Callable[[Row], str]


class Line(NamedTuple):
    """`pence` for one unit. `number` is the line's place in the order, from 1."""

    number: int
    sku: str
    quantity: int
    pence: int


class Sorted(NamedTuple):
    """Refused rows, by reason."""

    lines: list[Line]
    refused: Counter[str]


def sort_sale(invoice: Invoice) -> Sorted:
    """Two rows of one SKU are two lines, whether they are alike or not."""
    return sorted_rows(invoice.rows, lambda row: sale_refusal(invoice, row))


def sort_cancellation(invoice: Invoice) -> Sorted:
    """Its lines have the units to cancel as a positive quantity."""
    taken = sorted_rows(invoice.rows, cancellation_refusal)
    return taken._replace(lines=[line._replace(quantity=-line.quantity) for line in taken.lines])


def sorted_rows(rows: Iterable[Row], refusal: Refusal) -> Sorted:
    taken = Sorted([], Counter())
    for row in rows:
        if reason := refusal(row):
            taken.refused[reason] += 1
        else:
            pence = int(row.price * 100)
            taken.lines.append(Line(len(taken.lines) + 1, row.sku, row.quantity, pence))
    return taken


def sale_refusal(invoice: Invoice, row: Row) -> str:
    """Why this row is no order line, or nothing when it is one."""
    if invoice.is_adjustment:
        return "bad debt"
    return faulty(row) or not_sold(row) or ("" if row.country in COUNTRIES else "unknown country")


def cancellation_refusal(row: Row) -> str:
    return faulty(row) or ("cancellation of nothing" if row.quantity >= 0 else "")


def faulty(row: Row) -> str:
    if row.fault or not row.invoice or not row.sku:
        return "unreadable"
    return not_merchandise(row.sku)


def not_sold(row: Row) -> str:
    if row.quantity < 0:
        return "write-off"
    if row.quantity == 0:
        return "no units"
    if row.price <= 0:
        return "no price"
    return "" if is_whole(row.price * 100) else "fraction of a penny"


def not_merchandise(sku: str) -> str:
    if sku in CODES:
        return CODES[sku]
    return next((why for start, why in BEGINNINGS.items() if sku.startswith(start)), "")


def is_whole(pence: Decimal) -> bool:
    return pence == pence.to_integral_value()
