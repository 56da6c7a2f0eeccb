"""Where stock lies and orders are shipped from."""

from dataclasses import dataclass
from enum import StrEnum


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"
    STORE = "store"
    THIRD_PARTY = "third_party"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Location:
    """A place that ships. Costs are in minor units of the network's currency."""

    location_id: str
    name: str
    kind: LocationKind
    country: str
    region: str = ""
    postal_code: str = ""
    fixed_cost: int = 0
    unit_cost: int = 0
    active: bool = True
