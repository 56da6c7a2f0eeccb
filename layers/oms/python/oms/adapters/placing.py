"""Placing an order, whoever brings it: one transaction, the same answer however often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from oms.adapters.bus import MAX_DETAIL_BYTES, detail
from oms.adapters.dynamodb import Write, pack
from oms.adapters.hold_rules import HoldRules, deadline, looked_at, risk_of
from oms.adapters.orders_table import (
    AlreadyPlaced,
    OrdersTable,
    Placement,
    fingerprint_of,
    once_key,
)
from oms.adapters.payments import PROVIDERS
from oms.adapters.unmapped_skus import named_by_the_platform
from oms.contracts.api.orders import (
    ChannelOrder,
    OrderGiven,
    OrderLine,
    PaymentGiven,
    TenderGiven,
)
from oms.contracts.codec import encode
from oms.contracts.events import envelope
from oms.contracts.ordered import destination_of, line_of, taxes_of
from oms.domain import commands as c
from oms.domain.contact import Contact, PostalAddress
from oms.domain.decide import facts, place
from oms.domain.errors import Conflict, OmsError
from oms.domain.holds import NewHold
from oms.domain.ids import order_id_of
from oms.domain.items import StockItem
from oms.domain.lines import Discount, Shipping
from oms.domain.order import Fact, Order
from oms.domain.stock_holds import MAX_ITEMS, HoldNotUsable
from oms.domain.store_credit import GIFT_CARD, STORE_CREDIT, store_credit_account

# The first event travels whole: that is what the bus takes of it.
MAX_EVENT_BYTES = MAX_DETAIL_BYTES
# A row takes 400 KB, deflated; the rest is for what will happen to the order.
MAX_PACKED_BYTES = 250_000
UNMAPPED = "custom:unmapped_sku"  # the type of a hold
MAX_NAMED = 5  # lines
SCREENED = ("billing_country", "risk")
YOUNGER = (
    "hold_id",
    "deliver_by",
    "pickup_location",
    "tags",
    "customer_tier",
    "tenders",
    *SCREENED,
)


class OrderTooLarge(OmsError):
    def __init__(self, size: int, limit: int, how: str = "") -> None:
        super().__init__(f"the order has {size:,} bytes{how}; at most {limit:,}")


def nothing_known(skus: Iterable[str]) -> Mapping[str, StockItem]:  # noqa: ARG001
    """Each SKU is the stock item of that name."""
    return {}


def no_card(code: str) -> str:  # noqa: ARG001
    """Where gift cards are not taken."""
    return ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where orders come in. `customer_id` turns an e-mail address into an id that tells nothing;
    `keep_contact` writes the personal data to the vault, in the order's own transaction;
    `note_hold` (of a cart, for a channel, by an order) refuses a hold that has ended;
    `resolve` says which stock items SKUs stand for, without those that nobody knows; `cards`
    turns a gift card's code into its account; `rules` hold some orders back."""

    orders: OrdersTable
    customer_id: Callable[[str], str]
    keep_contact: Callable[[str, str, Contact], Write]
    note_hold: Callable[[str, str, str], Write] | None = None
    resolve: Callable[[Iterable[str]], Mapping[str, StockItem]] = nothing_known
    cards: Callable[[str], str] = no_card
    rules: HoldRules | None = None

    def place(
        self,
        said: OrderGiven,
        *,
        at: datetime,
        actor: str,
        request_key: str | None,
        beside: Sequence[Write] = (),
        holds: Sequence[NewHold] = (),
    ) -> tuple[Order, bool]:
        """The order, and whether it is new. `Conflict` when another body came under its name.
        `beside` is written with a new one, `holds` are laid over it."""
        order_id = order_id_of(said.channel, said.external_id)
        contact = contact_of(said)
        customer_id = self.customer_id(contact.email) if contact.email else guest_id(order_id)
        items = self.resolve(line.sku for line in said.lines)
        command = self._held_back(command_of(said, customer_id, at, items), said)
        command = replace(command, holds=(*command.holds, *holds))
        recorded, order = facts(order_id, None, place(command), at, actor)
        check_size(recorded[0], order)
        placement = self._placement(said, order, request_key)
        extra = [
            self.keep_contact(customer_id, order_id, contact),
            *self._hold(order),
            *looked_at(order_id, command.holds, at, deadline),
            *beside,
        ]
        try:
            self.orders.place(order_id, recorded, order, placement, extra)
        except AlreadyPlaced as earlier:
            return self._earlier(earlier.order_id, order_id), False
        return order, True

    def _placement(self, said: OrderGiven, order: Order, request_key: str | None) -> Placement:
        body = said.model_dump(mode="json", exclude=unsaid(said))
        for line in body["lines"]:
            line.pop("external_id")  # younger than orders, and no part of what was bought
        return Placement(
            fingerprint=fingerprint_of(body),
            once=once_key(f"orders {said.channel}", request_key, body),
            instruments=instruments(order, tokens(said, order.customer_id, self.cards)),
        )

    def _held_back(self, command: c.PlaceOrder, said: OrderGiven) -> c.PlaceOrder:
        if self.rules is None:
            return command
        holds = self.rules.holds(said, command.customer_id, command.placed_at)
        return replace(command, holds=(*command.holds, *holds))

    def _hold(self, order: Order) -> Iterator[Write]:
        if order.stock_hold_id and self.note_hold:
            check_can_carry(order)
            yield self.note_hold(order.stock_hold_id, order.channel, order.order_id)

    def _earlier(self, found: str, asked: str) -> Order:
        if found != asked:
            raise Conflict("this Idempotency-Key was used before for another order")
        return self.orders.get(found)


