"""A screener for trials and tests: an order's tags, or the risk that came with it, say its verdict.

`screen-review`, `screen-reject` and `screen-down`; without such a tag a score from 50 is reviewed,
one from 90 rejected.
"""

from __future__ import annotations

from oms.adapters.screening.base import NoVerdict
from oms.domain.screening import OrderFacts, Verdict, VerdictKind

TAGS = {"screen-review": 60, "screen-reject": 95}
DOWN = "screen-down"
REVIEWED_FROM, REJECTED_FROM = 50, 90


class SandboxScreener:
    code = "test"

    def screen(self, facts: OrderFacts) -> Verdict:
        if DOWN in facts.tags:
            raise NoVerdict(DOWN)
        said = {tag: score for tag, score in TAGS.items() if tag in facts.tags}
        score = max(said.values(), default=facts.risk.score if facts.risk else 0)
        return Verdict(self.code, _kind(score), score, tuple(said))


def _kind(score: int) -> VerdictKind:
    if score >= REJECTED_FROM:
        return VerdictKind.REJECT
    return VerdictKind.REVIEW if score >= REVIEWED_FROM else VerdictKind.APPROVE
