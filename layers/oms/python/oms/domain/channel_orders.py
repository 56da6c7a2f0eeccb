"""What a channel has said of one of its orders so far, and what of it is still to be done here.

What is said is kept as totals, never as steps: told twice, in another order, or by a webhook and
by a poll, it comes to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.lines import Line
from oms.domain.order.model import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus

EXTERNAL = "external"  # the provider of money that the channel takes and gives back
THERE = "channel"  # the reference of what happened there first
Counted = tuple[tuple[str, int], ...]  # units, by what the channel calls a line


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A message by the channel's own id of what it tells; `amount` is what was given back."""

    name: str
    units: Counted = ()
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """`at` is the time of the last state that was seen, and `removed` are the units that were ever
    ordered and are not in it. `address` and `shipping` are digests of what it said, empty where it
    never did; `held`: the money was not sure. `fulfillments` are ours, too, as they are told back.
    `ours`: so much of what was given back there, in minor units, was given back here first, and a
    person has done it there as well; `told`: so much of what was given back here is not told back
    to us. `raised` names what a person was told of, `names` are what it calls its lines."""

    version: int = 0
    at: datetime | None = None
    cancellations: tuple[GivenUp, ...] = ()
    refunds: tuple[GivenUp, ...] = ()
    ours: int = 0
    told: int = 0
    removed: Counted = ()
    whole: bool = False
    address: str = ""
    shipping: str = ""
    held: bool = False
    raised: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    fulfillments: tuple[GivenUp, ...] = ()

    @property
    def refunded(self) -> int:
        """In minor units."""
        return sum(each.amount for each in self.refunds)

    def is_older(self, at: datetime | None) -> bool:
        """Whether a state of that time was followed by another that was seen."""
        return at is not None and self.at is not None and at < self.at

    def cancelling(self, told: GivenUp) -> Heard:
        return replace(self, cancellations=_added(self.cancellations, told))

    def refunding(self, told: GivenUp) -> Heard:
        return replace(self, refunds=_added(self.refunds, told))

    def fulfilling(self, told: GivenUp) -> Heard:
        return replace(self, fulfillments=_added(self.fulfillments, told))

    def raising(self, *names: str) -> Heard:
        new = tuple(name for name in dict.fromkeys(names) if name not in self.raised)
        return replace(self, raised=(*self.raised, *new))


def _added(known: tuple[GivenUp, ...], told: GivenUp) -> tuple[GivenUp, ...]:
    return known if any(each.name == told.name for each in known) else (*known, told)


def called_there(line: Line) -> str:
    """What the channel calls it; orders of old know only the SKU."""
    return line.external_id or f"sku:{line.sku}"


def known_there(order: Order, line_id: str, sku: str) -> str:
    """The name of the line with this id, else of one with this SKU; empty: there is none."""
    if line_id and any(line.external_id == line_id for line in order.lines):
        return line_id
    alike = (line for line in order.lines if sku and line.sku == sku)
    return next((called_there(line) for line in alike), "")


def lines_of(order: Order, name: str) -> tuple[Line, ...]:
    """Units that are added later are a line of their own."""
    return tuple(line for line in order.lines if called_there(line) == name)


def ordered_there(order: Order) -> Counter[str]:
    """All units that the channel ever ordered of each line."""
    found: Counter[str] = Counter()
    for line in order.lines:
        found[called_there(line)] += line.quantity
    return found


def cancelled_here(order: Order) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in order.lines:
        found[called_there(line)] += line.cancelled
    return found


def called_off_there(order: Order, heard: Heard) -> Counted:
    """Units that are not wanted there any more. A unit is often told of more than once: as
    cancelled, as refunded, and by its absence from the order."""
    if heard.whole:
        return tuple(sorted(ordered_there(order).items()))
    said = (_units(heard.cancellations), _units(heard.refunds), Counter(dict(heard.removed)))
    most = said[0] | said[1] | said[2]
    return tuple(sorted((name, units) for name, units in most.items() if units))


def still_to_cancel(order: Order, called_off: Iterable[tuple[str, int]]) -> Iterator[Quantity]:
    """Of the line that was added last, first; what is shipped cannot be stopped."""
    done = cancelled_here(order)
    for name, units in _summed(called_off):
        missing = units - done[name]
        for line in reversed(lines_of(order, name)):
            if (taken := min(missing, _stoppable(order, line))) > 0:
                yield Quantity(line.line_id, taken)
                missing -= taken


def _stoppable(order: Order, line: Line) -> int:
    boxes = (each for each in order.fulfillment_orders if each.in_warehouse)
    return line.unrouted + sum(box.quantity(line.line_id) for box in boxes)


def fulfilled_there(heard: Heard) -> Counted:
    """By whomever."""
    return counted(_units(heard.fulfillments))


def still_elsewhere(order: Order, fulfilled: Iterable[tuple[str, int]]) -> tuple[Quantity, ...]:
    """Units that were shipped, and not by us, and that wait here for somebody to ship them."""
    found: list[Quantity] = []
    for name, units in _summed(fulfilled):
        lines = lines_of(order, name)
        missing = units - sum(line.dispatched for line in lines)
        for line in lines:
            if (taken := min(missing, line.unshipped)) > 0:
                found.append(Quantity(line.line_id, taken))
                missing -= taken
    return tuple(found)


def shipped_in_vain(order: Order, heard: Heard) -> Counter[str]:
    """Units that were called off there, and not here. What was refunded may have come back."""
    done, refunded = cancelled_here(order), _units(heard.refunds)
    asked = ordered_there(order) if heard.whole else _units(heard.cancellations)
    lacking = asked - done
    return lacking | (Counter(dict(heard.removed)) - (done | refunded))


def _units(told: Iterable[GivenUp]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in told:
        found.update(dict(each.units))
    return found


def taken_there(order: Order) -> int:
    """In minor units; others may have taken something too, for what staff has added here."""
    return sum(each.amount for each in _moved(order, OperationKind.CAPTURE))


def given_back_there(order: Order) -> int:
    """In minor units; without what was given back here first."""
    refunds = _moved(order, OperationKind.REFUND)
    return sum(each.amount for each in refunds if each.reference == THERE)


def given_back_here(order: Order) -> int:
    """In minor units, of the channel's money, before the channel did."""
    refunds = _moved(order, OperationKind.REFUND)
    return sum(each.amount for each in refunds if each.reference != THERE)


def _moved(order: Order, kind: OperationKind) -> Iterator[Operation]:
    """What has not failed of the channel's money."""
    done = (each for each in order.payment.operations if each.kind is kind)
    return (x for x in done if x.status is not OperationStatus.FAILED and is_theirs(order, x))


def matching(order: Order, heard: Heard, *, tells: bool) -> Heard:
    """With what of both sides' refunds is the same. Where the channel is not told of ours (`tells`)
    a person gives it back there as well; what was so stays so when that changes."""
    here = given_back_here(order)
    if tells:
        return replace(heard, told=here - heard.ours)
    most = max(heard.ours, heard.refunded - given_back_there(order))
    return replace(heard, ours=max(0, min(here - heard.told, most)))


def counted(units: Mapping[str, int]) -> Counted:
    return tuple(sorted((name, count) for name, count in units.items() if count))


def _summed(told: Iterable[tuple[str, int]]) -> Counted:
    """A line that is named twice is one line: else its units would be taken twice."""
    units: Counter[str] = Counter()
    for name, count in told:
        units[name] += count
    return counted(units)


def is_theirs(order: Order, operation: Operation) -> bool:
    """Whether the channel moves its money."""
    return order.payment.provider_of(operation) == EXTERNAL
