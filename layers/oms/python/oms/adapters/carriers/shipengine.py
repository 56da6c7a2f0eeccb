"""ShipEngine, and ShipStation v2: track events of a parcel, signed with a key of theirs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from oms.adapters.carriers.base import Ignored
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.rsa_signatures import is_signed
from oms.adapters.webhooks import Call
from oms.domain.tracking import TrackingStatus, TrackingUpdate

HANDLED = frozenset({"API_TRACK", "TRACK_EVENT_V2"})
SIGNATURE, TIMESTAMP = "x-shipengine-rsa-sha256-signature", "x-shipengine-timestamp"


class ShipEngine:
    code = "shipengine"

    def verify(self, call: Call, secret: str) -> bool:
        """`secret` is their public key: as their JWKS has it, as PEM, or base64 of its DER. They
        rotate keys: the one named by `x-shipengine-rsa-sha256-key-id` is one that is stored."""
        timestamp = call.header(TIMESTAMP)
        if not secret or not _is_fresh(call, timestamp):
            return False
        message = timestamp.encode(errors="replace") + b"." + call.body
        return is_signed(message, call.header(SIGNATURE), secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        if (kind := event.text("resource_type")) not in HANDLED:
            return Ignored(f"{kind} is no tracking event")
        return (_update(event.part("data")),)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        return (_update(parsed(self.code, body)),)


def signed(body: bytes, private_key: str, at: datetime) -> dict[str, str]:
    """The headers that they send; the key is base64 of PKCS8 DER."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    key: Any = load_der_private_key(base64.b64decode(private_key), None)
    signature = key.sign(f"{timestamp}.".encode() + body, PKCS1v15(), SHA256())
    return {TIMESTAMP: timestamp, SIGNATURE: base64.b64encode(signature).decode()}


def _is_fresh(call: Call, timestamp: str) -> bool:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return False
    return at.tzinfo is not None and call.is_fresh(at)


def _update(data: Said) -> TrackingUpdate:
    number = data.text("tracking_number")
    return told("shipengine", number, _seen(data), ours(data.word("carrier_code")))


def _seen(data: Said) -> Iterator[Seen]:
    """Newest first. Only `occurred_at` is a time in UTC: what they name the carrier's ends in `Z`
    and is local."""
    events = [seen for each in data.parts("events") if (seen := _event(each))]
    status = _status(data)
    if data.word("status_code") and status not in {each.status for each in events}:
        last = max((each.moment for each in events), key=lambda each: each.at, default=None)
        at = data.moment("actual_delivery_date") if status is TrackingStatus.DELIVERED else None
        if at := at or last:
            yield Seen(status, at, _code(data))
    yield from events


def _event(said: Said) -> Seen | None:
    at = said.moment("occurred_at")
    if at is None or not _code(said):
        return None
    if not said.word("status_code", "status_detail_code"):  # the carrier's own code is all it says
        return Seen(TrackingStatus.UNKNOWN, at, _code(said))
    return Seen(_status(said), at, _code(said))


def _status(said: Said) -> TrackingStatus | None:
    detail, status = said.word("status_detail_code"), said.word("status_code")
    return first_meaning("shipengine", ("detail", detail), ("status", status))


def _code(said: Said) -> str:
    return said.word("event_code", "carrier_detail_code", "carrier_status_code", "status_code")
