"""Orders as clients see them."""

from __future__ import annotations

from urllib.parse import quote

from oms.contracts import codec
from oms.contracts.api import views as v
from oms.contracts.events import CATALOGUE
from oms.contracts.render_credits import credit_view
from oms.contracts.render_promises import standing_view
from oms.domain.crediting import creditable
from oms.domain.fulfillment import Delivery, FulfillmentOrder, Quantity
from oms.domain.lines import Line
from oms.domain.order import Fact, Hold, Order, cause_of
from oms.domain.statuses import fulfillment_status, payment_status, return_status


def order_view(order: Order) -> v.OrderView:
    payment = order.payment
    return v.OrderView(
        order_id=order.order_id,
        channel=order.channel,
        external_id=order.external_id,
        status=order.status,
        payment_status=payment_status(order),
        fulfillment_status=fulfillment_status(order),
        return_status=return_status(order),
        currency=order.currency,
        tax_included=order.tax_included,
        totals=totals_view(order),
        authorized=payment.authorized,
        paid=payment.captured,
        refunded=payment.refunded,
        refundable=creditable(order),
        lines=[line_view(order, line) for line in order.lines],
        fulfillment_orders=[fulfillment_view(order, x) for x in order.fulfillment_orders],
        holds=[hold_view(hold) for hold in order.holds],
        placed_at=order.placed_at,
        customer_id=order.customer_id,
        version=order.version,
        links=links(order),
        attention=order.attention,
        tags=list(order.tags),
        customer_tier=order.customer_tier,
        deliver_by=order.deliver_by,
        pickup_location=order.pickup_location,
        deferred_until=order.deferred_until if order.is_deferred else None,
        edits=[v.OrderEditView(x.edit_id, x.status, x.reason, x.declined) for x in order.edits],
        returns=[
            v.ReturnSummary(each.return_id, each.status, each.resolution) for each in order.returns
        ],
        credits=[credit_view(order, credit) for credit in order.credits],
        linked_to=order.linked_to,
        promise=standing_view(order),
    )


def links(order: Order) -> v.Links:
    path = f"/orders/{quote(order.order_id)}"
    cancel = "" if order.is_final else f"{path}/cancel"
    return v.Links(path, f"{path}/events", f"{path}/routing", cancel)


def totals_view(order: Order) -> v.TotalsView:
    lines = sum(tax.amount for line in order.lines for tax in line.taxes)
    shipping = sum(tax.amount for tax in order.shipping.taxes)
    return v.TotalsView(
        subtotal=sum(line.discounted for line in order.lines),
        discounts=sum(line.order_discount for line in order.lines),
        shipping=order.shipping.price,
        taxes=lines + shipping,
        total=order.total,
    )


def line_view(order: Order, line: Line) -> v.LineView:
    waits = order.backorder(line.line_id) if line.backordered else None
    return v.LineView(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.gross - line.discounted + line.order_discount,
        tax=sum(tax.amount for tax in line.taxes),
        quantities=v.QuantitiesView(
            open=line.open,
            backordered=line.backordered,
            allocated=line.allocated,
            shipped=line.shipped,
            delivered=line.delivered,
            cancelled=line.cancelled,
        ),
        backordered_since=waits.since if waits else None,
        expected_on=waits.expected_on if waits else "",
        preorder=waits.preorder if waits else False,
        returned=line.returned,
    )


def fulfillment_view(order: Order, of: FulfillmentOrder) -> v.FulfillmentOrderView:
    return v.FulfillmentOrderView(
        fulfillment_order_id=of.fulfillment_order_id,
        order_id=order.order_id,
        location_id=of.location_id,
        status=of.status,
        lines=_quantities(of.lines),
        parcels=[
            v.ParcelView(p.carrier, p.tracking_number, p.status, _quantities(p.lines), p.scanned_at)
            for p in of.parcels
        ],
        reason=of.reason,
        delivery=of.delivery,
        ship_by=of.ship_by,
        deliver_by=of.deliver_by,
        pickup_location="" if of.delivery is Delivery.SHIP else order.pickup_location,
        ready_at=of.ready_at,
        method=of.method,
    )


def hold_view(hold: Hold) -> v.HoldView:
    return v.HoldView(
        hold_id=hold.hold_id,
        type=hold.type,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        released_at=hold.released_at,
        blocks=[step.value for step in hold.steps],
        until=hold.until,
        released_by=hold.released_by,
        release_reason=hold.release_reason,
    )


def event_view(order_id: str, fact: Fact) -> v.EventView:
    name = type(fact.event).__name__
    return v.EventView(
        id=cause_of(order_id, fact.seq),
        type=name,
        version=CATALOGUE[name].version,
        at=fact.at,
        order_id=order_id,
        seq=fact.seq,
        actor=fact.actor,
        data=codec.slim(fact.event),
    )


def _quantities(lines: tuple[Quantity, ...]) -> list[v.QuantityView]:
    return [v.QuantityView(q.line_id, q.quantity) for q in lines]
