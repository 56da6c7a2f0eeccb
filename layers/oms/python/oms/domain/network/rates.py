"""What carriers ask and how long they take: zones, charges and transit times, as data.

A carrier's card is put as a whole under a version of its own, so that a decision can name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oms.domain.locations import Location
from oms.domain.network.geography import LETTERS, normal
from oms.domain.network.lanes import WORKDAYS, Lane, Measured

CM3_PER_KG = 5_000  # what a kilogram may measure before its size is what is paid for


@dataclass(frozen=True, slots=True)
class Zone:
    """Destinations that cost the same from the same origins.

    The longest postal prefix of the destination wins, then the narrowest origin: a location, a
    postal prefix, a country, anywhere; then a distance band, from `min_km` up to below `max_km`.
    """

    zone: str
    country: str
    postal_prefix: str = ""
    from_location: str = ""
    from_country: str = ""
    from_prefix: str = ""
    min_km: int | None = None
    max_km: int | None = None

    @property
    def has_band(self) -> bool:
        return self.min_km is not None or self.max_km is not None

    @property
    def narrowness(self) -> tuple[bool, int, bool, bool]:
        origin = (bool(self.from_location), len(self.from_prefix), bool(self.from_country))
        return (*origin, self.has_band)

    def takes(self, origin: Location, km: int | None) -> bool:
        return (
            self.from_location in ("", origin.location_id)
            and self.from_country in ("", origin.country)
            and normal(origin.postal_code).startswith(self.from_prefix)
            and (not self.has_band or self._reaches(km))
        )

    def _reaches(self, km: int | None) -> bool:
        if km is None:
            return False
        return (self.min_km or 0) <= km and (self.max_km is None or km < self.max_km)


@dataclass(frozen=True, slots=True)
class Charge:
    """`base` pays the first `first_g` grams of a parcel, `per_kg` each further kilogram.

    A parcel weighs at most `max_g`; what is heavier goes in several.
    """

    method: str
    zone: str
    currency: str
    base: int
    per_kg: int = 0
    first_g: int = 1_000
    max_g: int | None = None


@dataclass(frozen=True, slots=True)
class Transit:
    """From the ship day on, in days on which the carrier delivers; Monday is 0."""

    method: str
    zone: str
    min_days: int
    max_days: int
    weekdays: tuple[int, ...] = WORKDAYS


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a carrier asks. `cm3_per_kg` 0: its parcels have no dimensional weight."""

    carrier: str
    version: int = 0
    cm3_per_kg: int = CM3_PER_KG
    zones: tuple[Zone, ...] = ()
    charges: tuple[Charge, ...] = ()
    transits: tuple[Transit, ...] = ()

    @property
    def currency(self) -> str:
        return next((charge.currency for charge in self.charges), "")


class Load(NamedTuple):
    """Units of one line: the weight and the sides of one of them, 0 where nobody measured."""

    quantity: int
    weight_g: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0

    @property
    def mm3(self) -> int:
        return self.length_mm * self.width_mm * self.height_mm

    def billable_g(self, cm3_per_kg: int) -> int:
        """Of one unit: its weight, or what its size is charged as."""
        return max(self.weight_g, -(-self.mm3 // cm3_per_kg) if cm3_per_kg else 0)


class Tables:
    """The cards of all carriers, laid out for the question what a parcel costs from here.

    A card that asks for nothing yet, or any more, is none: its zones alone would close the network.
    """

    def __init__(self, cards: Sequence[Card] = (), measured: Iterable[Measured] = ()) -> None:
        telling = (card for card in cards if card.charges)
        self.cards = tuple(sorted(telling, key=lambda card: card.carrier))
        self._zones: defaultdict[tuple[str, str, str], list[Zone]] = defaultdict(list)
        self._charges: defaultdict[tuple[str, str], list[Charge]] = defaultdict(list)
        self._transits: dict[tuple[str, str, str], Transit] = {}
        self._measured = {each.lane: each for each in measured}
        for card in self.cards:
            self._lay_out(card)

    @property
    def version(self) -> str:
        """Of every carrier's card: `dhl:3 ups:12`."""
        return " ".join(f"{card.carrier}:{card.version}" for card in self.cards)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(sorted({c.method for charges in self._charges.values() for c in charges}))

    def zone(
        self, card: Card, origin: Location, country: str, postal_code: str, km: int | None
    ) -> str | None:
        code = normal(postal_code)[:LETTERS]
        for letters in range(len(code), -1, -1):
            for zone in self._zones.get((card.carrier, country, code[:letters]), ()):
                if zone.takes(origin, km):
                    return zone.zone
        return None

    def charges(self, card: Card, zone: str, method: str) -> Iterator[Charge]:
        """Of a method, or of all where none is named."""
        for charge in self._charges.get((card.carrier, zone), ()):
            if method in ("", charge.method):
                yield charge

    def transit(self, card: Card, zone: str, method: str) -> Transit | None:
        return self._transits.get((card.carrier, zone, method))

    def measured(self, lane: Lane) -> Measured | None:
        return self._measured.get(lane)

    def _lay_out(self, card: Card) -> None:
        for zone in sorted(card.zones, key=lambda zone: zone.narrowness, reverse=True):
            self._zones[card.carrier, zone.country, zone.postal_prefix].append(zone)
        for charge in card.charges:
            self._charges[card.carrier, charge.zone].append(charge)
        for transit in card.transits:
            self._transits[card.carrier, transit.zone, transit.method] = transit


NO_TABLES = Tables()
