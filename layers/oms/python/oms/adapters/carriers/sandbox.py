"""The built-in carrier `test`: parcels move when somebody says so.

    {"tracking_number": "TR…", "status": "in_transit", "at": "2026-03-02T09:30:00Z"}

`Test-Signature` is the HMAC-SHA256 of the body under the sender's secret, in hex.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from oms.adapters.carriers.base import Ignored, MalformedUpdate
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate, scan

MAX_NUMBER = 100


class Sandbox:
    code = "test"

    def verify(self, call: Call, secret: str) -> bool:
        given = call.header("test-signature")
        return bool(secret) and same(given, signature(call.body, secret))

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        said = _parsed(call.body)
        number, status = said.get("tracking_number"), said.get("status")
        if not isinstance(number, str) or not 0 < len(number) <= MAX_NUMBER:
            raise MalformedUpdate(self.code, "tracking_number is missing or is no text")
        if not isinstance(status, str) or status not in set(TrackingStatus):
            raise MalformedUpdate(self.code, "status is none that we know")
        seen = scan(self.code, number, TrackingStatus(status), _time(said.get("at")), status)
        return (TrackingUpdate(self.code, number, (seen,)),)


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _time(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at
    except (TypeError, ValueError):
        pass
    raise MalformedUpdate("test", "at is missing or is no ISO 8601 with a zone")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpdate("test", "the body is no JSON") from None
    if not isinstance(said, dict):
        raise MalformedUpdate("test", "the body is no object")
    return said
