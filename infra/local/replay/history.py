"""An order history in the UCI Online Retail format: a csv, plain or gzipped, in time order.

Names of columns as in the UCI archive or as in its first edition (Invoice, Price, Customer ID).
"""

import csv
import gzip
import io
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, NamedTuple

COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "sku": ("StockCode",),
    "quantity": ("Quantity",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
# An invoice's rows come together, but for a few of its neighbour's when both were written at once.
NEARBY_ROWS = 200
MOST_DIGITS = 9  # of a price, before its point


class BadHistory(Exception):
    """Said to the person in one line."""


class Row(NamedTuple):
    """`price` of one unit in pounds, as exact as it is written; `fault` says what is unreadable."""

    invoice: str
    sku: str
    quantity: int
    price: Decimal
    customer: str
    country: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """`C…` cancels, `A…` adjusts a debt, all others sell."""

    number: str
    rows: list[Row] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.number[:1] in ("C", "c")

    @property
    def is_adjustment(self) -> bool:
        return self.number[:1] in ("A", "a")

    @property
    def customer(self) -> str:
        """Empty for a guest."""
        return self.rows[0].customer

    @property
    def country(self) -> str:
        return self.rows[0].country


def invoices(path: Path) -> Iterator[Invoice]:
    """In the order of their first rows; at most a few of them are in memory at a time."""
    return gathered(rows(path))


def gathered(rows: Iterable[Row]) -> Iterator[Invoice]:
    open_invoices: OrderedDict[str, tuple[Invoice, int]] = OrderedDict()
    for place, row in enumerate(rows):
        invoice, _ = open_invoices.get(row.invoice) or (Invoice(row.invoice), place)
        invoice.rows.append(row)
        open_invoices[row.invoice] = invoice, place
        yield from ended(open_invoices, before=place - NEARBY_ROWS)
    yield from (invoice for invoice, _ in open_invoices.values())


def ended(open_invoices: "OrderedDict[str, tuple[Invoice, int]]", before: int) -> Iterator[Invoice]:
    """Those at the head that had no row for a while."""
    while open_invoices:
        number, (invoice, last_row) = next(iter(open_invoices.items()))
        if last_row >= before:
            return
        del open_invoices[number]
        yield invoice


def rows(path: Path) -> Iterator[Row]:
    with opened(path) as text:
        reader = csv.reader(text)
        places = places_of(next(reader, []), path)
        for fields in reader:
            if fields:
                yield row_of(fields, places)


def opened(path: Path) -> IO[str]:
    try:
        octets = path.open("rb")
    except OSError as error:
        raise BadHistory(f"{path}: {error.strerror}") from error
    gzipped = octets.read(2) == b"\x1f\x8b"
    octets.seek(0)
    source = gzip.GzipFile(fileobj=octets) if gzipped else octets
    return io.TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="")


def places_of(header: list[str], path: Path) -> dict[str, int]:
    names = {name.strip(): place for place, name in enumerate(header)}
    found = {
        column: names[spelling]
        for column, spellings in COLUMNS.items()
        for spelling in spellings
        if spelling in names
    }
    if missing := COLUMNS.keys() - found.keys():
        raise BadHistory(f"{path}: no column {', '.join(COLUMNS[m][0] for m in sorted(missing))}")
    return found


def row_of(fields: list[str], places: dict[str, int]) -> Row:
    said = {c: fields[p].strip() if p < len(fields) else "" for c, p in places.items()}
    customer = said["customer"].removesuffix(".0")
    row = Row(said["invoice"], said["sku"], 0, Decimal(0), customer, said["country"])
    try:
        return row._replace(quantity=int(said["quantity"]), price=amount(said["price"]))
    except (ValueError, InvalidOperation):
        return row._replace(fault="unreadable")


def amount(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or value.adjusted() > MOST_DIGITS:
        raise ValueError(text)
    return value
