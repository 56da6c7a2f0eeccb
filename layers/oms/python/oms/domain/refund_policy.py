"""Who may give money back as goodwill, and how much of it on one order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

MACHINE = "machine"  # the role of every client that is no person


@dataclass(frozen=True, slots=True)
class RefundLimit:
    """`role`: a group of staff, `machine`, or `client:<id>`. `most` on one order in all, in minor
    units."""

    role: str
    currency: str
    most: int


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """Without any limit, whoever may refund at all may give back all that was taken."""

    limits: tuple[RefundLimit, ...] = ()

    def most(self, roles: Collection[str], currency: str) -> int | None:
        """The highest limit of these roles; nothing, where others have limits and they have none;
        None: no limit."""
        if not self.limits:
            return None
        theirs = (x.most for x in self.limits if x.role in roles and x.currency == currency)
        return max(theirs, default=0)
