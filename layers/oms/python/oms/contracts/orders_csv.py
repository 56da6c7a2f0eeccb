"""Orders as CSV, of tills and wholesale: a row for each line of an order, its rows together.

What belongs to the order (buyer, address, shipping, currency…) is said in its first row; a later
row says the same or nothing. Amounts are decimals as people write them (`1299.50`), of whole minor
units; `unit_price` is of one unit, every other amount of the whole line or order. `paid` is `yes`
(the default: a till has taken the money), `no`, or the amount that was taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from oms.contracts.api.orders import ChannelOrder
from oms.contracts.csv_rows import TOLD, Line, Refused, cells_by_column, columns_of
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.currencies import EXPONENTS, NotAnAmount, minor_units

NEEDED = ("order", "currency", "sku", "quantity", "unit_price")
OF_LINE = (
    *("sku", "quantity", "unit_price", "discount", "discount_code", "tax", "tax_name", "tax_rate"),
    *("ships", "line_id"),
)
ADDRESS = {
    "name": "name",
    "company": "company",
    "address1": "line1",
    "address2": "line2",
    "city": "city",
    "region": "region",
    "postal_code": "postal_code",
    "country": "country",
}
OF_ORDER = (
    *("currency", "email", "phone", *ADDRESS),
    *("shipping_method", "shipping_price", "shipping_tax", "order_discount", "order_discount_code"),
    *("tax_included", "total", "paid", "pickup_location", "deliver_by"),
)
KNOWN = ("order", *OF_ORDER, *OF_LINE, *TOLD)
OPTIONAL = ("pickup_location", "deliver_by")
MAX_ROWS = 2_000  # of one order

YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)

# Where a field of an order is said in the file; what is not here is said under its own name.
COLUMNS = {
    "external_id": "order",
    "shipping_address": "country",
    "shipping": "shipping_price",
    "discounts": "order_discount",
    "customer.email": "email",
    "customer": "email",
    "lines.quantity": "quantity",
    "lines.unit_price": "unit_price",
    "lines.sku": "sku",
    "lines.discounts": "discount",
    "lines.taxes": "tax",
    "payment.captured": "paid",
}


@dataclass(frozen=True, slots=True)
class Row:
    """`said` are its cells by column, without those that say nothing."""

    line: int
    cells: tuple[str, ...]
    said: Mapping[str, str]

    @property
    def order(self) -> str:
        return self.said.get("order", "")

    def refused(self, column: str, why: str) -> Refused:
        return Refused(self.line, column, why, self.cells)


class _Wrong(ValueError):
    """A cell of this row says what cannot be."""

    def __init__(self, row: Row, column: str, why: str) -> None:
        super().__init__(why)
        self.refused = row.refused(column, why)


def header(line: Line) -> tuple[str, ...]:
    """The names of the columns, each known and each once."""
    return columns_of(line, NEEDED, KNOWN)


def row_of(columns: Sequence[str], line: Line) -> Row | Refused:
    cells = cells_by_column(columns, line)
    if isinstance(cells, Refused):
        return cells
    said = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
    row = Row(line.number, cells, said)
    return row if row.order else row.refused("order", "is empty")


def orders(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each order, which stand together."""
    for _, of_order in groupby(rows, key=lambda row: row.order):
        yield list(of_order)


def read(channel: str, rows: Sequence[Row]) -> ChannelOrder | list[Refused]:
    """The order that the rows are, or why not: of the row that is wrong, and for the others that
    they are part of it."""
    try:
        return ChannelOrder.read(_order(channel, rows))
    except _Wrong as wrong:
        return _with_the_rest(rows, [wrong.refused])
    except InvalidRequest as invalid:
        return _with_the_rest(rows, [_refused(rows, fault) for fault in invalid.faults])


def refuse_all(rows: Sequence[Row], column: str, why: str) -> list[Refused]:
    return _with_the_rest(rows, [rows[0].refused(column, why)])


def _with_the_rest(rows: Sequence[Row], wrong: list[Refused]) -> list[Refused]:
    told = {each.line: each for each in reversed(wrong)}  # the first of a row's faults
    first = min(told)
    return [
        told.get(row.line, row.refused("", f"is of the order that line {first} spoils"))
        for row in rows
    ]


def _refused(rows: Sequence[Row], fault: Fault) -> Refused:
    """`lines[2].quantity`: in the third row, the quantity."""
    found = re.match(r"lines\[(\d+)\]", fault.field)
    row = rows[int(found[1])] if found else rows[0]
    name = re.sub(r"\[\d+\]", "", fault.field)
    parts = name.split(".")
    tried = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    column = next((COLUMNS[each] for each in tried if each in COLUMNS), parts[-1])
    return row.refused(column, fault.reason)


