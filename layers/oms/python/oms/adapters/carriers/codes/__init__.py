"""What the codes of each carrier mean: a table of section, code and our status, in a file each.

A code means something only together with its carrier and its section (`DL` is delivered at one,
loaded at another), and what is not in its carrier's table means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from oms.domain.tracking import TrackingStatus

Table = Mapping[tuple[str, str], TrackingStatus]


@cache
def table(carrier: str) -> Table:
    lines = resources.files(__name__).joinpath(f"{carrier}.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {(section, code.casefold()): TrackingStatus(status) for section, code, status in rows}


def meaning(carrier: str, section: str, code: str) -> TrackingStatus | None:
    """None for a code that this section of this carrier's table does not have."""
    return table(carrier).get((section, code.strip().casefold()))


def first_meaning(carrier: str, *asked: tuple[str, str]) -> TrackingStatus | None:
    """Of several codes, each with its section, the first that means something."""
    found = (meaning(carrier, section, code) for section, code in asked if code)
    return next((status for status in found if status is not None), None)
