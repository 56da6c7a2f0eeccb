"""A request that breaks its contract: every field that does, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    field: str  # "lines[0].quantity", "total", or "body" for the whole
    reason: str


class InvalidRequest(ValueError):
    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            f"{len(self.faults)} invalid: {', '.join(f.field for f in self.faults[:5])}"
        )
