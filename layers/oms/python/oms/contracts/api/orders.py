"""What clients ask of orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

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
    Label,
    PageSize,
    Quantity,
    Rate,
    Reason,
    Slug,
    UnitPrice,
    backwards,
)
from oms.contracts.api.stock_holds import StockHoldId
from oms.contracts.invalid import Fault


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
    """`amount` of a discount or tax is for the whole line."""

    sku: Code
    quantity: Quantity
    unit_price: UnitPrice
    discounts: Annotated[list[DiscountGiven], Field(max_length=50)] = Field(default_factory=list)
    taxes: Annotated[list[TaxGiven], Field(max_length=50)] = Field(default_factory=list)
    requires_shipping: bool = True

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


class PaymentGiven(Contract):
    """`captured` is what was taken elsewhere already; only the provider `external` may say so."""

    provider: Slug
    token: FreeText = ""
    captured: Amount = 0


class OrderGiven(Contract):
    """An order, whoever hands it over: a till knows neither a name nor an address.

    Amounts are integers of the smallest unit of `currency`. `total` must be the sum of the parts.
    `hold_id` is the cart's hold: the order takes its units over. `deliver_by` is the day that the
    customer was promised; with `pickup_location` the customer collects the order there. Routing
    rules may speak of `tags` and `customer_tier`.
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
    hold_id: StockHoldId | None = None
    deliver_by: Day | None = None
    pickup_location: Identity | None = None
    tags: Annotated[list[Slug], Field(max_length=50)] = Field(default_factory=list)
    customer_tier: Slug | None = None

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
        if not external and not self.payment.token:
            yield Fault("payment.token", f"is what the provider {self.payment.provider!r} needs")


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
    type: Annotated[
        str,
        Field(
            max_length=60,
            pattern=r"^(payment|fraud|address|inventory|awaiting_return|approval|promise_date|manual"
            r"|custom:[a-z0-9_-]+)$",
        ),
    ] = "manual"
    reason: Reason


class ReleaseHold(Contract):
    reason: Reason = "released"


class OrderQuery(Contract):
    """`customer` or a range of days; `status` and `channel` narrow what is found."""

    customer: Label | None = None
    status: (
        Literal["placed", "confirmed", "in_fulfillment", "completed", "cancelled", "expired"] | None
    ) = None
    channel: Slug | None = None
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    cursor: Cursor | None = None
    limit: PageSize = 50

    def faults(self) -> Iterator[Fault]:
        return backwards(self.first_day, self.last_day)


class HistoryQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 100
