"""What carriers charge: one parcel on one line or, its surcharges beside it, on several.

UPS: billing data, 250 columns without names, of which these are needed. FedEx: the columns of its
billing reports. DHL: the columns of MyBill. And one of our own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from oms.contracts.statements.rows import Format, Row
from oms.domain.reconciling.entries import Entry, EntryKind
from oms.domain.reconciling.ours import tracking

UPS_PLACES = {
    "Invoice Number": 6,
    "Transaction Date": 12,
    "Lead Shipment Number": 14,
    "Tracking Number": 21,
    "Billed Weight": 29,
    "Charge Category Code": 35,
    "Charge Category Detail Code": 36,
    "Charge Classification Code": 44,
    "Charge Description Code": 45,
    "Charge Description": 46,
    "Transaction Currency Code": 51,
    "Net Amount": 53,
}


def ups(row: Row) -> Entry | None:
    """Lines that only inform charge nothing."""
    if row.line == 1 and row.text("Net Amount")[:1].isalpha():
        return None  # somebody has written the names above them
    amount = row.amount("Net Amount", currency := row.money("Transaction Currency Code"), empty=0)
    number = row.name("Tracking Number") or row.name("Lead Shipment Number")
    if not amount:
        return None
    return _charge(row, number, amount, currency, "Transaction Date", UPS_PLACES)


FEDEX_NEEDED = ("Express or Ground Tracking ID", "Net Charge Amount", "Shipment Date")


def fedex(row: Row) -> Entry:
    currency = row.money("Currency Code")
    amount = row.amount("Net Charge Amount", currency)
    number = row.name("Ground Tracking ID Prefix") + row.name("Express or Ground Tracking ID")
    named = (*FEDEX_NEEDED, "Ground Tracking ID Prefix", "Invoice Number", "Service Type")
    return _charge(row, number, amount, currency, "Shipment Date", named)


DHL_NEEDED = (
    *("Line Type", "Shipment Number", "Shipment Date", "Currency"),
    "Total amount (excl. VAT)",
)
SHIPMENT = "S"


def dhl(row: Row) -> Entry | None:
    """Net of value added tax, as our labels know it; the invoice's own line is passed over."""
    if row.text("Line Type") != SHIPMENT:
        return None
    currency = row.money("Currency")
    amount = row.amount("Total amount (excl. VAT)", currency)
    number = row.name("Shipment Number")
    named = (*DHL_NEEDED, "Invoice Number", "Product")
    return _charge(row, number, amount, currency, "Shipment Date", named)


GENERIC_NEEDED = ("tracking_number", "charge", "currency")


def generic(row: Row) -> Entry:
    currency = row.money("currency")
    amount = row.amount("charge", currency)
    number = row.name("tracking_number", needed=True)
    named = (*GENERIC_NEEDED, "service", "weight", "date", "id")
    return _charge(row, number, amount, currency, "date", named)


def _charge(
    row: Row, number: str, amount: int, currency: str, on: str, named: Iterable[str]
) -> Entry:
    """A charge without a parcel is a fee. Who charges exactly the same again charges it twice."""
    same = "\x1f".join(row.text(each) for each in named)
    parcel = tracking(number)
    return Entry(
        row.line,
        EntryKind.PARCEL if parcel else EntryKind.FEE,
        amount if parcel else -amount,
        currency,
        references=tuple(dict.fromkeys((parcel, number))) if parcel else (),
        identity=hashlib.sha256(same.encode()).hexdigest()[:20],
        on=row.day(on),
        is_part=True,
    )


CARRIERS = {
    "ups": Format((), ups, UPS_PLACES),
    "fedex": Format(FEDEX_NEEDED, fedex),
    "dhl": Format(DHL_NEEDED, dhl),
    "generic": Format(GENERIC_NEEDED, generic),
}
