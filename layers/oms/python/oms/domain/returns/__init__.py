"""Goods that come back, and what is given for them."""

from oms.domain.returns.model import (
    OPEN,
    Acceptance,
    Disposition,
    ExchangeLine,
    Inspected,
    Received,
    Reception,
    RefundWhen,
    Resolution,
    Return,
    ReturnLine,
    ReturnParcel,
    ReturnStatus,
    Terms,
)

__all__ = [
    "OPEN",
    "Acceptance",
    "Disposition",
    "ExchangeLine",
    "Inspected",
    "Received",
    "Reception",
    "RefundWhen",
    "Resolution",
    "Return",
    "ReturnLine",
    "ReturnParcel",
    "ReturnStatus",
    "Terms",
]
