"""The HTTP API in one table: the deployment, the OpenAPI document and each `api.py` read it."""

from oms.contracts.routes import (
    bulk,
    capture,
    channels,
    credit,
    edits,
    fulfillment,
    inventory,
    invoices,
    labels,
    network,
    ops,
    payments,
    policies,
    promises,
    refunds,
    reports,
    returns,
    routing,
    shop_tasks,
    stock_holds,
    supply,
    tracking,
)
from oms.contracts.routes.route import RESOURCE_SERVER, SCOPES, Route

ROUTES: tuple[Route, ...] = (
    *capture.ROUTES,
    *channels.ROUTES,
    *edits.ROUTES,
    *payments.ROUTES,
    *credit.ROUTES,
    *policies.ROUTES,
    *promises.ROUTES,
    *refunds.ROUTES,
    *tracking.ROUTES,
    *inventory.ROUTES,
    *stock_holds.ROUTES,
    *network.ROUTES,
    *routing.ROUTES,
    *bulk.ROUTES,
    *supply.ROUTES,
    *fulfillment.ROUTES,
    *labels.ROUTES,
    *returns.ROUTES,
    *invoices.ROUTES,
    *reports.ROUTES,
    *shop_tasks.ROUTES,
    *ops.ROUTES,
)

__all__ = ["RESOURCE_SERVER", "ROUTES", "SCOPES", "Route"]
