"""Tell the customer what becomes of the order; each once."""

from __future__ import annotations

from typing import Any

from functions.notifications.desk import Desk, desk, open_case, tell_by_mail, tell_by_text
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "REPORTS_TABLE",
    "VAULT_KEY_ID",
    "SENDER_EMAIL",
    "MAIL_REPORTS",
    "SECRET_ID",
    "TRACKING_PAGES",
    "UNSUBSCRIBE_PAGES",
)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    return {"outcome": notify_customer(event["detail"], desk())}


def notify_customer(told: dict[str, Any], desk: Desk) -> str:
    """What came of the mail: sent, sent before, put off, or why not."""
    case = open_case(told, desk)
    outcome = tell_by_mail(case, desk)
    tell_by_text(case, desk)
    return outcome
