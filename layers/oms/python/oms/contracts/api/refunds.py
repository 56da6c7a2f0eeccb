"""Money that is given back as goodwill: what clients ask, and the policy of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from oms.contracts.api.fields import (
    MAX_TOTAL,
    Amount,
    Contract,
    Currency,
    Identity,
    Reason,
    repeats,
)
from oms.contracts.invalid import Fault
from oms.domain.refund_policy import RefundLimit, RefundPolicy

Role = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$")]


class GrantRefund(Contract):
    """`amount`, in the smallest unit of the order's currency, goes back to where it was paid from,
    or becomes the customer's store credit. `reason`: never of a person."""

    amount: Annotated[int, Field(ge=1, le=MAX_TOTAL)]
    reason: Reason
    line_id: Identity | None = None
    destination: Literal["original", "store_credit"] = "original"


class RefundLimitGiven(Contract):
    """`role`: a group of staff, `machine` for every other client, or `client:<id>`."""

    role: Role
    currency: Currency
    most: Amount


class RefundPolicyGiven(Contract):
    """What a role may grant on one order. Without any limit: as much as was taken."""

    limits: Annotated[list[RefundLimitGiven], Field(max_length=500)] = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        for place in repeats((each.role, each.currency) for each in self.limits):
            yield Fault(f"limits[{place}]", "has the role and currency of another one")

    def document(self) -> RefundPolicy:
        return RefundPolicy(tuple(RefundLimit(x.role, x.currency, x.most) for x in self.limits))
