"""What a cancellation cancels: the history does not say, so it is looked for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from infra.local.replay.history import Invoice
from infra.local.replay.merchandise import Line

Bought = tuple[str, str]  # customer and SKU


class Taken(NamedTuple):
    """Units of one line of one earlier invoice. `pence` for one unit, as they were sold."""

    invoice: str
    line_number: int
    quantity: int
    pence: int


@dataclass(slots=True)
class SoldLine:
    invoice: str
    line: Line
    left: int


@dataclass
class Ledger:
    """Lines sold whose customer cancels units of that SKU one day; no others are remembered."""

    cancelled_one_day: frozenset[Bought]
    _sold: dict[Bought, list[SoldLine]] = field(default_factory=lambda: defaultdict(list))

    def record(self, invoice: Invoice, lines: Iterable[Line]) -> None:
        for line in lines:
            if (bought := (invoice.customer, line.sku)) in self.cancelled_one_day:
                self._sold[bought].append(SoldLine(invoice.number, line, line.quantity))

    def take(self, customer: str, line: Line) -> list[Taken]:
        """The newest units that this customer bought and still has; fewer than asked, if need be.

        A guest is nobody in particular: what one cancels cannot be found.
        """
        return list(self._take(customer, line)) if customer else []

    def _take(self, customer: str, line: Line) -> Iterator[Taken]:
        wanted = line.quantity
        for sold in reversed(self._sold[customer, line.sku]):
            quantity = min(wanted, sold.left)
            if quantity:
                sold.left -= quantity
                wanted -= quantity
                yield Taken(sold.invoice, sold.line.number, quantity, sold.line.pence)


def by_invoice(taken: Iterable[Taken]) -> dict[str, list[Taken]]:
    """Each line once, with all its units: one request for each order."""
    summed: dict[tuple[str, int], Taken] = {}
    for each in taken:
        before = summed.get((each.invoice, each.line_number))
        more = before.quantity if before else 0
        summed[each.invoice, each.line_number] = each._replace(quantity=each.quantity + more)
    invoice = itemgetter(0)
    return {
        number: list(group)
        for number, group in groupby(sorted(summed.values(), key=invoice), key=invoice)
    }
