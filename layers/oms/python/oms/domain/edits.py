"""Edits: change sets laid over an order. The order keeps its state while one is prepared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oms.domain.fulfillment import Quantity
from oms.domain.lines import Line, Shipping
from oms.domain.routing import Destination


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
    """`operation_id` authorizes what it costs more; until then nothing of it is done."""

    edit_id: str
    changes: Changes
    reason: str = ""
    operation_id: str = ""
    status: EditStatus = EditStatus.APPLIED
