"""What somebody asks of an order becomes a proposal: previewed, with the stock that there is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oms.adapters.channels_table import ChannelsTable
from oms.adapters.dynamodb import Write, pack
from oms.adapters.edits_table import EditsTable, Filed, ProposedBefore
from oms.adapters.items_table import ItemsTable
from oms.adapters.network_table import NetworkTable
from oms.adapters.orders_table import OrdersTable, fingerprint_of
from oms.adapters.stock_table import StockTable
from oms.adapters.vault import Vault
from oms.contracts.api.edits import ProposeEdit, ShippingChanged
from oms.contracts.api.fields import MAX_TOTAL
from oms.contracts.api.orders import Address
from oms.contracts.codec import encode
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.ordered import destination_of, line_of, taxes_of
from oms.domain.availability import Stock, offer
from oms.domain.contact import Contact, PostalAddress
from oms.domain.decide.editing import previewed
from oms.domain.edits import Changes, Needed, Proposal
from oms.domain.errors import OmsError
from oms.domain.fulfillment import Quantity
from oms.domain.ids import name_of
from oms.domain.items import StockItem
from oms.domain.lines import Line, Shipping
from oms.domain.order import Order

UNKNOWN, UNSOLD = "no SKU that we know", "not sold any more"
KEPT_LONGER = timedelta(days=1)  # than the proposal: it may be applied in its last second
MAX_CHANGES_BYTES = 100_000  # they travel in an event, whole
MAX_PACKED_BYTES = 330_000  # of the 400 KB of the order's row


class EditTooLarge(OmsError):
    def __init__(self, size: int, limit: int, how: str = "") -> None:
        super().__init__(f"the edit has {size:,} bytes{how}; at most {limit:,}")


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where it is read what can be promised."""

    items: ItemsTable
    stock: StockTable
    channels: ChannelsTable
    network: NetworkTable


@dataclass(frozen=True, slots=True)
class Desk:
    orders: OrdersTable
    edits: EditsTable
    vault: Vault
    shelves: Shelves

    def propose(
        self, order_id: str, said: ProposeEdit, *, at: datetime, actor: str, request_key: str | None
    ) -> tuple[Order, Filed, bool]:
        """The order, the proposal, and whether it is new. The order is not written."""
        order = self.orders.get(order_id)
        edit_id = edit_id_of(order_id, request_key)
        fingerprint = fingerprint_of(said.model_dump(mode="json"))
        proposal = self._proposal(order, edit_id, said, at, actor)
        beside = self._contact(order, edit_id, said.shipping_address, proposal.expires_at)
        try:
            return order, self.edits.propose(order_id, proposal, fingerprint, [*beside]), True
        except ProposedBefore as earlier:
            return order, earlier.filed, False

    def _proposal(
        self, order: Order, edit_id: str, said: ProposeEdit, at: datetime, actor: str
    ) -> Proposal:
        items = known(self.shelves.items, said)
        changes = changes_of(order, edit_id, said, items)
        check_size(order, changes)
        preview = previewed(order, changes)
        if (total := preview.after.total) > MAX_TOTAL:
            raise InvalidRequest([Fault("body", f"comes to {total}; at most {MAX_TOTAL}")])
        stock = tuple(needed(self.shelves, order.channel, changes.added, items))
        return Proposal(
            edit_id=edit_id,
            changes=changes,
            reason=said.reason,
            based_on=order.version,
            preview=replace(preview, stock=stock),
            proposed_at=at,
            proposed_by=actor,
            expires_at=at + timedelta(seconds=said.expires_in),
        )

    def _contact(
        self, order: Order, edit_id: str, address: Address | None, expires_at: datetime
    ) -> Iterator[Write]:
        """Whoever it goes to, the letters go to whom they went."""
        if address is None:
            return
        old = self.vault.contact(order.customer_id, order.contact_id) or Contact()
        new = replace(old, address=PostalAddress(**address.model_dump()))
        name, until = f"{order.order_id}#{edit_id}", expires_at + KEPT_LONGER
        yield self.vault.contact_write(order.customer_id, name, new, until)


def check_size(order: Order, changes: Changes) -> None:
    """Refuse what the bus could not carry, or what the order's row could not hold to its end."""
    size = len(encode(changes))
    if size > MAX_CHANGES_BYTES:
        raise EditTooLarge(size, MAX_CHANGES_BYTES)
    packed = size + len(next(iter(pack(encode(order)).values())))
    if packed > MAX_PACKED_BYTES:
        raise EditTooLarge(packed, MAX_PACKED_BYTES, " together with its order")


def edit_id_of(order_id: str, request_key: str | None) -> str:
    """Of the same key for the same order, the same."""
    return "edt_" + (name_of(order_id, request_key) if request_key else uuid.uuid4().hex[:26])


def known(items: ItemsTable, said: ProposeEdit) -> Mapping[str, StockItem]:
    """Refuse what we could never ship."""
    found = items.resolve(line.sku for line in said.add)
    faults = [
        Fault(f"add[{place}].sku", f"{line.sku} is {UNSOLD if line.sku in found else UNKNOWN}")
        for place, line in enumerate(said.add)
        if line.sku not in found or not found[line.sku].active
    ]
    if faults:
        raise InvalidRequest(faults)
    return found


def changes_of(
    order: Order, edit_id: str, said: ProposeEdit, items: Mapping[str, StockItem]
) -> Changes:
    """Line ids go on; they are given again when it is applied."""
    first = len(order.lines) + 1
    address = said.shipping_address
    return Changes(
        added=tuple(
            line_of(number, line, items.get(line.sku))
            for number, line in enumerate(said.add, first)
        ),
        removed=tuple(Quantity(each.line_id, each.quantity) for each in said.remove),
        shipping=_shipping(said.shipping) if said.shipping else None,
        destination=destination_of(address) if address else None,
        contact=edit_id if address else "",
    )


def _shipping(said: ShippingChanged) -> Shipping:
    return Shipping(said.method, said.price, taxes_of(said.taxes))


def needed(
    shelves: Shelves, channel: str, added: Sequence[Line], items: Mapping[str, StockItem]
) -> Iterator[Needed]:
    """Of each SKU: what is wanted of it, and what its channel may promise now."""
    if not added:
        return
    parts = sorted({part.item for item in items.values() for part in item.parts})
    open_ = [each.location_id for each in shelves.network.locations() if each.active]
    stock = Stock(shelves.items.of(parts), shelves.stock.levels(parts), open_, {})
    sold_by = shelves.channels.get(channel)
    wanted: dict[str, int] = {}
    for line in added:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    for sku, units in wanted.items():
        yield Needed(sku, units, offer(items[sku], sold_by, stock).available)
