"""What the blanks of canned answers are filled with."""

from __future__ import annotations

from datetime import UTC, datetime

from oms.adapters.access_log import access_log
from oms.adapters.inquiry_texts import inquiry_texts
from oms.adapters.order_reader import order_reader
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.domain.contact import Contact
from oms.domain.inquiries.model import Inquiry
from oms.domain.order import Order
from oms.settings import setting

NO_PAGES = "none"


def values_of(inquiry: Inquiry, text: str, actor: str) -> dict[str, str]:
    """Nothing of the person is read unless the text asks for it."""
    order = order_reader().glance(inquiry.order_id) if inquiry.order_id else None
    pages = setting("TRACKING_PAGES")
    has_page = order is not None and pages != NO_PAGES
    return {
        "reference": inquiry.reference,
        "order_number": order.external_id if order else "",
        "tracking_page": pages + secrets().tracking_token(inquiry.order_id) if has_page else "",
        "customer_name": name_of(inquiry, order, actor) if "{customer_name}" in text else "",
    }


def name_of(inquiry: Inquiry, order: Order | None, actor: str) -> str:
    what, at = f"name for {inquiry.inquiry_id}", datetime.now(UTC)
    access_log().read(actor, inquiry.customer_id, what, "service", at)
    known = inquiry_texts().correspondent(inquiry.customer_id, inquiry.inquiry_id)
    return known.name or (contact_of(order).name if order else "")


def contact_of(order: Order) -> Contact:
    return vault().contact(order.customer_id, order.contact_id) or Contact()
