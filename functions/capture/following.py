"""What a channel says of an order that we know becomes one change of it, with its money.

What is done there is done here as far as it still can be; of the rest a person is told, once.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from oms.adapters.channels.base import Cancelled, Fulfilled, Refunded, Units, Updated
from oms.adapters.dynamodb import Write, full_jitter
from oms.adapters.heard_table import HeardTable, Overheard
from oms.adapters.orders_table import ATTEMPTS, Beside, OrdersTable
from oms.adapters.placing import UNMAPPED, contact_of, unmapped
from oms.contracts.api.orders import Address, ChannelOrder, OrderLine
from oms.contracts.codec import encode
from oms.contracts.ordered import destination_of, line_of, taxes_of
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.channel_orders import (
    Counted,
    GivenUp,
    Heard,
    called_off_there,
    called_there,
    cancelled_here,
    counted,
    fulfilled_there,
    given_back_here,
    given_back_there,
    known_there,
    lines_of,
    matching,
    ordered_there,
    shipped_in_vain,
    still_elsewhere,
    still_to_cancel,
    taken_there,
)
from oms.domain.contact import Contact
from oms.domain.decide import decide
from oms.domain.decide.deciding import after
from oms.domain.edits import Changes, Edit
from oms.domain.errors import Contended, Refused
from oms.domain.holds import NewHold
from oms.domain.ids import name_of
from oms.domain.items import StockItem
from oms.domain.lines import Line, Shipping
from oms.domain.money import unit_share
from oms.domain.order import Order

Known = Updated | Cancelled | Refunded | Fulfilled
PLAIN = re.compile(r"[a-z][a-z0-9 _-]{0,59}", re.ASCII)
PAYMENT, ADDRESS = "payment", "address"  # types of holds
SHIPPED_THERE = "custom:fulfilled_elsewhere"
MAX_CHANGES_BYTES = 100_000  # they travel in an event, whole
MAX_REASON = 500
CANCELLING = timedelta(minutes=10)  # a shop may still write down other things of it meanwhile


@dataclass(frozen=True, slots=True)
class Plan:
    """`reasons`, by a name that is the same when it is said again: what a person must know."""

    heard: Heard
    command: c.FollowChannel
    reasons: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Follower:
    """`digest` says of personal data that they are the same, and nothing else; `keep_contact` and
    `resolve` as at placement; `tells`: whether a channel hears from us of refunds, and does not
    tell them back."""

    orders: OrdersTable
    heard: HeardTable
    keep_contact: Callable[[str, str, Contact], Write]
    resolve: Callable[[Iterable[str]], Mapping[str, StockItem]]
    digest: Callable[[str, str], str]
    tells: Callable[[str], bool] = lambda channel: False  # noqa: ARG005

    def follow(self, order_id: str, said: Known, at: datetime, actor: str) -> bool:
        """Whether it has changed the order. What was heard is kept with what it has changed."""
        for attempt in range(ATTEMPTS):
            heard = self.heard.get(order_id)  # before the order: so it is never newer than that
            order = self.orders.get(order_id)
            plan = raised(order, self._telling(order, self._plan(order, heard, said, actor)))
            try:
                done = self._done(order, heard, plan, at, actor)
            except (Overheard, Refused):
                done = None
            if done is not None:
                return done
            time.sleep(full_jitter(attempt))
        raise Contended(f"order {order_id} is written by others all the time")

    def begun(self, said: ChannelOrder, order_id: str, there: datetime | None) -> Heard:
        """What is known of an order that is placed now."""
        first = Heard(
            at=there,
            shipping=_priced(said.shipping.price, said.shipping.taxed),
            held=bool(said.payment_hold),
            names=tuple(sorted({line.external_id or f"sku:{line.sku}" for line in said.lines})),
        )
        return replace(first, address=self._address(said, order_id))

    def _done(
        self, order: Order, heard: Heard, plan: Plan, at: datetime, actor: str
    ) -> bool | None:
        """None where the order has moved on, and nothing may have been written."""
        events = decide(plan.command, order)
        if not events and plan.heard == heard:
            return False
        kept = self.heard.write(order.order_id, plan.heard, at)
        if not events:
            self.heard.keep(order.order_id, plan.heard, at)
            return False
        beside = Beside(writes=(kept, *plan.writes))
        self.orders.change(
            order.order_id, plan.command, at=at, actor=actor, seen=order, beside=beside
        )
        return True if self.heard.get(order.order_id).version > heard.version else None

    def _telling(self, order: Order, plan: Plan) -> Plan:
        if not given_back_here(order):
            return plan
        new = matching(order, plan.heard, tells=self.tells(order.channel))
        return replace(plan, heard=new, command=replace(plan.command, ours=new.ours))

    def _plan(self, order: Order, heard: Heard, said: Known, actor: str) -> Plan:
        if isinstance(said, Updated):
            return self._updated(order, heard, said, actor)
        if isinstance(said, Cancelled):
            return _cancelled(order, heard, said, actor)
        if isinstance(said, Refunded):
            return _refunded(order, heard, said, actor)
        return _fulfilled(order, heard, said, actor)

    def _updated(self, order: Order, heard: Heard, said: Updated, actor: str) -> Plan:
        if heard.is_older(said.at) or heard.whole:
            return Plan(heard, following(order, heard, actor), _wanted_again(heard, said))
        now = said.order
        if now.currency != order.currency:
            told = f"the channel says that it is in {now.currency}, and it is in {order.currency}"
            return Plan(heard, following(order, heard, actor), {told: told})
        state = State.of(order, heard, now)
        edit = self._edit(order, heard, state)
        new = self._seen(order, heard, said, state)
        command = replace(
            following(order, new, actor, "changed at the channel"),
            edit=edit,
            taken=now.payment.captured,
            holds=tuple(_new_holds(order, heard, state, actor)),
            released=tuple(_over(order, heard, now, edit, actor)),
        )
        plan = Plan(new, command, dict(state.reasons), tuple(self._contact(order, now, edit)))
        return self._possible(order, heard, plan)

    def _possible(self, order: Order, heard: Heard, plan: Plan) -> Plan:
        """Without the edit, where it is too late for it: then it is tried again next time."""
        try:
            _check(plan.command.edit)
            decide(plan.command, order)
        except Refused as why:
            new = replace(plan.heard, address=heard.address, shipping=heard.shipping)
            command = replace(plan.command, edit=None, released=())
            told = f"changed at the channel, and not here: {why}"
            return Plan(new, command, {**plan.reasons, told: told})
        return plan

    def _edit(self, order: Order, heard: Heard, state: State) -> Edit | None:
        now, edit_id = state.now, f"edt_{name_of(order.order_id, 'heard', str(heard.version))}"
        moved = self._has_moved(order, heard, now)
        changes = Changes(
            added=self._lines(order, state),
            shipping=_new_shipping(order, heard, now),
            destination=destination_of(now.shipping_address) if moved else None,
            contact=edit_id if moved else "",
        )
        if changes == Changes():
            return None
        called_off = called_off_there(order, replace(heard, removed=counted(state.removed)))
        removed = tuple(still_to_cancel(order, called_off))
        return Edit(edit_id, replace(changes, removed=removed), "changed at the channel")

    def _lines(self, order: Order, state: State) -> tuple[Line, ...]:
        items = self.resolve(line.sku for line in state.added)
        first = len(order.lines) + 1
        return tuple(
            line_of(number, line, items.get(line.sku))
            for number, line in enumerate(state.added, first)
        )

    def _seen(self, order: Order, heard: Heard, said: Updated, state: State) -> Heard:
        now = said.order
        return replace(
            heard,
            at=said.at or heard.at,
            removed=counted(state.removed),
            address=self._address(now, order.order_id) or heard.address,
            shipping=_priced(now.shipping.price, now.shipping.taxed),
            held=bool(now.payment_hold),
            names=tuple(sorted({*heard.names, *state.wanted})),
        )

    def _has_moved(self, order: Order, heard: Heard, now: ChannelOrder) -> bool:
        address = self._address(now, order.order_id)
        if not heard.version:
            return bool(address) and destination_of(now.shipping_address) != order.destination
        return bool(address) and address != heard.address

    def _address(self, said: ChannelOrder, order_id: str) -> str:
        address = said.shipping_address
        return self.digest(order_id, whereabouts(address)) if address else ""

    def _contact(self, order: Order, now: ChannelOrder, edit: Edit | None) -> Iterator[Write]:
        if edit is not None and edit.changes.contact:
            name = f"{order.order_id}#{edit.edit_id}"
            yield self.keep_contact(order.customer_id, name, contact_of(now))


@dataclass(frozen=True, slots=True)
class State:
    """An order as it is at its channel now, beside ours: units `wanted` of each of their lines,
    those that are not in it any more (`removed`), and lines `added` since."""

    now: ChannelOrder
    wanted: Counter[str]
    removed: Counter[str]
    added: tuple[OrderLine, ...]
    reasons: Mapping[str, str]

    @classmethod
    def of(cls, order: Order, heard: Heard, now: ChannelOrder) -> State:
        wanted: Counter[str] = Counter()
        by_name = {_name(order, line): line for line in now.lines}
        for line in now.lines:
            wanted[_name(order, line)] += line.quantity
        ordered, before = ordered_there(order), Counter(dict(heard.removed))
        theirs = _theirs(order, heard) | wanted.keys()
        missing = {name: ordered[name] - wanted[name] for name in theirs}
        more = {n: before[n] - missing[n] for n in by_name if before[n] > missing[n]}
        lines = [_some(by_name[n], units) for n, units in more.items()]
        added = tuple(line for line in lines if line.requires_shipping)
        removed = Counter({n: max(before[n], missing[n]) for n in theirs})
        return cls(now, wanted, removed, added, _not_shipped(lines))


def whereabouts(address: Address) -> str:
    """Of whom and where, as far as two ways of asking a shop say the same: one gives a region its
    code and the other its name, or leaves the telephone number out."""
    said = (address.name, address.line1, address.line2, address.city, address.country)
    words = [" ".join(each.casefold().split()) for each in said]
    return "\x1f".join([*words, "".join(address.postal_code.casefold().split())])


def _name(order: Order, line: OrderLine) -> str:
    """Orders of old know no ids of lines."""
    plain = f"sku:{line.sku}"
    if line.external_id and any(x.external_id == line.external_id for x in order.lines):
        return line.external_id
    if any(called_there(x) == plain for x in order.lines):
        return plain
    return line.external_id or plain


def _theirs(order: Order, heard: Heard) -> set[str]:
    """What the channel calls its lines: staff may have added others here."""
    if heard.names:
        return set(heard.names)
    return {x.external_id for x in order.lines if x.external_id} or set(ordered_there(order))


def _some(line: OrderLine, units: int) -> OrderLine:
    """The last units of a line, with their share of what is for the whole line."""

    def share(amount: int) -> int:
        return unit_share(amount, line.quantity, line.quantity - units, units)

    if units >= line.quantity:
        return line
    discounts = [x.model_copy(update={"amount": share(x.amount)}) for x in line.discounts]
    taxes = [x.model_copy(update={"amount": share(x.amount)}) for x in line.taxes]
    return line.model_copy(update={"quantity": units, "discounts": discounts, "taxes": taxes})


def _not_shipped(lines: Sequence[OrderLine]) -> Mapping[str, str]:
    found = [f"{x.quantity} of {x.sku}" for x in lines if not x.requires_shipping]
    told = f"added at the channel, and not shipped by us: {', '.join(found)}"
    return {told: told} if found else {}


def following(
    order: Order, heard: Heard, actor: str, reason: str = "cancelled at the channel"
) -> c.FollowChannel:
    refund_ids = ", ".join(each.name for each in heard.refunds[-3:])
    return c.FollowChannel(
        reason=reason,
        by=actor,
        called_off=called_off_there(order, heard),
        fulfilled=fulfilled_there(heard),
        refunded=heard.refunded,
        refund_reason=f"refunded at the channel: {refund_ids}"[:MAX_REASON],
    )


def _wanted_again(heard: Heard, said: Updated) -> Mapping[str, str]:
    """Shops that cancel what nobody pays for open it again when the money comes after all."""
    wanted = heard.whole and not said.order.payment_hold and _is_since(said.at, heard.at)
    told = "cancelled at the channel, and wanted there again: here it stays cancelled"
    return {told: told} if wanted else {}


def _is_since(state: datetime | None, cancelled: datetime | None) -> bool:
    return state is not None and cancelled is not None and state > cancelled + CANCELLING


def _cancelled(order: Order, heard: Heard, said: Cancelled, actor: str) -> Plan:
    reason = "cancelled at the channel"
    if PLAIN.fullmatch(said.reason):
        reason = f"{reason}: {said.reason}"
    if not said.units and _is_since(heard.at, said.at):  # it was opened again, as we have seen
        return Plan(heard, following(order, heard, actor))
    if not said.units:
        new = heard if heard.whole else replace(heard, whole=True, at=said.at)
        return Plan(new, following(order, new, actor, reason))
    units, reasons = _named(order, said.units)
    name = name_of("cancelled", str(said.at), repr(units))
    new = heard.cancelling(GivenUp(name, units))
    return Plan(new, following(order, new, actor, reason), reasons)


def _refunded(order: Order, heard: Heard, said: Refunded, actor: str) -> Plan:
    units, reasons = _named(order, said.units)
    amount = said.amount
    if said.currency != order.currency:
        told = f"refund {said.refund_id} of the channel is in {said.currency}: {said.amount}"
        reasons, amount = {**reasons, told: told}, 0
    new = heard.refunding(GivenUp(said.refund_id, units, amount))
    return Plan(new, following(order, new, actor, "refunded at the channel"), reasons)


def _fulfilled(order: Order, heard: Heard, said: Fulfilled, actor: str) -> Plan:
    """What our own parcels carry is told back to us."""
    units, reasons = _named(order, said.units)
    left = ordered_there(order) if not said.units else Counter(dict(units))
    ours = _is_ours(order, said.tracking_number)
    new = heard
    if said.certain and not (ours and not said.units):
        new = heard.fulfilling(GivenUp(said.fulfillment_id, counted(left)))
    command = replace(following(order, new, actor), reference=_reference(said))
    nothing = Plan(new, command)
    if ours:
        return nothing
    if _is_taken(command, order):
        return replace(nothing, command=replace(command, released=(SHIPPED_THERE,)))
    if new == heard and said.certain and not still_elsewhere(order, command.fulfilled):
        return nothing
    found = [f"{n} of {sku}" for name, most in left.items() for n, sku in _left(order, name, most)]
    if not found:
        return replace(nothing, reasons=reasons)
    tracking = f", tracking {said.tracking_number}" if said.tracking_number else ""
    told = f"fulfilled at the channel: {', '.join(found)}{tracking}"
    return replace(nothing, reasons={**reasons, f"fulfillment {said.fulfillment_id}": told})


def _is_ours(order: Order, tracking_number: str) -> bool:
    parcels = (parcel for each in order.fulfillment_orders for parcel in each.parcels)
    return bool(tracking_number) and any(x.tracking_number == tracking_number for x in parcels)


def _is_taken(command: c.FollowChannel, order: Order) -> bool:
    """Whether nobody here ships any more what others have shipped."""
    return any(isinstance(each, e.UnitsFulfilledElsewhere) for each in decide(command, order))


def _reference(said: Fulfilled) -> str:
    return " ".join(filter(None, (said.fulfillment_id, said.carrier, said.tracking_number)))[:200]


def _left(order: Order, name: str, most: int) -> Iterator[tuple[int, str]]:
    lines = lines_of(order, name)
    if units := min(most, sum(line.unshipped for line in lines)):
        yield units, lines[0].sku


def _named(order: Order, units: Sequence[Units]) -> tuple[Counted, Mapping[str, str]]:
    """By what the channel calls our lines; and what is none of them."""
    found: Counter[str] = Counter()
    unknown = 0
    for each in units:
        if name := known_there(order, each.line_id, each.sku):
            found[name] += each.quantity
        else:
            unknown += each.quantity
    told = f"the channel speaks of {unknown} units of lines that the order does not have"
    return counted(found), {told: told} if unknown else {}


def _new_shipping(order: Order, heard: Heard, now: ChannelOrder) -> Shipping | None:
    taxed = sum(tax.amount for tax in order.shipping.taxes)
    before = heard.shipping or _priced(order.shipping.price, taxed)
    said = now.shipping
    if _priced(said.price, said.taxed) == before:
        return None
    return Shipping(said.method, said.price, taxes_of(said.taxes))


def _priced(price: int, tax: int) -> str:
    return f"{price}+{tax}"


def _was_held(order: Order, heard: Heard, actor: str) -> bool:
    if heard.version:
        return heard.held
    return any(hold.type == PAYMENT and hold.placed_by == actor for hold in order.holds)


def _new_holds(order: Order, heard: Heard, state: State, actor: str) -> Iterator[NewHold]:
    """A hold that a person has released is not laid over it again."""
    if state.now.payment_hold and not _was_held(order, heard, actor):
        yield NewHold(PAYMENT, state.now.payment_hold)
    if nameless := unmapped(state.added):
        yield NewHold(UNMAPPED, nameless)


def _over(
    order: Order, heard: Heard, now: ChannelOrder, edit: Edit | None, actor: str
) -> Iterator[str]:
    """Types of holds that the channel has given the reason for, and does not any more."""
    if not now.payment_hold and _was_held(order, heard, actor):
        yield PAYMENT
    if edit is not None and edit.changes.contact:
        yield ADDRESS


def _check(edit: Edit | None) -> None:
    if edit is not None and (size := len(encode(edit.changes))) > MAX_CHANGES_BYTES:
        raise Refused(f"it has {size:,} bytes; at most {MAX_CHANGES_BYTES:,}")


def raised(order: Order, plan: Plan) -> Plan:
    """With what a person must know of it, where nobody was told before."""
    then = after(order, *decide(plan.command, order))
    reasons = {
        **plan.reasons,
        **_in_vain(then, plan.heard),
        **_too_much(then, plan),
        **_taken_in_vain(order, then, plan.command),
    }
    new = {name_of(name): told for name, told in reasons.items()}
    told = [text for name, text in new.items() if name not in plan.heard.raised]
    command = replace(plan.command, attention="; ".join(told)[:MAX_REASON])
    return replace(plan, heard=plan.heard.raising(*new), command=command)


def _in_vain(order: Order, heard: Heard) -> Mapping[str, str]:
    found = [
        f"{units} of {lines_of(order, name)[0].sku}"
        for name, units in sorted(shipped_in_vain(order, heard).items())
        if lines_of(order, name)
    ]
    told = f"cancelled at the channel after it was shipped: {', '.join(found)}"
    return {told: told} if found else {}


def _too_much(order: Order, plan: Plan) -> Mapping[str, str]:
    """What was never taken in our books needs no giving back."""
    more = plan.heard.refunded - plan.command.ours - given_back_there(order)
    told = f"the channel gave back {more} {order.currency} more than was left"
    return {told: told} if more > 0 and taken_there(order) else {}


def _taken_in_vain(order: Order, then: Order, command: c.FollowChannel) -> Mapping[str, str]:
    """It is not ours to give back: the books say that the channel has done it."""
    taken = taken_there(then) - taken_there(order)
    back = given_back_there(then) - given_back_there(order)
    only_here = cancelled_here(order) - Counter(dict(command.called_off))
    more = min(taken, back)
    told = f"the channel took {more} {order.currency} for what was cancelled here"
    told += ": give it back there"
    return {told: told} if more > 0 and only_here else {}
