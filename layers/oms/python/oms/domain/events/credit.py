"""Of an account of store credit or a gift card, not of one order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class StoreCreditIssued:
    """Money that we owe from now on; `expires_on` is the last day that it can be spent."""

    account_id: str
    currency: str
    amount: int
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class StoreCreditExpired:
    """It was neither spent nor held when its day was over."""

    account_id: str
    currency: str
    amount: int