def instruments(order: Order, given: Sequence[str]) -> dict[str, str]:
    """What the authorizations are asked for with: those of the tenders, then that of the rest."""
    asked = zip(order.payment.authorizations, given, strict=False)
    return {each.operation_id: token for each, token in asked if token and not each.settled}


def tokens(said: OrderGiven, customer_id: str, cards: Callable[[str], str]) -> list[str]:
    """In the order of their authorizations. Of store credit and gift cards the account: nobody
    spends an account by its name, and no code is kept."""
    found = list[str]()
    given: tuple[TenderGiven | PaymentGiven, ...] = (*said.tenders, said.payment)
    for each in given:
        if each.provider == STORE_CREDIT:
            found.append(store_credit_account(customer_id, said.currency))
        else:
            found.append(cards(each.token) if each.provider == GIFT_CARD else each.token)
    return found


def credit_asked(said: OrderGiven, desk: Desk) -> Iterator[tuple[str, str, int]]:
    """Which field asks which account of store credit, or which gift card, for how much."""
    email = said.customer.email if said.customer else None
    customer_id = desk.customer_id(email) if email else ""
    accounts = tokens(said, customer_id, desk.cards)
    asked = [(f"tenders[{place}]", each.amount) for place, each in enumerate(said.tenders)]
    asked += [("payment", said.total - said.tendered)]
    providers = [*(each.provider for each in said.tenders), said.payment.provider]
    for provider, account_id, (field, amount) in zip(providers, accounts, asked, strict=True):
        if provider in (STORE_CREDIT, GIFT_CARD) and amount:
            yield field, account_id, amount


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
        destination=destination_of(said.shipping_address),
        lines=tuple(
            line_of(number, line, items.get(line.sku)) for number, line in enumerate(said.lines, 1)
        ),
        discounts=tuple(Discount(each.code, each.amount) for each in said.discounts),
        shipping=Shipping(said.shipping.method, said.shipping.price, taxes_of(said.shipping.taxes)),
        tax_included=said.tax_included,
        provider=said.payment.provider,
        captured=said.payment.captured,
        holds=tuple(_holds(said)),
        stock_hold_id=said.hold_id or "",
        tags=tuple(said.tags),
        customer_tier=said.customer_tier or "",
        deliver_by=said.deliver_by.isoformat() if said.deliver_by else "",
        pickup_location=said.pickup_location or "",
        tenders=tuple(
            c.TenderGiven(each.provider, each.amount, prepaid=is_prepaid(each.provider))
            for each in said.tenders
        ),
        prepaid=is_prepaid(said.payment.provider),
        billing_country=said.billing_country or "",
        risk=risk_of(said.risk),
    )


def is_prepaid(provider: str) -> bool:
    return provider in PROVIDERS and PROVIDERS[provider].prepaid


def _holds(said: OrderGiven) -> Iterator[NewHold]:
    """What no warehouse can do, and what nobody has paid for, is not lost and not shipped blindly:
    a person looks at it."""
    if isinstance(said, ChannelOrder) and said.payment_hold:
        yield NewHold("payment", said.payment_hold)
    if said.ships and said.shipping_address is None and not said.pickup_location:
        yield NewHold("address", "the channel gave no shipping address")
    if not all(line.requires_shipping for line in said.lines):
        yield NewHold("custom:does_not_ship", "some lines are not shipped")
    if isinstance(said, ChannelOrder) and (nameless := unmapped(said.lines)):
        yield NewHold(UNMAPPED, nameless)


def unmapped(lines: Sequence[OrderLine]) -> str:
    """Which lines have no SKU, by what the platform calls them; empty: all have one."""
    found = [
        f"line {number} ({line.sku})"
        for number, line in enumerate(lines, 1)
        if named_by_the_platform(line.sku)
    ]
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return f"no SKU is mapped: {', '.join(found[:MAX_NAMED])}{more}" if found else ""


def contact_of(said: OrderGiven) -> Contact:
    address = said.shipping_address
    person = said.customer
    return Contact(
        email=(person.email or "") if person else "",
        name=person.name if person else "",
        phone=person.phone if person else "",
        address=PostalAddress(**address.model_dump()) if address else None,
    )
