from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.events import StockLow, StockOut
from oms.domain.stock_alerts import Alert, WatchedLevel

LEVEL = WatchedLevel("MUG", "LYON", 9, 3)


@pytest.mark.parametrize(
    ("available", "told", "event"),
    [
        (4, Alert.NONE, None),
        (3, Alert.NONE, StockLow("MUG", "LYON", 3, 3)),
        (2, Alert.LOW, None),
        (0, Alert.NONE, StockOut("MUG", "LYON")),
        (0, Alert.LOW, StockOut("MUG", "LYON")),
        (0, Alert.OUT, None),
        (1, Alert.OUT, None),
        (9, Alert.OUT, None),
    ],
)
def test_a_level_is_told_of_as_it_becomes_low_and_as_it_is_empty(
    available: int, told: Alert, event: StockLow | StockOut | None
) -> None:
    assert replace(LEVEL, available=available, told=told).event == event


@given(st.lists(st.integers(0, 8), max_size=30), st.integers(0, 4))
def test_nothing_is_told_twice_before_it_has_recovered(available: list[int], limit: int) -> None:
    told, said = Alert.NONE, ["recovered"]
    for units in available:
        level = WatchedLevel("MUG", "LYON", units, limit, told)
        if level.event:
            said.append(type(level.event).__name__)
        elif level.now < told:
            said.append("recovered")
        told = level.now

    assert all(one != other or one == "recovered" for one, other in pairwise(said))
