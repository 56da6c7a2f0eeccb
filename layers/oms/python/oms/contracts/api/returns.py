"""Goods that come back: what clients ask, and what they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from oms.contracts.api.fields import (
    MAX_TOTAL,
    Amount,
    Contract,
    FreeText,
    Identity,
    Quantity,
    Reason,
    Slug,
    repeats,
)
from oms.contracts.api.orders import LineQuantity, OrderLine
from oms.contracts.api.views import At, QuantityView, SettlementView, View
from oms.contracts.invalid import Fault

MAX_LINES = 1_000  # told at once: with notes the bus must carry them
MAX_EXCHANGE_BYTES = 100_000  # they travel in an event, whole, and stay in the order's row

ResolutionName = Literal["refund", "store_credit", "gift_card", "exchange", "replacement"]
RefundWhenName = Literal["approval", "first_scan", "receipt", "inspection"]
AcceptanceName = Literal["accepted", "rejected", "manual_review"]
DispositionName = Literal[
    "restock", "refurbish", "quarantine", "write_off", "return_to_vendor", "send_back"
]
ReceptionName = Literal["received", "short", "wrong_item", "lost_in_transit", "kept_by_customer"]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]


class ReturnLineGiven(Contract):
    """`note`: never of a person. What is handed over a counter may be judged at once."""

    line_id: Identity
    quantity: Quantity
    reason: Slug = "other"
    note: FreeText = ""
    acceptance: AcceptanceName = "accepted"
    disposition: DispositionName = "restock"


class RequestReturn(Contract):
    """`in_store`: over whose counter it is handed; `received`: it lies there. `exchange` is what is
    wanted instead, at its own prices. `override`: whatever the policy says, for this `reason`."""

    lines: Annotated[list[ReturnLineGiven], Field(min_length=1, max_length=MAX_LINES)]
    resolution: ResolutionName = "refund"
    in_store: Identity | None = None
    received: bool = False
    exchange: Annotated[list[OrderLine], Field(max_length=200)] = Field(default_factory=list)
    override: bool = False
    reason: Reason | None = None

    def faults(self) -> Iterator[Fault]:
        yield from _named_once(each.line_id for each in self.lines)
        yield from _exchange_faults(self.exchange)
        if self.received and not self.in_store:
            yield Fault("in_store", "is missing: where was it received?")
        if (self.resolution == "exchange") != bool(self.exchange):
            yield Fault("exchange", "is told where the resolution is exchange, and only there")
        if self.override and not self.reason:
            yield Fault("reason", "is missing: why is the policy overridden?")


def _exchange_faults(lines: list[OrderLine]) -> Iterator[Fault]:
    """It becomes an order: what no order may have is refused while somebody can mend it."""
    for place, line in enumerate(lines):
        if line.discounted < 0:
            off = line.gross - line.discounted
            yield Fault(f"exchange[{place}].discounts", f"take {off} off a line of {line.gross}")
        if not line.requires_shipping:
            yield Fault(f"exchange[{place}].requires_shipping", "must ship: order the rest anew")
    total = sum(line.gross + line.taxed for line in lines)
    if total > MAX_TOTAL:
        yield Fault("exchange", f"costs {total}; at most {MAX_TOTAL}")
    if (size := sum(len(line.model_dump_json()) for line in lines)) > MAX_EXCHANGE_BYTES:
        yield Fault("exchange", f"has {size:,} bytes; at most {MAX_EXCHANGE_BYTES:,}")


class AskedLine(Contract):
    line_id: Identity
    quantity: Quantity
    reason: Slug


class AskForReturn(Contract):
    """By the customer, who names no prices: an exchange is agreed with staff."""

    lines: Annotated[list[AskedLine], Field(min_length=1, max_length=MAX_LINES)]
    resolution: Literal["refund", "store_credit", "gift_card", "replacement"] = "refund"

    def faults(self) -> Iterator[Fault]:
        yield from _named_once(each.line_id for each in self.lines)


class ApproveReturn(Contract):
    """What is said here counts instead of what the policy says."""

    refund_when: RefundWhenName | None = None
    restocking_fee_bp: BasisPoints | None = None
    return_shipping: Amount | None = None
    refund_shipping: bool | None = None
    keep: bool | None = None
    exchange_at_once: bool | None = None
    hand_over_days: Annotated[int, Field(ge=1, le=365)] | None = None


class DeclineReturn(Contract):
    reason: Reason


class CancelReturn(Contract):
    reason: Reason = "requested"


class ReportedLine(Contract):
    """Units that came, or did not, and what was found when they were looked at. `location_id`:
    where they go, if that is elsewhere; `note`: never of a person."""

    line_id: Identity
    quantity: Quantity
    reception: ReceptionName = "received"
    damaged: bool = False
    acceptance: AcceptanceName | None = None
    disposition: DispositionName | None = None
    location_id: Identity | None = None
    note: FreeText = ""

    @property
    def judged(self) -> bool:
        return self.acceptance is not None


class ReportReturn(Contract):
    """What was received, or inspected. `location_id`: where it was received, if it is not where it
    was shipped from; `unexpected`: units beside those that were announced."""

    lines: Annotated[list[ReportedLine], Field(max_length=MAX_LINES)] = Field(default_factory=list)
    location_id: Identity | None = None
    unexpected: Annotated[list[LineQuantity], Field(max_length=MAX_LINES)] = Field(
        default_factory=list
    )

    def faults(self) -> Iterator[Fault]:
        if not self.lines and not self.unexpected:
            yield Fault("lines", "is empty")
        for place, line in enumerate(self.lines):
            review = line.acceptance == "manual_review"
            if line.judged != (line.disposition is not None) and not review:
                yield Fault(f"lines[{place}]", "says both `acceptance` and `disposition`")
            if line.judged and line.reception != "received":
                yield Fault(f"lines[{place}].acceptance", f"of what is {line.reception}")


def _named_once(line_ids: Any) -> Iterator[Fault]:
    for place in repeats(line_ids):
        yield Fault(f"lines[{place}].line_id", "is given twice")


class InspectedView(View):
    quantity: int
    acceptance: str
    disposition: str
    location_id: str = ""
    note: str = ""


class ReceivedView(View):
    quantity: int
    reception: str
    damaged: bool = False


class ReturnLineView(View):
    """`settled` units are paid for; of `received` ones `accepted` and `rejected` are decided."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    received: int
    accepted: int
    rejected: int
    settled: int
    receptions: list[ReceivedView]
    inspections: list[InspectedView]
    note: str = ""


