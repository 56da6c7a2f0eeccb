"""As goods leave and money is given back: invoices and credit notes, if the policy says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.invoices.desk import ENVIRONMENT as NEEDED
from functions.invoices.desk import desk, policy
from functions.invoices.issuing import issue_all
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = NEEDED


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["detail"]["order_id"]
    if not policy().automatic:
        return {"outcome": "on demand", "order_id": order_id}
    issued = issue_all(desk(), order_id, datetime.now(UTC))
    return {"outcome": "issued", "order_id": order_id, "documents": len(issued)}
