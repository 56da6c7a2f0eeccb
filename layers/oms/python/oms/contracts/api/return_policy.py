"""The policy of returns, as it is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from oms.contracts.api.fields import Amount, Contract, Identity, Slug, repeats
from oms.contracts.api.returns import BasisPoints, RefundWhenName, ResolutionName
from oms.contracts.invalid import Fault
from oms.domain.returns import RefundWhen, Resolution
from oms.domain.returns.policy import Charges, ReturnPolicy, Window
from oms.domain.returns.policy import Fault as FaultOf
from oms.domain.returns.policy import Reason as ReasonOf

Days = Annotated[int, Field(ge=0, le=3_650)]


class WindowGiven(Contract):
    days: Days
    channel: Slug | Literal[""] = ""
    tag: Slug | Literal[""] = ""
    segment: Slug | Literal[""] = ""


class ReasonGiven(Contract):
    code: Slug
    fault: Literal["merchant", "customer"] = "customer"
    days: Days | None = None
    approval: bool = False
    photo: bool = False


class ChargesGiven(Contract):
    restocking_fee_bp: BasisPoints = 0
    return_shipping: Amount = 0


_DEFAULT = ReturnPolicy()


def _reasons() -> list[ReasonGiven]:
    return [
        ReasonGiven(
            code=each.code,
            fault=each.fault.value,
            days=each.days,
            approval=each.approval,
            photo=each.photo,
        )
        for each in _DEFAULT.reasons
    ]


class ReturnPolicyGiven(Contract):
    """Amounts are in the smallest unit of an order's currency."""

    days: Days = _DEFAULT.days
    windows: Annotated[list[WindowGiven], Field(max_length=200)] = Field(default_factory=list)
    final_sale: Annotated[list[Slug], Field(max_length=50)] = Field(
        default_factory=lambda: list(_DEFAULT.final_sale)
    )
    reasons: Annotated[list[ReasonGiven], Field(min_length=1, max_length=100)] = Field(
        default_factory=_reasons
    )
    resolutions: Annotated[list[ResolutionName], Field(min_length=1, max_length=5)] = Field(
        default_factory=lambda: [each.value for each in _DEFAULT.resolutions]
    )
    refund_when: RefundWhenName = _DEFAULT.refund_when.value
    of_customer: ChargesGiven = ChargesGiven.model_construct()
    of_merchant: ChargesGiven = ChargesGiven.model_construct()
    refund_shipping: bool = _DEFAULT.refund_shipping
    keep_below: Amount = _DEFAULT.keep_below
    exchange_at_once: bool = _DEFAULT.exchange_at_once
    automatic: bool = _DEFAULT.automatic
    automatic_value: Amount | None = None
    automatic_returns: Annotated[int, Field(ge=0, le=1_000)] | None = None
    in_store: bool = _DEFAULT.in_store
    hand_over_days: Annotated[int, Field(ge=1, le=365)] = _DEFAULT.hand_over_days
    restock_at: Identity | Literal[""] = ""
    refurbish_at: Identity | Literal[""] = ""
    quarantine_at: Identity | Literal[""] = ""
    reviewed_segments: Annotated[list[Slug], Field(max_length=100)] = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        for place in repeats(each.code for each in self.reasons):
            yield Fault(f"reasons[{place}].code", "is given twice")

    def document(self) -> ReturnPolicy:
        said = self.model_dump()
        return ReturnPolicy(
            **{
                **said,
                "windows": tuple(Window(**each) for each in said["windows"]),
                "final_sale": tuple(said["final_sale"]),
                "reviewed_segments": tuple(said["reviewed_segments"]),
                "reasons": tuple(
                    ReasonOf(**{**each, "fault": FaultOf(each["fault"])})
                    for each in said["reasons"]
                ),
                "resolutions": tuple(map(Resolution, said["resolutions"])),
                "refund_when": RefundWhen(said["refund_when"]),
                "of_customer": Charges(**said["of_customer"]),
                "of_merchant": Charges(**said["of_merchant"]),
            }
        )
