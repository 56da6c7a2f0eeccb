"""Placing an order, whoever brings it: one transaction, the same answer however often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from oms.adapters.bus import MAX_DETAIL_BYTES, detail
from oms.adapters.dynamodb import Write, pack
from oms.adapters.orders_table import (
    AlreadyPlaced,
    OrdersTable,
    Placement,
    fingerprint_of,
    once_key,
)
from oms.contracts.api.orders import Address, ChannelOrder, OrderGiven, OrderLine, TaxGiven
from oms.contracts.codec import encode
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.contact import Contact, PostalAddress
from oms.domain.decide import facts, place
from oms.domain.errors import Conflict, OmsError
from oms.domain.ids import order_id_of
from oms.domain.items import StockItem
from oms.domain.lines import Discount, Line, Shipping, Tax
from oms.domain.order import Fact, Order
from oms.domain.routing import Destination
from oms.domain.stock_holds import MAX_ITEMS, HoldNotUsable

# The first event travels whole: that is what the bus takes of it.
MAX_EVENT_BYTES = MAX_DETAIL_BYTES
# A row takes 400 KB, deflated; the rest is for what will happen to the order.
MAX_PACKED_BYTES = 250_000
# What routing needs to know of an address is a zone, not a household.
ZONE_LETTERS = 3
YOUNGER = ("hold_id", "deliver_by", "pickup_location", "tags", "customer_tier")


class OrderTooLarge(OmsError):
    def __init__(self, size: int, limit: int, how: str = "") -> None:
        super().__init__(f"the order has {size:,} bytes{how}; at most {limit:,}")


def nothing_known(skus: Iterable[str]) -> Mapping[str, StockItem]:  # noqa: ARG001
    """Each SKU is the stock item of that name."""
    return {}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where orders come in. `customer_id` turns an e-mail address into an id that tells nothing;
    `keep_contact` writes the personal data to the vault, in the order's own transaction;
    `note_hold` (of a cart, for a channel, by an order) refuses a hold that has ended;
    `resolve` says which stock items SKUs stand for, without those that nobody knows."""

    orders: OrdersTable
    customer_id: Callable[[str], str]
    keep_contact: Callable[[str, str, Contact], Write]
    note_hold: Callable[[str, str, str], Write] | None = None
    resolve: Callable[[Iterable[str]], Mapping[str, StockItem]] = nothing_known

    def place(
        self, said: OrderGiven, *, at: datetime, actor: str, request_key: str | None
    ) -> tuple[Order, bool]:
        """The order, and whether it is new. `Conflict` when another body came under its name."""
        order_id = order_id_of(said.channel, said.external_id)
        contact = contact_of(said)
        customer_id = self.customer_id(contact.email) if contact.email else guest_id(order_id)
        items = self.resolve(line.sku for line in said.lines)
        events = place(command_of(said, customer_id, at, items))
        recorded, order = facts(order_id, None, events, at, actor)
        check_size(recorded[0], order)
        body = said.model_dump(mode="json", exclude=unsaid(said))
        placement = Placement(
            fingerprint=fingerprint_of(body),
            once=once_key(f"orders {said.channel}", request_key, body),
            instruments=instruments(order, said.payment.token),
        )
        extra = [self.keep_contact(customer_id, order_id, contact), *self._hold(order)]
        try:
            self.orders.place(order_id, recorded, order, placement, extra)
        except AlreadyPlaced as earlier:
            return self._earlier(earlier.order_id, order_id), False
        return order, True

    def _hold(self, order: Order) -> Iterator[Write]:
        if order.stock_hold_id and self.note_hold:
            check_can_carry(order)
            yield self.note_hold(order.stock_hold_id, order.channel, order.order_id)

    def _earlier(self, found: str, asked: str) -> Order:
        if found != asked:
            raise Conflict("this Idempotency-Key was used before for another order")
        return self.orders.get(found)


def instruments(order: Order, token: str) -> dict[str, str]:
    """The token is for what the order's own provider is asked for."""
    waiting = (each for each in order.payment.authorizations if not each.settled)
    return {each.operation_id: token for each in waiting if not each.provider and token}


