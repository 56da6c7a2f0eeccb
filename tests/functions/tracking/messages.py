"""Messages of carriers, as if they were sent today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.functions.world import now

START = now()


def of_today(event: Any) -> Any:
    """An event of EasyPost with its first detail now, and the others as long after it; the same
    event is the same again."""
    details = event["result"]["tracking_details"]
    times = [datetime.fromisoformat(each["datetime"]) for each in details]
    late = START - min(times)
    for each, at in zip(details, times, strict=True):
        each["datetime"] = (at + late).isoformat()
    return event
