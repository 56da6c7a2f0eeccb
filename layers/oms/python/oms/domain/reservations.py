"""Whose the reserved units are, read off the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from oms.domain.inventory import Level, Movement


class Holder(StrEnum):
    ORDER = "order"
    CART_HOLD = "cart_hold"
    LEASE = "lease"
    UNNAMED = "unnamed"  # movements that were written before reservations had names


HOLDERS = {"ful": Holder.ORDER, "hld": Holder.CART_HOLD, "lse": Holder.LEASE}


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units of one stock item at one location; `since` its first movement."""

    reservation: str
    location: str
    quantity: int
    since: datetime

    @property
    def holder(self) -> Holder:
        return holder_of(self.reservation)

    def __str__(self) -> str:
        return f"{self.quantity} for {self.reservation or self.holder}"


def holder_of(reservation: str) -> Holder:
    return HOLDERS.get(reservation.partition("_")[0], Holder.UNNAMED)


def stands_aside(reservation: str) -> bool:
    """Units that are reserved and belong to no order yet."""
    return holder_of(reservation) in (Holder.CART_HOLD, Holder.LEASE)


@dataclass(slots=True)
class Ledger:
    """Movements of one stock item, newest first, until all that is reserved has a name.

    What a reservation has now is what it had once, which is not negative, and what its later
    movements add. So as soon as the positive sums add up to all that is reserved, each is final,
    however many older movements there are.
    """

    missing: int
    walked: int = 0
    sums: dict[tuple[str, str], int] = field(default_factory=dict)
    since: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def read(self, movement: Movement) -> None:
        self.walked += 1
        for reservation, units in movement.claims:
            whose = reservation, movement.location
            before = self.sums.get(whose, 0)
            self.sums[whose] = before + units
            self.missing += max(0, before) - max(0, before + units)
            if units > 0:
                self.since[whose] = movement.at

    @property
    def found(self) -> tuple[Reservation, ...]:
        """The latest first."""
        open_ = (
            Reservation(*whose, units, self.since[whose])
            for whose, units in self.sums.items()
            if units > 0
        )
        return tuple(
            sorted(open_, key=lambda r: (r.since, r.reservation, r.location), reverse=True)
        )


def open_reservations(levels: Iterable[Level], newest_first: Iterable[Movement]) -> Ledger:
    """`missing` is what no movement accounts for: 0 unless the ledger ended before, or moved."""
    ledger = Ledger(sum(level.reserved for level in levels))
    for movement in newest_first if ledger.missing else ():
        ledger.read(movement)
        if ledger.missing <= 0:
            break
    return ledger


def of_location(found: Iterable[Reservation], location: str) -> list[Reservation]:
    return [each for each in found if each.location == location]
