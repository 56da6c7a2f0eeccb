"""What Stripe's webhooks say, once their signature is Stripe's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from oms.adapters.payments.base import (
    AmbiguousOutcome,
    DisputeNotice,
    Ignored,
    MalformedNotice,
    Notice,
    Result,
)
from oms.adapters.payments.stripe_amounts import from_stripe
from oms.adapters.payments.stripe_intents import (
    REFUND_OVER,
    authorization,
    capture,
    retrieved,
    said_by,
)
from oms.domain.payment import DisputeStatus, OperationStatus

TOLERANCE_SECONDS = 300
INTENTS = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
    }
)
REFUNDS = frozenset({"refund.updated", "refund.failed", "charge.refund.updated"})
DISPUTES = frozenset(
    {"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"}
)
CLOSED = {"won": DisputeStatus.WON, "lost": DisputeStatus.LOST}
Said = Notice | DisputeNotice | Ignored


def verified(header: str, body: bytes, secrets: str, now: datetime) -> bool:
    return any(_is_signed(header, body, each) for each in secrets.split()) and _is_fresh(
        header, now
    )


def _is_signed(header: str, body: bytes, secret: str) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        return bool(WebhookSignature.verify_header(body, header, secret))
    except (SignatureVerificationError, ValueError):  # a body that is no text, too
        return False


def _is_fresh(header: str, now: datetime) -> bool:
    """Of a header that was signed: the time in it is a number."""
    at = next(part for part in header.split(",") if part.startswith("t="))
    return abs(now.timestamp() - int(at[2:])) <= TOLERANCE_SECONDS


def read(body: bytes, connect: Callable[[], Any]) -> Said:
    """The payment is asked for as it is now; AmbiguousOutcome: let Stripe send it once more."""
    kind, thing = _parsed(body)
    if kind in INTENTS:
        return _of_intent(_intent(connect, _text(thing, "id")))
    if kind in REFUNDS:
        return _of_refund(thing)
    if kind in DISPUTES:
        return _of_dispute(kind, thing, connect)
    return Ignored(f"{kind} moves no money that we asked for")


def _intent(connect: Callable[[], Any], reference: str) -> Any | None:
    import stripe

    try:
        return retrieved(connect(), reference)
    except stripe.InvalidRequestError:
        return None
    except stripe.StripeError as error:
        raise AmbiguousOutcome(type(error).__name__) from None


def _of_intent(intent: Any | None) -> Said:
    order_id = said_by(intent, "order_id")
    if intent is None or not order_id:
        return Ignored("the payment is of no order of ours")
    key, result = said_by(intent, "operation"), authorization(intent)
    if said_by(intent, "capture") and (intent.status == "succeeded" or not key):
        key, result = said_by(intent, "capture"), capture(intent)
    if not key or result.status is OperationStatus.PENDING:
        return Ignored("the payment has not ended")
    return Notice(order_id, key, result)


def _of_refund(refund: dict[str, Any]) -> Said:
    marks = refund.get("metadata") or {}
    status = REFUND_OVER.get(str(refund.get("status")))
    if not marks.get("operation") or not marks.get("order_id"):
        return Ignored("a refund that we did not ask for")
    if status is None or marks.get("total") != str(refund.get("amount")):
        return Ignored("the refund has not ended; of one in parts, the look-up tells")
    reason = str(refund.get("failure_reason") or "refused")
    result = Result(
        status,
        _text(refund, "id"),
        reason if status is OperationStatus.FAILED else "",
        amount=None if status is OperationStatus.FAILED else _amount(refund),
    )
    return Notice(str(marks["order_id"]), str(marks["operation"]), result)


def _of_dispute(kind: str, dispute: dict[str, Any], connect: Callable[[], Any]) -> Said:
    status = _dispute_status(kind, str(dispute.get("status")))
    if status is None:
        return Ignored("an inquiry: no money was taken")
    intent = _intent(connect, _text(dispute, "payment_intent"))
    order_id = said_by(intent, "order_id")
    if intent is None or not order_id:
        return Ignored("the disputed payment is of no order of ours")
    reason = str(dispute.get("reason") or "")
    reference = intent.id if said_by(intent, "operation") else said_by(intent, "of")
    identity, amount = _text(dispute, "id"), _amount(dispute)
    return DisputeNotice(order_id, reference, identity, amount, status, reason)


def _dispute_status(kind: str, status: str) -> DisputeStatus | None:
    if kind == "charge.dispute.closed":
        return CLOSED.get(status)
    return None if status.startswith("warning_") else CLOSED.get(status, DisputeStatus.OPEN)


def _amount(thing: dict[str, Any]) -> int:
    amount, currency = thing.get("amount"), thing.get("currency")
    if not isinstance(amount, int) or not isinstance(currency, str):
        raise MalformedNotice("the amount is missing")
    return from_stripe(amount, currency)


def _parsed(body: bytes) -> tuple[str, dict[str, Any]]:
    try:
        said = json.loads(body)
        kind, thing = said["type"], said["data"]["object"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise MalformedNotice("the body is no event") from None
    if not isinstance(kind, str) or not isinstance(thing, dict):
        raise MalformedNotice("the body is no event")
    return kind[:100], thing


def _text(thing: dict[str, Any], name: str) -> str:
    word = thing.get(name)
    if not isinstance(word, str) or not word:
        raise MalformedNotice(f"{name} is missing")
    return word
