"""What clients ask of orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from oms.contracts.api.fields import (
    MAX_LINES,
    MAX_TOTAL,
    Amount,
    Code,
    Contract,
    Country,
    Currency,
    Cursor,
    Day,
    Email,
    FreeText,
    Identity,
    Instant,
    Label,
    PageSize,
    Quantity,
    Rate,
    Reason,
    Slug,
    UnitPrice,
    backwards,
    repeats,
)
from oms.contracts.api.order_holds import HoldType, Score, Steps
from oms.contracts.api.stock_holds import StockHoldId
from oms.contracts.invalid import Fault
from oms.domain.store_credit import STORE_CREDIT

MAX_TENDERS = 10


class Customer(Contract):
    email: Email | None = None
    name: FreeText = ""
    phone: FreeText = ""


class Address(Contract):
    """As much of an address as a channel has; only the country is always known."""

    name: FreeText = ""
    company: FreeText = ""
    line1: FreeText = ""
    line2: FreeText = ""
    city: FreeText = ""
    region: FreeText = ""
    postal_code: FreeText = ""
    country: Country
    phone: FreeText = ""


class DiscountGiven(Contract):
    code: Label
    amount: Amount


class TaxGiven(Contract):
    """`rate` is kept as it is written; `amount` is what was charged."""

    name: Label
    rate: Rate = "0"
    amount: Amount


class OrderLine(Contract):
    """`amount` of a discount or tax is for the whole line. `external_id` is the channel's own id of
    the line."""

    sku: Code
    quantity: Quantity
    unit_price: UnitPrice
    discounts: Annotated[list[DiscountGiven], Field(max_length=50)] = Field(default_factory=list)
    taxes: Annotated[list[TaxGiven], Field(max_length=50)] = Field(default_factory=list)
    requires_shipping: bool = True
    external_id: Label | None = None

    @property
    def gross(self) -> int:
        return self.unit_price * self.quantity

    @property
    def discounted(self) -> int:
        return self.gross - sum(discount.amount for discount in self.discounts)

    @property
    def taxed(self) -> int:
        return sum(tax.amount for tax in self.taxes)


class ShippingGiven(Contract):
    """`price` is what is charged, after any discount on it."""

    method: Label = "standard"
    price: Amount = 0
    taxes: Annotated[list[TaxGiven], Field(max_length=50)] = Field(default_factory=list)

    @property
    def taxed(self) -> int:
        return sum(tax.amount for tax in self.taxes)


NEEDS_NO_TOKEN = frozenset({STORE_CREDIT, "bank_transfer", "cash_on_delivery"})


class PaymentGiven(Contract):
    """`captured` is what was taken elsewhere already; only the provider `external` may say so."""

    provider: Slug
    token: FreeText = ""
    captured: Amount = 0


class TenderGiven(Contract):
    """A part of the total. `token` is a gift card's code; store credit is the customer's own."""

    provider: Slug
    token: FreeText = ""
    amount: Annotated[int, Field(ge=1, le=MAX_TOTAL)]


class RiskGiven(Contract):
    """What is known of the payment: 0 to 100, 100 is the worst; who says so; where the card is
    from."""

    score: Score
    provider: Slug = "channel"
    card_country: Country | None = None


class OrderGiven(Contract):
    """An order, whoever hands it over: a till knows neither a name nor an address.

    Amounts are integers of the smallest unit of `currency`. `total` must be the sum of the parts.
    `hold_id` is the cart's hold: the order takes its units over. `deliver_by` is the day that the
    customer was promised; with `pickup_location` the customer collects the order there. Routing
    rules may speak of `tags` and `customer_tier`. `tenders` pay parts of the total before `payment`
    pays the rest.
    """

    channel: Slug
    external_id: Label
    currency: Currency
    customer: Customer | None = None
    shipping_address: Address | None = None
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=MAX_LINES)]
    discounts: Annotated[list[DiscountGiven], Field(max_length=50)] = Field(default_factory=list)
    shipping: ShippingGiven = ShippingGiven.model_construct()
    tax_included: bool = False
    total: Amount
    payment: PaymentGiven
    tenders: Annotated[list[TenderGiven], Field(max_length=MAX_TENDERS)] = Field(
        default_factory=list
    )
    hold_id: StockHoldId | None = None
    deliver_by: Day | None = None
    pickup_location: Identity | None = None
    tags: Annotated[list[Slug], Field(max_length=50)] = Field(default_factory=list)
    customer_tier: Slug | None = None
    billing_country: Country | None = None
    risk: RiskGiven | None = None

    @property
    def subtotal(self) -> int:
        lines = sum(line.discounted for line in self.lines)
        return lines - sum(discount.amount for discount in self.discounts)

    @property
    def tax(self) -> int:
        return sum(line.taxed for line in self.lines) + self.shipping.taxed

    @property
    def sum_of_parts(self) -> int:
        return self.subtotal + self.shipping.price + (0 if self.tax_included else self.tax)

    @property
    def ships(self) -> bool:
        return any(line.requires_shipping for line in self.lines)

    def faults(self) -> Iterator[Fault]:
        amounts = [*self._line_faults()] or [*self._discount_faults()]
        yield from amounts
        yield from self._payment_faults()
        if not amounts and self.sum_of_parts != self.total:
            said = f"the parts add up to {self.sum_of_parts}, not to {self.total}"
            yield Fault("total", said)

    def _line_faults(self) -> Iterator[Fault]:
        for place, line in enumerate(self.lines):
            if line.gross > MAX_TOTAL:
                yield Fault(f"lines[{place}]", f"costs {line.gross}; at most {MAX_TOTAL}")
            if line.discounted < 0:
                off = line.gross - line.discounted
                said = f"take {off} off a line of {line.gross}"
                yield Fault(f"lines[{place}].discounts", said)

    def _discount_faults(self) -> Iterator[Fault]:
        base = sum(line.discounted for line in self.lines)
        off = sum(discount.amount for discount in self.discounts)
        if off > base:
            yield Fault("discounts", f"take {off} off lines of {base}")

    def _payment_faults(self) -> Iterator[Fault]:
        captured, external = self.payment.captured, self.payment.provider == "external"
        if captured and not external:
            yield Fault("payment.captured", "is for the provider 'external' only")
        elif captured > self.total:
            yield Fault("payment.captured", f"is {captured}, more than the total {self.total}")
        if not external and not self.payment.token and self._needs_token:
            yield Fault("payment.token", f"is what the provider {self.payment.provider!r} needs")
        yield from self._tender_faults()

    @property
    def _needs_token(self) -> bool:
        """Store credit is found by its customer, money that people bring by people; what pays
        nothing needs none."""
        paid = bool(self.tenders) and self.tendered >= self.total
        return self.payment.provider not in NEEDS_NO_TOKEN and not paid

    def _tender_faults(self) -> Iterator[Fault]:
        if self.tendered > self.total:
            yield Fault("tenders", f"are {self.tendered}, more than the total {self.total}")
        if self._spends_store_credit and self.customer is None:
            yield Fault("customer", "is missing, and store credit is its customer's")
        if self.payment.captured and self.tenders:
            yield Fault("tenders", "are for orders that nothing was taken for yet")
        for place in repeats((each.provider, each.token) for each in self.tenders):
            yield Fault(f"tenders[{place}]", "is there twice")
        for place, each in enumerate(self.tenders):
            if each.provider == "external":
                yield Fault(f"tenders[{place}].provider", "is one that pays a whole order")
            elif not each.token and each.provider != STORE_CREDIT:
                said = f"is what the provider {each.provider!r} needs"
                yield Fault(f"tenders[{place}].token", said)

    @property
    def tendered(self) -> int:
        return sum(each.amount for each in self.tenders)

    @property
    def _spends_store_credit(self) -> bool:
        return STORE_CREDIT in (self.payment.provider, *(each.provider for each in self.tenders))


class ChannelOrder(OrderGiven):
    """As a sales channel's adapter reads it. `payment_hold` says what is not sure about the money
    that the channel takes: the order waits for a person."""

    payment_hold: FreeText = ""


class PlaceOrder(OrderGiven):
    """An order of a storefront. What ships needs an address; `customer` may be null, not absent."""

    customer: Customer | None

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.customer is not None and self.customer.email is None:
            yield Fault("customer.email", "is missing")
        yield from self._address_faults()

    def _address_faults(self) -> Iterator[Fault]:
        if not self.ships or (self.pickup_location and self.shipping_address is None):
            return
        if self.shipping_address is None:
            yield Fault("shipping_address", "is missing, and the order has lines to ship")
            return
        for name in ("name", "line1", "city"):
            if not getattr(self.shipping_address, name):
                yield Fault(f"shipping_address.{name}", "is missing")


class LineQuantity(Contract):
    line_id: Identity
    quantity: Quantity


class CancelOrder(Contract):
    """All that is not shipped yet, or just these units of these lines."""

    reason: Reason = "requested"
    lines: Annotated[list[LineQuantity], Field(min_length=1, max_length=MAX_LINES)] | None = None


class PlaceHold(Contract):
    """`blocks`: routing, fulfillment (hand-over), refund; empty: the first two. After `until` it
    is released by itself."""

    type: HoldType = "manual"
    reason: Reason
    blocks: Steps = Field(default_factory=list)
    until: Instant | None = None


class ReleaseHold(Contract):
    reason: Reason = "released"


Parcel = Annotated[
    str, StringConstraints(max_length=120, pattern=r"^[a-z0-9_]{1,40}:[A-Za-z0-9 -]{1,79}$")
]


class OrderQuery(Contract):
    """`customer`, a parcel as `tracking` (carrier:number), or a range of days; `status` and
    `channel` narrow what is found."""

    customer: Label | None = None
    tracking: Parcel | None = None
    status: (
        Literal["placed", "confirmed", "in_fulfillment", "completed", "cancelled", "expired"] | None
    ) = None
    channel: Slug | None = None
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    cursor: Cursor | None = None
    limit: PageSize = 50

    def faults(self) -> Iterator[Fault]:
        if self.customer and self.tracking:
            yield Fault("tracking", "is asked for without a customer")
        yield from backwards(self.first_day, self.last_day)


class HistoryQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 100
