"""The order: what is known of it, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from oms.domain import events as e
from oms.domain.edits import Edit, EditStatus
from oms.domain.errors import NotFound
from oms.domain.fulfillment import FulfillmentOrder, Quantity
from oms.domain.holds import GOODS, HoldStep, NewHold
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.payment import Operation, OperationKind, OperationStatus, Payment, Shares
from oms.domain.promising.promise import OrderPromise
from oms.domain.refunds import Credit
from oms.domain.returns import Return
from oms.domain.routing import Destination
from oms.domain.screening import Risk, Verdict

T = TypeVar("T")


class OrderStatus(StrEnum):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    IN_FULFILLMENT = "in_fulfillment"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# The order has no further business: no stock, no money and no parcel is on its way.
FINAL = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})


@dataclass(frozen=True, slots=True)
class Fact:
    """An event in its place in the history. `actor` is a client or staff id, or `system`."""

    seq: int
    at: datetime
    actor: str
    event: e.Event


@dataclass(frozen=True, slots=True)
class Hold:
    """`blocks`: steps that it keeps from being done, empty for GOODS; after `until` it is released
    by itself."""

    hold_id: str
    type: str
    reason: str
    placed_by: str
    placed_at: datetime
    released_at: datetime | None = None
    blocks: tuple[HoldStep, ...] = ()
    until: datetime | None = None
    released_by: str = ""
    release_reason: str = ""

    @property
    def active(self) -> bool:
        return self.released_at is None

    @property
    def steps(self) -> tuple[HoldStep, ...]:
        """What it keeps from being done."""
        return self.blocks or GOODS

    @property
    def due_at(self) -> datetime | None:
        """When it must be looked at, as NewHold."""
        new = NewHold(self.type, self.reason, self.blocks, self.until)
        return new.due_at(self.placed_at)


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """A plan whose stock is being taken in batches; `cause` and `at` name their movements.

    `backordered` and `denied` are what the plan does without.
    """

    cause: str
    at: datetime
    plan: tuple[e.Assigned, ...]
    record: e.RoutingRecord
    backordered: tuple[e.OrderBackordered, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class Backordered:
    """A line that stock was lacking for, until a location has all of it: also while it is tried
    again. `since` is when it was first lacking; `expected_on` a day (ISO), empty if unknown."""

    line_id: str
    since: datetime
    expected_on: str = ""
    preorder: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """`owed_stock` are the seqs of events whose stock is still to be moved, in batches.

    `refused_by` are those who could not do it since a person has last decided; until
    `deferred_until` the order waits to be routed together with others. `resolution` is the last
    decision that a person took, while nothing has happened since that asks for another.
    `linked_to` is the return that it replaces the goods of; `contact` the edit that changed where
    it goes; `verdict` is the screener's, once it was asked; `promise` what its customer may expect,
    once it was routed.
    """

    order_id: str
    version: int
    status: OrderStatus
    channel: str
    external_id: str
    currency: str
    customer_id: str
    placed_at: datetime
    destination: Destination
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...]
    shipping: Shipping
    tax_included: bool
    payment: Payment
    fulfillment_orders: tuple[FulfillmentOrder, ...] = ()
    holds: tuple[Hold, ...] = ()
    refused_by: tuple[e.RejectedLocation, ...] = ()
    routing: e.RoutingRecord | None = None
    routing_plan: RoutingPlan | None = None
    owed_stock: tuple[int, ...] = ()
    attention: str = ""
    resolution: str = ""
    cancel_reason: str = ""
    stock_hold_id: str = ""
    tags: tuple[str, ...] = ()
    customer_tier: str = ""
    deliver_by: str = ""
    pickup_location: str = ""
    backorders: tuple[Backordered, ...] = ()
    deferred_until: datetime | None = None
    returns: tuple[Return, ...] = ()
    credits: tuple[Credit, ...] = ()
    edits: tuple[Edit, ...] = ()
    linked_to: str = ""
    contact: str = ""
    billing_country: str = ""
    risk: Risk | None = None
    verdict: Verdict | None = None
    promise: OrderPromise | None = None

    def line(self, line_id: str) -> Line:
        return _found((x for x in self.lines if x.line_id == line_id), "line", line_id)

    def fulfillment_order(self, identity: str) -> FulfillmentOrder:
        orders = (x for x in self.fulfillment_orders if x.fulfillment_order_id == identity)
        return _found(orders, "fulfillment order", identity)

    def return_(self, identity: str) -> Return:
        found = (each for each in self.returns if each.return_id == identity)
        return _found(found, "return", identity)

    def backorder(self, line_id: str) -> Backordered | None:
        return next((each for each in self.backorders if each.line_id == line_id), None)

    def edit(self, edit_id: str) -> Edit | None:
        return next((each for each in self.edits if each.edit_id == edit_id), None)

    @property
    def awaited_edit(self) -> Edit | None:
        """It is applied when somebody has paid for it."""
        return next((each for each in self.edits if each.awaits_payment), None)

    @property
    def contact_id(self) -> str:
        """The name under which the vault has who it goes to."""
        return f"{self.order_id}#{self.contact}" if self.contact else self.order_id

    def is_unwanted(self, operation: Operation) -> bool:
        """Money is not reserved for an order that is over, or an edit that was declined."""
        if operation.kind is not OperationKind.AUTHORIZE:
            return False
        edit = self.edit(operation.cause)
        return self.is_final or (edit is not None and edit.status is EditStatus.DECLINED)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def active_holds(self) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.holds if hold.active)

    def held_from(self, step: HoldStep) -> tuple[Hold, ...]:
        """The active holds that keep it from the step."""
        return tuple(hold for hold in self.active_holds if step in hold.steps)

    @property
    def to_settle(self) -> tuple[Operation, ...]:
        """What providers are asked now: a refund that was not asked for yet waits for its holds."""
        if not self.held_from(HoldStep.REFUND):
            return self.payment.unsettled
        return tuple(each for each in self.payment.unsettled if not _is_new_refund(each))

    @property
    def total(self) -> int:
        """What was ordered costs, in minor units; cancellations do not change it."""
        lines = sum(x.payable(0, x.quantity, tax_included=self.tax_included) for x in self.lines)
        return lines + self.shipping.payable(tax_included=self.tax_included)

    @property
    def payable(self) -> int:
        """What the units that are not cancelled cost; shipping is due while there are any."""
        kept = [(x, 0, x.quantity - x.cancelled) for x in self.lines]
        return self._cost(kept)

    @property
    def earned(self) -> int:
        """What the units that left a warehouse cost; shipping is earned with the first."""
        return self._cost([(x, 0, x.dispatched) for x in self.lines])

    @property
    def is_backordered(self) -> bool:
        return any(line.backordered for line in self.lines)

    @property
    def is_deferred(self) -> bool:
        return self.deferred_until is not None and any(line.open for line in self.lines)

    @property
    def is_under_way(self) -> bool:
        """Some of it is with a location, or on its way from there."""
        return any(each.is_under_way for each in self.fulfillment_orders)

    @property
    def has_unshipped(self) -> bool:
        return any(line.unshipped for line in self.lines)

    @property
    def unrefunded(self) -> int:
        """Taken money that is kept, or on its way to be, but for what was credited beside: for
        goods that came back, as goodwill."""
        granted = {credit.credit_id for credit in self.credits}
        called_off = sum(
            operation.amount
            for operation in self.payment.operations
            if operation.kind is OperationKind.REFUND
            and operation.status is not OperationStatus.FAILED
            and operation.cause not in granted
        )
        return self.payment.committed(OperationKind.CAPTURE) - called_off

    @property
    def claimed(self) -> int:
        """What was earned, without goods that came back before anybody had paid for them."""
        return self.earned - sum(credit.untaken for credit in self.credits)

    def owed(self, kind: OperationKind) -> int:
        """What is still to be captured, refunded or voided, beside what was asked for already."""
        return sum(amount for _, amount in self.shares_owed(kind))

    def shares_owed(self, kind: OperationKind) -> Shares:
        """By authorization. What is voided cannot be captured any more; what was earned is not
        voided, though its capture has failed: it may be asked for again."""
        payment = self.payment
        if kind is OperationKind.CAPTURE:
            return payment.to_capture(self.claimed - self.unrefunded)
        if kind is OperationKind.REFUND:
            return payment.to_refund(self.unrefunded - self.payable)
        return self._to_void()

    def _to_void(self) -> Shares:
        """All that will not be captured; while there are units to ship, only what was renewed and
        what a declined edit asked for."""
        capturing = dict(self.shares_owed(OperationKind.CAPTURE))
        unused = (
            (tender.operation.operation_id, tender.unused)
            for tender in self.payment.tenders
            if tender.replaced or not self.has_unshipped or self.is_unwanted(tender.operation)
        )
        left = ((identity, amount - capturing.get(identity, 0)) for identity, amount in unused)
        return tuple((identity, amount) for identity, amount in left if amount > 0)

    def uncredited(self, credit_id: str) -> int:
        """What a credit grants and nothing was asked for yet, or it has failed."""
        asked = sum(
            operation.amount
            for operation in self.payment.operations
            if operation.cause == credit_id and operation.status is not OperationStatus.FAILED
        )
        granted = sum(each.amount for each in self.credits if each.credit_id == credit_id)
        return granted - asked

    @property
    def unresolved(self) -> tuple[Operation, ...]:
        """Operations that failed for certain, and nothing was asked for in their place. The first
        authorizations are the buyer's bank's last word; one that renews others may be retried."""
        return tuple(
            operation
            for operation in self.payment.operations
            if operation.status is OperationStatus.FAILED
            and (operation.kind is not OperationKind.AUTHORIZE or operation.of)
            and self.missing(operation) > 0
        )

    def missing(self, failed: Operation) -> int:
        """So much of what failed is still to be moved, and nothing was asked for in its place. What
        a credit promises may come from any tender."""
        if self._is_credited(failed):
            left = min(self.uncredited(failed.cause), self.payment.refundable)
            return min(failed.amount, left)
        return self.missing_there(failed)

    def _is_credited(self, operation: Operation) -> bool:
        return any(credit.credit_id == operation.cause for credit in self.credits)

    def missing_there(self, failed: Operation) -> int:
        """So much of it can be moved where it was asked for."""
        return min(failed.amount, self._missing(failed))

    def _missing(self, failed: Operation) -> int:
        source = self.payment.source_of(failed)
        if source is None:
            return 0
        tender = self.payment.tender(source.operation_id)
        if failed.kind is OperationKind.AUTHORIZE:
            return self.lapsing(source.operation_id)
        if self._is_credited(failed):
            refundable = tender.refundable if tender else 0
            return min(self.uncredited(failed.cause), refundable)
        if failed.kind is OperationKind.CAPTURE and source.prepaid:
            return tender.left if tender else 0
        return dict(self.shares_owed(failed.kind)).get(source.operation_id, 0)

    def lapsing(self, operation_id: str) -> int:
        """Of an authorization whose money is still needed, and is there in a new one only."""
        tender = self.payment.tender(operation_id)
        if tender is None or tender.replaced or self.is_final or not self.has_unshipped:
            return 0
        return tender.left + tender.lapsed

    @property
    def secured(self) -> int:
        """Taken and not given back for what was cancelled, or certain to be there."""
        return self.unrefunded + sum(tender.left for tender in self.payment.tenders)

    @property
    def is_paid_for(self) -> bool:
        """Authorized, or taken elsewhere: the goods may go."""
        return self.secured >= self.payable

    def _cost(self, units: list[tuple[Line, int, int]]) -> int:
        if not any(count for _, _, count in units):
            return 0
        lines = sum(
            line.payable(start, count, tax_included=self.tax_included)
            for line, start, count in units
        )
        return lines + self.shipping.payable(tax_included=self.tax_included)


def _is_new_refund(operation: Operation) -> bool:
    new = operation.status is OperationStatus.REQUESTED
    return new and operation.kind is OperationKind.REFUND


def _found(candidates: Iterable[T], kind: str, identity: str) -> T:
    for candidate in candidates:
        return candidate
    raise NotFound(kind, identity)


def cause_of(order_id: str, seq: int) -> str:
    """The id of a fact, and the cause of the stock movements that it makes."""
    return f"{order_id}#{seq:06d}"
