"""By the clock: erasures are finished, and what has been kept long enough goes.

Called with `{"reapply": true}`, after a table was restored: all erasures once more.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from functions.privacy.desk import ENVIRONMENT as NEEDED
from functions.privacy.desk import Desk, desk
from functions.privacy.erasing import finish, reapply
from functions.privacy.keeping import READER, delete_due, forgetting
from oms.adapters.event_log import reader
from oms.adapters.person_rows import person_rows
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = NEEDED
SECONDS = 45.0  # of the minute that it may run


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    if event.get("reapply"):
        return {"outcome": "reapplied", **again(desk())}
    return {"outcome": "tended", **tend(desk(), datetime.now(UTC))}


def tend(found: Desk, now: datetime) -> dict[str, int]:
    until = time.monotonic() + SECONDS

    def is_late() -> bool:
        return time.monotonic() > until

    salvage = person_rows(salvages=True)
    erased = [
        finish(found, salvage, each, now) for each in found.register.all_pending() if not is_late()
    ]
    take = forgetting(found.rows, found.orders, found.policy)
    return {
        "erased": sum(each.destroyed_at is not None for each in erased),
        "files": delete_due(found.files, f"{now:%Y-%m-%d}", is_late),
        "segments": reader(READER).run(take, is_late),
    }


def again(found: Desk) -> dict[str, int]:
    """Rows that came back go. Their keys have not: nothing in them opens, before or after."""
    persons = [*found.register.all_done(), *found.register.all_pending()]
    rows = sum(reapply(found, each).total() for each in persons)
    return {"persons": len(persons), "rows": rows}
