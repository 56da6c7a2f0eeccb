"""A shop on a platform that merchants already have: where its API is, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Told(StrEnum):
    """What a shop can be told of."""

    FULFILLMENTS = "fulfillments"
    CANCELLATIONS = "cancellations"
    REFUNDS = "refunds"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Shop:
    """`name` is the channel of its orders (`shopify:mugs.myshopify.com`); `base_url` of its API,
    without a slash at its end; `told` is what it hears from us; `polled`: it is asked for orders
    that webhooks have lost. `locations` are pairs of ours and theirs, `settings` of the adapter's
    own words. Its credentials are secrets and not here.
    """

    name: str
    base_url: str = ""
    told: tuple[Told, ...] = ()
    polled: bool = False
    locations: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def channel(self) -> str:
        """The code of its platform."""
        return self.name.partition(":")[0]

    @property
    def shop(self) -> str:
        return self.name.partition(":")[2]
