"""An invoice as the order that a storefront would have posted."""

from collections.abc import Sequence

from infra.local.client import Json
from infra.local.replay.countries import COUNTRIES
from infra.local.replay.history import Invoice
from infra.local.replay.merchandise import Line

CHANNEL = "uci"
# The history knows neither e-mail addresses nor streets; what an order must have says so.
MAILBOX = "uci-{}@customers.example"
UNRECORDED = "not recorded"


def order_of(invoice: Invoice, lines: Sequence[Line]) -> Json:
    """The built-in provider takes the money, so that every authorization and void is walked.

    The invoices carry no tax and no postage of their own (postage is a row, told apart).
    """
    return {
        "channel": CHANNEL,
        "external_id": invoice.number,
        "currency": "GBP",
        "customer": customer_of(invoice),
        "shipping_address": address_of(invoice),
        "lines": [line_of(line) for line in lines],
        "total": sum(line.quantity * line.pence for line in lines),
        "payment": {"provider": "test", "token": "tok_ok"},
    }


def customer_of(invoice: Invoice) -> Json | None:
    if not invoice.customer:
        return None
    return {"email": MAILBOX.format(invoice.customer), "name": name_of(invoice)}


def address_of(invoice: Invoice) -> Json:
    return {
        "name": name_of(invoice),
        "line1": UNRECORDED,
        "city": UNRECORDED,
        "country": COUNTRIES[invoice.country],
    }


def name_of(invoice: Invoice) -> str:
    return f"Customer {invoice.customer}" if invoice.customer else "Guest"


def line_of(line: Line) -> Json:
    return {"sku": line.sku, "quantity": line.quantity, "unit_price": line.pence}
