"""Labels of boxes that will not leave are given back, so that nobody pays for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.labels.till import Till, void_unused
from oms.adapters.carriers.label_carriers import labels_of
from oms.adapters.carriers.labels import Labels, NotConnected
from oms.adapters.labels_table import labels_table
from oms.adapters.network_table import network_table
from oms.adapters.order_reader import order_reader
from oms.observability import observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "SECRET_ID"),
    *("LABEL_CARRIERS", "EASYPOST_API"),
)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["detail"]["order_id"]
    till = Till(order_reader(), labels_table(), carrier, lambda: datetime.now(UTC))
    return {"order_id": order_id, "labels": void_unused(till, order_id)}


def carrier(code: str) -> Labels:
    known = setting("LABEL_CARRIERS").split(",")
    found = labels_of(known, network_table().cards()).get(code)
    if found is None:
        raise NotConnected(f"{code} is no carrier that labels are had of")
    return found
