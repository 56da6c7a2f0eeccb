"""What is expected to come: from suppliers, and from one of our locations to another."""

from oms.domain.supply.expecting import (
    MAX_PURCHASE_LINES,
    MAX_RECEIPT_LINES,
    MAX_TRANSFER_LINES,
    Accepted,
    ExpectedSupply,
    Step,
    expected_on,
)
from oms.domain.supply.purchasing import PurchaseLine, PurchaseOrder, PurchaseStatus
from oms.domain.supply.transferring import Disposition, Transfer, TransferLine, TransferStatus

__all__ = [
    "MAX_PURCHASE_LINES",
    "MAX_RECEIPT_LINES",
    "MAX_TRANSFER_LINES",
    "Accepted",
    "Disposition",
    "ExpectedSupply",
    "PurchaseLine",
    "PurchaseOrder",
    "PurchaseStatus",
    "Step",
    "Transfer",
    "TransferLine",
    "TransferStatus",
    "expected_on",
]
