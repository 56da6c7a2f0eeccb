"""What a PaymentIntent of Stripe says of our operations; its metadata names them.

`order_id`: whose it is. `operation`: the key of the authorization. `capture`: of the capture that
took its money. `of`: the intent whose buyer and amount it charges again. `void`, `released`: the
last part that was given up before anything was taken, and all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from oms.adapters.payments.base import Result
from oms.adapters.payments.stripe_amounts import from_stripe
from oms.domain.payment import OperationStatus

HELD_FOR = timedelta(days=7)  # where the charge does not say it
WHOLE: dict[str, Any] = {"expand": ["latest_charge"]}

HELD = frozenset({"requires_capture", "succeeded"})
OPEN = frozenset({"requires_action", "requires_confirmation", "processing"})
REFUND_OVER = {"succeeded": OperationStatus.SUCCEEDED, "failed": OperationStatus.FAILED}
REFUND_OVER["canceled"] = OperationStatus.FAILED


def said_by(thing: Any, name: str) -> str:
    """Of an object's metadata."""
    metadata = getattr(thing, "metadata", None) or {}
    return str(metadata[name]) if name in metadata else ""


def retrieved(client: Any, reference: str) -> Any:
    return client.v1.payment_intents.retrieve(reference, WHOLE)


def authorization(intent: Any) -> Result:
    if intent.status in HELD:
        until = valid_until(intent)
        return Result(OperationStatus.SUCCEEDED, intent.id, valid_until=until)
    if intent.status in OPEN:
        return Result(OperationStatus.PENDING, intent.id)
    return Result(OperationStatus.FAILED, reason=why_failed(intent))


def capture(intent: Any) -> Result:
    """Of an intent whose `capture` names the operation."""
    if intent.status == "succeeded":
        taken = from_stripe(intent.amount_received, intent.currency)
        return Result(OperationStatus.SUCCEEDED, charge_id(intent), amount=taken)
    if intent.status in OPEN | HELD:
        return Result(OperationStatus.PENDING, intent.id)
    return Result(OperationStatus.FAILED, reason=why_failed(intent))


def why_failed(intent: Any) -> str:
    error = getattr(intent, "last_payment_error", None)
    return str(getattr(error, "code", None) or intent.status)


def valid_until(intent: Any) -> datetime:
    charge = intent.latest_charge
    card = getattr(getattr(charge, "payment_method_details", None), "card", None)
    before = getattr(card, "capture_before", None)
    if before:
        return datetime.fromtimestamp(before, UTC)
    return datetime.fromtimestamp(intent.created, UTC) + HELD_FOR


def charge_id(intent: Any) -> str:
    charge = intent.latest_charge
    return str(getattr(charge, "id", charge) or intent.id)


def charged_again(client: Any, intent: Any) -> Iterator[Any]:
    """Later captures of this authorization: each is an intent of its own."""
    for each in of_customer(client, intent.customer):
        if said_by(each, "of") == intent.id and said_by(each, "capture"):
            yield each


def of_customer(client: Any, customer: str | None) -> Iterator[Any]:
    if customer:
        said = {"customer": customer, "limit": 100, "expand": ["data.latest_charge"]}
        yield from client.v1.payment_intents.list(said).auto_paging_iter()
