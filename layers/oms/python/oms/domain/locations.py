"""Where stock lies and orders are shipped from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oms.domain.network.calendars import ALWAYS_OPEN, Calendar, Outage
from oms.domain.network.geography import Place, Point, Precision, place_of


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"
    STORE = "store"
    THIRD_PARTY = "third_party"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Location:
    """A place that ships; a vendor is one that ships goods that were never ours.

    Costs are in minor units of the network's currency: of a shipment from here, and of each unit
    in it. `daily_capacity` is in units per ship day, None without a limit. Without `methods` it
    offers all. It `handles` goods with these tags, which need a licence or a room of their own;
    `tags` are its own, for routing rules.
    """

    location_id: str
    name: str
    kind: LocationKind
    country: str
    region: str = ""
    postal_code: str = ""
    fixed_cost: int = 0
    unit_cost: int = 0
    active: bool = True
    latitude: float | None = None
    longitude: float | None = None
    calendar: Calendar = ALWAYS_OPEN
    daily_capacity: int | None = None
    methods: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pickup: bool = False
    outages: tuple[Outage, ...] = ()
    line1: str = ""
    line2: str = ""
    city: str = ""
    phone: str = ""

    @property
    def place(self) -> Place | None:
        """Given coordinates win; else its postal code, or its country, tells."""
        if self.latitude is not None and self.longitude is not None:
            return Place(Point(self.latitude, self.longitude), Precision.EXACT)
        return place_of(self.country, self.postal_code)

    def offers(self, method: str) -> bool:
        """An empty name asks for no method in particular."""
        return not self.methods or not method or method in self.methods
