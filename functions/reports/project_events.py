"""Every minute: what came into the archive is counted in the reports."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.event_log import event_log
from oms.adapters.figures import figures_table
from oms.adapters.generations import generations_table
from oms.adapters.order_reader import order_reader
from oms.adapters.policies_table import policies_table
from oms.adapters.projections import Engine, FactsOfOrders
from oms.adapters.projector import Projector, counted
from oms.domain.reporting.catalogue import PROJECTIONS
from oms.domain.reporting.policy import ReportPolicy
from oms.observability import logger, observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("FILES_BUCKET", "ORDERS_TABLE", "REPORTS_TABLE")

SECONDS = 45.0  # of the minute that the function has; then it ends what it has begun
THREADS = 16


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    with ThreadPoolExecutor(THREADS) as threads:
        done = projector(threads).run(lambda: time.monotonic() > late, datetime.now(UTC))
    counts = counted(done)
    logger().info("reports", extra=counts)
    return {"outcome": "projected", **counts}


def projector(threads: ThreadPoolExecutor) -> Projector:
    figures, histories = figures_table(), FactsOfOrders(order_reader())
    table = setting("REPORTS_TABLE")
    return Projector(
        event_log(),
        Engine(db.client(), table, histories, threads, figures=figures),
        generations_table(),
        figures,
        PROJECTIONS,
        lambda: policies_table().current("reports", ReportPolicy)[0].time_zone,
        threads,
    )
