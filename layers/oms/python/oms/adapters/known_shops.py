"""The shops as one environment knows them: read once, and again after a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from oms.adapters.shops_table import ShopsTable, shops_table
from oms.domain.shops import Shop, Told

FRESH_SECONDS = 60.0


class KnownShops:
    def __init__(self, table: ShopsTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._table, self._clock = table, clock
        self._shops: dict[str, Shop] = {}
        self._until: float | None = None

    def all(self) -> tuple[Shop, ...]:
        if self._until is None or self._clock() >= self._until:
            self._shops = {shop.name: shop for shop in self._table.all()}
            self._until = self._clock() + FRESH_SECONDS
        return tuple(self._shops.values())

    def told_of(self, what: Told) -> tuple[Shop, ...]:
        return tuple(shop for shop in self.all() if what in shop.told)

    def find(self, name: str) -> Shop | None:
        self.all()
        return self._shops.get(name)


@cache
def known_shops() -> KnownShops:
    return KnownShops(shops_table())
