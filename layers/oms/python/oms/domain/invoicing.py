"""Invoices for what was handed over, credit notes for what was given back: figures, no paper.

A document is a pure function of the order and never changes: what it says was true at its event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from oms.domain.lines import Line, Tax
from oms.domain.money import unit_share
from oms.domain.order import Order
from oms.domain.refunds import Credit, CreditPart, PartKind


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class Seller:
    """Who the documents are from, as they say it at their top."""

    name: str = "The shop"
    address: tuple[str, ...] = ()
    tax_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class InvoicePolicy:
    """`automatic`: documents are issued as goods leave and money is given back, not only when they
    are asked for. `{year}` in a series is the year in the seller's time zone: its numbers begin
    anew."""

    automatic: bool = False
    seller: Seller = Seller()
    invoice_series: str = "INV-{year}"
    credit_note_series: str = "CN-{year}"
    time_zone: str = "UTC"

    def series(self, kind: DocumentKind, at: datetime) -> str:
        pattern = self.invoice_series if kind is DocumentKind.INVOICE else self.credit_note_series
        return pattern.replace("{year}", str(at.astimezone(ZoneInfo(self.time_zone)).year))


@dataclass(frozen=True, slots=True)
class Row:
    """`amount` is what the row adds to the total, discounts and added tax included; `tax` is the
    tax in it. `label` is a SKU, or what else it is for."""

    label: str
    amount: int
    quantity: int = 1
    unit_price: int = 0
    discount: int = 0
    tax: int = 0


@dataclass(frozen=True, slots=True)
class TaxSum:
    name: str
    rate: str
    amount: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A document without a number. `event_id` is the fact that it is about: there is one of it."""

    kind: DocumentKind
    order_id: str
    event_id: str
    currency: str
    tax_included: bool
    rows: tuple[Row, ...]
    taxes: tuple[TaxSum, ...] = ()
    reason: str = ""

    @property
    def total(self) -> int:
        return sum(row.amount for row in self.rows)


@dataclass(frozen=True, slots=True)
class Document:
    """`refers_to` are the invoices that a credit note is about."""

    number: str
    draft: Draft
    issued_at: datetime
    seller: Seller
    refers_to: tuple[str, ...] = ()


def numbered(series: str, sequence: int) -> str:
    return f"{series}-{sequence:06d}"


def invoice(before: Order, after: Order, event_id: str) -> Draft | None:
    """What left the warehouse between two moments of an order; None where nothing is charged.

    Shipping is on the first one. Its total is what the captures of that moment take.
    """
    moved = [
        (line, before.line(line.line_id).dispatched, line.dispatched)
        for line in after.lines
        if line.dispatched > before.line(line.line_id).dispatched
    ]
    rows = [_line_row(after, line, start, end - start) for line, start, end in moved]
    taxes = [each for line, start, end in moved for each in _line_taxes(line, start, end - start)]
    if moved and not any(line.dispatched for line in before.lines):
        rows += _shipping_rows(after)
        taxes += [TaxSum(tax.name, tax.rate, tax.amount) for tax in after.shipping.taxes]
    if not rows or not any(row.amount for row in rows):
        return None
    return _draft(DocumentKind.INVOICE, after, event_id, rows, taxes)


def credit_note(order: Order, credit: Credit, event_id: str) -> Draft | None:
    """None where nothing was given back."""
    if not credit.amount:
        return None
    rows = list(_credit_rows(order, credit.parts))
    taxes = [each for part in credit.parts for each in _part_taxes(order, part)]
    kind = DocumentKind.CREDIT_NOTE
    return _draft(kind, order, event_id, rows, taxes, credit.reason or credit.kind)


def _draft(
    kind: DocumentKind,
    order: Order,
    event_id: str,
    rows: Iterable[Row],
    taxes: Iterable[TaxSum],
    reason: str = "",
) -> Draft:
    included = order.tax_included
    kept, sums = tuple(rows), _summed(taxes)
    return Draft(kind, order.order_id, event_id, order.currency, included, kept, sums, reason)


def _line_row(order: Order, line: Line, start: int, count: int) -> Row:
    amount = line.payable(start, count, tax_included=order.tax_included)
    discount = sum(share for _, share in line.discount_shares(start, count))
    return Row(line.sku, amount, count, line.unit_price, discount, line.tax(start, count))


def _shipping_rows(order: Order) -> list[Row]:
    shipping, tax = order.shipping, sum(tax.amount for tax in order.shipping.taxes)
    amount = shipping.payable(tax_included=order.tax_included)
    if not amount:
        return []
    return [Row(f"Shipping: {shipping.method}", amount, 1, shipping.price, 0, tax)]


def _line_taxes(line: Line, start: int, count: int) -> Iterator[TaxSum]:
    for tax in line.taxes:
        yield TaxSum(tax.name, tax.rate, unit_share(tax.amount, line.quantity, start, count))


def _summed(taxes: Iterable[TaxSum]) -> tuple[TaxSum, ...]:
    """One sum for each tax and rate, in the order in which they come."""
    sums: Counter[tuple[str, str]] = Counter()
    for tax in taxes:
        sums[tax.name, tax.rate] += tax.amount
    return tuple(TaxSum(name, rate, amount) for (name, rate), amount in sums.items())


_LABELS = {
    PartKind.SHIPPING: "Shipping",
    PartKind.GOODWILL: "Goodwill",
    PartKind.RESTOCKING_FEE: "Restocking fee",
    PartKind.RETURN_SHIPPING: "Return shipping",
    PartKind.NOT_CAPTURED: "Not charged",
}


def _credit_rows(order: Order, parts: tuple[CreditPart, ...]) -> Iterator[Row]:
    """The parts of the same units are one row; fees and the like come below."""
    of_units = (part for part in parts if part.kind not in _LABELS)
    for (line_id, first), group in groupby(of_units, key=lambda x: (x.line_id, x.first_unit)):
        yield _units_row(order.line(line_id), list(group), first)
    for part in parts:
        if part.kind in _LABELS:
            yield Row(_LABELS[part.kind], part.amount, 1, part.amount)


def _units_row(line: Line, parts: list[CreditPart], first: int) -> Row:
    count = max(part.quantity for part in parts)
    discount = -sum(part.amount for part in parts if part.kind is PartKind.DISCOUNT)
    amount = sum(part.amount for part in parts)
    return Row(line.sku, amount, count, line.unit_price, discount, line.tax(first, count))


def _part_taxes(order: Order, part: CreditPart) -> Iterator[TaxSum]:
    if part.kind is PartKind.PRICE and part.line_id:
        yield from _line_taxes(order.line(part.line_id), part.first_unit, part.quantity)
    elif part.kind is PartKind.SHIPPING:
        yield from (_sum_of(tax) for tax in order.shipping.taxes)


def _sum_of(tax: Tax) -> TaxSum:
    return TaxSum(tax.name, tax.rate, tax.amount)
