"""What warehouses, stores and 3PLs see and report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from oms.adapters.agenda import agenda, parcels_agenda
from oms.adapters.carriers import CARRIERS
from oms.adapters.dynamodb import Write
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.labels_table import LabelStatus, labels_table
from oms.adapters.order_reader import KeyPage
from oms.adapters.orders_table import Beside, OrdersTable, once_key, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.rule_sets_table import rule_sets_table
from oms.adapters.scan_inbox import record_kept, scan_inbox
from oms.adapters.stock_table import stock_table
from oms.contracts.api.fulfillment import FulfillmentOrderQuery, Reject, Reroute, Ship, ShortPick
from oms.contracts.api.views import FulfillmentOrderPage, FulfillmentOrderView
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render import fulfillment_view
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import COLLECT_WITHIN, IN_STORE, IN_WAREHOUSE, Quantity
from oms.domain.ids import order_of_fulfillment
from oms.domain.order import Order
from oms.domain.watching import POLL_PARCELS, TrackingPolicy

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")

READS_A_PAGE = 20  # of the index, before a page ends short

app = HttpApi("FulfillmentApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/fulfillment-orders")
def list_fulfillment_orders(request: Request) -> FulfillmentOrderPage:
    query = request.read_query(FulfillmentOrderQuery)
    return find(orders_table(), query, lambda: (x.location_id for x in stock_table().locations()))


@app.route("GET", "/fulfillment-orders/{id}")
def get_fulfillment_order(request: Request) -> FulfillmentOrderView:
    identity = request.path["id"]
    order = orders_table().get(order_of_fulfillment(identity))
    return fulfillment_view(order, order.fulfillment_order(identity))


@app.route("POST", "/fulfillment-orders/{id}/accept")
def accept(request: Request) -> FulfillmentOrderView:
    return _do(request, c.AcceptFulfillmentOrder)


@app.route("POST", "/fulfillment-orders/{id}/pick")
def pick(request: Request) -> FulfillmentOrderView:
    return _do(request, c.PickFulfillmentOrder)


@app.route("POST", "/fulfillment-orders/{id}/pack")
def pack(request: Request) -> FulfillmentOrderView:
    return _do(request, c.PackFulfillmentOrder)


@app.route("POST", "/fulfillment-orders/{id}/deliver")
def deliver(request: Request) -> FulfillmentOrderView:
    return _do(request, c.DeliverFulfillmentOrder)


@app.route("POST", "/fulfillment-orders/{id}/reject")
def reject(request: Request) -> FulfillmentOrderView:
    reason = request.read(Reject).reason
    return _cannot(
        request, lambda identity, until: c.RejectFulfillmentOrder(identity, reason, until)
    )


@app.route("POST", "/fulfillment-orders/{id}/reroute")
def reroute(request: Request) -> FulfillmentOrderView:
    reason = request.read(Reroute).reason
    return _cannot(
        request, lambda identity, until: c.TakeBackFulfillmentOrder(identity, reason, until)
    )


@app.route("POST", "/fulfillment-orders/{id}/short-pick")
def short_pick(request: Request) -> FulfillmentOrderView:
    said = request.read(ShortPick)
    missing = tuple(Quantity(x.line_id, x.missing) for x in said.lines if x.missing is not None)
    found = tuple(Quantity(x.line_id, x.found) for x in said.lines if x.found is not None)
    return _cannot(
        request,
        lambda identity, until: c.ShortPickFulfillmentOrder(
            identity, said.reason, missing, found, until
        ),
    )


@app.route("POST", "/fulfillment-orders/{id}/collect")
def collect(request: Request) -> FulfillmentOrderView:
    return _do(request, c.CollectFulfillmentOrder)


@app.route("POST", "/fulfillment-orders/{id}/ready")
def ready(request: Request) -> FulfillmentOrderView:
    """Somebody looks after it when nobody comes for it."""
    late = datetime.now(UTC) + COLLECT_WITHIN
    looked_after = agenda().writes(DueKind.CANCEL_PICKUP, request.path["id"], late)
    beside = Beside(writes=tuple(looked_after))
    return _do(request, c.ReadyFulfillmentOrder, beside)


def _cannot(
    request: Request, command: Callable[[str, datetime], c.Command]
) -> FulfillmentOrderView:
    """Its location is not asked again for a while: an order that waits by then may find its stock
    there."""
    order_id, until = order_of_fulfillment(request.path["id"]), _asked_again(request)
    beside = Beside(writes=tuple(agenda().writes(DueKind.END_EXCLUSION, order_id, until)))
    return _do(request, lambda identity: command(identity, until), beside)


def _asked_again(request: Request) -> datetime:
    """When a location that cannot do it now may be asked again for the same order."""
    rule_sets, order_id = rule_sets_table(), order_of_fulfillment(request.path["id"])
    version = rule_sets.active(consistent=False).version_for(order_id)
    hours = rule_sets.rule_set(version).exclusion_hours
    return datetime.now(UTC) + timedelta(hours=hours)


@app.route("POST", "/fulfillment-orders/{id}/ship")
def ship(request: Request) -> FulfillmentOrderView:
    said = request.read(Ship)
    parcels = packed_parcels(said) if said.parcels else labelled_parcel(request.path["id"])
    watched = Beside(writes=tuple(_watched(request.path["id"], parcels)))
    order = _changed(request, lambda identity: c.ShipFulfillmentOrder(identity, parcels), watched)
    orders = orders_table(with_stock=True)
    for parcel in parcels:  # carriers may have scanned it before this call
        number = (parcel.carrier, parcel.tracking_number)
        order = record_kept(scan_inbox(), orders, order, *number, datetime.now(UTC))
    return fulfillment_view(order, order.fulfillment_order(request.path["id"]))


def _watched(identity: str, parcels: Iterable[PackedParcel]) -> list[Write]:
    """Have carriers asked where the parcels are, if some are of carriers that do not tell."""
    policy, _ = policies_table().current("tracking", TrackingPolicy)
    if not any(parcel.carrier in policy.polled for parcel in parcels):
        return []
    return parcels_agenda().writes(POLL_PARCELS, identity, datetime.now(UTC) + policy.pause)


def _do(
    request: Request, command: Callable[[str], c.Command], beside: Beside | None = None
) -> FulfillmentOrderView:
    order = _changed(request, command, beside)
    return fulfillment_view(order, order.fulfillment_order(request.path["id"]))


def _changed(
    request: Request, command: Callable[[str], c.Command], beside: Beside | None = None
) -> Order:
    """The same Idempotency-Key does it once, also what is legal twice: to miss one more unit."""
    identity = request.path["id"]
    once = once_key(f"{request.route} {identity}", request.idempotency_key, request.json())
    return orders_table(with_stock=True).change(
        order_of_fulfillment(identity),
        command(identity),
        at=datetime.now(UTC),
        actor=request.actor,
        once=once,
        beside=beside,
    )


def labelled_parcel(identity: str) -> tuple[PackedParcel, ...]:
    """Of one label alone it is known what is in its parcel."""
    order_id = order_of_fulfillment(identity)
    box = orders_table().get(order_id).fulfillment_order(identity)
    labels = [
        row
        for row in labels_table().of_order(order_id)
        if row.fulfillment_order_id == identity and row.status is LabelStatus.BOUGHT
    ]
    if len(labels) != 1:
        has = f"{len(labels)} labels" if labels else "no label"
        raise InvalidRequest([Fault("parcels", f"is needed: it has {has}")])
    return (PackedParcel(labels[0].carrier, labels[0].tracking_number, box.lines),)


def packed_parcels(said: Ship) -> tuple[PackedParcel, ...]:
    unknown = [
        Fault(f"parcels[{place}].carrier", f"{parcel.carrier} is no carrier that we know")
        for place, parcel in enumerate(said.parcels)
        if parcel.carrier not in CARRIERS
    ]
    if unknown:
        raise InvalidRequest(unknown)
    return tuple(
        PackedParcel(
            parcel.carrier,
            parcel.tracking_number,
            tuple(Quantity(each.line_id, each.quantity) for each in parcel.lines),
        )
        for parcel in said.parcels
    )


def find(
    orders: OrdersTable, query: FulfillmentOrderQuery, locations: Callable[[], Iterable[str]]
) -> FulfillmentOrderPage:
    """Location by location, newest first; a status may leave a page short, never its cursor."""
    names = [query.location] if query.location else sorted(locations())
    place, start = _position(query.cursor, names)
    found: list[FulfillmentOrderView] = []
    for _ in range(READS_A_PAGE):
        if place == len(names):
            return FulfillmentOrderPage(found)
        page = _page(orders, query, names[place], start, query.limit - len(found))
        found += _views(orders, page, query)
        place, start = (place, page.start) if page.start else (place + 1, None)
        if len(found) >= query.limit:
            break
    return FulfillmentOrderPage(found, _cursor(names, place, start))


def _page(
    orders: OrdersTable,
    query: FulfillmentOrderQuery,
    location: str,
    start: dict[str, Any] | None,
    limit: int,
) -> KeyPage:
    in_warehouse = query.status is None or query.status in IN_WAREHOUSE | IN_STORE
    return orders.by_location(location, in_warehouse=in_warehouse, start=start, limit=limit)


def _views(
    orders: OrdersTable, page: KeyPage, query: FulfillmentOrderQuery
) -> Iterator[FulfillmentOrderView]:
    found = orders.many(pk.removeprefix("ORDER#") for pk, _ in page.keys)
    for pk, sk in page.keys:
        view = _view(found.get(pk.removeprefix("ORDER#")), sk.removeprefix("FO#"))
        if view is not None and query.status in (None, view.status):
            yield view


def _position(
    cursor: str | None, names: Sequence[str]
) -> tuple[int, dict[str, dict[str, str]] | None]:
    if cursor is None:
        return 0, None
    key = decode_cursor(cursor)
    location = key.pop("location", "")
    if location not in names:
        raise BadCursor
    return names.index(location), {k: {"S": v} for k, v in key.items()} or None


def _cursor(names: Sequence[str], place: int, start: dict[str, Any] | None) -> str | None:
    if place == len(names):
        return None
    return encode_cursor(
        {"location": names[place], **{k: v["S"] for k, v in (start or {}).items()}}
    )


def _view(order: Order | None, identity: str) -> FulfillmentOrderView | None:
    if order is None:
        return None
    return fulfillment_view(order, order.fulfillment_order(identity))
