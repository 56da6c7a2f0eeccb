"""What Amazon says to a queue: who may send there is the signature."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from functions.capture.intake import NEEDS, Intake, NotUnderstood, intake
from functions.capture.work_inbox import each_record
from oms.adapters.channels import CHANNELS
from oms.adapters.webhooks import Call
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = NEEDS
CHANNEL = "amazon"


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    failed = each_record(event["Records"], partial(take, intake()))
    return {"batchItemFailures": failed, "outcome": f"{len(failed)} failed"}


def take(desk: Intake, body: str) -> str:
    """How it ended; what is kept need not come again."""
    at = datetime.now(UTC)
    try:
        return desk.take(CHANNELS[CHANNEL], Call(body.encode(), at=at), at).outcome
    except NotUnderstood as refused:
        if not refused.message_id:
            raise
        return "kept"
