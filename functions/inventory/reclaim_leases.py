"""Every minute: what was leased and is not sold any more goes back, whatever became of its seller.

An environment gives its leases back itself when it is called again; one that is not, or that has
died, leaves them to this function. It finds them without a scan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from oms.adapters.leases_table import LeasesTable, leases_table
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)
LAST_START_MS = 10_000  # a transaction may take its patience


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    def is_late() -> bool:
        return context is not None and context.get_remaining_time_in_millis() < LAST_START_MS

    return reclaim(leases_table(), datetime.now(UTC), is_late)


def reclaim(
    leases: LeasesTable, at: datetime, is_late: Callable[[], bool] = lambda: False
) -> dict[str, int]:
    """How many leases were found and ended, and the units that went back.

    A lease that sells while it is looked at is not abandoned, and is left alone.
    """
    found = [each for each in leases.open() if each.is_abandoned(at)]
    ended = [leases.end_if_unused(each, at) for each in found if not is_late()]
    return {"abandoned": len(found), "ended": len(ended), "units": sum(ended)}
