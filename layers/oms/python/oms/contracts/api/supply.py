"""Purchase orders and transfers: what is asked, and what is answered.

A document has each SKU once, and no more lines than one transaction takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from oms.contracts.api.fields import (
    Code,
    Contract,
    Cursor,
    Day,
    FreeText,
    Identity,
    Label,
    PageSize,
    Quantity,
    Reason,
    repeats,
)
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.supply import MAX_PURCHASE_LINES, MAX_RECEIPT_LINES, MAX_TRANSFER_LINES


class LineToOrder(Contract):
    sku: Code
    quantity: Quantity
    expected_on: Day


class SkuQuantity(Contract):
    sku: Code
    quantity: Quantity


class SkuDay(Contract):
    sku: Code
    expected_on: Day


class OrderSupply(Contract):
    """Without an id of its own it gets one; the same id orders the same once."""

    purchase_order_id: Identity | None = None
    supplier: Label
    location: Identity
    lines: Annotated[list[LineToOrder], Field(min_length=1, max_length=MAX_PURCHASE_LINES)]

    def faults(self) -> Iterator[Fault]:
        return repeated(line.sku for line in self.lines)


class ReceiveLines(Contract):
    """A longer delivery is received in several requests."""

    lines: Annotated[list[SkuQuantity], Field(min_length=1, max_length=MAX_RECEIPT_LINES)]
    reason: FreeText = ""

    def faults(self) -> Iterator[Fault]:
        return repeated(line.sku for line in self.lines)


class CancelSupply(Contract):
    reason: Reason


class CallOff(Contract):
    """Without lines: nothing comes any more of what has not come yet."""

    reason: Reason
    lines: (
        Annotated[list[SkuQuantity], Field(min_length=1, max_length=MAX_PURCHASE_LINES)] | None
    ) = None

    def faults(self) -> Iterator[Fault]:
        return repeated(line.sku for line in self.lines or ())


class RescheduleLines(Contract):
    lines: Annotated[list[SkuDay], Field(min_length=1, max_length=MAX_PURCHASE_LINES)]

    def faults(self) -> Iterator[Fault]:
        return repeated(line.sku for line in self.lines)


class PurchaseQuery(Contract):
    """Without a status: of any."""

    status: Literal["ordered", "partially_received", "received", "cancelled"] | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class DraftTransfer(Contract):
    """Without an id of its own it gets one; the same id drafts the same once."""

    transfer_id: Identity | None = None
    source: Annotated[Identity, Field(alias="from")]
    destination: Annotated[Identity, Field(alias="to")]
    expected_on: Day
    lines: Annotated[list[SkuQuantity], Field(min_length=1, max_length=MAX_TRANSFER_LINES)]

    def faults(self) -> Iterator[Fault]:
        if self.source == self.destination:
            yield Fault("to", "is where it comes from")
        yield from repeated(line.sku for line in self.lines)


class CancelTransfer(Contract):
    """A transfer on its way is cancelled with a word on what becomes of its units."""

    reason: Reason
    disposition: Literal["back_to_source", "write_off"] | None = None


class CloseTransfer(Contract):
    reason: Reason
    disposition: Literal["back_to_source", "write_off"]


class RescheduleTransfer(Contract):
    expected_on: Day


class TransferQuery(Contract):
    """Without a status: of any."""

    status: Literal["draft", "in_transit", "partially_received", "received", "cancelled"] | None = (
        None
    )
    cursor: Cursor | None = None
    limit: PageSize = 50


class PurchaseLineView(View):
    """`quantity` = `received` + `called_off` + `expected`; a `surplus` came beyond that."""

    sku: str
    quantity: int
    expected: int
    received: int
    surplus: int
    called_off: int
    expected_on: date


class PurchaseOrderView(View):
    purchase_order_id: str
    supplier: str
    location_id: str
    status: str
    lines: list[PurchaseLineView]
    created_at: At
    version: int
    reason: str = ""


class PurchaseOrderPage(View):
    items: list[PurchaseOrderView]
    cursor: str | None = None


class AcceptedView(View):
    """`surplus`: units that nobody had ordered; they are in stock like the others."""

    sku: str
    received: int
    surplus: int


class PurchaseReceiptView(View):
    """What this receipt brought, and the purchase order as it is."""

    accepted: list[AcceptedView]
    purchase_order: PurchaseOrderView


class TransferLineView(View):
    """Once sent: `quantity` = `in_transit` + `received` + `returned` + `written_off`."""

    sku: str
    quantity: int
    in_transit: int
    received: int
    returned: int
    written_off: int


class TransferView(View):
    transfer_id: str
    source_id: str
    destination_id: str
    status: str
    expected_on: date
    lines: list[TransferLineView]
    created_at: At
    version: int
    reason: str = ""


class TransferPage(View):
    items: list[TransferView]
    cursor: str | None = None


def repeated(skus: Iterable[str]) -> Iterator[Fault]:
    return (Fault(f"lines[{place}].sku", "is given twice") for place in repeats(skus))
