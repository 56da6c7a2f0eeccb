"""Edits of orders: propose one, see what it comes to, apply or discard it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.edits.proposing import Desk, Shelves
from functions.edits.rendering import edit_view, status_of
from oms.adapters.agenda import agenda
from oms.adapters.channels_table import channels_table
from oms.adapters.dynamodb import Write
from oms.adapters.edits_table import Filed, NoLongerProposed, edits_table
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.items_table import items_table
from oms.adapters.network_table import network_table
from oms.adapters.orders_table import Beside, once_key, orders_table
from oms.adapters.payments import BY_HAND, PROVIDERS
from oms.adapters.secrets import secrets
from oms.adapters.stock_table import stock_table
from oms.adapters.vault import vault
from oms.contracts.api.edits import (
    ApplyEdit,
    EditPage,
    EditPayment,
    EditQuery,
    EditView,
    ProposeEdit,
)
from oms.contracts.api.orders import NEEDS_NO_TOKEN
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render import order_view
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.decide.editing import operation_of
from oms.domain.edits import PAY_WITHIN, EditDiffers, EditStatus, Proposal
from oms.domain.order import Order
from oms.domain.store_credit import GIFT_CARD, STORE_CREDIT, store_credit_account
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "PAYMENT_PROVIDERS",
)
ONE = "/orders/{order_id}/edits/{edit_id}"
PAID_BY_OTHERS = BY_HAND | {"external"}

app = HttpApi("EditsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def desk() -> Desk:
    shelves = Shelves(items_table(), stock_table(), channels_table(), network_table())
    return Desk(orders_table(with_stock=True), edits_table(), vault(), shelves)


@app.route("POST", "/orders/{order_id}/edits")
def propose(request: Request) -> Response:
    said, at = request.read(ProposeEdit), datetime.now(UTC)
    order, filed, new = desk().propose(
        request.path["order_id"],
        said,
        at=at,
        actor=request.actor,
        request_key=request.idempotency_key,
    )
    ids = {"edit_id": filed.proposal.edit_id}
    return Response(201 if new else 200, edit_view(order, filed, at), ids=ids)


@app.route("GET", "/orders/{order_id}/edits")
def list_edits(request: Request) -> EditPage:
    query, now = request.read_query(EditQuery), datetime.now(UTC)
    order = orders_table().get(request.path["order_id"])
    found, more = edits_table().page(order.order_id, _after(query.cursor), query.limit)
    items = [edit_view(order, filed, now) for filed in found]
    return EditPage(items, encode_cursor({"edit": more}) if more else None)


@app.route("GET", ONE)
def get_edit(request: Request) -> EditView:
    return edit_view(*_found(request), datetime.now(UTC))


@app.route("POST", f"{ONE}/apply")
def apply_edit(request: Request) -> Response:
    """202 while it waits for its money; applied twice, it is applied once."""
    said, at = request.read(ApplyEdit), datetime.now(UTC)
    order, filed = _found(request)
    if (status := status_of(order, filed, at)) in ("expired", "discarded"):
        why = f"{filed.proposal.edit_id} is {status}: propose another"
        raise Problem(409, "Not possible now", why)
    command = command_of(order, filed.proposal, said)
    once = once_key(f"{request.route} {_names(request)}", request.idempotency_key, request.json())
    beside = Beside(
        writes=tuple(_beside(order, filed.proposal, command, at)),
        instruments=_instruments(order, filed.proposal, said.payment),
    )
    try:
        after = desk().orders.change(
            order.order_id, command, at=at, actor=request.actor, once=once, beside=beside
        )
    except EditDiffers as error:
        fault = Fault("expected.due", f"is {error.due} by now, not {error.previewed}")
        raise Problem(409, "The order has moved on", str(error), [fault]) from None
    edit = after.edit(filed.proposal.edit_id)
    waits = edit is not None and edit.awaits_payment
    return Response(202 if waits else 200, order_view(after))


@app.route("POST", f"{ONE}/discard")
def discard(request: Request) -> EditView:
    order, filed = _found(request)
    at = datetime.now(UTC)
    if order.edit(filed.proposal.edit_id) is None:
        with suppress(NoLongerProposed):  # the order has taken it up meanwhile
            edits_table().discard(order.order_id, filed.proposal.edit_id)
        order, filed = _found(request)
    return edit_view(_without(order, filed, request.actor, at), filed, at)


def _without(order: Order, filed: Filed, actor: str, at: datetime) -> Order:
    """Nobody pays any more for what awaits payment; what is applied stays."""
    edit = order.edit(filed.proposal.edit_id)
    if edit is None or edit.status is EditStatus.DECLINED:
        return order
    command = c.DeclineEdit(edit.edit_id, "discarded")
    after = desk().orders.change(order.order_id, command, at=at, actor=actor)
    now = after.edit(edit.edit_id)
    if now is not None and now.status is EditStatus.APPLIED:
        raise Problem(409, "Not possible now", f"{edit.edit_id} is applied: propose another")
    return after


def command_of(order: Order, proposal: Proposal, said: ApplyEdit) -> c.ApplyEdit:
    due = said.expected.due if said.expected else proposal.preview.due
    if said.payment is not None:
        _check(said.payment, frozenset(setting("PAYMENT_PROVIDERS").split(",")))
    command = c.ApplyEdit(proposal.edit_id, proposal.changes, proposal.reason, due)
    if said.payment is not None:
        provider = said.payment.provider
        return replace(command, provider=provider, prepaid=PROVIDERS[provider].prepaid)
    return replace(command, like=_known_means(order)) if due > 0 else command


def _known_means(order: Order) -> str:
    """What the order was paid with last, if it can be charged again without its owner: what is
    paid by hand, or elsewhere, somebody must say so of."""
    for tender in reversed(order.payment.tenders):
        provider = order.payment.provider_of(tender.operation)
        if not tender.replaced and provider not in PAID_BY_OTHERS:
            return tender.operation_id
    raise InvalidRequest([Fault("payment", "is missing: no known one can be charged again")])


def _check(payment: EditPayment, providers: frozenset[str]) -> None:
    if payment.provider not in providers & PROVIDERS.keys():
        fault = Fault("payment.provider", f"is none of {', '.join(sorted(providers))}")
        raise InvalidRequest([fault])
    if not payment.token and payment.provider not in NEEDS_NO_TOKEN | {"external"}:
        said = f"is what the provider {payment.provider!r} needs"
        raise InvalidRequest([Fault("payment.token", said)])


def _instruments(order: Order, proposal: Proposal, payment: EditPayment | None) -> dict[str, str]:
    """Of store credit and gift cards the account, as at placement: no code is kept."""
    if payment is None:
        return {}
    token = payment.token
    if payment.provider == STORE_CREDIT:
        token = store_credit_account(order.customer_id, order.currency)
    elif payment.provider == GIFT_CARD:
        token = secrets().gift_card_id(token)
        if not token:
            raise InvalidRequest([Fault("payment.token", "is no code of a gift card")])
    return {operation_of(proposal.edit_id): token} if token else {}


def _beside(
    order: Order, proposal: Proposal, command: c.ApplyEdit, at: datetime
) -> Iterator[Write]:
    yield edits_table().taking_up(order.order_id, proposal.edit_id)
    if contact := proposal.changes.contact:
        yield vault().keeping(order.customer_id, f"{order.order_id}#{contact}")
    if command.due > 0:
        subject = f"{order.order_id}/{proposal.edit_id}"
        yield from agenda().writes(DueKind.DECLINE_EDIT, subject, at + PAY_WITHIN)


def _found(request: Request) -> tuple[Order, Filed]:
    order_id, edit_id = request.path["order_id"], request.path["edit_id"]
    filed = edits_table().get(order_id, edit_id)
    return orders_table().get(order_id), filed


def _names(request: Request) -> str:
    return f"{request.path['order_id']} {request.path['edit_id']}"


def _after(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    if not (edit_id := decode_cursor(cursor).get("edit", "")):
        raise BadCursor
    return edit_id
