"""Invoices and credit notes, as they are asked for and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import Field

from oms.contracts.api.fields import YEARS, Contract, FreeText
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.invoicing import InvoicePolicy, Seller

Series = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_-]*(\{year\})?[A-Za-z0-9_-]*$", max_length=30)]


class SellerGiven(Contract):
    name: Annotated[FreeText, Field(min_length=1)]
    address: Annotated[list[FreeText], Field(max_length=10)] = Field(default_factory=list)
    tax_id: FreeText = ""
    note: FreeText = ""


class InvoicePolicyGiven(Contract):
    """`automatic`: documents are issued as goods leave and money is given back; otherwise when they
    are asked for. `{year}` in a series stands for the year in the seller's time zone."""

    automatic: bool = False
    seller: SellerGiven = Field(default_factory=lambda: SellerGiven(name="The shop"))
    invoice_series: Series = "INV-{year}"
    credit_note_series: Series = "CN-{year}"
    time_zone: Annotated[str, Field(max_length=60)] = "UTC"

    def faults(self) -> Iterator[Fault]:
        if _years_of(self.invoice_series) & _years_of(self.credit_note_series):
            yield Fault("credit_note_series", "is that of the invoices")
        for name in ("invoice_series", "credit_note_series"):
            if not getattr(self, name):
                yield Fault(name, "is empty")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # `America` is a directory of it
            yield Fault("time_zone", "is no time zone of the IANA database")

    def document(self) -> InvoicePolicy:
        seller = Seller(
            self.seller.name, tuple(self.seller.address), self.seller.tax_id, self.seller.note
        )
        return InvoicePolicy(
            self.automatic, seller, self.invoice_series, self.credit_note_series, self.time_zone
        )


def _years_of(series: str) -> frozenset[str]:
    return frozenset(series.replace("{year}", str(year)) for year in YEARS)


class DocumentRowView(View):
    """`amount` is what the row adds to the total; `tax` is the tax in it."""

    label: str
    quantity: int
    unit_price: int
    discount: int
    tax: int
    amount: int


class DocumentTaxView(View):
    name: str
    rate: str
    amount: int


class DocumentView(View, omit_defaults=True):
    """An invoice, or a credit note that `refers_to` invoices. `url` fetches the PDF, for a quarter
    of an hour."""

    number: str
    kind: str
    order_id: str
    issued_at: At
    currency: str
    tax_included: bool
    total: int
    rows: list[DocumentRowView]
    taxes: list[DocumentTaxView] = msgspec.field(default_factory=list)
    refers_to: list[str] = msgspec.field(default_factory=list)
    reason: str = ""
    url: str = ""


class DocumentList(View):
    items: list[DocumentView]
