"""Stock items: what is counted, whatever it is called, and how much of it may be sold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from oms.domain.errors import Conflict, Refused
from oms.domain.lines import Part

MAX_COMPONENTS = 25


class BackorderMode(StrEnum):
    """What happens to units that nobody has: they wait, are refused, or are sold before they are
    released."""

    WAIT = "wait"
    DENY = "deny"
    PREORDER = "preorder"


@dataclass(frozen=True, slots=True)
class Backorders:
    """`limit` is in units that may wait at once; `partial`: what is there ships ahead."""

    mode: BackorderMode = BackorderMode.WAIT
    cancel_after_days: int | None = None
    release_on: date | None = None
    partial: bool = False
    limit: int | None = None

    def is_released(self, today: date) -> bool:
        """Whether units may be given to somebody: only pre-ordered ones have a day to wait for."""
        if self.mode is not BackorderMode.PREORDER or self.release_on is None:
            return True
        return self.release_on <= today


WAITING = Backorders()


@dataclass(frozen=True, slots=True)
class SafetyStock:
    """Units that are not sold. Without a channel for all of them, without a location at each."""

    units: int
    channel: str = ""
    location: str = ""

    def precedence(self, channel: str, location: str) -> int | None:
        """The more is named the more it counts, the channel before the location; None: not here."""
        if self.channel not in ("", channel) or self.location not in ("", location):
            return None
        return 2 * bool(self.channel) + bool(self.location)


@dataclass(frozen=True, slots=True)
class Policy:
    """`low_stock`: the number of available units at which somebody is told. `daily_sales`: units
    that a location sells in a day, as far as anybody says: so long its stock lasts."""

    low_stock: int | None = None
    safety_stock: tuple[SafetyStock, ...] = ()
    backorders: Backorders = WAITING
    daily_sales: int | None = None

    def safety(self, channel: str, location: str, otherwise: int = 0) -> int:
        """Units that this channel leaves at the location; the most specific rule decides."""
        ranked = ((rule.precedence(channel, location), rule.units) for rule in self.safety_stock)
        known = [(rank, units) for rank, units in ranked if rank is not None]
        return max(known)[1] if known else otherwise


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of one unit, packed. `tags` are what a location must be able to handle. `unit_cost`: what it
    has cost, in minor units of `cost_currency`."""

    weight_g: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    tags: tuple[str, ...] = ()
    category: str = ""
    unit_cost: int | None = None
    cost_currency: str = ""


NO_POLICY, PLAIN = Policy(), Attributes()


@dataclass(frozen=True, slots=True)
class FormerSku:
    sku: str
    until: datetime


@dataclass(frozen=True, slots=True)
class StockItem:
    """`item` is its identity and never changes; `sku` is what it is called now.

    A kit has components and no stock of its own; it is one from the beginning and stays one, and
    no component is a kit: so there are no kits of kits, and no cycles.
    """

    item: str
    sku: str
    active: bool = True
    former: tuple[FormerSku, ...] = ()
    components: tuple[Part, ...] = ()
    attributes: Attributes = PLAIN
    policy: Policy = NO_POLICY

    @property
    def is_kit(self) -> bool:
        return bool(self.components)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The stock items that one unit of it takes."""
        return self.components or (Part(self.item),)

    @property
    def takes(self) -> tuple[Part, ...]:
        """As an order line has it: nothing where the item is called what it was at first."""
        return () if self.parts == (Part(self.sku),) else self.parts

    def renamed(self, sku: str, at: datetime) -> StockItem:
        return replace(self, sku=sku, former=(*self.former, FormerSku(self.sku, at)))


class SkuTaken(Conflict):
    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} is another stock item's SKU")


class SkuGivenUp(Conflict):
    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} stands for no stock item any more: create it first")


class NotAKit(Refused):
    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} stays what it is, a kit or none: retire it and create it anew")


class NotStocked(Refused):
    """A kit is put together when it ships; what lies in the warehouse are its components."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"{sku} is a kit: its components have the stock")


class NoComponent(Refused):
    def __init__(self, sku: str, why: str) -> None:
        super().__init__(f"{sku} {why}")
        self.sku = sku


def tags_of(item: StockItem, components: Iterable[StockItem]) -> tuple[str, ...]:
    """A kit ships whole: whoever ships it must handle all that is in it."""
    return tuple(sorted({*item.attributes.tags, *_tags(components)}))


def _tags(items: Iterable[StockItem]) -> Iterator[str]:
    return (tag for item in items for tag in item.attributes.tags)
