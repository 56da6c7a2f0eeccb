"""A location has closed, is out, or can do less: have what is open there looked at, at once and
again when every router knows; of an outage that is to come, also when it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oms.adapters.agenda import agenda
from oms.adapters.dynamodb import client, transact
from oms.adapters.job_queue import job_queue
from oms.adapters.jobs_table import JobsTable, jobs_table
from oms.adapters.routing.rerouting import BELIEVED, Queue, ask_for_rerouting
from oms.domain.agenda import DueKind
from oms.domain.network.openness import CAPACITY, REOPENED
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("JOBS_TABLE", "JOB_QUEUE", "STOCK_TABLE")


@dataclass(frozen=True, slots=True)
class Desk:
    """`look_again` has a kind of deadline looked at: its subject, then."""

    look_again: Callable[[str, str, datetime], None]
    jobs: JobsTable
    queue: Queue


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    desk = Desk(
        lambda kind, subject, at: transact(client(), agenda().writes(kind, subject, at)),
        jobs_table(),
        job_queue(),
    )
    return {"outcome": react(desk, event["detail"], datetime.now(UTC))}


def react(desk: Desk, told: Mapping[str, Any], now: datetime) -> str:
    """Told twice, it is looked at by the same job, and at the same instants."""
    change, location_id = told["data"]["change"], told["location_id"]
    if change == REOPENED:
        return "nothing to take back"
    for when in _moments(told):
        desk.look_again(DueKind.REROUTE_WORK, location_id, when)
    if change == CAPACITY:  # a router that does not know the limit would put it back there
        return "to be looked at"
    ask_for_rerouting(desk.jobs, desk.queue, location_id, told["id"], now)
    return "asked for"


def _moments(told: Mapping[str, Any]) -> Iterator[datetime]:
    at = datetime.fromisoformat(told["at"])
    yield at + BELIEVED
    since = told["data"].get("since")
    if since and datetime.fromisoformat(since) > at:
        yield datetime.fromisoformat(since)
