"""Nobody screens orders."""

from __future__ import annotations

from oms.domain.screening import OrderFacts, Verdict, VerdictKind


class NoScreener:
    code = "none"

    def screen(self, facts: OrderFacts) -> Verdict:  # noqa: ARG002
        return Verdict(self.code, VerdictKind.APPROVE)
