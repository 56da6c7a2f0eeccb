"""What a screener of new orders is."""

from __future__ import annotations

from typing import Protocol

from oms.domain.screening import OrderFacts, Verdict

SECONDS = 3.0  # that one may take: the step that asks has twenty


class NoVerdict(Exception):
    """It cannot be reached, was too slow, or said what nobody understands."""


class Screener(Protocol):
    """Asked once its payment is authorized, before an order is routed.

    The same order (`facts.order_id`) asked again, as after a lost answer, has the same verdict and
    counts as one order. It answers within SECONDS, or raises `NoVerdict`. The facts name nobody.
    """

    code: str

    def screen(self, facts: OrderFacts) -> Verdict: ...
