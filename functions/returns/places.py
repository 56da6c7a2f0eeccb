"""Where units go that were taken back: checked against the network before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oms.adapters.network_table import NetworkTable
from oms.contracts.api.returns import ReportedLine
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import NotFound
from oms.domain.locations import Location
from oms.domain.returns import NOT_SOLD_YET, Acceptance, Disposition, Inspected
from oms.domain.returns.policy import ReturnPolicy


def judged(lines: Iterable[ReportedLine], policy: ReturnPolicy) -> tuple[Inspected, ...]:
    """What was looked at of these, each with the place that it goes to."""
    return tuple(_judged(line, policy) for line in lines if line.judged)


def _judged(line: ReportedLine, policy: ReturnPolicy) -> Inspected:
    disposition = Disposition(line.disposition or Disposition.QUARANTINE)
    return Inspected(
        line.line_id,
        line.quantity,
        Acceptance(line.acceptance or Acceptance.ACCEPTED),
        disposition,
        line.location_id or default_place(disposition, policy),
        line.note,
    )


def default_place(disposition: Disposition, policy: ReturnPolicy) -> str:
    """Empty: where they were received; for what is not sold yet, where no stock is counted."""
    places = {
        Disposition.RESTOCK: policy.restock_at,
        Disposition.REFURBISH: policy.refurbish_at,
        Disposition.QUARANTINE: policy.quarantine_at,
    }
    return places.get(disposition, "")


def check_places(network: NetworkTable, lines: Sequence[Inspected]) -> None:
    """What is put aside must not be promised to anybody: its location ships no orders."""
    if faults := list(_faults(network, lines)):
        raise InvalidRequest(faults)


def _faults(network: NetworkTable, lines: Sequence[Inspected]) -> Iterator[Fault]:
    for location_id in sorted({line.location_id for line in lines if line.location_id}):
        found = known(network, location_id)
        if found is None:
            yield Fault("location_id", f"there is no location {location_id}")
        elif found.active and any(_put_aside(line, location_id) for line in lines):
            yield Fault(
                "location_id", f"{location_id} ships orders; what is put aside lies elsewhere"
            )


def _put_aside(line: Inspected, location_id: str) -> bool:
    return line.location_id == location_id and line.disposition in NOT_SOLD_YET


def check_location(network: NetworkTable, location_id: str, field: str) -> None:
    if known(network, location_id) is None:
        raise InvalidRequest([Fault(field, f"there is no location {location_id}")])


def known(network: NetworkTable, location_id: str) -> Location | None:
    try:
        return network.location(location_id)
    except NotFound:
        return None
