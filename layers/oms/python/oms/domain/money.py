"""Money is integer minor units; what is split is split once, and the parts add up."""

from __future__ import annotations

from collections.abc import Sequence


def unit_share(amount: int, quantity: int, start: int, count: int) -> int:
    """The share of units `start … start+count-1` in an amount that is split over `quantity` units.

    Every unit has `amount // quantity`; the first `amount % quantity` units have one more
    (largest remainder, units in order). Closed form: a line of 80,995 units costs no list.
    """
    base, remainder = divmod(amount, quantity)
    extra = max(0, min(start + count, remainder) - min(start, remainder))
    return count * base + extra


def spread(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split an amount over weights by largest remainder; equal remainders go to the first."""
    total = sum(weights)
    if total == 0:
        if amount:
            raise ValueError("an amount cannot be spread over nothing")
        return (0,) * len(weights)
    floors = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(floors)]:
        floors[i] += 1
    return tuple(floors)
