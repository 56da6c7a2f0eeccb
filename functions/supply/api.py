"""What is expected to come: orders at suppliers, and transfers between our own locations."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.items_table import items_table
from oms.adapters.orders_table import OnceKey, fingerprint_of, once_key
from oms.adapters.supply_rows import PURCHASES, TRANSFERS, D, Kind
from oms.adapters.supply_table import Done, supply_table
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.supply import (
    AcceptedView,
    CallOff,
    CancelSupply,
    CancelTransfer,
    CloseTransfer,
    DraftTransfer,
    LineToOrder,
    OrderSupply,
    PurchaseLineView,
    PurchaseOrderPage,
    PurchaseOrderView,
    PurchaseQuery,
    PurchaseReceiptView,
    ReceiveLines,
    RescheduleLines,
    RescheduleTransfer,
    SkuQuantity,
    TransferLineView,
    TransferPage,
    TransferQuery,
    TransferView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.items import StockItem
from oms.domain.supply import (
    Accepted,
    Disposition,
    PurchaseLine,
    PurchaseOrder,
    Step,
    Transfer,
    TransferLine,
)

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)

app = HttpApi("SupplyApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfDocument(Contract):
    id: Identity


@app.route("POST", "/purchase-orders")
def post_purchase_order(request: Request) -> Response:
    said = request.read(OrderSupply)
    once = _once(request)
    ordered = PurchaseOrder(
        purchase_order_id=said.purchase_order_id or _new_id("pur_", once),
        supplier=said.supplier,
        location=said.location,
        lines=tuple(_lines_to_order(said)),
        created_at=datetime.now(UTC),
    ).ordered()
    fingerprint = fingerprint_of(request.json())
    done = supply_table().order(ordered, fingerprint=fingerprint, actor=request.actor, once=once)
    supply_table().look_again(done.document, datetime.now(UTC))
    return Response(201 if done.new else 200, purchase_order_view(done.document))


@app.route("GET", "/purchase-orders")
def get_purchase_orders(request: Request) -> PurchaseOrderPage:
    query = request.read_query(PurchaseQuery)
    page = supply_table().page(PURCHASES, query.limit, query.status, query.cursor)
    return PurchaseOrderPage([purchase_order_view(each) for each in page.documents], page.cursor)


@app.route("GET", "/purchase-orders/{id}")
def get_purchase_order(request: Request) -> PurchaseOrderView:
    return purchase_order_view(supply_table().get(PURCHASES, _id_of(request)))


@app.route("POST", "/purchase-orders/{id}/receipts")
def post_purchase_receipt(request: Request) -> PurchaseReceiptView:
    said, at = request.read(ReceiveLines), datetime.now(UTC)
    came = quantities(said.lines)
    done = _change(PURCHASES, request, at, lambda it: it.receive(came, at, said.reason))
    accepted = [accepted_view(each) for each in done.accepted]
    return PurchaseReceiptView(accepted, purchase_order_view(done.document))


@app.route("POST", "/purchase-orders/{id}/reschedule")
def reschedule_purchase_order(request: Request) -> PurchaseOrderView:
    days = {line.sku: line.expected_on for line in request.read(RescheduleLines).lines}
    return _purchased(request, datetime.now(UTC), lambda it: it.reschedule(days))


@app.route("POST", "/purchase-orders/{id}/close")
def close_purchase_order(request: Request) -> PurchaseOrderView:
    said, at = request.read(CallOff), datetime.now(UTC)
    gone = quantities(said.lines or ())
    return _purchased(request, at, lambda it: it.call_off(gone, at, said.reason))


@app.route("POST", "/purchase-orders/{id}/cancel")
def cancel_purchase_order(request: Request) -> PurchaseOrderView:
    reason, at = request.read(CancelSupply).reason, datetime.now(UTC)
    return _purchased(request, at, lambda it: it.cancel(at, reason))


@app.route("POST", "/transfers")
def post_transfer(request: Request) -> Response:
    said = request.read(DraftTransfer)
    once = _once(request)
    items = known_stock_items(said.lines)
    drafted = Transfer(
        transfer_id=said.transfer_id or _new_id("tra_", once),
        source=said.source,
        destination=said.destination,
        lines=tuple(TransferLine(x.sku, x.quantity, named(x.sku, items)) for x in said.lines),
        expected_on=said.expected_on,
        created_at=datetime.now(UTC),
    )
    fingerprint = fingerprint_of(request.json())
    done = supply_table().draft(drafted, fingerprint=fingerprint, actor=request.actor, once=once)
    return Response(201 if done.new else 200, transfer_view(done.document))


@app.route("GET", "/transfers")
def get_transfers(request: Request) -> TransferPage:
    query = request.read_query(TransferQuery)
    page = supply_table().page(TRANSFERS, query.limit, query.status, query.cursor)
    return TransferPage([transfer_view(each) for each in page.documents], page.cursor)


@app.route("GET", "/transfers/{id}")
def get_transfer(request: Request) -> TransferView:
    return transfer_view(supply_table().get(TRANSFERS, _id_of(request)))


@app.route("POST", "/transfers/{id}/send")
def send_transfer(request: Request) -> TransferView:
    at = datetime.now(UTC)
    return _transferred(request, at, lambda it: it.send(at))


@app.route("POST", "/transfers/{id}/receipts")
def post_transfer_receipt(request: Request) -> TransferView:
    said, at = request.read(ReceiveLines), datetime.now(UTC)
    came = quantities(said.lines)
    return _transferred(request, at, lambda it: it.receive(came, at, said.reason))


@app.route("POST", "/transfers/{id}/reschedule")
def reschedule_transfer(request: Request) -> TransferView:
    on = request.read(RescheduleTransfer).expected_on
    return _transferred(request, datetime.now(UTC), lambda it: it.reschedule(on))


@app.route("POST", "/transfers/{id}/close")
def close_transfer(request: Request) -> TransferView:
    said, at = request.read(CloseTransfer), datetime.now(UTC)
    disposition = Disposition(said.disposition)
    return _transferred(request, at, lambda it: it.close(at, said.reason, disposition))


@app.route("POST", "/transfers/{id}/cancel")
def cancel_transfer(request: Request) -> TransferView:
    said, at = request.read(CancelTransfer), datetime.now(UTC)
    disposition = Disposition(said.disposition) if said.disposition else None
    return _transferred(request, at, lambda it: it.cancel(at, said.reason, disposition))


def _purchased(
    request: Request, at: datetime, how: Callable[[PurchaseOrder], Step[PurchaseOrder]]
) -> PurchaseOrderView:
    return purchase_order_view(_change(PURCHASES, request, at, how).document)


def _transferred(
    request: Request, at: datetime, how: Callable[[Transfer], Step[Transfer]]
) -> TransferView:
    return transfer_view(_change(TRANSFERS, request, at, how).document)


def _change(kind: Kind[D], request: Request, at: datetime, how: Callable[[D], Step[D]]) -> Done[D]:
    """The same Idempotency-Key does it once."""
    identity, once = _id_of(request), _once(request)
    done = supply_table().change(kind, identity, how, at=at, actor=request.actor, once=once)
    supply_table().look_again(done.document, at)
    return done


def _id_of(request: Request) -> str:
    return OfDocument.read({"id": request.path["id"]}).id


def _once(request: Request) -> OnceKey | None:
    """Each actor has keys of its own."""
    subject = f"{request.actor} {request.route} {request.path.get('id', '')}"
    return once_key(subject, request.idempotency_key, request.json())


def _new_id(prefix: str, once: OnceKey | None) -> str:
    """Told again under the same key it is the same document."""
    seed = once.key.encode() if once else uuid.uuid4().bytes
    return prefix + base64.b32encode(hashlib.sha256(seed).digest()).decode()[:26].lower()


def _lines_to_order(said: OrderSupply) -> Iterable[PurchaseLine]:
    items = stock_items(said.lines)
    unknown = {line.sku for line in said.lines} - items.keys()
    given_up = items_table().given_up(unknown) if unknown else set()
    refuse(said.lines, given_up, "stands for no stock item any more")
    for line in said.lines:
        item = named(line.sku, items)
        yield PurchaseLine(line.sku, line.quantity, line.expected_on, item)


def stock_items(lines: Sequence[LineToOrder | SkuQuantity]) -> dict[str, StockItem]:
    """What the SKUs stand for, as far as they stand for anything; a kit has no stock to move."""
    found = items_table().fresh(line.sku for line in lines)
    kits = {sku for sku, item in found.items() if item.is_kit}
    refuse(lines, kits, "is a kit: its components have the stock")
    return found


def known_stock_items(lines: Sequence[SkuQuantity]) -> dict[str, StockItem]:
    found = stock_items(lines)
    unknown = {line.sku for line in lines} - found.keys()
    refuse(lines, unknown, "is no SKU that we know")
    return found


def refuse(lines: Sequence[LineToOrder | SkuQuantity], skus: Container[str], why: str) -> None:
    places = [place for place, line in enumerate(lines) if line.sku in skus]
    if places:
        raise InvalidRequest([Fault(f"lines[{place}].sku", why) for place in places])


def named(sku: str, items: Mapping[str, StockItem]) -> str:
    """Of its stock item, where that has another name."""
    return items[sku].item if sku in items and items[sku].item != sku else ""


def quantities(lines: Iterable[SkuQuantity]) -> dict[str, int]:
    return {line.sku: line.quantity for line in lines}


def accepted_view(accepted: Accepted) -> AcceptedView:
    return AcceptedView(accepted.sku, accepted.quantity, accepted.surplus)


def purchase_order_view(order: PurchaseOrder) -> PurchaseOrderView:
    return PurchaseOrderView(
        purchase_order_id=order.purchase_order_id,
        supplier=order.supplier,
        location_id=order.location,
        status=order.status,
        lines=[purchase_line_view(line) for line in order.lines],
        created_at=order.created_at,
        version=order.version,
        reason=order.reason,
    )


def purchase_line_view(line: PurchaseLine) -> PurchaseLineView:
    return PurchaseLineView(
        sku=line.sku,
        quantity=line.quantity,
        expected=line.expected,
        received=line.received,
        surplus=line.surplus,
        called_off=line.called_off,
        expected_on=line.expected_on,
    )


def transfer_view(transfer: Transfer) -> TransferView:
    return TransferView(
        transfer_id=transfer.transfer_id,
        source_id=transfer.source,
        destination_id=transfer.destination,
        status=transfer.status,
        expected_on=transfer.expected_on,
        lines=[transfer_line_view(transfer, line) for line in transfer.lines],
        created_at=transfer.created_at,
        version=transfer.version,
        reason=transfer.reason,
    )


def transfer_line_view(transfer: Transfer, line: TransferLine) -> TransferLineView:
    return TransferLineView(
        sku=line.sku,
        quantity=line.quantity,
        in_transit=line.in_transit if transfer.is_on_its_way else 0,
        received=line.received,
        returned=line.returned,
        written_off=line.written_off,
    )
