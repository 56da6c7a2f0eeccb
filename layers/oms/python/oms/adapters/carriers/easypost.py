"""EasyPost trackers: one webhook holds all that the carrier has said of a parcel so far."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from oms.adapters.carriers.base import Ignored, MalformedUpdate
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import Scan, TrackingStatus, TrackingUpdate, scan

STATUSES = {
    "pre_transit": TrackingStatus.LABEL_CREATED,
    "in_transit": TrackingStatus.IN_TRANSIT,
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "available_for_pickup": TrackingStatus.AVAILABLE_FOR_PICKUP,
    "delivered": TrackingStatus.DELIVERED,
    "return_to_sender": TrackingStatus.RETURN_TO_SENDER,
    "failure": TrackingStatus.ATTEMPT_FAILED,
    "error": TrackingStatus.EXCEPTION,
    "cancelled": TrackingStatus.EXCEPTION,
}
HANDLED = frozenset({"tracker.created", "tracker.updated"})
MAX_SCANS = 1_000  # of one parcel; a long international way has about fifty
MAX_WORD = 100


class EasyPost:
    code = "easypost"

    def verify(self, call: Call, secret: str) -> bool:
        given = call.header("x-hmac-signature")
        return bool(secret) and same(given, signature(call.body, secret))

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = _parsed(call.body)
        if (topic := _text(event, "description")) not in HANDLED:
            return Ignored(f"{topic} is no tracker event")
        tracker = event.get("result")
        if not isinstance(tracker, dict):
            raise MalformedUpdate(self.code, "the event has no tracker")
        number = _text(tracker, "tracking_code")
        scans = {each.fingerprint: each for each in _scans(number, tracker, event)}
        in_order = sorted(scans.values(), key=lambda each: each.at)
        return (TrackingUpdate(self.code, number, tuple(in_order)),)


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Hmac-Signature`. Their rule: the secret is NFKD-normalised to be a key."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def _scans(number: str, tracker: dict[str, Any], event: dict[str, Any]) -> Iterator[Scan]:
    """Every detail that has a time, then the tracker's own status if no detail says the same."""
    returned = tracker.get("is_return") is True or tracker.get("status") == "return_to_sender"
    timed = (each for each in _details(tracker) if each.get("datetime") is not None)
    said = [_detail(number, detail, returned) for detail in timed]
    yield from said
    status = _status(tracker, returned)
    if tracker.get("status") and status not in {each.status for each in said}:
        at = max((each.at for each in said), default=None) or _touched(tracker, event)
        yield scan("easypost", number, status, at, _word(tracker.get("status")))


def _detail(number: str, detail: dict[str, Any], returned: bool) -> Scan:
    code = detail.get("carrier_code") or detail.get("status_detail") or detail.get("status")
    at = _time(detail.get("datetime"))
    return scan("easypost", number, _status(detail, returned), at, _word(code))


def _status(said: dict[str, Any], returned: bool) -> TrackingStatus:
    """What we do not know is unknown. A parcel on its way back is delivered to its sender only."""
    word = said.get("status")
    known = STATUSES.get(word, TrackingStatus.UNKNOWN) if isinstance(word, str) else None
    if known is TrackingStatus.DELIVERED and returned:
        return TrackingStatus.RETURN_TO_SENDER
    return known or TrackingStatus.UNKNOWN


def _details(tracker: dict[str, Any]) -> list[Any]:
    details = tracker.get("tracking_details") or []
    if not isinstance(details, list) or len(details) > MAX_SCANS:
        raise MalformedUpdate("easypost", f"tracking_details is no list of up to {MAX_SCANS}")
    if not all(isinstance(detail, dict) for detail in details):
        raise MalformedUpdate("easypost", "a tracking detail is not an object")
    return details


def _touched(tracker: dict[str, Any], event: dict[str, Any]) -> datetime:
    return _time(tracker.get("updated_at") or event.get("created_at"))


def _time(text: Any) -> datetime:
    """Their times carry a zone; one without is UTC, as their documentation says."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise MalformedUpdate("easypost", "a time is missing or is no ISO 8601") from None


def _word(code: Any) -> str:
    return code[:MAX_WORD] if isinstance(code, str) and code.isprintable() else ""


def _text(said: dict[str, Any], key: str) -> str:
    word = _word(said.get(key)).strip()
    if not word:
        raise MalformedUpdate("easypost", f"{key} is missing or is no text")
    return word


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpdate("easypost", "the body is no JSON") from None
    if not isinstance(event, dict):
        raise MalformedUpdate("easypost", "the body is no object")
    return event
