"""A check of all books: phases, each in steps, resumable behind its last step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    """In this order: what runs and what orders claim is known before it is compared."""

    ORDER_WORKFLOWS = "order_workflows"
    RETURN_WORKFLOWS = "return_workflows"
    ORDERS = "orders"
    STOCK = "stock"
    CREDIT = "credit"
    WORKFLOWS = "workflows"
    PAYOUTS = "payouts"


PHASES = tuple(Phase)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step has looked at. `cursor` is where the next goes on; None when the phase is done.

    `found`: differences, with those that were found before.
    """

    cursor: str | None
    counted: Mapping[str, int] = field(default_factory=dict)
    found: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """`phase` is None when it is done; `parts`: into how many the ids of workflows are divided,
    so that one fits into memory; `version` counts the writes of its row."""

    check_id: str
    actor: str
    began_at: datetime
    moved_at: datetime
    phase: Phase | None = PHASES[0]
    cursor: str | None = None
    steps: int = 0
    parts: int = 16
    counted: Mapping[str, int] = field(default_factory=dict)
    found: int = 0
    version: int = 1

    @property
    def is_done(self) -> bool:
        return self.phase is None

    def after(self, step: Step, at: datetime) -> Check:
        counted = Counter(self.counted)
        counted.update(step.counted)
        moved = replace(
            self,
            moved_at=at,
            cursor=step.cursor,
            steps=self.steps + 1,
            counted=dict(counted),
            found=self.found + step.found,
        )
        return moved if step.cursor is not None else replace(moved, phase=self._next())

    def _next(self) -> Phase | None:
        assert self.phase is not None
        rest = PHASES[PHASES.index(self.phase) + 1 :]
        return rest[0] if rest else None


def parts_for(orders: int) -> int:
    """Of about a thousand each, so many ids of workflows are compared at a time."""
    return max(4, 1 + orders // 1_000)
