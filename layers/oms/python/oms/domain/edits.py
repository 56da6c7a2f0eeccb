"""Edits: change sets laid over an order. The order keeps its state while one is prepared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.errors import Refused
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Line, Shipping
from oms.domain.routing import Destination

PAY_WITHIN = timedelta(hours=24)  # of being accepted; then it is declined


class EditStatus(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"
    APPLIED = "applied"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Changes:
    """`added` lines carry their own discounts and taxes; `removed` units are cancelled; None: as it
    was. `contact`: the version of the customer's data in the vault that goes with it."""

    added: tuple[Line, ...] = ()
    removed: tuple[Quantity, ...] = ()
    shipping: Shipping | None = None
    destination: Destination | None = None
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """`operation_id` authorizes what it costs more; until then nothing of it is done. Once it has
    ended, its changes are in the history only; `declined` says why."""

    edit_id: str
    changes: Changes
    reason: str = ""
    operation_id: str = ""
    status: EditStatus = EditStatus.APPLIED
    declined: str = ""

    @property
    def awaits_payment(self) -> bool:
        return self.status is EditStatus.AWAITING_PAYMENT


@dataclass(frozen=True, slots=True)
class Figures:
    """What the units of an order that are not cancelled cost, in minor units."""

    subtotal: int
    discounts: int
    shipping: int
    taxes: int
    total: int


@dataclass(frozen=True, slots=True)
class Repaid:
    """Of this authorization so much is given back."""

    operation_id: str
    provider: str
    amount: int


@dataclass(frozen=True, slots=True)
class Needed:
    """Units of a SKU that are added, and how many could be promised when it was proposed."""

    sku: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change set comes to. `due`: what must be authorized; below zero, what is repaid.
    `released`: what was only authorized and is not needed any more, until the order ends."""

    before: Figures
    after: Figures
    due: int
    repaid: tuple[Repaid, ...] = ()
    released: int = 0
    taken_back: tuple[str, ...] = ()
    stock: tuple[Needed, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit before it is applied: a document beside the order, which does not know of it."""

    edit_id: str
    changes: Changes
    reason: str
    based_on: int
    preview: Preview
    proposed_at: datetime
    proposed_by: str
    expires_at: datetime


class NotEditable(Refused):
    """The message says what to do instead."""

    def __init__(self, order_id: str, why: str) -> None:
        super().__init__(f"{order_id} {why}")
        self.order_id = order_id


class EditDiffers(Refused):
    """The order has moved on since the edit was previewed."""

    def __init__(self, edit_id: str, due: int, previewed: int) -> None:
        super().__init__(f"{edit_id} now comes to {due}; it was previewed at {previewed}")
        self.edit_id, self.due, self.previewed = edit_id, due, previewed
