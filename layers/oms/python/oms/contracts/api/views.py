"""What the API answers. Amounts are integers of the smallest unit of the currency beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

At = Annotated[datetime, Meta(tz=True)]


class View(Struct):
    pass


class FaultView(View):
    field: str
    reason: str


class Problem(View, omit_defaults=True):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FaultView] = []


class TotalsView(View):
    """`subtotal` is lines after their discounts, before `discounts` of the order."""

    subtotal: int
    discounts: int
    shipping: int
    taxes: int
    total: int


class QuantitiesView(View):
    """They add up to what was ordered."""

    open: int
    backordered: int
    allocated: int
    shipped: int
    delivered: int
    cancelled: int


class LineView(View, omit_defaults=True):
    """`expected_on`: the day by which what is backordered should be there, empty if unknown;
    `returned`: delivered units that were paid back."""

    line_id: str
    sku: str
    quantity: int
    unit_price: int
    discount: int
    tax: int
    quantities: QuantitiesView
    backordered_since: At | None = None
    expected_on: str = ""
    preorder: bool = False
    returned: int = 0


class QuantityView(View):
    line_id: str
    quantity: int


class ParcelView(View):
    carrier: str
    tracking_number: str
    status: str
    lines: list[QuantityView]
    scanned_at: At | None = None


class FulfillmentOrderView(View):
    """`delivery`: ship, pickup (collected where it lies) or ship_to_store; `ship_by` is when it
    must be with the carrier, `deliver_by` the day it should arrive, `ready_at` since when it can be
    collected, at `pickup_location`; `method`: it goes by another than the order's."""

    fulfillment_order_id: str
    order_id: str
    location_id: str
    status: str
    lines: list[QuantityView]
    parcels: list[ParcelView] = []
    reason: str = ""
    delivery: str = "ship"
    ship_by: At | None = None
    deliver_by: str = ""
    pickup_location: str = ""
    ready_at: At | None = None
    method: str = ""


class HoldView(View):
    """`blocks` are the steps that it keeps from being done; after `until` it releases itself."""

    hold_id: str
    type: str
    reason: str
    placed_by: str
    placed_at: At
    released_at: At | None = None
    blocks: list[str] = []
    until: At | None = None
    released_by: str = ""
    release_reason: str = ""


class CreditPartView(View):
    """A part of what is given back; what is taken off is negative. Of a line: so many of its units
    from the one on that has this number, counted from 0."""

    kind: str
    label: str
    amount: int
    line_id: str = ""
    first_unit: int = 0
    quantity: int = 0


class RefundDestinationView(View):
    """`to`: the account, where money does not go back to where it was paid from."""

    operation_id: str
    provider: str
    amount: int
    status: str
    to: str = ""
    reason: str = ""


class CreditView(View):
    """Given back beside what was called off: for returned goods, or as goodwill. The `parts` add up
    to the amount; `contained_taxes` are inside of them and add nothing. `refunded` of it has been
    paid out. `cause`: the return."""

    credit_id: str
    kind: str
    amount: int
    refunded: int
    parts: list[CreditPartView]
    contained_taxes: list[CreditPartView]
    destinations: list[RefundDestinationView]
    reason: str = ""
    cause: str = ""


class SettlementView(View):
    """What is given for a return: `granted` so far, or `estimated` before anything is. `parts` add
    up to `refund_amount`; `remarks` say why it is not more."""

    refund_amount: int
    granted: int
    estimated: bool
    parts: list[CreditPartView]
    contained_taxes: list[CreditPartView]
    destinations: list[RefundDestinationView]
    remarks: list[str]


class ReturnSummary(View):
    return_id: str
    status: str
    resolution: str


class Links(View, omit_defaults=True):
    self: str
    events: str
    routing: str
    cancel: str = ""


class OrderEditView(View):
    """An edit that the order has taken up: it awaits payment, is applied, or was declined."""

    edit_id: str
    status: str
    reason: str = ""
    declined: str = ""


class BasisView(View, omit_defaults=True):
    """What a day was made of. `source` tables: the carrier's own transit times, `card_version` says
    which; nothing tells how sure they are. `source` measured: of `parcels`, `on_time` were there
    within `days` of when they should have left, so that at least `confidence` percent of all
    are."""

    source: str
    carrier: str
    method: str
    zone: str = ""
    card_version: int = 0
    days: int | None = None
    cut_off: str = ""
    confidence: int | None = None
    parcels: int | None = None
    on_time: int | None = None


class PromiseStandingView(View, omit_defaults=True):
    """Of an order. `deliver_by` is the day that holds: the storefront's, else `ours`, which the
    first plan gave; `days_apart`: so many days later than ours the storefront's is, below zero if
    it is sooner. `revised`: the day that the customer was told instead, empty: that nobody knows
    it; `told_at` when. `made_of` is by fulfillment order."""

    deliver_by: str
    made_at: At | None
    ours: str = ""
    days_apart: int | None = None
    ship_by: At | None = None
    rule_set: str = ""
    rule_set_version: int = 0
    made_of: dict[str, BasisView] = {}
    revised: str = ""
    told_at: At | None = None


class OrderView(View):
    """The three statuses beside `status` are derived from money and quantities.

    `deliver_by` is the day that the customer was promised; until `deferred_until` the order waits
    to be routed together with others that want the same. `tracking_token` opens the customer's
    tracking page; it is told of an order that is placed or asked for.
    """

    order_id: str
    channel: str
    external_id: str
    status: str
    payment_status: str
    fulfillment_status: str
    return_status: str
    currency: str
    tax_included: bool
    totals: TotalsView
    authorized: int
    paid: int
    refunded: int
    refundable: int
    lines: list[LineView]
    fulfillment_orders: list[FulfillmentOrderView]
    holds: list[HoldView]
    placed_at: At
    customer_id: str
    version: int
    links: Links
    attention: str = ""
    tags: list[str] = []
    customer_tier: str = ""
    deliver_by: str = ""
    pickup_location: str = ""
    deferred_until: At | None = None
    edits: list[OrderEditView] = []
    returns: list[ReturnSummary] = []
    credits: list[CreditView] = []
    linked_to: str = ""
    tracking_token: str = ""
    promise: PromiseStandingView | None = None


class OrderPage(View):
    items: list[OrderView]
    cursor: str | None = None


class EventView(View):
    id: str
    type: str
    version: int
    at: At
    order_id: str
    seq: int
    actor: str
    data: dict[str, Any]


class EventPage(View):
    items: list[EventView]
    cursor: str | None = None


class FulfillmentOrderPage(View):
    items: list[FulfillmentOrderView]
    cursor: str | None = None


class AttentionView(View):
    """`return_id`: where it is not the order itself that needs a decision, but a return of it,
    whose `status` this is. `message_id`: what a shop said and nobody understood; then `order_id` is
    empty where that is not known, and it is decided on under /inbox."""

    order_id: str
    reason: str
    status: str
    placed_at: At
    since: At | None = None
    return_id: str = ""
    message_id: str = ""


class AttentionPage(View):
    items: list[AttentionView]
    cursor: str | None = None


class Received(View, omit_defaults=True):
    """`outcome`: accepted, duplicate, or ignored, and then `ignored` says why a well-formed message
    changes nothing."""

    outcome: str
    order_id: str = ""
    ignored: str = ""
