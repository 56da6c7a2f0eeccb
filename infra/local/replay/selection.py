"""Which invoices of a history are replayed, and what they will need."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nlargest
from pathlib import Path

from infra.local.replay.cancellations import Bought
from infra.local.replay.history import Invoice, invoices
from infra.local.replay.merchandise import Line, sort_cancellation, sort_sale


@dataclass(frozen=True)
class Selection:
    """`only` these, or `limit` of them (the `singled_out`, then the first), or all."""

    path: Path
    limit: int | None = None
    only: frozenset[str] = frozenset()
    singled_out: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Invoice]:
        """In time order, each time anew from the file."""
        if self.only:
            return (each for each in invoices(self.path) if each.number in self.only)
        return self.first() if self.limit is not None else invoices(self.path)

    def first(self) -> Iterator[Invoice]:
        singled_out = set(self.singled_out)
        others = (self.limit or 0) - len(singled_out)
        for each in invoices(self.path):
            if each.number in singled_out:
                singled_out.remove(each.number)
                yield each
            elif others > 0:
                others -= 1
                yield each
            if not others and not singled_out:
                return


def largest(path: Path, count: int) -> frozenset[str]:
    """The invoices with the most lines, and those with the most units in a line."""
    longest = nlargest(count, ((len(lines), number) for number, lines in merchandise(path)))
    heaviest = nlargest(count, ((heaviest_line(x), number) for number, x in merchandise(path)))
    return frozenset(number for _, number in [*longest, *heaviest])


def heaviest_line(lines: Iterable[Line]) -> int:
    return max((line.quantity for line in lines), default=0)


def merchandise(path: Path) -> Iterator[tuple[str, list[Line]]]:
    for invoice in invoices(path):
        sort = sort_cancellation if invoice.is_cancellation else sort_sale
        yield invoice.number, sort(invoice).lines


@dataclass
class Survey:
    """`demand`: units by SKU of what is still to be placed. In memory there is a figure for each
    SKU and each purchase that is cancelled, and no invoice."""

    invoices: int = 0
    demand: Counter[str] = field(default_factory=Counter)
    cancelled: set[Bought] = field(default_factory=set)

    def look_at(self, invoice: Invoice, *, is_done: bool) -> None:
        self.invoices += 1
        if invoice.is_cancellation:
            lines = sort_cancellation(invoice).lines
            self.cancelled.update((invoice.customer, line.sku) for line in lines)
        elif not is_done:
            for line in sort_sale(invoice).lines:
                self.demand[line.sku] += line.quantity


def survey(selection: Iterable[Invoice], is_done: Callable[[str], bool]) -> Survey:
    seen = Survey()
    for invoice in selection:
        seen.look_at(invoice, is_done=is_done(invoice.number))
    return seen
