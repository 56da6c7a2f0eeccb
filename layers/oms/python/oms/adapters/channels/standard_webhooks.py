"""Signatures by the rules of Standard Webhooks, which several platforms follow.

    webhook-id         of the message, the same when it is sent again
    webhook-timestamp  seconds, when this delivery was signed
    webhook-signature  v1,<base64 of HMAC-SHA256 over id.timestamp.body>, several with spaces

Source: the specification of Standard Webhooks. While a key is changed, a sender signs with both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

from oms.adapters.webhooks import Call, same

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
MAX_SIGNATURES = 20
SECONDS = range(1, 10**11)


def is_signed(call: Call, key: bytes) -> bool:
    """Signed with the key within the replay window; an empty key signs nothing."""
    signed_at = _instant(call.header(TIMESTAMP))
    if not key or not call.header(ID) or signed_at is None or not call.is_fresh(signed_at):
        return False
    wanted = signature(key, call.header(ID), call.header(TIMESTAMP), call.body)
    given = call.header(SIGNATURE).split(" ")[:MAX_SIGNATURES]
    return any(same(each, wanted) for each in given)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """One value of `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """Of a secret as the specification writes it: `whsec_` and base64. Empty where it is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _instant(text: str) -> datetime | None:
    if not (text.isascii() and text.isdecimal()) or int(text[:12]) not in SECONDS:
        return None
    return datetime.fromtimestamp(int(text), UTC) if len(text) <= len("99999999999") else None
