"""What requests say of goods and where they go, in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from oms.domain.items import StockItem
from oms.domain.lines import Discount, Line, Tax
from oms.domain.routing import Destination

if TYPE_CHECKING:
    from oms.contracts.api.orders import Address, OrderLine, TaxGiven

# What routing needs to know of an address is a zone, not a household.
ZONE_LETTERS = 3


def destination_of(address: Address | None) -> Destination:
    if address is None:
        return Destination(country="")
    return Destination(address.country, address.region, address.postal_code[:ZONE_LETTERS])


def line_of(number: int, said: OrderLine, item: StockItem | None) -> Line:
    """With the stock items that one unit takes now, whatever becomes of the SKU or the kit."""
    return Line(
        line_id=f"line_{number}",
        sku=said.sku,
        quantity=said.quantity,
        unit_price=said.unit_price,
        discounts=tuple(Discount(each.code, each.amount) for each in said.discounts),
        taxes=taxes_of(said.taxes),
        takes=item.takes if item else (),
        tags=item.attributes.tags if item else (),
        external_id=said.external_id or "",
    )


def taxes_of(said: Iterable[TaxGiven]) -> tuple[Tax, ...]:
    return tuple(Tax(each.name, each.rate, each.amount) for each in said)
