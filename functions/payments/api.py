"""Payments for staff: what was asked of whom, and the end of what only people see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.payments import BY_HAND
from oms.adapters.payments.base import Result
from oms.adapters.payments.settling import Books
from oms.contracts.api.payments import ConfirmPayment, PaymentsView
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render_payments import payments_view
from oms.domain.errors import Refused
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationStatus

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")

app = HttpApi("PaymentsApi")


class NotExpected(Refused):
    def __init__(self, operation: Operation) -> None:
        said = f"{operation.operation_id} is {operation.status}; nobody waits for its end"
        super().__init__(said)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/orders/{order_id}/payments")
def get_payments(request: Request) -> PaymentsView:
    orders = orders_table()
    return shown(orders, orders.get(request.path["order_id"]))


@app.route("POST", "/orders/{order_id}/payments/{operation_id}/confirm")
def confirm(request: Request) -> PaymentsView:
    said = request.read(ConfirmPayment)
    books = Books(orders_table(with_stock=True), datetime.now(UTC), request.actor)
    order = confirmed(books, request.path["order_id"], request.path["operation_id"], said)
    return shown(books.orders, order)


def shown(orders: OrdersTable, order: Order) -> PaymentsView:
    return payments_view(order, orders.whole_history(order.order_id), BY_HAND)


def confirmed(books: Books, order_id: str, operation_id: str, said: ConfirmPayment) -> Order:
    """Said twice, it is recorded once; said otherwise, it is refused."""
    order = books.orders.get(order_id)
    operation = order.payment.operation(operation_id)
    if order.payment.provider_of(operation) not in BY_HAND:
        raise Problem(409, "Not confirmed by hand", "its provider tells how the payment ended")
    result = result_of(said, operation)
    if operation.status is result.status and operation.reference == result.reference:
        return order
    if operation.status is not OperationStatus.PENDING:
        raise NotExpected(operation)
    return books.record(order, operation, result)


def result_of(said: ConfirmPayment, operation: Operation) -> Result:
    if said.outcome == "failed":
        return Result(OperationStatus.FAILED, operation.reference, said.reason)
    if said.amount is not None and said.amount > operation.amount:
        why = f"is more than the {operation.amount} that were asked for: give the rest back"
        raise InvalidRequest([Fault("amount", why)])
    amount = operation.amount if said.amount is None else said.amount
    return Result(OperationStatus.SUCCEEDED, said.reference or "", amount=amount)
