"""What a merchant takes back, until when, for what reasons and on what terms: data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oms.domain.returns.model import NEVER_ARRIVED, RefundWhen, Resolution


class Fault(StrEnum):
    """Whose it is that goods come back."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Window:
    """`days` in which goods of orders of this channel, with this tag, can be returned by customers
    of this segment; what is empty fits all. Of several that fit a line, the first counts."""

    days: int
    channel: str = ""
    tag: str = ""
    segment: str = ""

    def fits(self, channel: str, tags: tuple[str, ...], segments: tuple[str, ...]) -> bool:
        theirs = not self.segment or self.segment in segments
        return theirs and self.channel in ("", channel) and (not self.tag or self.tag in tags)


@dataclass(frozen=True, slots=True)
class Reason:
    """`days`: in place of the windows; `approval`: a person decides; `photo`: the customer is asked
    to show it, and a person looks."""

    code: str
    fault: Fault = Fault.CUSTOMER
    days: int | None = None
    approval: bool = False
    photo: bool = False

    @property
    def needs_person(self) -> bool:
        return self.approval or self.photo or self.code in NEVER_ARRIVED


@dataclass(frozen=True, slots=True)
class Charges:
    """Basis points of what the goods cost, and minor units for the way back."""

    restocking_fee_bp: int = 0
    return_shipping: int = 0


REASONS = (
    Reason("too_small"),
    Reason("too_large"),
    Reason("wrong_size"),
    Reason("color"),
    Reason("style"),
    Reason("changed_mind"),
    Reason("unwanted"),
    Reason("no_longer_needed"),
    Reason("other"),
    Reason("late", Fault.MERCHANT),
    Reason("not_as_described", Fault.MERCHANT),
    Reason("wrong_item", Fault.MERCHANT),
    Reason("missing_parts", Fault.MERCHANT),
    Reason("damaged", Fault.MERCHANT),
    Reason("defective", Fault.MERCHANT),
    Reason("lost", Fault.MERCHANT, approval=True),
    Reason("not_received", Fault.MERCHANT, approval=True),
)


@dataclass(frozen=True, slots=True)
class ReturnPolicy:
    """`days` are counted from delivery. Lines with a tag of `final_sale` come back for a fault of
    the merchant only. Amounts are in minor units of the order's currency.

    `automatic`: what the policy allows is approved at once, up to `automatic_value` and so many
    `automatic_returns` of an order; None for any. `in_store`: staff at a counter may take back at
    once what the policy allows. Below `keep_below` nothing has to come back. An approved return
    whose goods are not handed over expires after `hand_over_days`. Goods that are restocked lie
    where they were received, or at `restock_at`; others at a location that ships nothing. What
    customers of `reviewed_segments` return is left to a person, whatever is automatic.
    """

    days: int = 30
    windows: tuple[Window, ...] = ()
    final_sale: tuple[str, ...] = ("final_sale",)
    reasons: tuple[Reason, ...] = REASONS
    resolutions: tuple[Resolution, ...] = tuple(Resolution)
    refund_when: RefundWhen = RefundWhen.INSPECTION
    of_customer: Charges = Charges()
    of_merchant: Charges = Charges()
    refund_shipping: bool = True
    keep_below: int = 0
    exchange_at_once: bool = False
    automatic: bool = False
    automatic_value: int | None = None
    automatic_returns: int | None = None
    in_store: bool = True
    hand_over_days: int = 21
    restock_at: str = ""
    refurbish_at: str = ""
    quarantine_at: str = ""
    reviewed_segments: tuple[str, ...] = ()

    @property
    def asks_segments(self) -> bool:
        return bool(self.reviewed_segments) or any(each.segment for each in self.windows)

    def is_reviewed(self, segments: tuple[str, ...]) -> bool:
        return not set(self.reviewed_segments).isdisjoint(segments)

    def reason(self, code: str) -> Reason | None:
        return next((each for each in self.reasons if each.code == code), None)

    def window(self, channel: str, tags: tuple[str, ...], segments: tuple[str, ...] = ()) -> int:
        fitting = (each.days for each in self.windows if each.fits(channel, tags, segments))
        return next(fitting, self.days)

    def charges(self, fault: Fault) -> Charges:
        return self.of_merchant if fault is Fault.MERCHANT else self.of_customer
