"""Two figures that must be equal."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """Two figures that must be equal and are not."""

    subject: str
    rule: str
    expected: int
    actual: int
