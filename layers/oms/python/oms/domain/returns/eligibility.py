"""What of an order can be returned at a moment, and on which terms: said line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus
from oms.domain.lines import Line
from oms.domain.order import Order
from oms.domain.returns.model import (
    NEVER_ARRIVED,
    Resolution,
    ReturnLine,
    Terms,
    spoken_for,
)
from oms.domain.returns.policy import Fault, Reason, ReturnPolicy

_WITH_CUSTOMER = frozenset({FulfillmentStatus.DELIVERED, FulfillmentStatus.COLLECTED})


def returnable(order: Order, line_id: str, *, never_arrived: bool = False) -> int:
    """Units of a line that nothing is or was given for yet: of those that were delivered, or of
    all that have left a warehouse, where they never arrived."""
    line, returns = order.line(line_id), order.returns
    goods = spoken_for(returns, line_id, never_arrived=False)
    losses = spoken_for(returns, line_id, never_arrived=True)
    left = line.dispatched - max(goods + losses, line.returned)
    return max(0, left if never_arrived else min(left, line.delivered - goods))


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """`units` can be returned, the last of them until `until`, None without an end; `refusals` say
    why not what was asked for."""

    line_id: str
    units: int
    until: datetime | None = None
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`worth` is what the units cost, in minor units; `automatic`: nobody has to look at it."""

    lines: tuple[LineVerdict, ...]
    terms: Terms
    worth: int
    automatic: bool
    in_store: bool
    expires_at: datetime | None
    refusals: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        return not self.refusals and not any(each.refusals for each in self.lines)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to return, looked at under one version of the policy. `in_store`: it is
    handed over a counter, so that it has no way back to pay for, and is never kept; `segments`: of
    the customer, where the policy asks for them."""

    order: Order
    policy: ReturnPolicy
    version: int
    at: datetime
    in_store: bool = False
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be returned of a line for the best of `reasons`; `refusal`: why nothing."""

    line_id: str
    units: int
    until: datetime | None
    reasons: tuple[str, ...]
    estimated_refund: int
    refusal: str = ""


def offer(asked: Asked, line: Line) -> Offer:
    """Reasons of goods that come back are looked at first: losses have no last day."""
    found = [(reason, *allowance(asked, line, reason)) for reason in asked.policy.reasons]
    open_to = [each for each in found if each[1]]
    if not open_to:
        return Offer(line.line_id, 0, None, (), 0, _closed(asked, line))
    goods = [each for each in open_to if each[0].code not in NEVER_ARRIVED]
    reason, units, until = max(goods or open_to, key=lambda each: each[1])
    wanted = (ReturnLine(line.line_id, units, reason.code),)
    verdict = eligibility(asked, wanted, Resolution.REFUND)
    refund = estimated_refund(verdict.worth, verdict.terms)
    codes = tuple(each[0].code for each in open_to)
    return Offer(line.line_id, units, until, codes, refund)


def _closed(asked: Asked, line: Line) -> str:
    free = returnable(asked.order, line.line_id)
    if not free:
        return _why(line, free)
    sold_for_good = not set(line.tags).isdisjoint(asked.policy.final_sale)
    return "it was a final sale" if sold_for_good else "it was delivered too long ago"


def estimated_refund(worth: int, terms: Terms) -> int:
    """In minor units; before what was not captured, and without the way there."""
    fee = worth * terms.restocking_fee_bp // 10_000
    return max(0, worth - fee - terms.return_shipping)


def eligibility(asked: Asked, lines: Sequence[ReturnLine], resolution: Resolution) -> Verdict:
    policy, worth = asked.policy, worth_of(asked.order, lines)
    terms = _terms(asked, lines, worth)
    affordable = policy.automatic_value is None or worth <= policy.automatic_value
    alone = affordable and not policy.is_reviewed(asked.segments)
    days = timedelta(days=policy.hand_over_days)
    return Verdict(
        lines=tuple(_line_verdict(asked, each) for each in lines),
        terms=terms,
        worth=worth,
        automatic=policy.automatic and alone and not _asks_for_person(asked, lines),
        in_store=policy.in_store and alone,
        expires_at=None if terms.keep else asked.at + days,
        refusals=tuple(_resolution_refused(policy, resolution)),
    )


def _resolution_refused(policy: ReturnPolicy, resolution: Resolution) -> Iterator[str]:
    if resolution not in policy.resolutions:
        allowed = ", ".join(policy.resolutions)
        yield f"{resolution} is not offered; there is {allowed}"


def _line_verdict(asked: Asked, wanted: ReturnLine) -> LineVerdict:
    line = asked.order.line(wanted.line_id)
    reason = asked.policy.reason(wanted.reason)
    if reason is None:
        known = ", ".join(each.code for each in asked.policy.reasons)
        said = f"{wanted.reason or 'no reason'} is no reason to return it: say one of {known}"
        return LineVerdict(line.line_id, 0, None, (said,))
    units, until = allowance(asked, line, reason)
    refusals = tuple(_refusals(asked, line, reason, wanted.quantity, units, until))
    return LineVerdict(line.line_id, units, until, refusals)


