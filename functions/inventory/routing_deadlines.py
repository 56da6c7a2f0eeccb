"""Deadlines of routing: work that should have left by now, and locations that must be looked at."""

from __future__ import annotations

from datetime import datetime

from oms.adapters.job_queue import job_queue
from oms.adapters.jobs_table import jobs_table
from oms.adapters.routing.desk import routing
from oms.adapters.routing.promises import promise_desk
from oms.adapters.routing.rerouting import ask_for_rerouting


def promise_at_risk(fulfillment_order_id: str, at: datetime) -> str:
    return promise_desk(at).look(fulfillment_order_id, at)


def reroute_work(location_id: str, at: datetime) -> str:
    """A run that dies behind it asks for another: that finds what is left."""
    job = ask_for_rerouting(jobs_table(), job_queue(), location_id, at.isoformat(), at)
    return job.job_id


def end_window(name: str, at: datetime) -> int:
    return routing().window_desk(at).route(name)