class TermsView(View):
    refund_when: str
    restocking_fee_bp: int
    return_shipping: int
    refund_shipping: bool
    keep: bool
    exchange_at_once: bool
    policy_version: int


class ReturnParcelView(View):
    """`label` is a link to its document, for a quarter of an hour, where one return is asked for;
    `qr`: what is shown, as a picture, instead of a printed label."""

    carrier: str
    tracking_number: str
    status: str
    scanned_at: At | None = None
    label: str = ""
    qr: str = ""


class ExchangeLineView(View):
    sku: str
    quantity: int
    unit_price: int


class ExplainedView(View):
    """A part of what is given: of a line, its units `first_unit …`; what is taken off is
    negative."""

    kind: str
    amount: int
    line_id: str = ""
    first_unit: int = 0
    quantity: int = 0
    name: str = ""


class ReturnView(View):
    """`refund_amount` is granted so far, the sum of `explanation`; `refunded` of it has been paid
    out. `estimated_refund` is what the whole return would bring on its terms; `attention` says why
    a person must decide."""

    return_id: str
    order_id: str
    status: str
    resolution: str
    currency: str
    refund_amount: int
    refunded: int
    estimated_refund: int
    lines: list[ReturnLineView]
    requested_at: At
    requested_by: str
    terms: TermsView
    parcels: list[ReturnParcelView]
    exchange: list[ExchangeLineView]
    unexpected: list[QuantityView]
    explanation: list[ExplainedView]
    settlement: SettlementView
    approved_at: At | None = None
    expires_at: At | None = None
    in_store: str = ""
    location_id: str = ""
    linked_order: str = ""
    reason: str = ""
    override: str = ""
    attention: str = ""


class ReturnsView(View):
    items: list[ReturnView]


class ReturnOptionView(View):
    """`until`: the last moment for the last unit; `refusal` says why none can be returned."""

    line_id: str
    sku: str
    quantity: int
    returnable: int
    until: At | None
    reasons: list[str]
    estimated_refund: int
    refusal: str = ""


class ReturnReasonView(View):
    code: str
    fault: str
    approval: bool
    photo: bool


class ReturnOptionsView(View):
    """What can be asked for now. Amounts are estimates: terms are agreed on approval."""

    order_id: str
    currency: str
    lines: list[ReturnOptionView]
    reasons: list[ReturnReasonView]
    resolutions: list[str]
    policy_version: int


class TrackedLineView(View):
    line_id: str
    sku: str
    quantity: int
    reason: str
    received: int
    accepted: int
    rejected: int


class TrackedReturnView(View):
    """What a customer sees of a return."""

    return_id: str
    status: str
    resolution: str
    currency: str
    refund_amount: int
    refunded: int
    estimated_refund: int
    lines: list[TrackedLineView]
    requested_at: At
    keep: bool
    parcels: list[ReturnParcelView]
    expires_at: At | None = None
