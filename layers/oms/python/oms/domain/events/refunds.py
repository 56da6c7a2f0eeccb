"""Money is given back beside cancellations."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.refunds import Credit


@dataclass(frozen=True, slots=True)
class RefundGranted:
    """As goodwill, by staff; its refunds are requested with it."""

    credit: Credit
