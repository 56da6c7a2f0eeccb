"""Units of a stock item: what came in is on hand or went out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oms.domain.books.difference import Difference
from oms.domain.inventory import Balance, MovementKind

OVERDRAWN = "a reservation gives no more than it has"
IN_IS_OUT = "what came in is on hand or went out"
ALL_ITEMS = "all items"
NAMED_BY_REASON = frozenset({MovementKind.ADJUSTED, MovementKind.RECEIVED})
NAMES = {
    MovementKind.CONSUMED: "shipped",
    MovementKind.SENT: "sent_to_another_location",
    MovementKind.ARRIVED: "arrived",
    MovementKind.COUNTED: "counted",
    MovementKind.MISSING: "missing",
}


@dataclass(slots=True)
class Flows:
    """Units that came in and went out, each by its reason: sums, whatever their number."""

    came: Counter[str] = field(default_factory=Counter)
    went: Counter[str] = field(default_factory=Counter)

    def add(self, kind: MovementKind, reason: str, on_hand: int) -> None:
        """`on_hand` is what the movement adds to it; one that moves nothing is none."""
        if on_hand > 0:
            self.came[flow_name(kind, reason)] += on_hand
        elif on_hand < 0:
            self.went[flow_name(kind, reason)] -= on_hand

    def figures(self, on_hand: int) -> dict[str, int]:
        """As they are added up over all items."""
        return {
            "in": self.came.total(),
            "out": self.went.total(),
            "on_hand": on_hand,
            **{f"in_{name}": units for name, units in self.came.items()},
            **{f"out_{name}": units for name, units in self.went.items()},
        }


def flow_name(kind: MovementKind, reason: str) -> str:
    """What people call it: an adjustment by its reason, goods that came back by theirs."""
    if kind in NAMED_BY_REASON and reason in REASONS:
        return reason
    return NAMES.get(kind, kind.value)


REASONS = frozenset(
    {
        *("damaged", "lost", "found", "theft", "expired", "sample", "correction"),
        *("returned_to_vendor", "customer_return", "own_use", "donated"),
    }
)


def in_is_out(subject: str, figures: Mapping[str, int]) -> Difference:
    """Beside each other, equal or not; `figures` of one item or added up over all: `in`, `out` and
    `on_hand`."""
    rest = figures.get("on_hand", 0) + figures.get("out", 0)
    return Difference(subject, IN_IS_OUT, figures.get("in", 0), rest)


def uneven(balance: Balance) -> Iterator[Difference]:
    """Of one place: its counters are what its movements add up to, and hold together."""
    level, subject = balance.level, f"{balance.level.sku} {balance.level.location}"
    for name, moved in balance.moved._asdict().items():
        if (counter := getattr(level, name)) != moved:
            yield Difference(subject, f"movements add up to {name}", moved, counter)
        if counter < 0:
            yield Difference(subject, f"{name} is not negative", 0, counter)
    if level.on_hand != level.available + level.reserved:
        rule = "on hand is available and reserved"
        yield Difference(subject, rule, level.available + level.reserved, level.on_hand)
    for reservation, units in balance.overdrawn:
        yield Difference(f"{subject} {reservation}", OVERDRAWN, 0, -units)
