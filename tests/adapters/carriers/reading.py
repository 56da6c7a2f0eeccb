"""What a carrier's adapter makes of a payload."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored
from oms.adapters.webhooks import Call
from oms.domain.tracking import Scan, TrackingStatus, TrackingUpdate, furthest

PAYLOADS = Path(__file__).parents[2] / "contracts" / "carriers"
REAL = Path(__file__).parents[4] / "shared" / "data"


def payload(carrier: str, name: str) -> bytes:
    return (PAYLOADS / carrier / name).read_bytes()


def heard(carrier: str, body: bytes) -> tuple[TrackingUpdate, ...]:
    said = CARRIERS[carrier].read(Call(body))
    assert not isinstance(said, Ignored), said.why
    return said


def answered(carrier: str, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
    updates: tuple[TrackingUpdate, ...] = CARRIERS[carrier].read_answer(body, number)  # type: ignore[attr-defined]
    return updates


def only(updates: tuple[TrackingUpdate, ...]) -> TrackingUpdate:
    (update,) = updates
    return update


def status_after(scans: tuple[Scan, ...]) -> TrackingStatus:
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    at: datetime | None = None
    for scan in scans:
        status, at = furthest(status, at, scan)
    return status


def said_by(update: TrackingUpdate) -> list[tuple[str, str]]:
    """Status and code, in the order of time."""
    return [(scan.status.value, scan.code) for scan in update.scans]