def _order(channel: str, rows: Sequence[Row]) -> dict[str, Any]:
    head = _head(rows)
    currency = head.said.get("currency", "").upper()
    if currency not in EXPONENTS:
        raise _Wrong(head, "currency", "is none that we know" if currency else "is empty")
    lines = [_line(row, currency) for row in rows]
    tax_included = _yes(head, "tax_included", otherwise=False)
    shipping = _shipping(head, currency)
    discount = _amount(head, "order_discount", currency)
    parts = [each["unit_price"] * each["quantity"] for each in lines]
    off = sum(x["amount"] for each in lines for x in each["discounts"]) + discount
    taxes = [*(x for each in lines for x in each["taxes"]), *shipping["taxes"]]
    added = 0 if tax_included else sum(x["amount"] for x in taxes)
    sum_of_parts = sum(parts) - off + shipping["price"] + added
    total = _amount(head, "total", currency, otherwise=max(0, sum_of_parts))
    said = {
        "channel": channel,
        "external_id": head.order,
        "currency": currency,
        "customer": _customer(head),
        "shipping_address": _address(head),
        "lines": lines,
        "discounts": _discount(head, "order_discount_code", discount),
        "shipping": shipping,
        "tax_included": tax_included,
        "total": total,
        **_payment(head, currency, total),
    }
    optional = {
        name: head.said[name] for name in ("pickup_location", "deliver_by") if name in head.said
    }
    return said | optional


def _head(rows: Sequence[Row]) -> Row:
    """What is said of the order; a row that says it differently is wrong."""
    if len(rows) > MAX_ROWS:
        raise _Wrong(rows[MAX_ROWS], "order", f"has more than {MAX_ROWS:,} rows")
    head = rows[0]
    for row in rows[1:]:
        for name in OF_ORDER:
            if name in row.said and row.said[name] != head.said.get(name):
                raise _Wrong(row, name, f"is not what line {head.line} says of the order")
    return head


def _line(row: Row, currency: str) -> dict[str, Any]:
    quantity = row.said.get("quantity", "")
    if not WHOLE.fullmatch(quantity):
        raise _Wrong(row, "quantity", "is no whole number" if quantity else "is empty")
    if "unit_price" not in row.said:
        raise _Wrong(row, "unit_price", "is empty")
    tax = _amount(row, "tax", currency)
    name, rate = row.said.get("tax_name", "tax"), row.said.get("tax_rate", "0")
    return {
        "sku": row.said.get("sku", ""),
        "quantity": int(quantity),
        "unit_price": _amount(row, "unit_price", currency),
        "discounts": _discount(row, "discount_code", _amount(row, "discount", currency)),
        "taxes": [{"name": name, "rate": rate, "amount": tax}] if tax else [],
        "requires_shipping": _yes(row, "ships", otherwise=True),
        "external_id": row.said.get("line_id"),
    }


def _discount(row: Row, code: str, amount: int) -> list[dict[str, Any]]:
    return [{"code": row.said.get(code, "discount"), "amount": amount}] if amount else []


def _shipping(head: Row, currency: str) -> dict[str, Any]:
    tax = _amount(head, "shipping_tax", currency)
    return {
        "method": head.said.get("shipping_method", "standard"),
        "price": _amount(head, "shipping_price", currency),
        "taxes": [{"name": "shipping tax", "rate": "0", "amount": tax}] if tax else [],
    }


def _payment(head: Row, currency: str, total: int) -> dict[str, Any]:
    """Nothing ships for money that nobody took."""
    paid = head.said.get("paid", "yes")
    if paid.lower() in YES:
        captured = total if YES[paid.lower()] else 0
    else:
        captured = _amount(head, "paid", currency)
    payment = {"payment": {"provider": "external", "captured": captured}}
    if captured >= total:
        return payment
    return payment | {"payment_hold": f"the file says that {captured} of {total} were paid"}


def _customer(head: Row) -> dict[str, Any] | None:
    found = {name: head.said.get(name, "") for name in ("name", "phone")}
    found["email"] = head.said.get("email") or None  # type: ignore[assignment]
    return found if any(found.values()) else None


def _address(head: Row) -> dict[str, str] | None:
    """None where the country is not said: a till hands over."""
    if not any(name in head.said for name in ADDRESS if name not in ("name", "company")):
        return None
    return {field: head.said.get(column, "") for column, field in ADDRESS.items()}


def _amount(row: Row, column: str, currency: str, otherwise: int = 0) -> int:
    if column not in row.said:
        return otherwise
    try:
        return minor_units(row.said[column], currency)
    except NotAnAmount as error:
        raise _Wrong(row, column, str(error)) from None


def _yes(row: Row, column: str, *, otherwise: bool) -> bool:
    said = row.said.get(column, "").lower()
    if said and said not in YES:
        raise _Wrong(row, column, "is neither yes nor no")
    return YES.get(said, otherwise)
