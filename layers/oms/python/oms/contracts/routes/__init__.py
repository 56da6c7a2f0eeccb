"""The HTTP API in one table: the deployment, the OpenAPI document and each `api.py` read it."""

from oms.contracts.routes import (
    bulk,
    capture,
    credit,
    edits,
    fulfillment,
    inventory,
    invoices,
    network,
    ops,
    payments,
    policies,
    refunds,
    reports,
    returns,
    routing,
    stock_holds,
    supply,
    tracking,
)
from oms.contracts.routes.route import RESOURCE_SERVER, SCOPES, Route

ROUTES: tuple[Route, ...] = (
    *capture.ROUTES,
    *edits.ROUTES,
    *payments.ROUTES,
    *credit.ROUTES,
    *policies.ROUTES,
    *refunds.ROUTES,
    *tracking.ROUTES,
    *inventory.ROUTES,
    *stock_holds.ROUTES,
    *network.ROUTES,
    *routing.ROUTES,
    *bulk.ROUTES,
    *supply.ROUTES,
    *fulfillment.ROUTES,
    *returns.ROUTES,
    *invoices.ROUTES,
    *reports.ROUTES,
    *ops.ROUTES,
)

__all__ = ["RESOURCE_SERVER", "ROUTES", "SCOPES", "Route"]
