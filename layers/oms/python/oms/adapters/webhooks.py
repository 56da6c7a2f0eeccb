"""A message as a sender hands it over, before anybody believes it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

RELAY_HEADER = "baton-signature"
REPLAY_WINDOW = timedelta(minutes=5)  # for senders that say when they have signed


@dataclass(frozen=True, slots=True)
class Call:
    """`headers` have lower-case names; `url` is the address that was called, without its query;
    `at` is when it reached us."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    at: datetime | None = None

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def is_fresh(self, signed_at: datetime) -> bool:
        """Signed within the window before or after it reached us: clocks differ."""
        return self.at is None or abs(self.at - signed_at) <= REPLAY_WINDOW


def same(given: str, wanted: str) -> bool:
    """In a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def relay_signature(body: bytes, secret: str) -> str:
    """The value of `Baton-Signature`, for senders that have no signature of their own: whoever
    hands their messages over (a queue's reader, a gateway) signs the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_relayed(call: Call, secret: str) -> bool:
    return bool(secret) and same(call.header(RELAY_HEADER), relay_signature(call.body, secret))
