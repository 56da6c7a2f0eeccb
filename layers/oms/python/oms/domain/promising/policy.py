"""What may be done for a promise, and how sure one must be."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_CONFIDENCE = 90


@dataclass(frozen=True, slots=True)
class ExtraCost:
    """Minor units, for one fulfillment order."""

    currency: str
    most: int


@dataclass(frozen=True, slots=True)
class PromisePolicy:
    """`confidence`, in percent, is asked of measured times; `earlier`: they may promise less than
    the carrier's table. `upgrade_to` are methods that may be paid for to keep a promise, for as
    much as `max_extra` allows in the currency of the carrier's card: without it, for nothing more.
    """

    confidence: int = DEFAULT_CONFIDENCE
    earlier: bool = False
    upgrade_to: tuple[str, ...] = ()
    max_extra: tuple[ExtraCost, ...] = ()
    tell_customer: bool = True

    def most(self, currency: str) -> int:
        return next((each.most for each in self.max_extra if each.currency == currency), 0)
