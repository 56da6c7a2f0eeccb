"""Every hour: days that are over are counted in the inventory report, each item once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import generations_table
from oms.adapters.inventory_days import InventoryDays, Overtaken, ShelvesTable, StockReader
from oms.adapters.items_table import ItemsTable
from oms.adapters.policies_table import policies_table
from oms.domain.reporting.policy import ReportPolicy
from oms.observability import logger, observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "REPORTS_TABLE", "STOCK_TABLE")

SECONDS = 480.0  # of the ten minutes that the function has; then it ends what it has begun
THREADS = 8


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    with ThreadPoolExecutor(THREADS) as threads:
        try:
            counts = inventory_days(threads).run(lambda: time.monotonic() > late, datetime.now(UTC))
        except Overtaken:
            return {"outcome": "overtaken"}
    logger().info("inventory", extra=counts)
    return {"outcome": "counted", **counts}


def inventory_days(threads: ThreadPoolExecutor) -> InventoryDays:
    client, stock, reports = db.client(), setting("STOCK_TABLE"), setting("REPORTS_TABLE")
    return InventoryDays(
        StockReader(client, stock),
        ShelvesTable(client, reports),
        ItemsTable(client, stock),
        FiguresTable(client, reports),
        generations_table(),
        lambda: policies_table().current("reports", ReportPolicy)[0].time_zone,
        threads,
    )
