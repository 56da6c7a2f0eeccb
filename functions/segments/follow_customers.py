"""Every few minutes: what customers have done is in their figures, in the report of customers, and
in the segments that they belong to; and so is what the clock has changed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.event_log import event_log
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import generations_table
from oms.adapters.lifetimes import LifetimeFigures, lifetimes_table
from oms.adapters.memberships import Members, members
from oms.adapters.order_reader import order_reader
from oms.adapters.policies_table import policies_table
from oms.adapters.projections import Engine, FactsOfOrders
from oms.adapters.projector import Projector, counted
from oms.domain.reporting.customers import Customers
from oms.domain.reporting.policy import ReportPolicy
from oms.observability import logger, observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    "CUSTOMERS_TABLE",
    "FILES_BUCKET",
    "KEYS_TABLE",
    "ORDERS_TABLE",
    "REPORTS_TABLE",
    "VAULT_KEY_ID",
)

SECONDS = 150.0  # of the four minutes that the function has; then it ends what it has begun
THREADS = 16


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    desk = members()
    with ThreadPoolExecutor(THREADS) as threads:
        done = projector(desk, threads).run(lambda: time.monotonic() > late, datetime.now(UTC))
        swept = desk.sweep(threads, lambda: time.monotonic() > late)
    counts = {**counted(done), "swept": swept}
    logger().info("customers", extra=counts)
    return {"outcome": "followed", **counts}


def projector(desk: Members, threads: ThreadPoolExecutor) -> Projector:
    figures = FiguresTable(db.client(), setting("REPORTS_TABLE"))
    sink = LifetimeFigures(
        lifetimes_table(), figures, lambda customers: desk.follow(customers, threads)
    )
    histories = FactsOfOrders(order_reader())
    return Projector(
        event_log(),
        Engine(db.client(), setting("REPORTS_TABLE"), histories, threads, figures=sink),
        generations_table(),
        figures,
        (Customers(),),
        lambda: policies_table().current("reports", ReportPolicy)[0].time_zone,
        threads,
    )
