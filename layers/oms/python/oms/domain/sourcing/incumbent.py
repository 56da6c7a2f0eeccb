"""The best plan so far, what was done to find it, and when to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from oms.domain.sourcing.network import Network
from oms.domain.sourcing.plan import Work
from oms.domain.sourcing.shipping import EPSILON, Shipping


class OutOfTime(Exception):
    """The budget is spent; the incumbent stands, unproved."""


class Incumbent:
    """A bound above `ceiling` leaves no room for a cheaper plan: costs move in grains."""

    def __init__(
        self, network: Network, clock: Callable[[], float], deadline: float | None
    ) -> None:
        self.network = network
        self.cost = self.ceiling = inf
        self.shipping: Shipping | None = None
        self.relaxations = self.nodes = self.plans = 0
        self._clock, self._deadline = clock, deadline

    def offer(self, chosen: Sequence[int]) -> Shipping:
        """How the chosen ship the order; kept when it is cheaper and within capacities."""
        self.plans += 1
        shipping = Shipping(self.network, sorted(chosen))
        self.accept(shipping)
        return shipping

    def accept(self, shipping: Shipping) -> bool:
        possible = shipping.respect_capacities()
        if possible and shipping.cost < self.cost - EPSILON:
            self.shipping, self.cost = shipping, shipping.cost
            tolerance = EPSILON + 1e-11 * self.cost
            self.ceiling = self.cost - self.network.grain + tolerance
        return possible

    def check_time(self) -> None:
        if self._deadline is not None and self.shipping and self._clock() >= self._deadline:
            raise OutOfTime

    def work(self) -> Work:
        return Work(self.relaxations, self.nodes, self.plans)
