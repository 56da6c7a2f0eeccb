"""Money of all orders, per currency: what was captured and not refunded is what was earned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from oms.domain.books.difference import Difference
from oms.domain.books.orders import credited, due, money_is_moving
from oms.domain.order import Fact, Order

KEPT = "captured money less refunds is what was kept"
EARNED = "money kept is slices less credits, but for what is on its way"
FIGURES = ("captured", "refunded", "kept", "slices", "credited", "on_its_way")


def figures(order: Order, facts: Sequence[Fact]) -> dict[str, int]:
    """`slices`: what its goods have cost by now; `on_its_way`: kept beyond what is earned while a
    provider has still to answer, or a dispute to end."""
    payment = order.payment
    kept = payment.captured - payment.refunded
    slices, given = due(order, facts), credited(order)
    is_open = money_is_moving(order) or bool(payment.disputes)
    return {
        "captured": payment.captured,
        "refunded": payment.refunded,
        "kept": kept,
        "slices": slices,
        "credited": given,
        "on_its_way": kept - (slices - given) if is_open else 0,
    }


def in_all(currency: str, of_all: Mapping[str, int]) -> Iterator[Difference]:
    """Beside each other, equal or not; `of_all`: figures of orders, added up."""
    captured, refunded, kept, slices, given, moving = (of_all.get(name, 0) for name in FIGURES)
    yield Difference(f"all orders {currency}", KEPT, captured - refunded, kept)
    yield Difference(f"all orders {currency}", EARNED, slices - given + moving, kept)
