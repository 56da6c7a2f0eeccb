"""Edits of orders that were placed: what is asked, what it comes to, what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from oms.contracts.api.fields import (
    MAX_TOTAL,
    Amount,
    Contract,
    Cursor,
    FreeText,
    Label,
    PageSize,
    Reason,
    Slug,
)
from oms.contracts.api.orders import Address, LineQuantity, OrderLine, TaxGiven
from oms.contracts.api.views import At, QuantityView, View
from oms.contracts.invalid import Fault

MAX_CHANGED = 100  # lines
WEEK = 7 * 24 * 3600


class ShippingChanged(Contract):
    """`price` is what is charged, after any discount on it; nothing is guessed of it."""

    method: Label
    price: Amount
    taxes: Annotated[list[TaxGiven], Field(max_length=50)] = Field(default_factory=list)

    @property
    def taxed(self) -> int:
        return sum(tax.amount for tax in self.taxes)


class ProposeEdit(Contract):
    """Lines are added at the prices, discounts and taxes given; `remove` takes units that have not
    shipped. Nothing is recomputed. `expires_in`: seconds."""

    add: Annotated[list[OrderLine], Field(max_length=MAX_CHANGED)] = Field(default_factory=list)
    remove: Annotated[list[LineQuantity], Field(max_length=MAX_CHANGED)] = Field(
        default_factory=list
    )
    shipping: ShippingChanged | None = None
    shipping_address: Address | None = None
    reason: Reason = "requested"
    expires_in: Annotated[int, Field(ge=60, le=WEEK)] = 24 * 3600

    def faults(self) -> Iterator[Fault]:
        if not (self.add or self.remove or self.shipping or self.shipping_address):
            yield Fault("body", "changes nothing")
        yield from self._line_faults()
        yield from self._total_faults()
        if self.shipping_address is not None:
            for name in ("name", "line1", "city"):
                if not getattr(self.shipping_address, name):
                    yield Fault(f"shipping_address.{name}", "is missing")

    def _total_faults(self) -> Iterator[Fault]:
        """As much as an order may cost; what is there already is added when it is previewed."""
        if (total := sum(line.gross + line.taxed for line in self.add)) > MAX_TOTAL:
            yield Fault("add", f"costs {total}; at most {MAX_TOTAL}")
        if self.shipping and (total := self.shipping.price + self.shipping.taxed) > MAX_TOTAL:
            yield Fault("shipping", f"costs {total}; at most {MAX_TOTAL}")

    def _line_faults(self) -> Iterator[Fault]:
        for place, line in enumerate(self.add):
            if line.gross > MAX_TOTAL:
                yield Fault(f"add[{place}]", f"costs {line.gross}; at most {MAX_TOTAL}")
            if line.discounted < 0:
                off = line.gross - line.discounted
                yield Fault(f"add[{place}].discounts", f"take {off} off a line of {line.gross}")
            if not line.requires_shipping:
                yield Fault(f"add[{place}].requires_shipping", "must ship: order the rest anew")


class EditPayment(Contract):
    provider: Slug
    token: FreeText = ""


class EditExpected(Contract):
    """`due`: what the caller knows that it comes to by now; below zero: what is repaid."""

    due: Annotated[int, Field(ge=-MAX_TOTAL, le=MAX_TOTAL)]


class ApplyEdit(Contract):
    """Without `payment`, what is due is asked of what the order was paid with last."""

    payment: EditPayment | None = None
    expected: EditExpected | None = None


class EditQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class FiguresView(View):
    """Of the units that are not cancelled. `subtotal` is after discounts of lines."""

    subtotal: int
    discounts: int
    shipping: int
    taxes: int
    total: int


class RepaidView(View):
    """What goes back, and of which payment."""

    operation_id: str
    provider: str
    amount: int


class NeededView(View):
    """Units that are added, and those that could be promised when it was proposed."""

    sku: str
    wanted: int
    available: int


class AddedView(View):
    sku: str
    quantity: int
    unit_price: int
    discount: int
    tax: int


class ShippingView(View):
    method: str
    price: int
    tax: int


class ChangesView(View):
    """`address`: it goes to somebody, or somewhere, else; who, only the vault knows."""

    add: list[AddedView]
    remove: list[QuantityView]
    shipping: ShippingView | None = None
    address: bool = False


class EditView(View):
    """`due` is what must be paid before it is applied, below zero what is repaid at once;
    `released` was only authorized, and stays so until the order ends. `taken_back` are fulfillment
    orders that are routed anew."""

    edit_id: str
    order_id: str
    status: str
    reason: str
    changes: ChangesView
    before: FiguresView
    after: FiguresView
    due: int
    repaid: list[RepaidView]
    released: int
    taken_back: list[str]
    stock: list[NeededView]
    warnings: list[str]
    based_on_version: int
    proposed_at: At
    proposed_by: str
    expires_at: At
    declined: str = ""


class EditPage(View):
    items: list[EditView]
    cursor: str | None = None
