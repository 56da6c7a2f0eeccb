"""What the sales report says of the replayed orders, once all that was told is in it."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from infra.local.client import Client
from infra.local.cloud import Cloud
from infra.local.replay.orders import CHANNEL
from infra.local.replay.patience import patiently

COLLECT, PROJECT = "OmsInsight-CollectEvents", "OmsInsight-ProjectEvents"
PATIENCE = 600.0
PAUSE = 1.0
LONGEST = timedelta(days=400)  # that a report may be asked for


class Reported(NamedTuple):
    """Of the channel that replays sell in, what was cancelled taken off."""

    units: int
    pence: int


def reported(cloud: Cloud, api: Client) -> Reported:
    settle(cloud)
    today = datetime.now(UTC).date()
    asked = {"from": (today - LONGEST).isoformat(), "to": today.isoformat()}
    rows = patiently(lambda: api.get("/reports/sales", group_by="year", channel=CHANNEL, **asked))[
        "totals"
    ]
    units = sum(row["units"] - row["cancelled_units"] for row in rows)
    return Reported(units, sum(row["net"] for row in rows))


def settle(cloud: Cloud) -> None:
    """As the clock does it, until nothing is left to collect and to count."""
    functions, deadline = cloud.client("lambda"), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not any(segments(functions, name) for name in (COLLECT, PROJECT)):
            return
        time.sleep(PAUSE)


def segments(functions: Any, name: str) -> int:
    answer = functions.invoke(FunctionName=name, Payload=b"{}")
    return int(json.load(answer["Payload"]).get("segments", 0))
