"""A decision as it is kept: with what was known when it was made."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.routing.decision import Decision
from oms.domain.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class KeptDecision:
    snapshot: Snapshot
    decision: Decision
