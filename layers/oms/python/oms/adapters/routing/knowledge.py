"""What routing knows beside stock and orders. It changes by hand, orders come by the second: so it
is known for a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

from oms.adapters.channels_table import ChannelsTable, channels_table
from oms.adapters.network_table import NetworkTable, network_table
from oms.adapters.rule_sets_table import Active, RuleSetsTable, rule_sets_table
from oms.adapters.segments_table import segments_table
from oms.domain.availability import Channel
from oms.domain.locations import Location
from oms.domain.network.rates import Tables
from oms.domain.routing.rules import RuleSet

KNOWN_FOR = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Known:
    locations: Sequence[Location]
    tables: Tables
    channels: Mapping[str, Channel]
    active: Active

    def channel(self, name: str) -> Channel:
        return self.channels.get(name) or Channel(name)


@dataclass
class Knowledge:
    network: NetworkTable
    channels: ChannelsTable
    rule_sets: RuleSetsTable
    segments: Callable[[str], tuple[str, ...]] = lambda _: ()
    _known: Known | None = field(default=None, init=False)
    _until: float = field(default=0.0, init=False)

    def now(self, *, fresh: bool = False) -> Known:
        """As it was a minute ago at most; `fresh`: as it is."""
        if self._known is None or fresh or time.monotonic() >= self._until:
            self._known, self._until = self._read(), time.monotonic() + KNOWN_FOR
        return self._known

    def rule_set_for(self, order_id: str) -> RuleSet:
        return self.rule_sets.rule_set(self.now().active.version_for(order_id))

    def segments_for(self, rule_set: RuleSet, customer_id: str) -> tuple[str, ...]:
        """What the customer belongs to, where a rule asks for it."""
        return self.segments(customer_id) if rule_set.asks_segments else ()

    def _read(self) -> Known:
        """All at once: they are four round trips otherwise."""
        with ThreadPoolExecutor(4) as threads:
            locations = threads.submit(self.network.locations)
            tables = threads.submit(self.network.tables)
            channels = threads.submit(self.channels.all)
            active = threads.submit(self.rule_sets.active)
            return Known(locations.result(), tables.result(), channels.result(), active.result())


@cache
def knowledge() -> Knowledge:
    return Knowledge(
        network_table(),
        channels_table(),
        rule_sets_table(),
        lambda customer_id: segments_table().names(customer_id),
    )
