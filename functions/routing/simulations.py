"""Simulations: asked for as jobs, followed by their own figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.adapters.routing.simulation import KIND, days_of, position_of
from oms.contracts.api.routing import SimulatedView, SimulateRouting, SimulationView
from oms.domain.errors import NotFound
from oms.domain.jobs import UNFINISHED, Job, Slice, job_id_of, together
from oms.domain.routing.simulating import Outcomes, added


class Queue(Protocol):
    def send(self, tasks: Sequence[Task]) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    jobs: JobsTable
    queue: Queue


def start_simulation(
    desk: Desk, said: SimulateRouting, *, at: datetime, actor: str, once: str | None = None
) -> SimulationView:
    """One Idempotency-Key of one actor is one simulation."""
    job_id = job_id_of(actor, KIND, once) if once else job_id_of(uuid4().hex)
    params = {
        "rule_set": said.rule_set,
        "from": said.first_day.isoformat(),
        "to": said.last_day.isoformat(),
        "channel": said.channel or "",
    }
    job = desk.jobs.add(Job(job_id, KIND, params, actor, at, started_at=at))
    if job.status in UNFINISHED:
        desk.queue.send([Task(job_id)])
    return _view(job, desk.jobs.slices(job_id))


def simulation_view(jobs: JobsTable, job_id: str) -> SimulationView:
    job = jobs.get(job_id)
    if job.kind != KIND:
        raise NotFound("simulation", job_id)
    return _view(job, jobs.slices(job_id))


def _view(job: Job, parts: Sequence[Slice]) -> SimulationView:
    positions = [position_of(part) for part in parts]
    found = added(each.found for each in positions)
    return SimulationView(
        job_id=job.job_id,
        status=job.status,
        rule_set=job.params["rule_set"],
        first_day=job.params["from"],
        last_day=job.params["to"],
        channel=job.params["channel"],
        days_done=sum(each.days_done for each in positions),
        days=len(days_of(job)),
        looked_at=together(parts).done,
        skipped=found.skipped,
        changed=found.changed,
        before=_outcomes(found.before),
        after=_outcomes(found.after),
        started_at=job.started_at,
        finished_at=job.finished_at,
        reason=job.reason,
    )


def _outcomes(of: Outcomes) -> SimulatedView:
    return SimulatedView(
        orders=of.orders,
        shipments=of.shipments,
        cost=of.cost,
        late_share=round(of.late_share, 4),
        backordered_orders=of.backordered,
        load=dict(of.load),
    )
