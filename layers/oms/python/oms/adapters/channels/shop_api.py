"""What every adapter to a shop's API does: fetch orders, and tell the shop what was done here.

Whatever is asked twice under the same key is done once: by the shop's own idempotency where it has
one, else by looking first. To add a shop: a class beside the channel, a line in `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from oms.adapters.channels.base import Page, Units, What
from oms.adapters.web import Web
from oms.domain.errors import OmsError


class Later(OmsError):
    """Not now: too many calls, an outage, no answer. Asked again under the same key."""

    def __init__(self, why: str, after_seconds: int = 0) -> None:
        super().__init__(why)
        self.after_seconds = after_seconds


class RefusedByShop(OmsError):
    """It will not be done, however often it is asked: a person looks at it. `skus`: of several
    levels, those that were not set; all others were."""

    def __init__(self, why: str, skus: Iterable[str] = ()) -> None:
        super().__init__(why)
        self.skus = tuple(skus)


@dataclass(frozen=True, slots=True)
class Access:
    """A shop, as its API is reached. `base_url` without a slash at its end; `credentials` are
    secret; `locations` are theirs by ours; `settings` are the adapter's own words."""

    channel: str
    shop: str
    base_url: str
    credentials: Mapping[str, str]
    web: Web
    locations: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shipped:
    """Units that left a location in a parcel. `carrier` is our word for it."""

    key: str
    external_id: str
    units: tuple[Units, ...]
    carrier: str
    tracking_number: str
    tracking_url: str
    location_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CalledOff:
    """The order, or these units of it; `restock` is ours to do, the shop's stock is set apart.
    `whole`: nothing of it is left."""

    key: str
    external_id: str
    units: tuple[Units, ...]
    reason: str
    whole: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Money that the shop gives back to its buyer. `units` are those it is for."""

    key: str
    external_id: str
    amount: int
    currency: str
    units: tuple[Units, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stocked:
    """So many units of a SKU can be sold there now; `location_id` empty: of all locations. `item`
    is the shop's own id of what the SKU is, where it was mapped."""

    sku: str
    available: int
    location_id: str = ""
    item: str = ""


class ShopApi(Protocol):
    @property
    def code(self) -> str:
        """Of the channel."""

    @property
    def calls_per_second(self) -> float:
        """What the shop's published limit allows, with room for others."""

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        """What a message with only an id is about."""

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """Orders created or changed since then, for what webhooks have lost."""

    def ship(self, access: Access, done: Shipped) -> str:
        """The shop's id of the fulfillment. Each raises Later or RefusedByShop."""

    def call_off(self, access: Access, done: CalledOff) -> str: ...

    def give_back(self, access: Access, done: GivenBack) -> str: ...

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str: ...
