"""A shop that does what it is asked once for each key, and can be told to be difficult."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from oms.adapters.channels.base import Page, What
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)

Done = Shipped | CalledOff | GivenBack | tuple[Stocked, ...]


class ShopCrash(BaseException):
    """The worker is gone after the shop has done what it was asked."""


@dataclass
class FakeShop:
    """`effects` by key, in the order in which they were done; `calls` are all keys that were asked
    under. `difficulties` are met one a call, oldest first; None: that call goes well. SKUs and keys
    of `refuses` are refused always; `dies` after the effect. `repeated`: keys that were asked under
    once more when it was done already; with `names_refused` it sets the levels that it can."""

    code: str = "fake"
    calls_per_second: float = 1000.0
    effects: dict[str, Done] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    difficulties: list[Exception | None] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    dies: bool = False
    repeated: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    names_refused: bool = False
    stock: dict[tuple[str, str], int] = field(default_factory=dict)
    counting: Lock = field(default_factory=Lock, repr=False)

    def later(self, times: int, after_seconds: int = 0) -> None:
        self.difficulties += [Later("too many calls", after_seconds) for _ in range(times)]

    def refuse(self, times: int = 1) -> None:
        self.difficulties += [RefusedByShop("already closed") for _ in range(times)]

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        return ()

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        return Page()

    def ship(self, access: Access, done: Shipped) -> str:
        return self._do(done.key, done)

    def call_off(self, access: Access, done: CalledOff) -> str:
        return self._do(done.key, done)

    def give_back(self, access: Access, done: GivenBack) -> str:
        return self._do(done.key, done)

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        assert len(levels) <= 100
        refused = {level.sku for level in levels} & self.refuses
        if refused and not self.names_refused:
            self.refused.append(key)
            raise RefusedByShop("knows nothing of some of them")
        reference = self._do(key, tuple(x for x in levels if x.sku not in refused))
        if refused:
            self.refused.append(key)
            raise RefusedByShop(f"knows nothing of {sorted(refused)}", refused)
        return reference

    def _do(self, key: str, done: Done) -> str:
        with self.counting:
            self.calls.append(key)
            if key in self.refuses:
                raise RefusedByShop("is not what we do")
            if self.difficulties and (difficulty := self.difficulties.pop(0)):
                raise difficulty
            if key in self.effects:
                assert self.effects[key] == done
                self.repeated.append(key)
            elif isinstance(done, tuple):
                self.stock |= {(each.sku, each.location_id): each.available for each in done}
            self.effects.setdefault(key, done)
        if self.dies:
            raise ShopCrash
        return f"their-{key}"

    def of(self, kind: type[Shipped] | type[CalledOff] | type[GivenBack]) -> list[Done]:
        return [done for done in self.effects.values() if isinstance(done, kind)]
