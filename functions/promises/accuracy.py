"""How promises were kept, in figures: by location, or by carrier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from oms.adapters.promise_history import DayOfPromises
from oms.contracts.api.promises import KeptPromisesRow

BY_LOCATION = "location"


def rows_of(days: Iterable[DayOfPromises], group_by: str) -> list[KeptPromisesRow]:
    """In the order of their names."""
    figures: dict[str, Counter[str]] = {}
    transit: dict[str, Counter[int]] = {}
    handling: dict[str, Counter[int]] = {}
    for each in days:
        name = each.lane.location_id if group_by == BY_LOCATION else each.lane.carrier
        figures.setdefault(name, Counter()).update(each.figures)
        transit.setdefault(name, Counter()).update(each.transit)
        handling.setdefault(name, Counter()).update(each.handling)
    return [_row(name, figures[name], transit[name], handling[name]) for name in sorted(figures)]


def _row(
    name: str, found: Mapping[str, int], transit: Mapping[int, int], handling: Mapping[int, int]
) -> KeptPromisesRow:
    promised, late = found["promised"], found["late"]
    return KeptPromisesRow(
        name,
        promised,
        found["on_time"],
        late,
        found["early"],
        round(found["on_time"] / promised, 4),
        round(found["late_days"] / late, 2) if late else 0.0,
        _mean(handling),
        _mean(transit),
    )


def _mean(days: Mapping[int, int]) -> float | None:
    count = sum(days.values())
    if not count:
        return None
    return round(sum(each * times for each, times in days.items()) / count, 2)
