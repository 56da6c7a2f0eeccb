"""The built-in provider `test`: no money, no state; what happens is in the token.

* `tok_ok`: authorized.
* `tok_declined`, and any token it does not know: declined.
* `tok_timeout_then_ok`: the answer is lost; a look-up says authorized.
* `tok_3ds`: pending until its webhook.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from oms.adapters.payments.base import (
    AmbiguousOutcome,
    Ignored,
    MalformedNotice,
    Notice,
    Result,
)
from oms.domain.payment import OperationKind, OperationStatus

TOLERANCE_SECONDS = 300
SIGNATURE = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-f]{64})+)", re.ASCII)
MAX_WORD = 100


class Sandbox:
    code = "test"

    def authorize(self, key: str, amount: int, currency: str, token: str) -> Result:  # noqa: ARG002
        if token == "tok_timeout_then_ok":
            raise AmbiguousOutcome(key)
        return _authorization(key, token)

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return _moved(key, reference)

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return _moved(key, reference)

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return _moved(key, reference)

    def look_up(self, key: str, kind: OperationKind, token: str = "") -> Result | None:
        if kind is OperationKind.AUTHORIZE:
            return _authorization(key, token)
        return Result(OperationStatus.SUCCEEDED, reference_of(key))

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        said = SIGNATURE.fullmatch(headers.get("test-signature", ""))
        if said is None or not secret:
            return False
        at = int(said[1])
        wanted = signature(body, secret, at).partition("v1=")[2]
        known = [hmac.compare_digest(wanted, given) for given in said[2].split(",v1=")]
        return any(known) and abs(now.timestamp() - at) <= TOLERANCE_SECONDS

    def read(self, body: bytes) -> Notice | Ignored:
        said = _parsed(body)
        event, order_id, key = (_text(said, name) for name in ("event", "order_id", "key"))
        if event == "authorization.succeeded":
            return Notice(order_id, key, Result(OperationStatus.SUCCEEDED, reference_of(key)))
        if event == "authorization.failed":
            reason = "the buyer did not confirm the payment"
            return Notice(order_id, key, Result(OperationStatus.FAILED, reason=reason))
        return Ignored(f"{event} is no event of this provider")


def signature(body: bytes, secret: str, at: int) -> str:
    """The value of `Test-Signature` for a webhook that is sent at this time (epoch seconds)."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def reference_of(key: str) -> str:
    return "test_" + hashlib.sha256(key.encode()).hexdigest()[:24]


def _authorization(key: str, token: str) -> Result:
    if token in ("tok_ok", "tok_timeout_then_ok"):
        return Result(OperationStatus.SUCCEEDED, reference_of(key))
    if token == "tok_3ds":
        return Result(OperationStatus.PENDING, reference_of(key))
    reason = "card declined" if token == "tok_declined" else "unknown token"
    return Result(OperationStatus.FAILED, reason=reason)


def _moved(key: str, reference: str) -> Result:
    if not reference:
        return Result(OperationStatus.FAILED, reason="there is no authorization to move money on")
    return Result(OperationStatus.SUCCEEDED, reference_of(key))


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedNotice("the body is no JSON") from None
    if not isinstance(said, dict):
        raise MalformedNotice("the body is no object")
    return said


def _text(said: dict[str, Any], name: str) -> str:
    word = said.get(name)
    if not isinstance(word, str) or not 0 < len(word) <= MAX_WORD or not word.isprintable():
        raise MalformedNotice(f"{name} is missing or is no short text")
    return word
