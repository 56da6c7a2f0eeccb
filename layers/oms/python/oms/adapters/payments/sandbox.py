"""The built-in provider `test`: no money, no state; what happens is in the token.

* `tok_ok`: authorized.
* `tok_declined`, and any token it does not know: declined.
* `tok_timeout_then_ok`: the answer is lost; a look-up says authorized.
* `tok_3ds`: pending until its webhook.
* `tok_expiring`: authorized until midnight (UTC) in seven days; `tok_no_renewal`: and not again.
* `tok_refund_pending`: refunds are pending until their webhook; `tok_refund_declined`: refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from oms.adapters.payments.base import (
    AmbiguousOutcome,
    DisputeNotice,
    Ignored,
    MalformedNotice,
    Notice,
    Result,
)
from oms.domain.payment import DisputeStatus, OperationKind, OperationStatus

TOLERANCE_SECONDS = 300
SIGNATURE = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-f]{64})+)", re.ASCII)
MAX_WORD = 100
VALID_FOR = timedelta(days=7)

LOST, ASKS_THE_BUYER = "tok_timeout_then_ok", "tok_3ds"
EXPIRING = frozenset({"tok_expiring", "tok_no_renewal"})
REMEMBERED = ("no_renewal", "refund_pending", "refund_declined")  # by the reference
GOOD = EXPIRING | {"tok_ok", LOST, *(f"tok_{word}" for word in REMEMBERED)}
ENDED = {"succeeded": OperationStatus.SUCCEEDED, "failed": OperationStatus.FAILED}
WHY = {"authorization": "the buyer did not confirm the payment"}
DISPUTED = {
    "opened": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def _now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    code = "test"
    prepaid = False

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        if token == LOST:
            raise AmbiguousOutcome(key)
        return self._authorization(key, token)

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        return self._renewal(key, reference)

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return _moved(key, reference)

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return _moved(key, reference)

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return _refunded(key, reference)

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        its_own = reference in ("", reference_of(key))
        if kind is OperationKind.AUTHORIZE and not (token or its_own):
            return self._renewal(key, reference)
        if kind is OperationKind.AUTHORIZE:
            return self._authorization(key, token)
        if kind is OperationKind.REFUND and reference:
            return _refunded(key, reference)
        return Result(OperationStatus.SUCCEEDED, reference_of(key))

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        said = SIGNATURE.fullmatch(headers.get("test-signature", ""))
        if said is None or not secret:
            return False
        at = int(said[1])
        wanted = signature(body, secret, at).partition("v1=")[2]
        known = [hmac.compare_digest(wanted, given) for given in said[2].split(",v1=")]
        return any(known) and abs(now.timestamp() - at) <= TOLERANCE_SECONDS

    def read(self, body: bytes) -> Notice | DisputeNotice | Ignored:
        said = _parsed(body)
        event, order_id = _text(said, "event"), _text(said, "order_id")
        subject, _, end = event.partition(".")
        if subject == "dispute" and end in DISPUTED:
            return _dispute(said, order_id, DISPUTED[end])
        key = _text(said, "key")
        if subject in ("authorization", "capture", "refund") and end in ENDED:
            return Notice(order_id, key, _end(subject, ENDED[end], key))
        return Ignored(f"{event} is no event of this provider")

    def _authorization(self, key: str, token: str) -> Result:
        if token in GOOD:
            until = self._until() if token in EXPIRING else None
            word = token.removeprefix("tok_")
            reference = reference_of(key, word if word in REMEMBERED else "")
            return Result(OperationStatus.SUCCEEDED, reference, valid_until=until)
        if token == ASKS_THE_BUYER:
            return Result(OperationStatus.PENDING, reference_of(key))
        reason = "card declined" if token == "tok_declined" else "unknown token"
        return Result(OperationStatus.FAILED, reason=reason)

    def _renewal(self, key: str, reference: str) -> Result:
        if reference.endswith("no_renewal"):
            return Result(OperationStatus.FAILED, reason="card declined")
        return replace(_moved(key, reference), valid_until=self._until())

    def _until(self) -> datetime:
        """The same all day: the same key has the same answer."""
        return datetime.combine(self._now().date() + VALID_FOR, time.min, UTC)


def signature(body: bytes, secret: str, at: int) -> str:
    """The value of `Test-Signature` for a webhook that is sent at this time (epoch seconds)."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def reference_of(key: str, word: str = "") -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    return f"test_{digest}_{word}" if word else f"test_{digest}"


def _moved(key: str, reference: str) -> Result:
    if not reference:
        return Result(OperationStatus.FAILED, reason="there is no authorization to move money on")
    return Result(OperationStatus.SUCCEEDED, reference_of(key))


def _end(subject: str, status: OperationStatus, key: str) -> Result:
    if status is OperationStatus.SUCCEEDED:
        return Result(status, reference_of(key))
    return Result(status, reason=WHY.get(subject, f"{subject} refused by the bank"))


def _refunded(key: str, reference: str) -> Result:
    if reference.endswith("refund_declined"):
        return Result(OperationStatus.FAILED, reason="card closed")
    if reference.endswith("refund_pending"):
        return Result(OperationStatus.PENDING, reference_of(key))
    return _moved(key, reference)


def _dispute(said: dict[str, Any], order_id: str, status: DisputeStatus) -> DisputeNotice:
    amount = said.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
        raise MalformedNotice("amount is missing or is no amount")
    reference, identity = _text(said, "reference"), _text(said, "dispute_id")
    reason = _text(said, "reason") if "reason" in said else ""
    return DisputeNotice(order_id, reference, identity, amount, status, reason)


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
