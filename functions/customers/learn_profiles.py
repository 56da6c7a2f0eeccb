"""Every few minutes: what new orders and edits tell of their customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from functions.customers.desk import learning
from functions.customers.learning import Learned, Learning
from oms.adapters.event_log import Segment, reader
from oms.domain.errors import NotFound
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "REPORTS_TABLE",
    "FILES_BUCKET",
    "VAULT_KEY_ID",
    "SECRET_ID",
)
READER = "profiles"
LEFT_OVER = 30_000  # milliseconds before the end, when nothing new is begun


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    desk = learning()

    def take(segment: Segment, envelopes: list[dict[str, Any]]) -> None:  # noqa: ARG001
        learn(envelopes, desk, datetime.now(UTC))

    segments = reader(READER).run(take, lambda: is_late(context))
    logger().info("learned", extra={"segments": segments})
    return {"outcome": "learned", "segments": segments}


def is_late(context: Any) -> bool:
    return context is not None and context.get_remaining_time_in_millis() < LEFT_OVER


def learn(envelopes: Sequence[Mapping[str, Any]], desk: Learning, at: datetime) -> None:
    desk.take([*_learned(envelopes, desk)], at)


def _learned(envelopes: Sequence[Mapping[str, Any]], desk: Learning) -> Iterator[Learned]:
    for told in envelopes:
        seen = None
        if told["type"] == "OrderPlaced":
            seen = _placed(told, desk)
        elif told["type"] == "OrderEdited":
            seen = _edited(told, desk)
        if seen is not None:
            yield seen


def _placed(told: Mapping[str, Any], desk: Learning) -> Learned | None:
    said, at = told["data"], datetime.fromisoformat(told["data"]["placed_at"])
    return desk.seen(said["customer_id"], told["order_id"], said["channel"], at)


def _edited(told: Mapping[str, Any], desk: Learning) -> Learned | None:
    """Where it goes to now; most edits change nothing of that."""
    is_whole = "data" in told  # of what is too large for the bus, the order says it
    contact = told["data"]["edit"]["changes"].get("contact", "") if is_whole else ""
    if is_whole and not contact:
        return None
    try:
        order = desk.orders.glance(told["order_id"])
    except NotFound:
        return None
    contact_id = f"{order.order_id}#{contact}" if contact else order.contact_id
    at = datetime.fromisoformat(told["at"])
    return desk.seen(order.customer_id, contact_id, order.channel, at)