def check_size(placed: Fact, order: Order) -> None:
    """Refuse what the bus could not carry, or what a row could not hold to the order's end."""
    size = len(detail(envelope(order.order_id, placed)).encode())
    if size > MAX_EVENT_BYTES:
        raise OrderTooLarge(size, MAX_EVENT_BYTES)
    if size > MAX_PACKED_BYTES:  # else it is smaller still when it is packed
        packed = max(len(pack(encode(row))["B"]) for row in (placed.event, order))
        if packed > MAX_PACKED_BYTES:
            raise OrderTooLarge(packed, MAX_PACKED_BYTES, " when packed")


def check_can_carry(order: Order) -> None:
    """Refuse what could not take the hold's units over in one transaction."""
    items = {part.item for line in order.lines for part in line.parts}
    if len(items) > MAX_ITEMS:
        said = f"is for at most {MAX_ITEMS} stock items; the order has {len(items)}"
        raise HoldNotUsable(order.stock_hold_id, said)


def unsaid(said: OrderGiven) -> set[str]:
    """Fields that are younger than orders: who does not use them says the same as ever."""
    return {name for name in YOUNGER if not getattr(said, name)}


def guest_id(order_id: str) -> str:
    """A buyer without an e-mail address is nobody's second order."""
    return "cus_guest_" + order_id.removeprefix("ord_")


def command_of(
    said: OrderGiven, customer_id: str, at: datetime, items: Mapping[str, StockItem]
) -> c.PlaceOrder:
    return c.PlaceOrder(
        channel=said.channel,
        external_id=said.external_id,
        currency=said.currency,
        customer_id=customer_id,
        placed_at=at.astimezone(UTC),
        destination=_destination(said.shipping_address),
        lines=tuple(
            _line(number, line, items.get(line.sku)) for number, line in enumerate(said.lines, 1)
        ),
        discounts=tuple(Discount(each.code, each.amount) for each in said.discounts),
        shipping=Shipping(said.shipping.method, said.shipping.price, _taxes(said.shipping.taxes)),
        tax_included=said.tax_included,
        provider=said.payment.provider,
        captured=said.payment.captured,
        holds=tuple(_holds(said)),
        stock_hold_id=said.hold_id or "",
        tags=tuple(said.tags),
        customer_tier=said.customer_tier or "",
        deliver_by=said.deliver_by.isoformat() if said.deliver_by else "",
        pickup_location=said.pickup_location or "",
    )


def _holds(said: OrderGiven) -> Iterator[tuple[str, str]]:
    """What no warehouse can do, and what nobody has paid for, is not lost and not shipped blindly:
    a person looks at it."""
    if isinstance(said, ChannelOrder) and said.payment_hold:
        yield "payment", said.payment_hold
    if said.ships and said.shipping_address is None and not said.pickup_location:
        yield "address", "the channel gave no shipping address"
    if not all(line.requires_shipping for line in said.lines):
        yield "custom:does_not_ship", "some lines are not shipped"


def contact_of(said: OrderGiven) -> Contact:
    address = said.shipping_address
    person = said.customer
    return Contact(
        email=(person.email or "") if person else "",
        name=person.name if person else "",
        phone=person.phone if person else "",
        address=PostalAddress(**address.model_dump()) if address else None,
    )


def _destination(address: Address | None) -> Destination:
    if address is None:
        return Destination(country="")
    return Destination(address.country, address.region, address.postal_code[:ZONE_LETTERS])


def _line(number: int, said: OrderLine, item: StockItem | None) -> Line:
    """With the stock items that one unit takes now, whatever becomes of the SKU or the kit."""
    return Line(
        line_id=f"line_{number}",
        sku=said.sku,
        quantity=said.quantity,
        unit_price=said.unit_price,
        discounts=tuple(Discount(each.code, each.amount) for each in said.discounts),
        taxes=_taxes(said.taxes),
        takes=item.takes if item else (),
        tags=item.attributes.tags if item else (),
    )


def _taxes(said: Iterable[TaxGiven]) -> tuple[Tax, ...]:
    return tuple(Tax(each.name, each.rate, each.amount) for each in said)
