"""Returns, for the customer: whoever has the token of an order's tracking page, and of it alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.returns.desk import ReturnDesk, Wish
from oms.adapters.files import download_link
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.orders_table import once_key, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.secrets import secrets
from oms.contracts.api.returns import AskForReturn, ReturnOptionsView, TrackedReturnView
from oms.contracts.render_returns import options_view, tracked_view
from oms.domain.errors import NotFound
from oms.domain.order import Order
from oms.domain.returns import Resolution, ReturnLine
from oms.domain.returns.policy import ReturnPolicy

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "SECRET_ID", "FILES_BUCKET")
CUSTOMER = "customer"
OFFERED = frozenset(Resolution) - {Resolution.EXCHANGE}  # at prices that staff agree to

app = HttpApi("TrackingPage")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def desk() -> ReturnDesk:
    """Without stock: to ask moves none."""
    return ReturnDesk(orders_table(), lambda: policies_table().current("returns", ReturnPolicy))


@app.route("GET", "/track/{token}/returns/options")
def get_options(request: Request) -> ReturnOptionsView:
    return options_view(desk().asked(_order(request), datetime.now(UTC)), OFFERED)


@app.route("POST", "/track/{token}/returns")
def ask(request: Request) -> Response:
    order_id = _order(request).order_id
    said = request.read(AskForReturn)
    lines = tuple(ReturnLine(x.line_id, x.quantity, x.reason) for x in said.lines)
    once = once_key(f"{request.route} {order_id}", request.idempotency_key, request.json())
    order, found, new = desk().request(
        order_id,
        Wish(lines, Resolution(said.resolution)),
        at=datetime.now(UTC),
        actor=CUSTOMER,
        once=once,
    )
    ids = {"order_id": order_id, "return_id": found.return_id}
    return Response(201 if new else 200, tracked_view(order, found), ids=ids)


@app.route("GET", "/track/{token}/returns/{return_id}")
def get_return(request: Request) -> TrackedReturnView:
    order = _order(request)
    try:
        found = order.return_(request.path["return_id"])
    except NotFound:
        raise nothing_here() from None
    return tracked_view(order, found, download_link)


def _order(request: Request) -> Order:
    """A token that is not ours, and an order that is not there, are told the same."""
    order_id = secrets().tracked_order(request.path["token"])
    try:
        if order_id is not None:
            return orders_table().get(order_id)
    except NotFound:
        pass
    raise nothing_here()


def nothing_here() -> Problem:
    return Problem(404, "Not found", "there is no such page")
