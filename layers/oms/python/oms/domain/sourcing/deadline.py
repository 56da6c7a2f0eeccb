"""Until when a search may go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """In seconds of the clock; without `at` there is none, and the clock is never asked."""

    clock: Callable[[], float]
    at: float | None

    @classmethod
    def after(cls, budget: float | None, clock: Callable[[], float]) -> Deadline:
        return cls(clock, None if budget is None else clock() + budget)

    @property
    def left(self) -> float | None:
        return None if self.at is None else max(0.0, self.at - self.clock())

    @property
    def is_over(self) -> bool:
        return self.left == 0
