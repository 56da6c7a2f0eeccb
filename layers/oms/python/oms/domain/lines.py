"""Order lines: what was bought, at what price, and how far each unit is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from oms.domain.errors import QuantityExceeded
from oms.domain.money import unit_share


@dataclass(frozen=True, slots=True)
class Discount:
    """`amount` is for the whole line, in minor units."""

    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class Tax:
    """`rate` is the channel's decimal; `amount` is for the whole line, in minor units."""

    name: str
    rate: str
    amount: int


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a stock item that one unit of a line takes."""

    item: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """`order_discount` is this line's share of the order's discounts, fixed at placement.

    `takes` are the stock items of one unit, as they were at placement: several of a kit, one of a
    renamed SKU. Empty: one of the item that is called like the SKU. `external_id` is the channel's.

    Quantities are exclusive: ordered = open + backordered + allocated + shipped + delivered +
    cancelled, where `open` is what is left, so that the sum holds by construction. `returned` are
    those of the delivered units whose money was given back, the first ones of the line.
    """

    line_id: str
    sku: str
    quantity: int
    unit_price: int
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    order_discount: int = 0
    takes: tuple[Part, ...] = ()
    tags: tuple[str, ...] = ()
    backordered: int = 0
    allocated: int = 0
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    returned: int = 0
    external_id: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.takes or (Part(self.sku),)

    @property
    def open(self) -> int:
        moved = self.backordered + self.allocated + self.shipped + self.delivered + self.cancelled
        return self.quantity - moved

    @property
    def unrouted(self) -> int:
        """Units that no location has been given yet."""
        return self.open + self.backordered

    @property
    def dispatched(self) -> int:
        """Units that left a warehouse, whether they arrived yet or not."""
        return self.shipped + self.delivered

    @property
    def unshipped(self) -> int:
        return self.open + self.backordered + self.allocated

    @property
    def gross(self) -> int:
        return self.unit_price * self.quantity

    @property
    def discounted(self) -> int:
        return self.gross - sum(discount.amount for discount in self.discounts)

    def payable(self, start: int, count: int, *, tax_included: bool) -> int:
        """What units `start … start+count-1` cost, discounts and (added) tax included."""
        discount = unit_share(self.gross - self._net, self.quantity, start, count)
        tax = 0 if tax_included else self.tax(start, count)
        return self.unit_price * count - discount + tax

    def tax(self, start: int, count: int) -> int:
        return sum(unit_share(tax.amount, self.quantity, start, count) for tax in self.taxes)

    @property
    def _net(self) -> int:
        return self.discounted - self.order_discount

    def discount_shares(self, start: int, count: int) -> tuple[tuple[str, int], ...]:
        """Each discount's part in units `start …`, the order's own last.

        Running totals are split, not the discounts themselves: so the parts of a unit never
        exceed its price, however many discounts leave a remainder on the first unit.
        """
        codes = [*self.discounts, Discount("order", self.order_discount)]
        shares, running, before = [], 0, 0
        for discount in codes:
            running += discount.amount
            upto = unit_share(running, self.quantity, start, count)
            shares.append((discount.code, upto - before))
            before = upto
        return tuple(shares)

    def move(self, source: str, target: str, count: int) -> Self:
        """Move units between two of the quantities; `open` may be either side."""
        if count < 0 or count > getattr(self, source):
            raise QuantityExceeded(self.line_id, count, getattr(self, source))
        changes = {source: -count, target: count}
        changes.pop("open", None)
        return replace(self, **{name: getattr(self, name) + by for name, by in changes.items()})


@dataclass(frozen=True, slots=True)
class Shipping:
    method: str
    price: int
    taxes: tuple[Tax, ...] = ()

    def payable(self, *, tax_included: bool) -> int:
        return self.price + (0 if tax_included else sum(tax.amount for tax in self.taxes))
