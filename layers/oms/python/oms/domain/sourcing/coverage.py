"""What locations cover of all lines at once: fields of one big integer, a line in each.

The top bit of a field, after adding a bias, says whether its need is covered. Lines stand in the
order of scarcity, so the lowest missing bit is the line that the fewest can help. One more field,
the last, counts units within capacities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oms.domain.sourcing.network import Network


class Coverage:
    """By rank in `who`: `covers` in units, `touches` as top bits of fields that get anything."""

    def __init__(self, network: Network, opened: Sequence[int], who: Sequence[int]) -> None:
        self._network = network
        lines = range(len(network.needs))
        holders = [
            [rank for rank, i in enumerate(who) if network.supplies[i][line]] for line in lines
        ]
        self._order = sorted(lines, key=lambda line: len(holders[line]))
        self._holders: list[Sequence[int]] = [holders[line] for line in self._order]
        self._holders.append(range(len(who)))
        self._width = self._field_width([*opened, *who])
        needs = [*(network.needs[line] for line in self._order), sum(network.needs)]
        top = 1 << self._width - 1
        self._tops = self._packed([top] * len(needs))
        self._bias = self._packed([top - int(need) for need in needs])
        self.covers = [self._units(i) for i in who]
        self.touches = [self._touched(units) for units in self.covers]

    def of(self, chosen: Iterable[int]) -> int:
        return sum(self._units(i) for i in chosen)

    def missing(self, covered: int) -> int:
        """The top bits of the fields whose needs are not covered."""
        return (covered + self._bias & self._tops) ^ self._tops

    def holders(self, missing: int) -> Sequence[int]:
        """Who gives towards the scarcest of the missing fields."""
        return self._holders[((missing & -missing).bit_length() - 1) // self._width]

    def _field_width(self, everyone: Sequence[int]) -> int:
        """Wide enough for all that everyone gives together, and for the bias on top of it."""
        most = sum(int(sum(self._network.supplies[i])) for i in everyone)
        return (most + int(sum(self._network.needs))).bit_length() + 2

    def _units(self, i: int) -> int:
        supply = self._network.supplies[i]
        return self._packed(
            [*(int(supply[line]) for line in self._order), int(self._network.reach[i])]
        )

    def _packed(self, fields: Sequence[int]) -> int:
        packed = 0
        for field in reversed(fields):
            packed = packed << self._width | field
        return packed

    def _touched(self, units: int) -> int:
        """A field above zero carries into its top bit when its largest value is added."""
        full = self._tops - (self._tops >> self._width - 1)
        return units + full & self._tops