def _refusals(
    asked: Asked, line: Line, reason: Reason, wanted: int, units: int, until: datetime | None
) -> Iterator[str]:
    if is_final_sale(asked.policy, line, reason):
        yield "it was a final sale"
        return
    free = returnable(asked.order, line.line_id, never_arrived=reason.code in NEVER_ARRIVED)
    if wanted > free:
        yield f"{free} of {wanted} units can be returned: {_why(line, free)}"
    elif wanted > units:
        yield f"its {_days(asked, line, reason)} days are over, since {until:%Y-%m-%d}"


def _why(line: Line, free: int) -> str:
    delivered, spoken = line.delivered, line.delivered - free
    if not delivered:
        return "none was delivered yet"
    return f"{delivered} delivered, {spoken} returned or announced already"


def is_final_sale(policy: ReturnPolicy, line: Line, reason: Reason) -> bool:
    sold_for_good = not set(line.tags).isdisjoint(policy.final_sale)
    return sold_for_good and reason.fault is Fault.CUSTOMER


def allowance(asked: Asked, line: Line, reason: Reason) -> tuple[int, datetime | None]:
    """Units of a line that can be returned for a reason, and when the last of them no more can.

    Which of the units comes back nobody knows: it is the customer's best. What never arrived has
    no day to count from; nor have units whose delivery nobody has told the time of.
    """
    losses = reason.code in NEVER_ARRIVED
    free = returnable(asked.order, line.line_id, never_arrived=losses)
    if losses or is_final_sale(asked.policy, line, reason):
        return (free if losses else 0), None
    days = timedelta(days=_days(asked, line, reason))
    ends = [(units, at + days if at else None) for units, at in _delivered(asked.order, line)]
    open_units = sum(units for units, end in ends if end is None or asked.at <= end)
    known = [end for _, end in ends if end is not None]
    until = max(known) if known and len(known) == len(ends) else None
    return min(free, open_units), until


def _days(asked: Asked, line: Line, reason: Reason) -> int:
    if reason.days is not None:
        return reason.days
    return asked.policy.window(asked.order.channel, line.tags, asked.segments)


def _delivered(order: Order, line: Line) -> Iterator[tuple[int, datetime | None]]:
    """Units by the time that they came to the customer."""
    for each in order.fulfillment_orders:
        units = each.quantity(line.line_id)
        if each.status in _WITH_CUSTOMER and units:
            yield units, _came_at(each)


def _came_at(of: FulfillmentOrder) -> datetime | None:
    """By the carrier's clock, where it has scanned them all; else when we were told."""
    scans = [parcel.scanned_at for parcel in of.parcels]
    told = [at for at in scans if at is not None]
    return max(told) if told and len(told) == len(scans) else of.delivered_at


def worth_of(order: Order, lines: Iterable[ReturnLine]) -> int:
    """What the next units of these lines cost, as they are settled from the first on."""
    return sum(_worth(order, each) for each in lines)


def _worth(order: Order, wanted: ReturnLine) -> int:
    line = order.line(wanted.line_id)
    units = min(wanted.quantity, line.quantity - line.returned)
    return line.payable(line.returned, units, tax_included=order.tax_included)


def _terms(asked: Asked, lines: Sequence[ReturnLine], worth: int) -> Terms:
    """One fault of the merchant among the reasons, and the customer is charged as for it."""
    policy, fault = asked.policy, _fault(asked.policy, lines)
    charges = policy.charges(fault)
    worthless = worth < policy.keep_below and not asked.in_store
    keep = worthless or any(each.never_arrived for each in lines)
    return Terms(
        refund_when=policy.refund_when,
        restocking_fee_bp=charges.restocking_fee_bp,
        return_shipping=0 if keep or asked.in_store else charges.return_shipping,
        refund_shipping=policy.refund_shipping and fault is Fault.MERCHANT,
        keep=keep,
        exchange_at_once=policy.exchange_at_once,
        policy_version=asked.version,
    )


def _fault(policy: ReturnPolicy, lines: Iterable[ReturnLine]) -> Fault:
    reasons = (policy.reason(each.reason) for each in lines)
    ours = any(each is not None and each.fault is Fault.MERCHANT for each in reasons)
    return Fault.MERCHANT if ours else Fault.CUSTOMER


def _asks_for_person(asked: Asked, lines: Iterable[ReturnLine]) -> bool:
    reasons = (asked.policy.reason(each.reason) for each in lines)
    most = asked.policy.automatic_returns
    too_many = most is not None and len(asked.order.returns) >= most
    return too_many or any(each is None or each.needs_person for each in reasons)
