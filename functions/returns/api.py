"""Returns, for storefronts, agents, stores and warehouses: from the request to the inspection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.returns.desk import ReturnDesk, Wish, default_location
from functions.returns.places import check_location, check_places, default_place, judged
from oms.adapters.files import download_link
from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.items_table import items_table
from oms.adapters.network_table import network_table
from oms.adapters.orders_table import once_key, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.segments_table import segments_table
from oms.contracts.api.orders import OrderLine
from oms.contracts.api.returns import (
    ApproveReturn,
    CancelReturn,
    DeclineReturn,
    ReportReturn,
    RequestReturn,
    ReturnOptionsView,
    ReturnsView,
    ReturnView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render_returns import options_view, return_view
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.ids import order_of_return
from oms.domain.lines import Discount, Line, Tax
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    ExchangeLine,
    Inspected,
    Received,
    Reception,
    RefundWhen,
    Resolution,
    Return,
    ReturnLine,
    Terms,
)
from oms.domain.returns.eligibility import eligibility
from oms.domain.returns.policy import ReturnPolicy

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "ORDERS_TABLE", "STOCK_TABLE", "FILES_BUCKET")

app = HttpApi("ReturnsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def desk() -> ReturnDesk:
    return ReturnDesk(orders_table(with_stock=True), policy, segments_of)


def segments_of(customer_id: str) -> tuple[str, ...]:
    return segments_table().names(customer_id)


def policy() -> tuple[ReturnPolicy, int]:
    return policies_table().current("returns", ReturnPolicy)


@app.route("POST", "/orders/{order_id}/returns")
def request_return(request: Request) -> Response:
    said, order_id = request.read(RequestReturn), request.path["order_id"]
    wish = wish_of(said, policy()[0])
    if wish.in_store:
        check_location(network_table(), wish.in_store, "in_store")
    check_places(network_table(), wish.handed_in)
    check_known(said.exchange)
    once = once_key(f"{request.route} {order_id}", request.idempotency_key, request.json())
    order, found, new = desk().request(
        order_id, wish, at=datetime.now(UTC), actor=request.actor, once=once
    )
    ids = {"order_id": order_id, "return_id": found.return_id}
    return Response(201 if new else 200, return_view(order, found), ids=ids)


def wish_of(said: RequestReturn, policy: ReturnPolicy) -> Wish:
    handed_in = (
        Inspected(
            each.line_id,
            each.quantity,
            Acceptance(each.acceptance),
            Disposition(each.disposition),
            default_place(Disposition(each.disposition), policy),
        )
        for each in (said.lines if said.received else ())
    )
    return Wish(
        tuple(ReturnLine(x.line_id, x.quantity, x.reason, x.note) for x in said.lines),
        Resolution(said.resolution),
        said.in_store or "",
        tuple(ExchangeLine(_line(number, x)) for number, x in enumerate(said.exchange, 1)),
        tuple(handed_in),
        (said.reason or "") if said.override else "",
    )


def _line(number: int, said: OrderLine) -> Line:
    """What it takes of stock is known when the order is placed that brings it."""
    return Line(
        line_id=f"line_{number}",
        sku=said.sku,
        quantity=said.quantity,
        unit_price=said.unit_price,
        discounts=tuple(Discount(each.code, each.amount) for each in said.discounts),
        taxes=tuple(Tax(each.name, each.rate, each.amount) for each in said.taxes),
    )


def check_known(wanted: Iterable[OrderLine]) -> None:
    """Refuse to promise what we could never ship."""
    lines = list(wanted)
    known = items_table().resolve(line.sku for line in lines) if lines else {}
    faults = [
        Fault(f"exchange[{place}].sku", f"{line.sku} is no SKU that we sell")
        for place, line in enumerate(lines)
        if line.sku not in known or not known[line.sku].active
    ]
    if faults:
        raise InvalidRequest(faults)


@app.route("GET", "/orders/{order_id}/returns")
def list_returns(request: Request) -> ReturnsView:
    order = orders_table().get(request.path["order_id"])
    return ReturnsView([return_view(order, each) for each in order.returns])


@app.route("GET", "/orders/{order_id}/return-options")
def get_options(request: Request) -> ReturnOptionsView:
    order = orders_table().get(request.path["order_id"])
    return options_view(desk().asked(order, datetime.now(UTC)))


@app.route("GET", "/returns/{return_id}")
def get_return(request: Request) -> ReturnView:
    return return_view(*_found(request), download_link)


@app.route("POST", "/returns/{return_id}/approve")
def approve(request: Request) -> ReturnView:
    said, (order, found) = request.read(ApproveReturn), _found(request)
    at = datetime.now(UTC)
    asked = desk().asked(order, at, in_store=bool(found.in_store))
    verdict = eligibility(asked, found.lines, found.resolution)
    terms, expires_at = _agreed(said, verdict.terms), verdict.expires_at
    if said.hand_over_days is not None:
        expires_at = at + timedelta(days=said.hand_over_days)
    expires_at = None if terms.keep else expires_at
    return _change(request, c.ApproveReturn(found.return_id, terms, expires_at))


def _agreed(said: ApproveReturn, terms: Terms) -> Terms:
    changes = said.model_dump(exclude_none=True, exclude={"hand_over_days"})
    if "refund_when" in changes:
        changes["refund_when"] = RefundWhen(changes["refund_when"])
    return replace(terms, **changes)


@app.route("POST", "/returns/{return_id}/decline")
def decline(request: Request) -> ReturnView:
    reason = request.read(DeclineReturn).reason
    return _change(request, c.DeclineReturn(request.path["return_id"], reason))


@app.route("POST", "/returns/{return_id}/cancel")
def cancel(request: Request) -> ReturnView:
    reason = request.read(CancelReturn).reason
    return _change(request, c.CancelReturn(request.path["return_id"], reason))


@app.route("POST", "/returns/{return_id}/receive")
def receive(request: Request) -> ReturnView:
    """What was looked at as it came is inspected in the same write."""
    said, (order, found) = request.read(ReportReturn), _found(request)
    location = said.location_id or found.location_id or default_location(order, found)
    check_location(network_table(), location, "location_id")
    inspected = judged(said.lines, policy()[0])
    check_places(network_table(), inspected)
    received = tuple(
        Received(each.line_id, each.quantity, Reception(each.reception), each.damaged)
        for each in said.lines
    )
    beside = tuple(Quantity(each.line_id, each.quantity) for each in said.unexpected)
    return _change(request, c.ReceiveReturn(found.return_id, location, received, beside, inspected))


@app.route("POST", "/returns/{return_id}/inspect")
def inspect(request: Request) -> ReturnView:
    said, return_id = request.read(ReportReturn), request.path["return_id"]
    check_inspection(said)
    inspected = judged(said.lines, policy()[0])
    check_places(network_table(), inspected)
    return _change(request, c.InspectReturn(return_id, inspected))


def check_inspection(said: ReportReturn) -> None:
    """What an inspection has no use for is not dropped in silence."""
    faults = [
        Fault(f"lines[{place}]", "says neither `acceptance` nor `disposition`")
        for place, line in enumerate(said.lines)
        if not line.judged
    ]
    if said.unexpected:
        faults.append(Fault("unexpected", "is told of a receipt"))
    if faults:
        raise InvalidRequest(faults)


def _found(request: Request) -> tuple[Order, Return]:
    return_id = request.path["return_id"]
    order = orders_table().get(order_of_return(return_id))
    return order, order.return_(return_id)


def _change(request: Request, command: c.Command) -> ReturnView:
    """The same Idempotency-Key does it once, also what is legal twice: to receive one unit."""
    return_id = request.path["return_id"]
    once = once_key(f"{request.route} {return_id}", request.idempotency_key, request.json())
    order = orders_table(with_stock=True).change(
        order_of_return(return_id),
        command,
        at=datetime.now(UTC),
        actor=request.actor,
        once=once,
    )
    return return_view(order, order.return_(return_id))
